//! The placement that a check judges: on the nodes that are known to be all there are.

use super::cluster::{NodeId, ShapeId};
use super::node::ClusterNode;
use super::place::{Fits, Placed, place};
use super::proof::reasons;
use super::state::State;
use super::volume::{Lies, VolumeState};
use super::world::{At, Reading, World, read};
use crate::analyze::Facts;
use crate::api::kind::Kind;
use crate::model::Model;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// Nodes that somebody describes.
#[derive(Clone, Debug, Default)]
pub struct Described {
    /// The fewest that there are of pools that grow.
    pub floor: Vec<ClusterNode>,
    /// The most.
    pub peak: Vec<ClusterNode>,
}

/// All nodes of the cluster.
#[derive(Clone, Debug)]
pub struct AllNodes {
    /// Those that somebody describes; else the Nodes of the input are all.
    pub described: Option<Arc<Described>>,
    /// Whether the input is the whole cluster in all else as well.
    pub is_whole: bool,
}

impl AllNodes {
    fn at(&self, model: &Model<'_>, at: At) -> Vec<ClusterNode> {
        match (&self.described, at) {
            (Some(it), At::Floor) => it.floor.clone(),
            (Some(it), At::Peak) => it.peak.clone(),
            (None, _) => model.of_kind(Kind::Node).map(ClusterNode::of_object).collect(),
        }
    }
}

/// Pods and where they stand.
#[derive(Debug)]
pub struct Planned {
    /// The pods and nodes.
    pub world: World,
    /// By pod, its node.
    pub nodes: Vec<Option<NodeId>>,
    /// Whether there is a place for all.
    pub fits: Fits,
}

