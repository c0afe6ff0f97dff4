//! Whether all pods that wait can be placed: every way is tried, ways that differ by equal pods or equal nodes once.

use super::cluster::{Cluster, NodeId, ShapeId};
use super::state::State;
use rustc_hash::{FxHashMap, FxHashSet};

/// What all states together may hold in memory, in numbers of four bytes: of large clusters fewer states are seen.
const MOST_CELLS: usize = 16_000_000;

/// However large a cluster, a search goes so deep.
const LEAST_STATES: usize = 500;

/// What a search found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Found {
    /// A way to place all of them, in this order.
    Way(Vec<(ShapeId, NodeId)>),
    /// There is none: every state that can be reached was seen, so many.
    None(usize),
    /// The bound was reached first.
    Bound(usize),
}

struct Search<'s, 'c> {
    state: State<'c>,
    left: Vec<(ShapeId, u32)>,
    total: u32,
    /// Whether the order in which shapes are placed matters.
    is_ordered: bool,
    /// Equal nodes, class by class.
    classes: &'s [Vec<NodeId>],
    seen: FxHashSet<Vec<u32>>,
    steps: Vec<(ShapeId, NodeId)>,
    bound: usize,
    shapes: Vec<ShapeId>,
}

/// Looks for a way to place pods of these shapes, so many of each.
pub fn search(start: &State<'_>, pods: &[(ShapeId, u32)], bound: usize) -> Found {
    let cluster = start.cluster;
    let mut left: Vec<_> = pods.iter().copied().filter(|it| it.1 > 0).collect();
    // Those with the fewest nodes first: what cannot be is seen soonest.
    left.sort_by_key(|(shape, _)| (start.takers(*shape).len(), *shape));
    let is_ordered = cluster.is_ordered(left.iter().map(|it| it.0));
    let shapes: Vec<_> = left.iter().map(|it| it.0).collect();
    let classes = classes(start, &shapes);
    let bound =
        bound.min(MOST_CELLS / (shapes.len() * cluster.nodes.len()).max(1)).max(LEAST_STATES);
    let mut search = Search {
        state: start.clone(),
        total: left.iter().map(|it| it.1).sum(),
        left,
        is_ordered,
        classes: &classes,
        seen: FxHashSet::default(),
        steps: Vec::new(),
        bound,
        shapes,
    };
    match search.walk() {
        Some(true) => Found::Way(search.steps),
        Some(false) => Found::None(search.seen.len()),
        None => Found::Bound(search.seen.len()),
    }
}

impl Search<'_, '_> {
    /// `None` where the bound was reached.
    fn walk(&mut self) -> Option<bool> {
        if self.total == 0 {
            return Some(true);
        }
        if !self.seen.insert(self.signature()) {
            return Some(false);
        }
        if self.seen.len() > self.bound {
            return None;
        }
        for at in 0..self.left.len() {
            let (shape, count) = self.left[at];
            if count == 0 {
                continue;
            }
            for node in self.one_of_each_class(shape) {
                self.step(at, shape, node, true);
                match self.walk() {
                    Some(false) => {}
                    found => return found,
                }
                self.step(at, shape, node, false);
            }
            // Where no order matters, this pod has to be placed some time: if not now, then never.
            if !self.is_ordered {
                break;
            }
        }
        Some(false)
    }

    fn step(&mut self, at: usize, shape: ShapeId, node: NodeId, is_put: bool) {
        if is_put {
            self.state.put(shape, node);
            self.left[at].1 -= 1;
            self.total -= 1;
            self.steps.push((shape, node));
        } else {
            self.state.take(shape, node);
            self.left[at].1 += 1;
            self.total += 1;
            self.steps.pop();
        }
    }

    /// The nodes that take a pod; of equal ones that hold the same, one.
    fn one_of_each_class(&self, shape: ShapeId) -> Vec<NodeId> {
        let asked = self.state.ask(shape);
        let mut found = Vec::new();
        for class in self.classes {
            let mut seen: Vec<&_> = Vec::new();
            for node in class {
                let holds = &self.state.counts.pods[*node];
                if !seen.contains(&holds) && asked.takes(*node) {
                    seen.push(holds);
                    found.push(*node);
                }
            }
        }
        found
    }

    /// What a state has in common with those that differ by equal nodes.
    fn signature(&self) -> Vec<u32> {
        let mut all = Vec::with_capacity(self.shapes.len() * self.state.counts.pods.len());
        for class in self.classes {
            let row = |node: &NodeId| -> Vec<u32> {
                self.shapes.iter().map(|it| self.state.count(*node, *it)).collect()
            };
            let mut rows: Vec<_> = class.iter().map(row).collect();
            rows.sort_unstable();
            all.extend(rows.into_iter().flatten());
        }
        all
    }
}

/// Nodes that stand for each other: equal in all that pods of these shapes see, alone in their domains or together in
/// them, and holding the same.
pub(super) fn classes(start: &State<'_>, left: &[ShapeId]) -> Vec<Vec<NodeId>> {
    let cluster = start.cluster;
    let mut sizes: Vec<Vec<u32>> = Vec::new();
    for topology in &cluster.topologies {
        let mut count = vec![0; topology.values.len()];
        topology.domains.iter().flatten().for_each(|it| count[*it as usize] += 1);
        sizes.push(count);
    }
    let mut by_key: FxHashMap<_, usize> = FxHashMap::default();
    let mut classes: Vec<Vec<NodeId>> = Vec::new();
    for node in 0..cluster.nodes.len() {
        let domains: Vec<_> = cluster
            .topologies
            .iter()
            .zip(&sizes)
            .map(|(topology, sizes)| match topology.domains[node] {
                None => (0, 0),
                Some(it) if sizes[it as usize] == 1 => (1, 0),
                Some(it) => (2, it),
            })
            .collect();
        let key = (domains, alike(cluster, node, left), start.counts.pods[node].clone());
        let at = *by_key.entry(key).or_insert(classes.len());
        match classes.get_mut(at) {
            Some(class) => class.push(node),
            None => classes.push(vec![node]),
        }
    }
    classes
}

type Alike = (Option<Vec<i128>>, Vec<super::filter::Plugins>, Vec<bool>);

fn alike(cluster: &Cluster, node: NodeId, left: &[ShapeId]) -> Alike {
    (
        cluster.allocatable[node].clone(),
        left.iter().map(|it| cluster.refused(*it, node)).collect(),
        cluster.constraints.iter().map(|it| it.counts[node]).collect(),
    )
}
