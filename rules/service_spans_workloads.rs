//! Services whose selector takes in pods of workloads that have nothing to do with each other.

use crate::analyze::selector::LabelValue;
use crate::analyze::services::Service;
use crate::analyze::workloads::Workload;
use crate::model::kind::Kind;
use crate::rule::{Admission, Cx, Finding, Group, Out, Rule, Severity};
use crate::tree::Node;

/// The rule.
pub(super) static RULE: Rule = Rule {
    id: "service-spans-workloads",
    title: "one Service leads to pods of unrelated workloads",
    severity: Severity::Warning,
    group: Group::Routing,
    admission: Admission::Warn,
    reads: &[Kind::Service],
    like: &[],
    parameters: &[],
    page: include_str!("service_spans_workloads.md"),
    check,
};

/// Labels that say what a pod is.
const IDENTITY: [&str; 5] =
    ["app.kubernetes.io/name", "app.kubernetes.io/component", "app", "k8s-app", "component"];

fn check(cx: &Cx<'_, '_>, out: &mut Out) {
    // A headless Service finds peers, and those may be of several kinds.
    for service in cx.facts.services().iter().filter(|it| !it.is_headless) {
        let workloads: Vec<_> =
            service.selects.iter().map(|(id, _)| cx.facts.workloads().get(*id)).collect();
        let Some((first, rest)) = workloads.split_first() else { continue };
        let others: Vec<_> = rest.iter().copied().filter(|it| are_unrelated(first, it)).collect();
        if !others.is_empty() {
            out.find(finding(cx, service, first, &others));
        }
    }
}

/// Called something else, and made of other images: the second and third try of one thing share these.
fn are_unrelated(a: &Workload<'_>, b: &Workload<'_>) -> bool {
    let differ = IDENTITY.iter().any(|key| match (a.labels.get(key), b.labels.get(key)) {
        (LabelValue::Is(a), LabelValue::Is(b)) => a != b,
        _ => false,
    });
    differ && !images(a).iter().any(|it| images(b).contains(it))
}

/// The repositories of a workload's main containers.
fn images<'d>(workload: &Workload<'d>) -> Vec<&'d str> {
    let images =
        workload.pod.list("containers").filter_map(|it| it.get("image")).filter_map(Node::str);
    images.map(|it| it.split('@').next().unwrap_or(it)).map(without_tag).collect()
}

fn without_tag(image: &str) -> &str {
    match image.rsplit_once(':') {
        Some((repository, tag)) if !tag.contains('/') => repository,
        _ => image,
    }
}

fn finding(
    cx: &Cx<'_, '_>,
    service: &Service<'_>,
    first: &Workload<'_>,
    others: &[&Workload<'_>],
) -> Finding {
    let object = cx.object(service.object);
    let names: Vec<_> = others.iter().map(|it| format!("`{}`", cx.object(it.object))).collect();
    let message = format!(
        "`{object}` leads to pods of `{}` and of {}",
        cx.object(first.object),
        names.join(", ")
    );
    let selector = service.selector.as_ref().map(ToString::to_string).unwrap_or_default();
    let mut finding = Finding::new(message, object.at("spec.selector"), selector);
    for workload in std::iter::once(&first).chain(others).take(6) {
        let is_short_lived = matches!(workload.kind, Kind::Job | Kind::CronJob);
        let text = if is_short_lived {
            "its pods take requests while they run"
        } else {
            "its pods carry these labels"
        };
        let labels = workload.labels_path();
        finding = finding.label(cx.object(workload.object).at(&labels), text);
    }
    finding
        .note(
            "a request goes to any pod that the selector selects, whichever workload it belongs to",
        )
        .help(
            "select a label that only the workload meant carries, as `app.kubernetes.io/component`",
        )
}
