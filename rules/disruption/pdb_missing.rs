//! Workloads of several pods that a drain may take down at once.

use crate::absence::Wanted;
use crate::analyze::capacity::replicas::Envelope;
use crate::analyze::selection::workloads::Workload;
use crate::api::kind::Kind;
use crate::model::Object;
use crate::rule::{Admission, Check, Cx, Finding, Group, Out, Preset, Rule, Severity};
use crate::text::tree::Node;

/// The rule.
pub(super) static RULE: Rule = Rule {
    id: "pdb-missing",
    title: "no disruption budget covers a workload of two or more replicas",
    severity: Severity::Warning,
    group: Group::Disruption,
    admission: Admission::Warn,
    presets: &[Preset::Invariants],
    reads: &[
        Kind::PodDisruptionBudget,
        Kind::HorizontalPodAutoscaler,
        Kind::ScaledObject,
        Kind::Service,
    ],
    like: &[
        "kube-score:deployment-has-poddisruptionbudget",
        "kube-score:statefulset-has-poddisruptionbudget",
        "polaris:missingPodDisruptionBudget",
    ],
    parameters: &[],
    page: include_str!("pdb_missing.md"),
    reads_images: None,
    checks: &[Check::World(check)],
};

fn check(cx: &Cx<'_, '_>, out: &mut Out) {
    // A Job's pods end by themselves, a drain leaves a DaemonSet's, and who knows what a custom controller brings along.
    let workloads = cx.facts.workloads().iter();
    for workload in workloads.filter(|it| it.is_scalable() == Some(true) && it.kind != Kind::Custom)
    {
        let Some(envelope) = cx.facts.envelope(workload.id) else { continue };
        let is_covered = cx.facts.budgets().of_workload(workload.id).next().is_some();
        if envelope.peak.count < 2 || is_covered || may_go_to_nothing(cx, workload) {
            continue;
        }
        match cx.unseen(Wanted::Budget(workload)) {
            Some(missing) => out.cannot_tell(cx.object(workload.object), missing),
            None => out.find(finding(cx, workload, envelope)),
        }
    }
}

/// Whether an autoscaler takes a workload to nothing that no Service leads to: then nothing depends on some of its pods
/// being up, as of a worker that an empty queue sends to sleep.
pub(super) fn may_go_to_nothing(cx: &Cx<'_, '_>, workload: &Workload<'_>) -> bool {
    let floor = cx.facts.envelope(workload.id).map(|it| it.floor);
    floor.is_some_and(|it| it.count == 0 && it.object != workload.object)
        && cx.facts.services().of_workload(workload.id).next().is_none()
}

fn finding(cx: &Cx<'_, '_>, workload: &Workload<'_>, envelope: &Envelope) -> Finding {
    let object = cx.object(workload.object);
    let (floor, peak) = (envelope.floor, envelope.peak);
    let pods = if floor.count == peak.count {
        format!("{} replicas", peak.count)
    } else {
        format!("{} to {} replicas", floor.count, peak.count)
    };
    let mut finding = Finding::new(
        format!("`{object}` runs {pods} and no disruption budget covers them"),
        peak.place(cx.model),
        peak.describe(),
    );
    if floor != peak {
        finding = finding.label(floor.place(cx.model), floor.describe());
    }
    finding
        .label(object.at(&format!("{}.metadata.labels", workload.template_path)), "no budget selects these pods")
        .note("a drain evicts the pods of a node at once, and nodes may be drained together: all of them may go before one is replaced")
        .help(format!(
            "add a PodDisruptionBudget in namespace `{}` with `maxUnavailable: 1` that selects {}",
            workload.namespace,
            labels(object)
        ))
}

/// What its own controller selects, which is sure to be these pods and most likely no others.
fn labels(object: &Object<'_>) -> String {
    let labels = object.field(&["spec", "selector", "matchLabels"]);
    let each = labels.into_iter().flat_map(Node::pairs);
    let each: Vec<_> =
        each.filter_map(|(key, value)| Some(format!("`{key}: {}`", value.str()?))).collect();
    if each.is_empty() { "the labels of these pods".into() } else { each.join(" and ") }
}
