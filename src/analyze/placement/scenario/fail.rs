//! Nodes that are lost with all on them.

use super::Scene;
use crate::analyze::placement::cluster::NodeId;
use crate::analyze::placement::node::{Effect, Taint};
use crate::api::kind::Kind;

/// What the node controller marks a node with that it does not hear of
/// (`pkg/controller/nodelifecycle/node_lifecycle_controller.go`).
const UNREACHABLE: &str = "node.kubernetes.io/unreachable";

impl Scene<'_, '_> {
    /// Takes nodes away. Their Node objects stay, tainted, and so do their pods as far as nobody deletes them.
    pub(super) fn fail(&mut self, lost: &[NodeId]) {
        for node in lost.iter().copied() {
            self.lost[node] = true;
            let on = &mut self.nodes[node];
            for effect in [Effect::NoSchedule, Effect::NoExecute] {
                on.taints.push(Taint { key: UNREACHABLE.into(), value: String::new(), effect });
            }
            // Whoever tolerates everything does not run there either.
            let mut allocatable = on.allocatable.take().unwrap_or_default();
            allocatable.pods = 0;
            on.allocatable = Some(allocatable);
        }
        for at in 0..self.pods.len() {
            let Some(node) = self.pods[at].node.filter(|it| lost.contains(it)) else { continue };
            self.pin(at, node);
            let pod = self.pods[at].clone();
            self.pods[at].node = None;
            self.pods[at].was_lost = true;
            self.pods[at].is_gone = !self.is_replaced(&pod);
            // A StatefulSet's pod is replaced only once somebody has deleted it; of others the old one remains beside
            // the new one until its node returns or is deleted.
            if self.kind(&pod) != Kind::StatefulSet {
                let mut ghost = self.shapes[pod.shape].clone();
                ghost.is_terminating = true;
                self.shapes.push(ghost);
                self.ghosts.push((self.shapes.len() - 1, node));
            }
        }
        self.settle();
    }
}