impl Planned {
    /// Places the pods of a model.
    pub fn new<'d>(
        model: &Model<'d>,
        facts: &Facts<'d>,
        all: &AllNodes,
        at: At,
    ) -> Option<Planned> {
        let nodes = all.at(model, at);
        if nodes.is_empty() {
            return None;
        }
        let world = read(model, facts, nodes, Reading { at, is_whole: all.is_whole });
        let Placed { nodes, fits, .. } = place(&world);
        Some(Planned { world, nodes, fits })
    }

    /// How many pods of a component have no place.
    pub fn pending(&self, component: usize) -> usize {
        let own = self.world.pods.iter().zip(&self.nodes).filter(|it| it.0.component == component);
        own.filter(|it| it.1.is_none()).count()
    }

    /// How many pods there are of each shape.
    pub fn counts(&self) -> BTreeMap<ShapeId, u32> {
        let mut counts = BTreeMap::new();
        self.world.pods.iter().for_each(|it| *counts.entry(it.shape).or_default() += 1);
        counts
    }

    /// The components of pods of some shapes, in order.
    pub fn components(&self, shapes: &[ShapeId]) -> Vec<usize> {
        let pods = self.world.pods.iter().filter(|it| shapes.contains(&it.shape));
        let mut components: Vec<_> = pods.map(|it| it.component).collect();
        components.sort_unstable();
        components.dedup();
        components
    }

    /// What the nodes hold without those that are lost, and without a component.
    fn left(&self, lost: &[NodeId], but: usize) -> State<'_> {
        let mut state = State::new(&self.world.cluster);
        for (pod, node) in self.world.pods.iter().zip(&self.nodes) {
            if let Some(node) = node.filter(|it| !lost.contains(it) && pod.component != but) {
                state.put(pod.shape, node);
            }
        }
        state
    }

    /// The components that have no pod left when these nodes are lost, and of which no other node takes one, with why:
    /// node by node. Pods that a new node would take, such as those of a Job or a DaemonSet, are none.
    pub fn stopped(&self, lost: &[NodeId]) -> Vec<(usize, String)> {
        let mut by_component: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
        for (at, pod) in self.world.pods.iter().enumerate() {
            by_component.entry(pod.component).or_default().push(at);
        }
        let mut found = Vec::new();
        for (component, pods) in by_component {
            let kind = self.world.components[component].kind;
            let is_lost = |it: &usize| self.nodes[*it].is_some_and(|it| lost.contains(&it));
            let runs = pods.iter().any(|it| self.nodes[*it].is_some());
            let is_lasting =
                !matches!(kind, Kind::DaemonSet | Kind::Job | Kind::CronJob | Kind::Pod);
            if !runs
                || !is_lasting
                || !pods.iter().all(|it| is_lost(it) || self.nodes[*it].is_none())
            {
                continue;
            }
            let state = self.left(lost, component);
            let takes = |at: &usize| {
                let pins = self.pins(*at);
                let shape = self.world.pods[*at].shape;
                let mut takers = state.takers(shape).into_iter().filter(|it| !lost.contains(it));
                takers.any(|it| pins.as_ref().is_none_or(|pins| pins.contains(&it)))
            };
            // Where nobody says where a volume lies, it may be anywhere.
            if let (Some(first), false) = (pods.first(), pods.iter().any(takes)) {
                found.push((component, self.why(&state, *first, lost)));
            }
        }
        found
    }

    /// The node that holds every pod of a component that has a place.
    pub fn only_node(&self, component: usize) -> Option<NodeId> {
        let pods = self.world.pods.iter().zip(&self.nodes);
        let mut nodes = pods.filter(|it| it.0.component == component).filter_map(|it| *it.1);
        let first = nodes.next()?;
        nodes.all(|it| it == first).then_some(first)
    }

    /// Whether every pod of a component really stands on a node, or could stand on no other.
    pub fn is_sure_of(&self, component: usize) -> bool {
        let mut pods = self.world.pods.iter().filter(|it| it.component == component);
        let has_one_place = |shape| self.world.cluster.admitting(shape).len() <= 1;
        pods.all(|it| it.node.is_some() || has_one_place(it.shape))
    }

    /// The nodes that hold every pod of some component.
    pub fn alone(&self) -> Vec<NodeId> {
        let mut only: BTreeMap<usize, Option<NodeId>> = BTreeMap::new();
        for (pod, node) in self.world.pods.iter().zip(&self.nodes) {
            let Some(node) = *node else { continue };
            let first = only.entry(pod.component).or_insert(Some(node));
            if *first != Some(node) {
                *first = None;
            }
        }
        let nodes: BTreeSet<NodeId> = only.into_values().flatten().collect();
        nodes.into_iter().collect()
    }

    /// The nodes that a pod is bound to by volumes that were made where it stands; `None` for all.
    fn pins(&self, at: usize) -> Option<Vec<NodeId>> {
        let node = self.nodes[at]?;
        let nodes = &self.world.cluster.nodes;
        let shape = &self.world.cluster.shapes[self.world.pods[at].shape];
        let lies = shape.volumes.iter().filter_map(|it| match &it.state {
            VolumeState::Delayed { lies, .. } => Some(*lies),
            _ => None,
        });
        let mut pins: Option<Vec<NodeId>> = None;
        for lies in lies {
            match lies {
                Lies::OnNode => pins = Some(vec![node]),
                Lies::InZone if pins.is_none() => {
                    let zone = nodes[node].zone();
                    pins = Some((0..nodes.len()).filter(|it| nodes[*it].zone() == zone).collect());
                }
                Lies::InZone | Lies::Anywhere | Lies::Unknown => {}
            }
        }
        pins
    }

    fn why(&self, state: &State<'_>, pod: usize, lost: &[NodeId]) -> String {
        let pins = self.pins(pod);
        let mut by_reason: BTreeMap<String, usize> = BTreeMap::new();
        for node in (0..self.nodes_count()).filter(|it| !lost.contains(it)) {
            let mut why = reasons(state, self.world.pods[pod].shape, node);
            if pins.as_ref().is_some_and(|it| !it.contains(&node)) {
                why.push("its volume lies elsewhere".into());
            }
            *by_reason.entry(why.join(", ")).or_default() += 1;
        }
        told(by_reason)
    }

    /// Why no node admits a pod of a shape, were it alone.
    pub fn why_none(&self, shape: ShapeId) -> String {
        let state = State::new(&self.world.cluster);
        let mut by_reason: BTreeMap<String, usize> = BTreeMap::new();
        for node in 0..self.nodes_count() {
            *by_reason.entry(reasons(&state, shape, node).join(", ")).or_default() += 1;
        }
        told(by_reason)
    }

    fn nodes_count(&self) -> usize {
        self.world.cluster.nodes.len()
    }
}

/// `2 nodes: taint gpu:NoSchedule; 1 node: not enough cpu`.
pub fn told(by_reason: BTreeMap<String, usize>) -> String {
    let mut told: Vec<_> = by_reason.into_iter().filter(|it| !it.0.is_empty()).collect();
    told.sort_by(|a, b| b.1.cmp(&a.1).then(a.0.cmp(&b.0)));
    let told = told.into_iter().map(|(why, count)| match count {
        1 => format!("1 node: {why}"),
        _ => format!("{count} nodes: {why}"),
    });
    told.collect::<Vec<_>>().join("; ")
}
