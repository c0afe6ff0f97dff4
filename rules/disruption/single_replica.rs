//! Workloads of one replica that others depend on through a Service.

use crate::analyze::selection::alike::Alike;
use crate::analyze::selection::services::ServiceId;
use crate::api::kind::Kind;
use crate::rule::{Admission, Check, Cx, Finding, Group, Out, Preset, Rule, Severity};

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
        "kube-linter:minimum-three-replicas",
        "kube-score:deployment-replicas",
        "polaris:deploymentMissingReplicas",
    ],
    parameters: &[],
    page: include_str!("single_replica.md"),
    reads_images: false,
    checks: &[Check::World(check)],
};

fn check(cx: &Cx<'_, '_>, out: &mut Out) {
    let has_one_pod = cx.facts.services().alike().map(|(_, it)| has_one_pod(cx, it));
    let has_one_pod: Vec<bool> = has_one_pod.collect();
    // Of a custom kind nobody told how many pods it runs; a bare pod, or one of a Job, is one by nature.
    for workload in cx.facts.workloads().iter().filter(|it| it.is_scalable() == Some(true)) {
        let Some(envelope) = cx.facts.envelope(workload.id) else { continue };
        let floor = envelope.floor;
        if floor.count != 1 || envelope.peak.count == 0 {
            continue;
        }
        let alike = cx.facts.services().alike_of(workload.id);
        let alone = alike.filter(|(id, _)| has_one_pod[id.0 as usize]);
        let Some(first) = alone.filter_map(|(_, it)| it.members.first()).min() else { continue };
        let service = cx.facts.services().get(ServiceId(*first));
        let object = cx.object(workload.object);
        let service = cx.object(service.object);
        let message = format!("`{object}` may run a single pod, and `{service}` depends on it");
        let mut finding = Finding::new(
            message,
            floor.place(cx.model),
            format!("at least 1 pod: {}", floor.describe()),
        )
        .label(service.whole(), "leads to that one pod");
        // An autoscaler may say so; what the finding is about, and may be accepted on, is the workload.
        if floor.object != workload.object {
            finding = finding.label(object.whole(), "runs that one pod");
        }
        finding = finding.note("its node's failure, a drain, an eviction or a crash stops the service until the pod runs again");
        let field = floor.path.rsplit('.').next().unwrap_or(floor.path);
        out.find(match workload.kind {
            Kind::StatefulSet => finding.help(format!(
                "run replicas that replicate their data (a second pod alone is a second, empty store), use a managed service, or accept it: `purlin.dev/ignore.{}: <reason>`",
                RULE.id
            )),
            _ => finding.help(format!("set {field} to 2 or more, with a budget of `maxUnavailable: 1` and a spread over nodes")),
        });
    }
}

/// Whether all that a Service leads to is one pod at the floor; a stable and a canary release of one each are two.
fn has_one_pod(cx: &Cx<'_, '_>, services: &Alike) -> bool {
    let floors = services.workloads.iter().filter_map(|(id, _)| cx.facts.envelope(*id));
    floors.map(|it| it.floor.count).sum::<u64>() == 1
}
