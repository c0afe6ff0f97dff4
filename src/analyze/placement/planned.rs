//! The placement that a check judges: on the nodes that are known to be all there are.

use super::cluster::{NodeId, ShapeId};
use super::losses::Losses;
use super::node::ClusterNode;
use super::place::{Fits, Placed, place};
use super::proof::reasons;
use super::state::State;
use super::wanted::Wanted;
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
            (None, _) => {
                let nodes = model.of_kind(Kind::Node).map(ClusterNode::of_object);
                nodes.map(ClusterNode::without_conditions).collect()
            }
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

    /// By component, how many pods have no place.
    pub fn pending(&self) -> Vec<usize> {
        let mut pending = vec![0; self.world.components.len()];
        let pods = self.world.pods.iter().zip(&self.nodes);
        pods.filter(|it| it.1.is_none()).for_each(|it| pending[it.0.component] += 1);
        pending
    }

    /// How many pods there are of each shape.
    pub fn counts(&self) -> Wanted {
        Wanted::of(&self.world, &|_| true)
    }

    /// The components of pods of some shapes, in order.
    pub fn components(&self, shapes: &[ShapeId]) -> Vec<usize> {
        let pods = self.world.pods.iter().filter(|it| shapes.contains(&it.shape));
        let mut components: Vec<_> = pods.map(|it| it.component).collect();
        components.sort_unstable();
        components.dedup();
        components
    }

    /// What the loss of nodes does.
    pub fn losses(&self) -> Losses<'_> {
        Losses::new(&self.world, &self.nodes)
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

    /// Why none of these nodes admits a pod of a shape, were it alone.
    pub fn why_none(&self, shape: ShapeId, nodes: impl Iterator<Item = NodeId>) -> String {
        let state = State::new(&self.world.cluster);
        let mut by_reason: BTreeMap<String, usize> = BTreeMap::new();
        for node in nodes {
            *by_reason.entry(reasons(&state, shape, node).join(", ")).or_default() += 1;
        }
        told(by_reason)
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
