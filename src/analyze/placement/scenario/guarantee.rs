//! How many pods are surely left after a loss, wherever the scheduler had put them.

use super::Scene;
use crate::analyze::placement::cluster::NodeId;
use crate::analyze::placement::place::queue;
use crate::analyze::placement::state::State;
use crate::api::kind::Kind;

impl Scene<'_, '_> {
    /// The fewest pods of a component that are left at once when these nodes are lost, under any placement that the
    /// constraints allow; `None` where that is not judged.
    ///
    /// As many of its pods as can be are put on those nodes, among the pods that have no other place.
    pub(super) fn guaranteed(&self, component: usize, lost: &[NodeId]) -> Option<usize> {
        let world = self.world;
        let cluster = &world.cluster;
        let of = &world.components[component];
        let pods: Vec<usize> =
            (0..world.pods.len()).filter(|it| world.pods[*it].component == component).collect();
        if of.kind == Kind::DaemonSet {
            return Some(pods.iter().filter(|it| !lost.contains(&world.pods[**it].number)).count());
        }
        let has_affinity = |it: &usize| cluster.of_shape[world.pods[*it].shape].group.is_some();
        if pods.iter().any(has_affinity) {
            return None;
        }
        let mut state = State::new(cluster);
        for pod in world.pods.iter().filter(|it| it.component != component) {
            let only = pod.node.or_else(|| match cluster.admitting(pod.shape).as_slice() {
                [node] => Some(*node),
                _ => None,
            });
            if let Some(node) = only {
                state.put(pod.shape, node);
            }
        }
        let mut left = 0;
        for at in queue(world, pods.iter().copied()) {
            let pod = &world.pods[at];
            let takers = match pod.node {
                Some(node) => vec![node],
                None => state.takers(pod.shape),
            };
            // Elsewhere they go where they are fewest, so that spread lets most of them onto the nodes in question.
            let own = |node: &NodeId| state.count(*node, pod.shape);
            let chosen = takers
                .iter()
                .find(|it| lost.contains(it))
                .or_else(|| takers.iter().min_by_key(|it| own(it)));
            if let Some(node) = chosen.copied() {
                state.put(pod.shape, node);
                left += usize::from(!lost.contains(&node));
            }
        }
        Some(left)
    }
}
