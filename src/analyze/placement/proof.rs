//! Why pods cannot all be placed, in a form that a person can check: no node at all, more pods than places to keep them
//! apart, or more requested than there is.

use super::cluster::{Cluster, NodeId, ShapeId};
use super::filter::Plugin;
use super::state::State;
use std::collections::{BTreeMap, BTreeSet};

/// Why pods cannot all be placed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Proof {
    /// No node would take a pod of this shape, were it alone.
    NoNode {
        /// The shape.
        shape: ShapeId,
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
        let has_room = || match (&self.allocatable[node], &self.nodes[node].allocatable) {
            (Some(has), Some(allocatable)) => {
                allocatable.pods > 0
                    && self.requests[shape]
                        .iter()
                        .zip(has)
                        .all(|(request, has)| request <= has || *request == 0)
            }
            _ => true,
        };
        self.fixed[shape][node].is_empty() && has_room()
    }

    /// The nodes that admit pods of a shape.
    pub fn admitting(&self, shape: ShapeId) -> Vec<NodeId> {
        (0..self.nodes.len()).filter(|it| self.admits(shape, *it)).collect()
    }

    /// Whether pods beside those that are there request more than there is.
    pub fn lacks_room(&self, state: &State<'_>, waiting: &BTreeMap<ShapeId, u32>) -> bool {
        let mut counts = waiting.clone();
        for (shape, count) in state.pods.iter().flatten() {
            *counts.entry(*shape).or_default() += count;
        }
        let is_waiting = |it: &ShapeId| waiting.contains_key(it);
        proof(self, &counts).is_some_and(|it| match it {
            Proof::NoNode { shape } => is_waiting(&shape),
            // Pods that are where they are may be there against what is asked of them now.
            Proof::Apart { shapes, .. } => shapes.iter().all(is_waiting),
            Proof::Sum { pods, .. } => pods.iter().any(|(it, _)| is_waiting(it)),
            Proof::Pieces { .. } => false,
        })
    }
}

/// Why so many pods of these shapes cannot all be placed, where there is a short reason.
pub fn proof(cluster: &Cluster, pods: &BTreeMap<ShapeId, u32>) -> Option<Proof> {
    if let Some(none) = unplaceable(cluster, pods).into_iter().next() {
        return Some(none);
    }
    let admitting: BTreeMap<ShapeId, Vec<NodeId>> =
        pods.keys().map(|it| (*it, cluster.admitting(*it))).collect();
    crowded(cluster, pods)
        .into_iter()
        .next()
        .or_else(|| sum(cluster, pods, &admitting))
        .or_else(|| pieces(cluster, pods, &admitting))
}

/// The shapes that no node admits.
pub fn unplaceable(cluster: &Cluster, pods: &BTreeMap<ShapeId, u32>) -> Vec<Proof> {
    let none = pods.keys().filter(|it| cluster.admitting(**it).is_empty());
    none.map(|it| Proof::NoNode { shape: *it }).collect()
}

/// All groups of pods that have to be apart and have fewer places. Each pod of a group has the term, and the term means
/// each of them.
pub fn crowded(cluster: &Cluster, pods: &BTreeMap<ShapeId, u32>) -> Vec<Proof> {
    let found = (0..cluster.terms.len()).filter_map(|at| {
        let term = &cluster.terms[at];
        let topology = &cluster.topologies[term.topology];
        let is_of = |it: &ShapeId| cluster.of_shape[*it].anti.contains(&at) && term.matches[*it];
        let shapes: Vec<ShapeId> = pods.keys().copied().filter(is_of).collect();
        let count = shapes.iter().map(|it| pods[it]).sum::<u32>();
        let nodes: BTreeSet<NodeId> = shapes.iter().flat_map(|it| cluster.admitting(*it)).collect();
        // On a node without the label nothing is kept apart.
        let domains: Option<BTreeSet<u32>> = nodes.iter().map(|it| topology.domains[*it]).collect();
        let places = domains?.len();
        let key = topology.key.clone();
        // That no node admits them at all is another matter.
        let is_crowded = places > 0 && count as usize > places;
        is_crowded.then_some(Proof::Apart { shapes, pods: count, key, places })
    });
    found.collect()
}

