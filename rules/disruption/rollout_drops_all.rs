//! Deployments whose rollout may leave no pod.

use crate::analyze::capacity::replicas::Bound;
use crate::analyze::capacity::rollout::Rollout;
use crate::analyze::disruption::claims::Access;
use crate::analyze::selection::services::Service;
use crate::analyze::selection::workloads::Workload;
use crate::api::kind::Kind;
use crate::rule::{Admission, Check, Cx, Finding, Group, Out, Place, Preset, Rule, Severity};

/// The rule.
pub(super) static RULE: Rule = Rule {
    id: "rollout-drops-all",
    title: "a rollout may take every replica down at once",
    severity: Severity::Warning,
    group: Group::Disruption,
    admission: Admission::Warn,
    presets: &[Preset::Invariants],
    reads: &[
        Kind::Service,
        Kind::PersistentVolume,
        Kind::PersistentVolumeClaim,
        Kind::StorageClass,
        Kind::HorizontalPodAutoscaler,
        Kind::ScaledObject,
    ],
    like: &["kube-linter:no-rolling-update-strategy", "kube-score:deployment-strategy"],
    parameters: &[],
    page: include_str!("rollout_drops_all.md"),
    reads_images: None,
    checks: &[Check::World(check)],
};

/// Only Deployments may lose all at once: a StatefulSet goes pod by pod, and the pods of a DaemonSet do not stand in for
/// each other.
fn check(cx: &Cx<'_, '_>, out: &mut Out) {
    for workload in cx.facts.workloads().iter().filter(|it| it.kind == Kind::Deployment) {
        let rollout = Rollout::of(cx.model, workload);
        // Both bounds zero are refused, and `rollout-deadlock` says so.
        if !rollout.may_move() || has_to_stop_first(cx, workload) {
            continue;
        }
        let service = cx.facts.services().of_workload(workload.id).next();
        let Some(bound) = dropped(cx, workload, rollout, service.is_some()) else { continue };
        match unseen_claim(cx, workload) {
            Some(claim) => out.cannot_tell(
                cx.object(workload.object),
                format!("whether two pods may use claim `{claim}` at once, or the old one has to go first: the input does not hold it"),
            ),
            None => out.find(finding(cx, workload, rollout, bound, service)),
        }
    }
}

/// Whether a new pod beside an old one would wait for a volume that the old one holds, so that stopping first is the only
/// way to roll out: what `rollout-deadlock` advises.
fn has_to_stop_first(cx: &Cx<'_, '_>, workload: &Workload<'_>) -> bool {
    cx.facts.claims().of_workload(workload.id).any(|(claim, user)| match claim.access {
        Access::Shared => false,
        Access::OneNode => !user.stays_on_node,
        Access::OnePod => true,
    })
}

/// A claim of the pods that the input does not hold.
fn unseen_claim<'d>(cx: &Cx<'_, 'd>, workload: &Workload<'d>) -> Option<&'d str> {
    let volumes = workload.pod.list("volumes");
    let mut names = volumes.filter_map(|it| it.at(&["persistentVolumeClaim", "claimName"])?.str());
    names.find(|it| cx.model.find(Kind::PersistentVolumeClaim, workload.namespace, it).is_none())
}

/// The end of the envelope at which every pod may go.
fn dropped(
    cx: &Cx<'_, '_>,
    workload: &Workload<'_>,
    rollout: Rollout,
    is_served: bool,
) -> Option<Bound> {
    // Without a Service nobody waits for its pods: a queue's workers may stop for a moment.
    if rollout == Rollout::Recreate && !is_served {
        return None;
    }
    let envelope = cx.facts.envelope(workload.id)?;
    // An autoscaler that goes to nothing comes back with one.
    let floor = Bound { count: envelope.floor.count.max(1), ..envelope.floor };
    if envelope.peak.count == 0 {
        return None;
    }
    [floor, envelope.peak].into_iter().find(|bound| {
        rollout.unavailable(bound.count) >= bound.count && (bound.count > 1 || is_served)
    })
}

fn finding(
    cx: &Cx<'_, '_>,
    workload: &Workload<'_>,
    rollout: Rollout,
    bound: Bound,
    service: Option<&Service<'_>>,
) -> Finding {
    let object = cx.object(workload.object);
    let pods = match bound.count {
        1 => "its only pod down".to_string(),
        count => format!("all {count} pods down at once"),
    };
    let message = format!("a rollout of `{object}` may take {pods}");
    let (place, label, sum) = match rollout {
        Rollout::Rolling { unavailable, surge, .. } => (
            bounds_place(cx, workload),
            format!("`maxUnavailable` {unavailable} of {}", bound.count),
            format!(
                "with maxUnavailable {unavailable} and maxSurge {surge}, {} of {} may be missing before the first new pod is ready",
                rollout.unavailable(bound.count),
                bound.count
            ),
        ),
        _ => (
            object.at("spec.strategy.type"),
            "stops every pod before the first new one starts".to_string(),
            "`Recreate` ends all old pods, then makes new ones; until one of them is ready there is none".to_string(),
        ),
    };
    let finding =
        Finding::new(message, place, label).label(bound.place(cx.model), bound.describe());
    let finding = match service {
        Some(service) => {
            let service = cx.object(service.object);
            finding
                .label(service.at("spec.selector"), "sends its traffic to these pods")
                .note(sum)
                .note(format!("meanwhile `{service}` refuses every connection"))
        }
        None => finding.note(sum),
    };
    finding.help(help(rollout))
}

/// `maxUnavailable`, or where it would stand.
fn bounds_place(cx: &Cx<'_, '_>, workload: &Workload<'_>) -> Place {
    cx.object(workload.object).at("spec.strategy.rollingUpdate.maxUnavailable")
}

fn help(rollout: Rollout) -> String {
    match rollout {
        Rollout::Recreate => "set `type: RollingUpdate` with `maxSurge: 1` and `maxUnavailable: 0`; where two pods must never run at once, say so with the annotation `purlin.dev/ignore.rollout-drops-all`".into(),
        _ => "set `maxUnavailable: 0` and `maxSurge: 1`: each new pod is ready before an old one goes".into(),
    }
}
