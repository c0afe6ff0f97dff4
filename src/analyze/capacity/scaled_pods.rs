//! The pods that an autoscaler counts: those that its target's selector finds in the namespace, whoever made them.
//!
//! `pkg/controller/podautoscaler/horizontal.go`, validateAndParseSelector, and `replica_calculator.go`, which both list
//! pods by the selector of the scale subresource and ask nobody for the owner.

use crate::analyze::Facts;
use crate::analyze::capacity::replicas::Scaler;
use crate::analyze::selection::selector::{Selector, Selects};
use crate::analyze::selection::workloads::{Workload, WorkloadId};
use crate::api::kind::Kind;
use crate::text::tree::Node;

/// What an autoscaler counts.
#[derive(Clone, Debug)]
pub struct ScaledPods<'d> {
    /// The workload that it scales.
    pub target: WorkloadId,
    /// The selector of that workload, as the scale subresource gives it, and where it stands.
    pub selector: Selector<'d>,
    /// The field that holds the selector.
    pub node: Node<'d>,
    /// The workloads whose pods it finds, the target among them.
    pub workloads: Vec<WorkloadId>,
}

/// What an autoscaler counts; `None` where it is off, its target is not in the input, or nobody told us by which selector
/// the target finds its pods.
pub fn scaled_pods<'d>(facts: &Facts<'d>, scaler: &Scaler<'d>) -> Option<ScaledPods<'d>> {
    let target = facts.workloads().get(scaler.target?);
    if !runs_pods(facts, target) {
        return None;
    }
    let spec = facts.model.object(target.object).field(&["spec"])?;
    let node = spec.get("selector")?;
    let selector = match target.kind {
        Kind::ReplicationController => Selector::parse_map(node),
        // What a custom kind calls its selector, only its definition says (`labelSelectorPath`).
        Kind::Custom => return None,
        _ => Selector::parse(node),
    };
    if selector.is_empty() {
        return None;
    }
    // The selector of a blueGreen Rollout also asks for the hash of the active pods, which no other workload's carry
    // (argo-rollouts, `utils/conditions` and `rollout/sync.go`, syncRolloutStatusBlueGreen).
    let is_blue_green =
        target.kind == Kind::Rollout && spec.at(&["strategy", "blueGreen"]).is_some();
    let workloads = match is_blue_green {
        true => vec![target.id],
        false => {
            let selected = facts.workloads().select(target.namespace, &selector).into_iter();
            let all = selected.filter(|(_, selects)| *selects == Selects::All).map(|(it, _)| it);
            all.filter(|it| runs_pods(facts, it)).map(|it| it.id).collect()
        }
    };
    Some(ScaledPods { target: target.id, selector, node, workloads })
}

/// Whether a workload ever has pods: not if it is scaled to nothing for good, or suspended.
fn runs_pods(facts: &Facts<'_>, workload: &Workload<'_>) -> bool {
    facts.envelope(workload.id).is_none_or(|it| it.peak.count > 0)
}