/// More requested than there is, on all nodes or on those that some pods are restricted to.
fn sum(
    cluster: &Cluster,
    pods: &BTreeMap<ShapeId, u32>,
    admitting: &BTreeMap<ShapeId, Vec<NodeId>>,
) -> Option<Proof> {
    let all: Vec<NodeId> = (0..cluster.nodes.len()).collect();
    let mut sets: BTreeSet<&Vec<NodeId>> = admitting.values().collect();
    sets.insert(&all);
    for nodes in sets.iter().rev() {
        if nodes.iter().any(|it| cluster.allocatable[*it].is_none()) {
            continue;
        }
        let is_inside =
            |it: &ShapeId| admitting[it].iter().all(|it| nodes.binary_search(it).is_ok());
        let inside: Vec<_> = pods
            .iter()
            .filter(|it| is_inside(it.0))
            .map(|(shape, count)| (*shape, *count))
            .collect();
        for (at, resource) in cluster.resources.iter().enumerate() {
            let requested: i128 = inside
                .iter()
                .map(|(shape, count)| cluster.requests[*shape][at] * i128::from(*count))
                .sum();
            let has = |it: &NodeId| cluster.allocatable[*it].as_ref().map_or(0, |it| it[at]);
            let available: i128 = nodes.iter().map(has).sum();
            if requested > available {
                let is_of = |it: &&(ShapeId, u32)| cluster.requests[it.0][at] > 0;
                let pods = inside.iter().filter(is_of).copied().collect();
                let (resource, nodes) = (resource.clone(), nodes.to_vec());
                return Some(Proof::Sum { resource, pods, requested, nodes, available });
            }
        }
    }
    None
}

/// Pods that each request so much that the nodes hold fewer of them than there are.
fn pieces(
    cluster: &Cluster,
    pods: &BTreeMap<ShapeId, u32>,
    admitting: &BTreeMap<ShapeId, Vec<NodeId>>,
) -> Option<Proof> {
    for (at, resource) in cluster.resources.iter().enumerate() {
        let sizes: BTreeSet<i128> =
            pods.keys().map(|it| cluster.requests[*it][at]).filter(|it| *it > 0).collect();
        for size in sizes.into_iter().rev() {
            let large: Vec<ShapeId> =
                pods.keys().copied().filter(|it| cluster.requests[*it][at] >= size).collect();
            let nodes: BTreeSet<NodeId> =
                large.iter().flat_map(|it| &admitting[it]).copied().collect();
            let has: Option<i128> =
                nodes.iter().map(|it| Some(cluster.allocatable[*it].as_ref()?[at] / size)).sum();
            let count: u32 = large.iter().map(|it| pods[it]).sum();
            let Some(places) = has else { continue };
            let smallest = large.iter().copied().find(|it| cluster.requests[*it][at] == size);
            if i128::from(count) > places
                && let Some(shape) = smallest
            {
                return Some(Proof::Pieces {
                    shape,
                    resource: resource.clone(),
                    pods: count,
                    places,
                });
            }
        }
    }
    None
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
                let each: Vec<_> = each.collect();
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
    let mut there = state.pods[node].keys();
    let other = there.find(|other| {
        own.anti.iter().any(|it| cluster.terms[*it].matches[**other])
            || cluster.of_shape[**other].anti.iter().any(|it| cluster.terms[*it].matches[shape])
    });
    let name = other.and_then(|it| {
        let labels = &cluster.shapes[*it].labels;
        labels.get("app.kubernetes.io/name").or_else(|| labels.get("app"))
    });
    name.map_or(String::new(), |it| format!(" with {it}"))
}
