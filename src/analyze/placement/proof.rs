//! Why pods cannot all be placed, in a form that a person can check: no node at all, more pods than places to keep them
//! apart, or more requested than there is.

use super::cluster::{Cluster, NodeId, PODS, ShapeId};
use super::filter::Plugin;
use super::state::State;
use super::wanted::Wanted;
use std::collections::{BTreeMap, BTreeSet};

/// Why pods cannot all be placed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Proof {
    /// No node would take a pod of this shape, were it alone.
    NoNode {
        /// The shape.
        shape: ShapeId,
    },
    /// The only node that each of these pods has, as those of daemons do, would not take it, were it alone.
    NotThere {
        /// The shape.
        shape: ShapeId,
        /// The nodes.
        nodes: Vec<NodeId>,
    },
    /// Pods that have to be apart, and fewer places.
    Apart {
        /// Their shapes.
        shapes: Vec<ShapeId>,
        /// How many pods there are.
        pods: u32,
        /// The topology, by its label.
        key: String,
        /// How many places there are that admit any of them.
        places: usize,
    },
    /// More is requested than there is.
    Sum {
        /// The resource.
        resource: String,
        /// Their shapes, and how many pods of each.
        pods: Vec<(ShapeId, u32)>,
        /// What they request.
        requested: i128,
        /// The nodes that admit any of them.
        nodes: Vec<NodeId>,
        /// What these have.
        available: i128,
    },
    /// Each pod needs so much of a node that there are fewer places than pods.
    Pieces {
        /// The shape that requests the least of the resource.
        shape: ShapeId,
        /// The resource.
        resource: String,
        /// How many pods request at least as much.
        pods: u32,
        /// How many of them the nodes hold at most.
        places: i128,
    },
}

impl Cluster {
    /// Whether a node admits pods of a shape, were it empty.
    pub fn admits(&self, shape: ShapeId, node: NodeId) -> bool {
        let has_room = || {
            self.allocatable[node].as_ref().is_none_or(|has| {
                let requests = self.requests[shape].iter().zip(has);
                requests.into_iter().all(|(request, has)| request <= has || *request == 0)
            })
        };
        self.refused(shape, node).is_empty() && has_room()
    }

    /// The nodes that admit pods of a shape.
    pub fn admitting(&self, shape: ShapeId) -> Vec<NodeId> {
        (0..self.nodes.len()).filter(|it| self.admits(shape, *it)).collect()
    }
}

/// Why these pods cannot all be placed, where there is a short reason. Of what is requested every resource that is short.
pub fn proofs(cluster: &Cluster, wanted: &Wanted) -> Vec<Proof> {
    let first = |all: Vec<Proof>| all.into_iter().take(1).collect::<Vec<_>>();
    let ways: [&dyn Fn() -> Vec<Proof>; 4] = [
        &|| first(unplaceable(cluster, wanted)),
        &|| first(crowded(cluster, wanted)),
        &|| wanted.sums(cluster),
        &|| wanted.pieces(cluster).into_iter().collect(),
    ];
    ways.iter().map(|it| it()).find(|it| !it.is_empty()).unwrap_or_default()
}

/// The shapes that no node admits, or not the one that they have to be on.
pub fn unplaceable(cluster: &Cluster, wanted: &Wanted) -> Vec<Proof> {
    let shapes = wanted.anywhere.keys();
    let none = shapes.filter(|it| !(0..cluster.nodes.len()).any(|node| cluster.admits(**it, node)));
    let mut found: Vec<Proof> = none.map(|it| Proof::NoNode { shape: *it }).collect();
    for ((shape, node), _) in wanted.daemons.iter().filter(|it| !cluster.admits(it.0.0, it.0.1)) {
        match found.last_mut() {
            Some(Proof::NotThere { shape: last, nodes }) if last == shape => nodes.push(*node),
            _ => found.push(Proof::NotThere { shape: *shape, nodes: vec![*node] }),
        }
    }
    found
}

