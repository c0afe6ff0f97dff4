//! Workloads of one replica that others depend on through a Service.

use crate::analyze::capacity::replicas::{Bound, pods_of};
use crate::analyze::selection::alike::Alike;
use crate::analyze::selection::services::ServiceId;
use crate::analyze::selection::workloads::Workload;
use crate::api::kind::Kind;
use crate::model::Object;
use crate::rule::{Admission, Check, Cx, Finding, Group, Out, Parameter, Preset, Rule, Severity};

/// The rule.
pub(super) static RULE: Rule = Rule {
    id: "single-replica",
    title: "a single replica serves a Service",
    severity: Severity::Warning,
    group: Group::Disruption,
    admission: Admission::Warn,
    presets: &[Preset::Invariants],
    reads: &[Kind::Service, Kind::HorizontalPodAutoscaler, Kind::ScaledObject],
    like: &[
        "kube-linter:hpa-minimum-three-replicas",
        "kube-linter:minimum-three-replicas",
        "kube-score:deployment-replicas",
        "kube-score:horizontalpodautoscaler-replicas",
        "polaris:deploymentMissingReplicas",
        "polaris:hpaMinAvailability",
    ],
    parameters: &[MINIMUM, WITHOUT_SERVICE],
    page: include_str!("single_replica.md"),
    reads_images: None,
    checks: &[Check::World(check)],
};

const MINIMUM: Parameter = Parameter {
    name: "minimum",
    about: "how many pods a workload has to run at least",
    default: &["2"],
};

const WITHOUT_SERVICE: Parameter = Parameter {
    name: "without-service",
    about: "whether workloads that no Service leads to count too: true or false",
    default: &["false"],
};

fn check(cx: &Cx<'_, '_>, out: &mut Out) {
    let minimum = minimum(cx);
    let is_few = cx.facts.services().alike().map(|(_, it)| (1..minimum).contains(&pods(cx, it)));
    let is_few: Vec<bool> = is_few.collect();
    let without_service = cx.parameter(WITHOUT_SERVICE.name) == ["true"];
    // Of a custom kind nobody told how many pods it runs; a bare pod, or one of a Job, is one by nature.
    for workload in cx.facts.workloads().iter().filter(|it| it.is_scalable() == Some(true)) {
        let Some(envelope) = cx.facts.envelope(workload.id) else { continue };
        if !(1..minimum).contains(&envelope.floor.count) || envelope.peak.count == 0 {
            continue;
        }
        let mut alike = cx.facts.services().alike_of(workload.id).peekable();
        let is_alone = alike.peek().is_none();
        let served = alike.filter(|(id, _)| is_few[id.0 as usize]);
        let first = served.filter_map(|(_, it)| it.members.first()).min();
        let service = first.map(|it| cx.object(cx.facts.services().get(ServiceId(*it)).object));
        if service.is_some() || is_alone && without_service {
            out.find(finding(cx, workload, &envelope.floor, service, minimum));
        }
    }
}

/// How many pods are asked for.
fn minimum(cx: &Cx<'_, '_>) -> u64 {
    let written = cx.parameter(MINIMUM.name);
    written.first().and_then(|it| it.parse().ok()).unwrap_or(2)
}

/// How many pods Services lead to at the floor; a stable and a canary release of one each are two.
fn pods(cx: &Cx<'_, '_>, services: &Alike) -> u64 {
    let floors = services.workloads.iter().filter_map(|(id, _)| cx.facts.envelope(*id));
    floors.map(|it| it.floor.count).sum()
}

fn finding(
    cx: &Cx<'_, '_>,
    workload: &Workload<'_>,
    floor: &Bound,
    service: Option<&Object<'_>>,
    minimum: u64,
) -> Finding {
    let object = cx.object(workload.object);
    let (few, those) = match floor.count {
        1 => ("a single pod".to_string(), "that one pod".to_string()),
        count => (format!("{count} pods alone"), format!("those {count} pods")),
    };
    let message = match service {
        Some(service) => format!(
            "`{object}` may run {few}, and `{service}` depends on {}",
            if floor.count == 1 { "it" } else { "them" }
        ),
        None => format!("`{object}` may run {few}"),
    };
    let least = format!("at least {}: {}", pods_of(floor.count), floor.describe());
    let mut finding = Finding::new(message, floor.place(cx.model), least);
    if let Some(service) = service {
        finding = finding.label(service.whole(), format!("leads to {those}"));
    }
    // An autoscaler may say so; what the finding is about, and may be accepted on, is the workload.
    if floor.object != workload.object {
        finding = finding.label(object.whole(), format!("runs {those}"));
    }
    finding = finding.note(match floor.count {
        1 => "its node's failure, a drain, an eviction or a crash stops the service until the pod runs again".to_string(),
        _ => format!("purlin.yaml asks for at least {minimum} pods"),
    });
    let field = floor.path.rsplit('.').next().unwrap_or(floor.path);
    match workload.kind {
        Kind::StatefulSet => finding.help(format!(
            "run replicas that replicate their data (a second pod alone is a second, empty store), use a managed service, or accept it: `purlin.dev/ignore.{}: <reason>`",
            RULE.id
        )),
        _ => finding.help(format!("set {field} to {minimum} or more, with a budget of `maxUnavailable: 1` and a spread over nodes")),
    }
}
