//! Nodes that are the same to every shape: what their labels, taints and cordons say is asked once a class.

use super::cluster::NodeId;
use super::filter::{Plugins, fixed};
use super::labels::NodeTerm;
use super::node::{ClusterNode, HOSTNAME, Taint};
use super::shape::Shape;
use super::volume::VolumeState;
use rustc_hash::FxHashMap;
use std::collections::BTreeSet;

/// The classes of nodes.
#[derive(Clone, Debug, Default)]
pub(super) struct Classes {
    /// By node, its class.
    pub(super) of: Vec<u32>,
    /// By class, one node of it.
    pub(super) first: Vec<NodeId>,
}

/// The plugins that refuse a shape.
#[derive(Clone, Debug)]
pub(super) enum Row {
    /// By class of nodes.
    ByClass(Vec<Plugins>),
    /// By node, where a shape speaks of their names.
    ByNode(Vec<Plugins>),
}

impl Classes {
    /// Sorts nodes by all that shapes ask of them, but for their names.
    pub(super) fn new(nodes: &[ClusterNode], shapes: &[Shape]) -> Classes {
        type Key<'n> = (Vec<Option<&'n str>>, &'n [Taint], bool);
        let keys = keys(shapes);
        let mut known: FxHashMap<Key<'_>, u32> = FxHashMap::default();
        let mut classes = Classes::default();
        for (at, node) in nodes.iter().enumerate() {
            let values = keys.iter().map(|it| node.labels.get(*it).map(String::as_str)).collect();
            let next = classes.first.len() as u32;
            let class = *known.entry((values, &node.taints, node.unschedulable)).or_insert(next);
            if class == next {
                classes.first.push(at);
            }
            classes.of.push(class);
        }
        classes
    }

    /// Lets a node be of a class of its own.
    pub(super) fn part(&mut self, node: NodeId) {
        self.of[node] = self.first.len() as u32;
        self.first.push(node);
    }

    /// Lets nodes that were parted be of their classes again.
    pub(super) fn restore(&mut self, nodes: &[NodeId], original: &Classes) {
        nodes.iter().for_each(|it| self.of[*it] = original.of[*it]);
        self.first.truncate(original.first.len());
    }
}

impl Row {
    /// Asks the filters.
    pub(super) fn new(shape: &Shape, nodes: &[ClusterNode], classes: &Classes) -> Row {
        if is_of_names(shape) {
            return Row::ByNode(nodes.iter().map(|it| fixed(shape, it)).collect());
        }
        Row::ByClass(classes.first.iter().map(|it| fixed(shape, &nodes[*it])).collect())
    }

    /// Asks them again of a node that has changed, and has been parted from its class.
    pub(super) fn change(&mut self, shape: &Shape, changed: &ClusterNode, node: NodeId) {
        match self {
            Row::ByClass(row) => row.push(fixed(shape, changed)),
            Row::ByNode(row) => row[node] = fixed(shape, changed),
        }
    }

    /// What the filters said before nodes had changed.
    pub(super) fn restore(&mut self, nodes: &[NodeId], original: &Row) {
        match (self, original) {
            (Row::ByClass(row), Row::ByClass(before)) => row.truncate(before.len()),
            (Row::ByNode(row), Row::ByNode(before)) => {
                nodes.iter().for_each(|it| row[*it] = before[*it]);
            }
            (row, before) => row.clone_from(before),
        }
    }
}

/// The ways in which a shape and its volumes choose nodes.
fn terms(shape: &Shape) -> impl Iterator<Item = &NodeTerm> {
    let volumes = shape.volumes.iter().flat_map(|it| {
        let terms: Vec<&NodeTerm> = match &it.state {
            VolumeState::Bound { terms, .. } => terms.iter().flatten().collect(),
            VolumeState::Delayed { volumes, .. } => volumes.iter().flatten().flatten().collect(),
            VolumeState::Missing | VolumeState::Unbound | VolumeState::Open => Vec::new(),
        };
        terms
    });
    shape.node_terms.iter().flatten().chain(volumes)
}

/// Whether the name of a node matters to a shape.
fn is_of_names(shape: &Shape) -> bool {
    let is_name = |key: &str| key == HOSTNAME;
    shape.node_selector.iter().any(|it| is_name(&it.0))
        || terms(shape).any(|it| !it.name.is_empty() || it.labels.iter().any(|it| is_name(&it.key)))
        || made(shape).any(is_name)
}

/// The labels that say where volumes are made.
fn made(shape: &Shape) -> impl Iterator<Item = &str> {
    let made = shape.volumes.iter().filter_map(|it| match &it.state {
        VolumeState::Delayed { made, .. } => made.as_ref(),
        _ => None,
    });
    made.flatten().flatten().map(|it| it.key.as_str())
}

/// The labels of nodes that anybody asks for, but for the name.
fn keys(shapes: &[Shape]) -> Vec<&str> {
    let mut keys: BTreeSet<&str> = BTreeSet::new();
    for shape in shapes {
        keys.extend(shape.node_selector.iter().map(|it| it.0.as_str()));
        keys.extend(terms(shape).flat_map(|it| &it.labels).map(|it| it.key.as_str()));
        keys.extend(made(shape));
        if !shape.volumes.is_empty() {
            keys.extend(super::volume::TOPOLOGY.iter().flatten());
        }
    }
    keys.remove(HOSTNAME);
    keys.into_iter().collect()
}
