//! How many pods are surely left after a loss, wherever the scheduler had put them.

use crate::analyze::placement::cluster::{NodeId, ShapeId};
use crate::analyze::placement::place::{Fits, Pins, queue, settle_within};
use crate::analyze::placement::schedule::schedule;
use crate::analyze::placement::state::State;
use crate::analyze::placement::world::World;
use crate::api::kind::Kind;

/// In worlds of more pods than these, what all others leave room for is not tried out: the number is a bound.
const MOST_PODS: usize = 120;

/// States that one try looks at.
const MOST_STATES: usize = 2_000;

/// Who could stand on the nodes that are lost.
pub(super) struct Guarantee<'w> {
    world: &'w World,
    /// The pods that have only one place, and so are there under every placement.
    state: State<'w>,
    /// By pod, its only place.
    only: Vec<Option<NodeId>>,
    /// By component, its pods.
    pods: Vec<Vec<usize>>,
    lost: Vec<NodeId>,
}

impl<'w> Guarantee<'w> {
    pub(super) fn new(world: &'w World, lost: Vec<NodeId>) -> Guarantee<'w> {
        let cluster = &world.cluster;
        let by_shape: Vec<Option<NodeId>> = (0..cluster.shapes.len())
            .map(|shape| {
                let mut admitting =
                    (0..cluster.nodes.len()).filter(|it| cluster.admits(shape, *it));
                admitting.next().filter(|_| admitting.next().is_none())
            })
            .collect();
        let only: Vec<_> =
            world.pods.iter().map(|it| it.node.or(it.only).or(by_shape[it.shape])).collect();
        let mut state = State::new(cluster);
        let mut pods = vec![Vec::new(); world.components.len()];
        for (at, (pod, node)) in world.pods.iter().zip(&only).enumerate() {
            pods[pod.component].push(at);
            if let Some(node) = node {
                state.put(pod.shape, *node);
            }
        }
        Guarantee { world, state, only, pods, lost }
    }

    /// The fewest pods of a component that are left at once when these nodes are lost, of so many that ran, under any
    /// placement that the constraints allow.
    pub(super) fn of(&mut self, component: usize, ran: usize) -> usize {
        let pods = std::mem::take(&mut self.pods[component]);
        let most = if self.world.components[component].kind == Kind::DaemonSet {
            let is_lost =
                |it: &&usize| self.world.pods[**it].only.is_some_and(|it| self.lost.contains(&it));
            pods.iter().filter(is_lost).count()
        } else {
            let room = self.room(&pods);
            let most = room.min(self.spread_bound(&pods));
            self.tried(&pods, most)
        };
        self.pods[component] = pods;
        ran.saturating_sub(most)
    }

    /// How many pods the lost nodes have room for beside those that have no other place.
    fn room(&mut self, pods: &[usize]) -> usize {
        let world = self.world;
        for at in pods.iter().copied() {
            if let Some(node) = self.only[at] {
                self.state.take(world.pods[at].shape, node);
            }
        }
        // Those that have the fewest of these nodes first.
        let takers = |at: &usize| {
            let asked = self.state.ask(world.pods[*at].shape);
            self.lost.iter().filter(|it| asked.takes_at_best(**it)).count()
        };
        let mut order: Vec<usize> = pods.to_vec();
        if self.lost.len() > 1 {
            order.sort_by_cached_key(takers);
        }
        let mut placed: Vec<(ShapeId, NodeId)> = Vec::new();
        for at in order {
            let pod = &world.pods[at];
            let asked = self.state.ask(pod.shape);
            let node = match self.only[at] {
                Some(node) => self.lost.contains(&node).then_some(node),
                None => self.lost.iter().copied().find(|it| asked.takes_at_best(*it)),
            };
            if let Some(node) = node {
                self.state.put(pod.shape, node);
                placed.push((pod.shape, node));
            }
        }
        for (shape, node) in &placed {
            self.state.take(*shape, *node);
        }
        for at in pods.iter().copied() {
            if let Some(node) = self.only[at] {
                self.state.put(world.pods[at].shape, node);
            }
        }
        placed.len()
    }

    /// How many of the pods topology spread lets stand in the domains of the lost nodes, where it counts no others.
    ///
    /// With `m` pods in the emptiest domain, none has more than `m + maxSkew`, and those that are not lost at least `m`.
    fn spread_bound(&self, pods: &[usize]) -> usize {
        let cluster = &self.world.cluster;
        let Some(first) = pods.first().map(|it| self.world.pods[*it].shape) else { return 0 };
        let is_theirs = pods
            .iter()
            .all(|it| self.world.pods[*it].shape == first && self.world.pods[*it].node.is_none());
        let mut bound = pods.len();
        for it in cluster.of_shape[first].constraints.iter().map(|it| &cluster.constraints[*it]) {
            let is_alone = it.matches.iter().eq([first]);
            let skew = usize::try_from(it.max_skew).unwrap_or(usize::MAX);
            let all = it.domains.len();
            if !is_theirs || !is_alone || !it.matches_own || (all as i64) < it.min_domains {
                continue;
            }
            let domains = &cluster.topologies[it.topology].domains;
            let mut lost: Vec<u32> = self.lost.iter().filter_map(|it| domains[*it]).collect();
            lost.sort_unstable();
            lost.dedup();
            let (lost, kept) = (lost.len(), all.saturating_sub(lost.len()));
            let with = |least: usize| {
                (lost.saturating_mul(least.saturating_add(skew)))
                    .min(pods.len().saturating_sub(kept * least))
            };
            let most = (0..=pods.len()).map(with).max().unwrap_or(0);
            bound = bound.min(most);
        }
        bound
    }

    /// The same where all other pods have to find places as well, as far as that is tried.
    fn tried(&self, pods: &[usize], most: usize) -> usize {
        let world = self.world;
        let free: Vec<usize> =
            pods.iter().copied().filter(|it| world.pods[*it].node.is_none()).collect();
        let is_there =
            |it: &&usize| world.pods[**it].node.is_some_and(|it| self.lost.contains(&it));
        let there = pods.iter().filter(is_there).count();
        let Some(shape) = free.first().map(|it| world.pods[*it].shape) else { return there };
        let is_one_shape = free.iter().all(|it| world.pods[*it].shape == shape);
        if world.pods.len() > MOST_PODS || !is_one_shape {
            return most;
        }
        let (cluster, confined) = world.cluster.confine(shape, &self.lost, &world.namespaces);
        for count in (1..=most.saturating_sub(there).min(free.len())).rev() {
            let mut state = State::new(&cluster);
            let mut nodes: Vec<Option<NodeId>> = world.pods.iter().map(|it| it.node).collect();
            let mut shapes: Vec<ShapeId> = world.pods.iter().map(|it| it.shape).collect();
            for pod in &world.pods {
                if let Some(node) = pod.node {
                    state.put(pod.shape, node);
                }
            }
            free.iter().take(count).for_each(|it| shapes[*it] = confined);
            let waits = |it: &usize| world.pods[*it].node.is_none();
            let daemon = |it: &usize| Some((*it, vec![world.pods[*it].only?]));
            let pins: Pins =
                (0..world.pods.len()).filter(waits).filter_map(|it| daemon(&it)).collect();
            let daemons: Vec<usize> = pins.keys().copied().collect();
            schedule(&mut state, &mut nodes, &shapes, &daemons, &pins);
            let waiting = (0..world.pods.len()).filter(|it| waits(it) && !pins.contains_key(it));
            let mut waiting = queue(world, waiting);
            waiting.sort_by_key(|it| shapes[*it] != confined);
            let none = Pins::new();
            match settle_within(&mut state, &mut nodes, &shapes, &waiting, &none, MOST_STATES) {
                Fits::NotAll => {}
                // Where nobody knows, so many may be there.
                Fits::All(_) | Fits::Unknown => return there + count,
            }
        }
        there
    }
}
