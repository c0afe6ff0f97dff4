//! The placement that a check judges: on the nodes that are known to be all there are.

use super::cluster::{NodeId, ShapeId};
use super::losses::Losses;
use super::node::ClusterNode;
use super::place::{Fits, Placed, place};
use super::proof::{Proof, proofs, reasons};
use super::state::State;
use super::wanted::Wanted;
use super::world::{At, Reading, TooMany, World, read};
use crate::analyze::Facts;
use crate::api::kind::Kind;
use crate::model::Model;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, OnceLock};

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

    /// Whether there are as many nodes at the floor as at the peak.
    fn is_steady(&self) -> bool {
        self.described.as_ref().is_none_or(|it| it.floor == it.peak)
    }
}

/// Pods and where they stand. What is asked of them is worked out when it is first asked.
#[derive(Debug)]
pub struct Planned {
    /// The pods and nodes.
    pub world: World,
    counts: OnceLock<Wanted>,
    is_short: OnceLock<bool>,
    proofs: OnceLock<Vec<Proof>>,
    placed: OnceLock<(Vec<Option<NodeId>>, Fits)>,
    components: OnceLock<Vec<Vec<usize>>>,
}

/// The pods of a model at the floor and at the peak.
#[derive(Debug)]
pub struct Stages {
    floor: Option<Planned>,
    peak: Option<Planned>,
    /// Why there is neither.
    pub too_many: Option<TooMany>,
}

impl Stages {
    /// Reads the pods of a model; where there are no nodes, or more pods than any cluster holds, there is nothing to plan.
    pub fn new<'d>(model: &Model<'d>, facts: &Facts<'d>, all: &AllNodes) -> Stages {
        let too_many = TooMany::of(facts, all.at(model, At::Peak).len());
        if too_many.is_some() {
            return Stages { floor: None, peak: None, too_many };
        }
        let read_at = |at: At| {
            let nodes = all.at(model, at);
            let reading = Reading { at, is_whole: all.is_whole };
            (!nodes.is_empty()).then(|| Planned::new(read(model, facts, nodes, reading)))
        };
        let peak = read_at(At::Peak);
        let floor = match &peak {
            Some(peak) if all.is_steady() => Some(Planned::new(peak.world.at_floor())),
            _ => read_at(At::Floor),
        };
        Stages { floor, peak, too_many }
    }

    /// Those at the floor, or at the peak.
    pub fn at(&self, at: At) -> Option<&Planned> {
        match at {
            At::Floor => self.floor.as_ref(),
            At::Peak => self.peak.as_ref(),
        }
    }
}

impl Planned {
    fn new(world: World) -> Planned {
        Planned {
            world,
            counts: OnceLock::new(),
            is_short: OnceLock::new(),
            proofs: OnceLock::new(),
            placed: OnceLock::new(),
            components: OnceLock::new(),
        }
    }

    fn placed(&self) -> &(Vec<Option<NodeId>>, Fits) {
        self.placed.get_or_init(|| {
            let Placed { nodes, fits, .. } = place(&self.world);
            (nodes, fits)
        })
    }

    /// By pod, its node.
    pub fn nodes(&self) -> &[Option<NodeId>] {
        &self.placed().0
    }

    /// Whether there is a place for all.
    pub fn fits(&self) -> Fits {
        if self.is_short() { Fits::NotAll } else { self.placed().1 }
    }

    /// Whether a short proof says that there is no place for all, wherever they are put.
    pub fn is_short(&self) -> bool {
        *self.is_short.get_or_init(|| self.counts().lacks_room(&self.world.cluster))
    }

    /// Why not all have places, where there is a short reason.
    pub fn proofs(&self) -> &[Proof] {
        self.proofs.get_or_init(|| proofs(&self.world.cluster, self.counts()))
    }

    /// By component, how many pods have no place.
    pub fn pending(&self) -> Vec<usize> {
        let mut pending = vec![0; self.world.components.len()];
        let pods = self.world.pods.iter().zip(self.nodes());
        pods.filter(|it| it.1.is_none()).for_each(|it| pending[it.0.component] += 1);
        pending
    }

    /// How many pods there are of each shape.
    pub fn counts(&self) -> &Wanted {
        self.counts.get_or_init(|| Wanted::of(&self.world, &|_| true))
    }

    /// The components of pods of some shapes, in order.
    pub fn components(&self, shapes: &[ShapeId]) -> Vec<usize> {
        let by_shape = self.components.get_or_init(|| {
            let mut by_shape = vec![Vec::new(); self.world.cluster.shapes.len()];
            for pod in &self.world.pods {
                let own: &mut Vec<usize> = &mut by_shape[pod.shape];
                // The pods of a component stand together.
                if own.last() != Some(&pod.component) {
                    own.push(pod.component);
                }
            }
            by_shape
        });
        let all = shapes.iter().flat_map(|it| &by_shape[*it]).copied();
        all.collect::<BTreeSet<usize>>().into_iter().collect()
    }

    /// What the loss of nodes does.
    pub fn losses(&self) -> Losses<'_> {
        Losses::new(&self.world, self.nodes())
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
        for (pod, node) in self.world.pods.iter().zip(self.nodes()) {
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
