//! What the rules about nodes have in common.

use crate::api::kind::Kind;

/// The kinds from which pods and the nodes that they may stand on follow.
pub(super) const READS: &[Kind] = &[
    Kind::HorizontalPodAutoscaler,
    Kind::LimitRange,
    Kind::Namespace,
    Kind::Node,
    Kind::PersistentVolume,
    Kind::PersistentVolumeClaim,
    Kind::PodDisruptionBudget,
    Kind::PriorityClass,
    Kind::RuntimeClass,
    Kind::ScaledObject,
    Kind::Service,
    Kind::StorageClass,
];

/// `1 node`, `3 nodes`.
pub(super) fn count(nodes: usize) -> String {
    if nodes == 1 { "1 node".into() } else { format!("{nodes} nodes") }
}
