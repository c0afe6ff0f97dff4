//! How many pods there are to be, of which shapes and where, and whether there is as much as they request.

use super::cluster::{Cluster, NodeId, ShapeId};
use super::proof::{Proof, unplaceable};
use super::state::State;
use super::world::{Pod, World};
use std::collections::{BTreeMap, BTreeSet};

/// How many pods there are to be, by shape.
#[derive(Clone, Debug, Default)]
pub struct Wanted {
    /// On any node.
    pub anywhere: BTreeMap<ShapeId, u32>,
    /// On the only node that each has, as those of daemons do.
    pub daemons: BTreeMap<(ShapeId, NodeId), u32>,
    /// There already.
    pub there: BTreeMap<(ShapeId, NodeId), u32>,
}

/// So many sets of nodes to which pods are restricted are compared with each other.
const MOST_SETS: usize = 64;

/// What is requested on some nodes, and what these have.
struct Sum {
    pods: BTreeMap<ShapeId, u32>,
    available: Vec<i128>,
}

impl Wanted {
    /// The pods of a world, or some of them.
    pub fn of(world: &World, is_there: &dyn Fn(&Pod) -> bool) -> Wanted {
        let mut wanted = Wanted::default();
        for pod in world.pods.iter().filter(|it| is_there(it)) {
            wanted.add(pod.shape, pod.node, pod.only);
        }
        wanted
    }

    /// Pods that wait, beside those that are there.
    pub fn beside(state: &State<'_>, anywhere: BTreeMap<ShapeId, u32>) -> Wanted {
        let nodes = state.counts.pods.iter().enumerate();
        let there = nodes.flat_map(|(node, pods)| {
            pods.iter().map(move |(shape, count)| ((*shape, node), *count))
        });
        Wanted { anywhere, there: there.collect(), daemons: BTreeMap::new() }
    }

    /// One more pod, that is on a node already, or has only one.
    pub fn add(&mut self, shape: ShapeId, node: Option<NodeId>, only: Option<NodeId>) {
        let count = match (node, only) {
            (Some(node), _) => self.there.entry((shape, node)).or_default(),
            (None, Some(node)) => self.daemons.entry((shape, node)).or_default(),
            (None, None) => self.anywhere.entry(shape).or_default(),
        };
        *count += 1;
    }

    /// Those whose node is given.
    pub fn bound(&self) -> impl Iterator<Item = (&(ShapeId, NodeId), &u32)> {
        self.daemons.iter().chain(&self.there)
    }

    /// Whether those that wait anywhere surely find no room.
    pub fn lacks_room(&self, cluster: &Cluster) -> bool {
        let is_waiting = |it: &ShapeId| self.anywhere.contains_key(it);
        !unplaceable(cluster, self).is_empty()
            || super::proof::crowded(cluster, self).into_iter().any(|it| match it {
                Proof::Apart { shapes, .. } => shapes.iter().any(is_waiting),
                _ => false,
            })
            || self.sums(cluster).into_iter().any(|it| match it {
                Proof::Sum { pods, .. } => pods.iter().any(|(it, _)| is_waiting(it)),
                _ => false,
            })
            || self.pieces(cluster).is_some()
    }

    /// What all of these leave of all nodes; `None` where nobody says what these have.
    pub fn room(&self, cluster: &Cluster) -> Option<Room> {
        let all: Vec<NodeId> = (0..cluster.nodes.len()).collect();
        let sum = self.on(cluster, &all, &|_| true)?;
        let total = |at: usize| Total {
            requested: sum.requested(cluster, at),
            available: sum.available[at],
        };
        Some(Room((0..cluster.resources.len()).map(total).collect()))
    }

    /// More requested than there is, on all nodes or on those that some pods are restricted to: each resource that is
    /// short there.
    pub(super) fn sums(&self, cluster: &Cluster) -> Vec<Proof> {
        let all: Vec<NodeId> = (0..cluster.nodes.len()).collect();
        let mut by_set: BTreeMap<Vec<NodeId>, Vec<ShapeId>> = BTreeMap::new();
        for shape in self.anywhere.keys() {
            by_set.entry(cluster.admitting(*shape)).or_default().push(*shape);
        }
        by_set.entry(all.clone()).or_default();
        // Of very many sets of nodes not every one is compared with every other.
        let few = by_set.keys().rev().take(MOST_SETS);
        let rest = (by_set.len() > MOST_SETS).then_some(&all);
        for nodes in few.chain(rest) {
            let is_within = |it: &Vec<NodeId>| it.iter().all(|it| nodes.binary_search(it).is_ok());
            let inside = by_set.iter().filter(|it| is_within(it.0)).flat_map(|it| it.1);
            let inside: BTreeSet<ShapeId> = inside.copied().collect();
            let Some(sum) = self.on(cluster, nodes, &|it| inside.contains(&it)) else { continue };
            let short = cluster.resources.iter().enumerate().filter_map(|(at, resource)| {
                let (requested, available) = (sum.requested(cluster, at), sum.available[at]);
                let is_of = |it: &(ShapeId, u32)| cluster.requests[it.0][at] > 0;
                (requested > available).then(|| Proof::Sum {
                    resource: resource.clone(),
                    pods: sum.pods.iter().map(|it| (*it.0, *it.1)).filter(is_of).collect(),
                    requested,
                    nodes: nodes.clone(),
                    available,
                })
            });
            let short: Vec<Proof> = short.collect();
            if !short.is_empty() {
                return short;
            }
        }
        Vec::new()
    }

