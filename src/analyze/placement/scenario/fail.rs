//! Nodes that are lost with all on them.

use super::Scene;
use crate::analyze::placement::cluster::NodeId;
use crate::analyze::placement::node::{ClusterNode, Effect, Taint};
use crate::api::kind::Kind;

/// What the node controller marks a node with that it does not hear of
/// (`pkg/controller/nodelifecycle/node_lifecycle_controller.go`).
const UNREACHABLE: &str = "node.kubernetes.io/unreachable";

impl Scene<'_, '_> {
    /// Takes nodes away. Their Node objects stay, tainted, and so do their pods as far as nobody deletes them.
    pub(super) fn fail(&mut self, lost: &[NodeId]) {
        let mut is_lost_now = vec![false; self.lost.len()];
        for node in lost.iter().copied() {
            self.lost[node] = true;
            is_lost_now[node] = true;
            self.cluster.change(node, gone(&self.cluster.nodes[node]));
        }
        for at in 0..self.pods.len() {
            if self.pods[at].only.is_some_and(|it| is_lost_now[it]) {
                self.pods[at].is_gone = true;
            }
            let Some(node) = self.pods[at].node.filter(|it| is_lost_now[*it]) else { continue };
            self.pin(at, node);
            let pod = self.pods[at].clone();
            self.pods[at].node = None;
            self.pods[at].was_lost = true;
            self.pods[at].is_gone = !self.is_replaced(&pod);
            // A StatefulSet's pod is replaced only once somebody has deleted it; of others the old one remains beside
            // the new one until its node returns or is deleted.
            if self.kind(&pod) != Kind::StatefulSet {
                self.ghosts.push((pod.shape, node));
            }
        }
        self.settle();
    }
}

/// A node that the node controller does not hear of: tainted, and with room for none, since whoever tolerates everything
/// does not run there either.
pub(in crate::analyze::placement) fn gone(node: &ClusterNode) -> ClusterNode {
    let mut gone = node.clone();
    for effect in [Effect::NoSchedule, Effect::NoExecute] {
        gone.taints.push(Taint { key: UNREACHABLE.into(), value: String::new(), effect });
    }
    gone.allocatable.get_or_insert_default().pods = 0;
    gone
}
