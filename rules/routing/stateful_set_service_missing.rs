//! StatefulSets without the headless Service that gives their pods names.

use crate::absence::{Absence, Wanted};
use crate::analyze::selection::selector::Selects;
use crate::analyze::selection::services::{Exposure, Service};
use crate::analyze::selection::workloads::Workload;
use crate::api::kind::Kind;
use crate::rule::{Admission, Check, Cx, Finding, Group, Out, Preset, Rule, Severity};
use crate::text::tree::Node;

/// The rule.
pub(super) static RULE: Rule = Rule {
    id: "stateful-set-service-missing",
    title: "a StatefulSet's `serviceName` is no headless Service over its pods",
    severity: Severity::Error,
    group: Group::Routing,
    admission: Admission::Warn,
    presets: &[Preset::Invariants],
    reads: &[Kind::Service],
    like: &["kube-score:statefulset-has-servicename"],
    parameters: &[],
    page: include_str!("stateful_set_service_missing.md"),
    reads_images: None,
    checks: &[Check::World(check)],
};

fn check(cx: &Cx<'_, '_>, out: &mut Out) {
    for workload in cx.facts.workloads().iter().filter(|it| it.kind == Kind::StatefulSet) {
        let object = cx.object(workload.object);
        // Without a name the StatefulSet asks for no Service; Kubernetes 1.34 made that official.
        let Some(field) = object.field(&["spec", "serviceName"]) else { continue };
        let Some(name) = field.str().filter(|it| !it.is_empty()) else { continue };
        match cx.facts.services().find(workload.namespace, name) {
            Some(service) => out.findings.extend(unfit(cx, workload, field, service)),
            None => {
                let wanted = Wanted::object(Kind::Service, workload.namespace, name);
                // A headless Service over these very pods is theirs, under another name.
                let mut services = cx.facts.services().of_workload(workload.id);
                let is_misnamed = services.any(|it| it.is_headless);
                let absence = match cx.absence_of(wanted) {
                    Absence::CannotTell(_) if is_misnamed && cx.unseen(wanted).is_none() => {
                        Absence::Absent
                    }
                    absence => absence,
                };
                out.report_absent(object, absence, || missing(cx, workload, field, name));
            }
        }
    }
}

fn missing(cx: &Cx<'_, '_>, workload: &Workload<'_>, field: Node<'_>, name: &str) -> Finding {
    let object = cx.object(workload.object);
    let finding = Finding::new(
        format!(
            "`{object}` names Service `{name}`, which namespace `{}` does not have",
            workload.namespace
        ),
        object.place(field),
        "no such Service",
    )
    .note(format!(
        "its pods have names in DNS (`{}-0.{name}`) through this Service alone",
        workload.name
    ));
    let headless = cx.facts.services().of_workload(workload.id).find(|it| it.is_headless);
    match headless {
        Some(it) => finding
            .hint(cx.object(it.object).whole(), "a headless Service over its pods")
            .help(format!(
                "set `serviceName: {}`; that means to delete the StatefulSet and create it again",
                it.name
            )),
        None => finding.help(format!(
            "add Service `{name}` with `clusterIP: None` and a selector of these pods"
        )),
    }
}

fn unfit(
    cx: &Cx<'_, '_>,
    workload: &Workload<'_>,
    field: Node<'_>,
    service: &Service<'_>,
) -> Option<Finding> {
    let (object, found) = (cx.object(workload.object), cx.object(service.object));
    let selected = service.selects.iter().find(|(id, _)| *id == workload.id);
    if selected.is_none_or(|(_, selects)| *selects == Selects::None) {
        let selector = service.selector.as_ref().map_or("no pods".into(), |it| format!("`{it}`"));
        let finding = Finding::new(
            format!("`{object}` names `{found}`, which does not select its pods"),
            object.place(field),
            "the Service of its pods' names",
        );
        return Some(
            finding
                .label(found.at("spec.selector"), format!("selects {selector}"))
                .note("a pod has a name in DNS only while the Service selects it")
                .help("let the Service select the labels of the StatefulSet's pod template"),
        );
    }
    if service.is_headless {
        return None;
    }
    let place =
        if service.exposure == Exposure::ClusterIp { "spec.clusterIP" } else { "spec.type" };
    // The StatefulSet itself runs, and who asks for the Service alone is served.
    Some(
        Finding::new(
            format!("`{object}` names `{found}`, which is not headless"),
            object.place(field),
            "the Service of its pods' names",
        )
        .severity(Severity::Warning)
        .label(found.at(place), "has an address of its own")
        .note(format!(
            "only a headless Service gives each pod a name in DNS (`{}-0.{}`)",
            workload.name, service.name
        ))
        .help("create the Service again with `clusterIP: None`, or add a headless one beside it and name that"),
    )
}