    /// The pods that have to be on some nodes; `None` where nobody says what these have.
    fn on(
        &self,
        cluster: &Cluster,
        nodes: &[NodeId],
        is_inside: &dyn Fn(ShapeId) -> bool,
    ) -> Option<Sum> {
        let mut left: Vec<Vec<i128>> = Vec::with_capacity(nodes.len());
        for node in nodes {
            left.push(cluster.allocatable[*node].clone()?);
        }
        let mut available = vec![0; cluster.resources.len()];
        for has in &left {
            available.iter_mut().zip(has).for_each(|(all, it)| *all += it);
        }
        // What pods that are there request beyond what their node has is no other node's to give.
        for ((shape, node), count) in &self.there {
            let Ok(place) = nodes.binary_search(node) else { continue };
            for (at, request) in cluster.requests[*shape].iter().enumerate() {
                let before = left[place][at].min(0);
                left[place][at] -= request * i128::from(*count);
                available[at] += before - left[place][at].min(0);
            }
        }
        let inside = self.anywhere.iter().filter(|it| is_inside(*it.0));
        let mut pods: BTreeMap<ShapeId, u32> = inside.map(|it| (*it.0, *it.1)).collect();
        let is_all = nodes.len() == cluster.nodes.len();
        for ((shape, node), count) in self.bound() {
            if is_all || nodes.binary_search(node).is_ok() {
                *pods.entry(*shape).or_default() += count;
            }
        }
        Some(Sum { pods, available })
    }

    /// Pods that each request so much that the nodes hold fewer of them than there are.
    pub(super) fn pieces(&self, cluster: &Cluster) -> Option<Proof> {
        (0..cluster.resources.len()).find_map(|at| self.pieces_of(cluster, at))
    }

    fn pieces_of(&self, cluster: &Cluster, at: usize) -> Option<Proof> {
        let mut left: Vec<Option<i128>> =
            cluster.allocatable.iter().map(|it| it.as_ref().map(|it| it[at])).collect();
        for ((shape, node), count) in self.bound() {
            if let Some(left) = &mut left[*node] {
                *left -= cluster.requests[*shape][at] * i128::from(*count);
            }
        }
        let mut by_size: BTreeMap<i128, Vec<ShapeId>> = BTreeMap::new();
        for shape in self.anywhere.keys().copied() {
            by_size.entry(cluster.requests[shape][at]).or_default().push(shape);
        }
        // The largest first: each size adds the nodes that admit its pods.
        let (mut pods, mut is_open) = (0, vec![false; cluster.nodes.len()]);
        for (size, shapes) in by_size.into_iter().rev().filter(|it| it.0 > 0) {
            pods += shapes.iter().map(|it| self.anywhere[it]).sum::<u32>();
            for (node, is_open) in is_open.iter_mut().enumerate() {
                *is_open |= shapes.iter().any(|it| cluster.admits(*it, node));
            }
            let open = is_open.iter().zip(&left).filter(|it| *it.0);
            let places = open.map(|it| Some((*it.1)?.max(0) / size)).sum::<Option<i128>>()?;
            if i128::from(pods) > places {
                let (shape, resource) = (shapes[0], cluster.resources[at].clone());
                return Some(Proof::Pieces { shape, resource, pods, places });
            }
        }
        None
    }
}

/// What pods request of a resource, and what all nodes together have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Total {
    /// What is requested.
    pub requested: i128,
    /// What there is.
    pub available: i128,
}

impl Total {
    fn left(&self) -> i128 {
        self.available - self.requested
    }
}

/// What is requested of all nodes together, by resource.
#[derive(Clone, Debug)]
pub struct Room(Vec<Total>);

impl Room {
    /// How many of `count` pods of a shape, which are among those that leave this room, there is room for: a bound, since
    /// there is room in pieces. Less than nothing where there is not even room for the others.
    pub fn with_fewer(&self, cluster: &Cluster, shape: ShapeId, count: usize) -> i128 {
        let count = count as i128;
        let room = self.0.iter().zip(&cluster.requests[shape]).map(|(of, each)| {
            let left = of.left() + each * count;
            match each {
                _ if left < 0 => -1,
                0 => count,
                each => left / each,
            }
        });
        room.min().unwrap_or(count).min(count)
    }

    /// Whether one more pod of a shape is too many.
    pub fn lacks(&self, cluster: &Cluster, shape: ShapeId) -> bool {
        self.0.iter().zip(&cluster.requests[shape]).any(|(of, each)| *each > 0 && of.left() < *each)
    }
}

impl Sum {
    fn requested(&self, cluster: &Cluster, resource: usize) -> i128 {
        let each = self.pods.iter();
        each.map(|(shape, count)| cluster.requests[*shape][resource] * i128::from(*count)).sum()
    }
}
