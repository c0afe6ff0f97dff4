//! How many pods are surely left after a loss, wherever the scheduler had put them.

use crate::analyze::placement::cluster::NodeId;
use crate::analyze::placement::place::queue;
use crate::analyze::placement::state::State;
use crate::analyze::placement::world::World;
use crate::api::kind::Kind;

/// The pods that have only one place, and so are there under every placement.
pub(super) struct Guarantee<'w> {
    world: &'w World,
    state: State<'w>,
    /// By pod, its only place.
    only: Vec<Option<NodeId>>,
    lost: Vec<NodeId>,
}

impl<'w> Guarantee<'w> {
    pub(super) fn new(world: &'w World, lost: Vec<NodeId>) -> Guarantee<'w> {
        let cluster = &world.cluster;
        let by_shape: Vec<Option<NodeId>> = (0..cluster.shapes.len())
            .map(|shape| match cluster.admitting(shape).as_slice() {
                [node] => Some(*node),
                _ => None,
            })
            .collect();
        let only: Vec<_> = world.pods.iter().map(|it| it.node.or(by_shape[it.shape])).collect();
        let mut state = State::new(cluster);
        for (pod, node) in world.pods.iter().zip(&only) {
            if let Some(node) = node {
                state.put(pod.shape, *node);
            }
        }
        Guarantee { world, state, only, lost }
    }

    /// The fewest pods of a component that are left at once when these nodes are lost, under any placement that the
    /// constraints allow; `None` where that is not judged.
    ///
    /// As many of its pods as can be are put on those nodes, among the pods that have no other place.
    pub(super) fn of(&mut self, component: usize) -> Option<usize> {
        let world = self.world;
        let of = &world.components[component];
        let own = (0..world.pods.len()).filter(|it| world.pods[*it].component == component);
        let pods: Vec<usize> = own.collect();
        if of.kind == Kind::DaemonSet {
            let is_left = |it: &&usize| !self.lost.contains(&world.pods[**it].number);
            return Some(pods.iter().filter(is_left).count());
        }
        let has_affinity =
            |it: &usize| world.cluster.of_shape[world.pods[*it].shape].group.is_some();
        if pods.iter().any(has_affinity) {
            return None;
        }
        for at in pods.iter().copied() {
            if let Some(node) = self.only[at] {
                self.state.take(world.pods[at].shape, node);
            }
        }
        let placed = self.crowd(&pods);
        let left = placed.iter().filter(|it| !self.lost.contains(&it.1)).count();
        for (shape, node) in placed {
            self.state.take(shape, node);
        }
        for at in pods {
            if let Some(node) = self.only[at] {
                self.state.put(world.pods[at].shape, node);
            }
        }
        Some(left)
    }

    /// Puts pods on the nodes that are lost as far as they take them.
    fn crowd(&mut self, pods: &[usize]) -> Vec<(usize, NodeId)> {
        let mut placed = Vec::new();
        for at in queue(self.world, pods.iter().copied()) {
            let pod = &self.world.pods[at];
            let takers = match pod.node {
                Some(node) => vec![node],
                None => self.state.takers(pod.shape),
            };
            // Elsewhere they go where they are fewest, so that spread lets most of them onto the nodes in question.
            let fewest = || takers.iter().min_by_key(|it| self.state.count(**it, pod.shape));
            let chosen = takers.iter().find(|it| self.lost.contains(it)).or_else(fewest);
            if let Some(node) = chosen.copied() {
                self.state.put(pod.shape, node);
                placed.push((pod.shape, node));
            }
        }
        placed
    }
}