/// All groups of pods that have to be apart and have fewer places. Each pod of a group has the term, and the term means
/// each of them.
pub fn crowded(cluster: &Cluster, wanted: &Wanted) -> Vec<Proof> {
    let is_of = |at: usize, it: ShapeId| {
        cluster.of_shape[it].anti.contains(&at) && cluster.terms[at].matches.has(it)
    };
    let terms = |shape: ShapeId| cluster.of_shape[shape].anti.iter().copied();
    let mut by_term: BTreeMap<usize, BTreeSet<ShapeId>> = BTreeMap::new();
    for shape in wanted.anywhere.keys().copied() {
        for at in terms(shape).filter(|it| is_of(*it, shape)) {
            by_term.entry(at).or_default().insert(shape);
        }
    }
    let mut bound: BTreeMap<usize, Vec<(ShapeId, NodeId)>> = BTreeMap::new();
    for ((shape, node), _) in wanted.bound().filter(|_| !by_term.is_empty()) {
        for at in terms(*shape).filter(|it| is_of(*it, *shape)) {
            bound.entry(at).or_default().push((*shape, *node));
        }
    }
    let found = by_term.into_iter().filter_map(|(at, mut shapes)| {
        let topology = &cluster.topologies[cluster.terms[at].topology];
        let mut count = shapes.iter().map(|it| wanted.anywhere[it] as usize).sum::<usize>();
        let mut nodes: BTreeSet<NodeId> =
            shapes.iter().flat_map(|it| cluster.admitting(*it)).collect();
        let mut taken = BTreeSet::new();
        for (shape, node) in bound.remove(&at).unwrap_or_default() {
            shapes.insert(shape);
            nodes.insert(node);
            // Pods that are where they are may be there against what is asked of them now: they take one place.
            taken.insert(topology.domains[node]);
        }
        count += taken.len();
        // On a node without the label nothing is kept apart.
        let domains: Option<BTreeSet<u32>> = nodes.iter().map(|it| topology.domains[*it]).collect();
        let places = domains?.len();
        let key = topology.key.clone();
        // That no node admits them at all is another matter.
        let is_crowded = places > 0 && count > places;
        let shapes = shapes.into_iter().collect();
        is_crowded.then_some(Proof::Apart { shapes, pods: count as u32, key, places })
    });
    found.collect()
}

/// Why a node does not take one more pod of a shape, in a few words each.
pub fn reasons(state: &State<'_>, shape: ShapeId, node: NodeId) -> Vec<String> {
    let cluster = state.cluster;
    let (of, on) = (&cluster.shapes[shape], &cluster.nodes[node]);
    let asked = state.ask(shape);
    let mut reasons = Vec::new();
    for plugin in asked.refusals(node).iter() {
        match plugin {
            Plugin::NodeUnschedulable => reasons.push("cordoned".into()),
            Plugin::TaintToleration => {
                let taint = super::node::untolerated(&on.taints, &of.tolerations);
                let cordon = "node.kubernetes.io/unschedulable";
                let told = taint.filter(|it| !(on.unschedulable && it.key == cordon));
                reasons.extend(told.map(|it| format!("taint {it}")));
            }
            Plugin::NodeAffinity => {
                reasons.push("not chosen by nodeSelector or node affinity".into())
            }
            Plugin::NodePorts => reasons.push("its host port is taken".into()),
            Plugin::NodeResourcesFit => {
                let lacks = asked.lacks(node);
                let each = lacks.iter().map(|(at, _)| cluster.resources[*at].as_str());
                let each: Vec<_> = each.filter(|it| *it != PODS).collect();
                reasons.push(match each.as_slice() {
                    [] => "no room for one more pod".into(),
                    each => format!("not enough {}", each.join(" and ")),
                });
            }
            Plugin::VolumeBinding => {
                let volume = of.volumes.iter().find(|it| !it.state.binds(&on.name, &on.labels));
                reasons.push(volume.map_or("volume".into(), |it| volume_of(cluster, it)));
            }
            Plugin::VolumeRestrictions => reasons.push("its volume is another pod's".into()),
            Plugin::VolumeZone if !asked.refusals(node).has(Plugin::VolumeBinding) => {
                reasons.push("its volume is in another zone".into());
            }
            Plugin::VolumeZone | Plugin::NodeVolumeLimits => {}
            Plugin::PodTopologySpread => reasons.push("topology spread".into()),
            Plugin::InterPodAffinity if !asked.is_beside(node) => {
                reasons.push("required affinity".into());
            }
            Plugin::InterPodAffinity => {
                reasons.push(format!("required anti-affinity{}", with(state, shape, node)))
            }
        }
    }
    reasons
}

/// `volume of k8s-worker-1`, where it is of one node.
fn volume_of(cluster: &Cluster, need: &super::volume::VolumeNeed) -> String {
    use super::volume::VolumeState;
    let reached: Vec<_> =
        cluster.nodes.iter().filter(|it| need.state.binds(&it.name, &it.labels)).collect();
    match (&need.state, reached.as_slice()) {
        (VolumeState::Missing, _) => "its volume claim is not there".into(),
        (_, [node]) => format!("volume of {}", node.name),
        (VolumeState::Bound { volume, .. }, _) => format!("volume {volume}"),
        _ => "no volume to be had there".into(),
    }
}

/// Whom a pod has to be apart from on a node.
fn with(state: &State<'_>, shape: ShapeId, node: NodeId) -> String {
    let cluster = state.cluster;
    let own = &cluster.of_shape[shape];
    let mut there = state.counts.pods[node].keys();
    let other = there.find(|other| {
        own.anti.iter().any(|it| cluster.terms[*it].matches.has(**other))
            || cluster.of_shape[**other].anti.iter().any(|it| cluster.terms[*it].matches.has(shape))
    });
    let name = other.and_then(|it| {
        let labels = &cluster.shapes[*it].labels;
        labels.get("app.kubernetes.io/name").or_else(|| labels.get("app"))
    });
    name.map_or(String::new(), |it| format!(" with {it}"))
}
