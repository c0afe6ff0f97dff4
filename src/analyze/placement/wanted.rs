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

    /// How many of `count` pods of a shape, which are among these, all nodes together have room for: a bound, since they
    /// have room in pieces. Less than nothing where there is not even room for the others.
    pub fn room_with_fewer(&self, cluster: &Cluster, shape: ShapeId, count: usize) -> i128 {
        let count = count as i128;
        let all: Vec<NodeId> = (0..cluster.nodes.len()).collect();
        let Some(sum) = self.on(cluster, &all, &|_| true) else { return count };
        let room = cluster.resources.iter().enumerate().map(|(at, _)| {
            let each = cluster.requests[shape][at];
            let left = sum.available[at] - sum.requested(cluster, at) + each * count;
            match each {
                _ if left < 0 => -1,
                0 => count,
                each => left / each,
            }
        });
        room.min().unwrap_or(count).min(count)
    }

    /// More requested than there is, on all nodes or on those that some pods are restricted to: each resource that is
    /// short there.
    pub(super) fn sums(&self, cluster: &Cluster) -> Vec<Proof> {
        let admitting: BTreeMap<ShapeId, Vec<NodeId>> =
            self.anywhere.keys().map(|it| (*it, cluster.admitting(*it))).collect();
        let all: Vec<NodeId> = (0..cluster.nodes.len()).collect();
        let mut sets: BTreeSet<&Vec<NodeId>> = admitting.values().collect();
        sets.insert(&all);
        for nodes in sets.iter().rev() {
            let is_inside =
                |it: ShapeId| admitting[&it].iter().all(|it| nodes.binary_search(it).is_ok());
            let Some(sum) = self.on(cluster, nodes, &is_inside) else { continue };
            let short = cluster.resources.iter().enumerate().filter_map(|(at, resource)| {
                let (requested, available) = (sum.requested(cluster, at), sum.available[at]);
                let is_of = |it: &(ShapeId, u32)| cluster.requests[it.0][at] > 0;
                (requested > available).then(|| Proof::Sum {
                    resource: resource.clone(),
                    pods: sum.pods.iter().map(|it| (*it.0, *it.1)).filter(is_of).collect(),
                    requested,
                    nodes: nodes.to_vec(),
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
        cluster.resources.iter().enumerate().find_map(|(at, resource)| {
            let mut left: Vec<Option<i128>> =
                cluster.allocatable.iter().map(|it| it.as_ref().map(|it| it[at])).collect();
            for ((shape, node), count) in self.bound() {
                if let Some(left) = &mut left[*node] {
                    *left -= cluster.requests[*shape][at] * i128::from(*count);
                }
            }
            let shapes = || self.anywhere.keys().copied();
            let sizes = shapes().map(|it| cluster.requests[it][at]).filter(|it| *it > 0);
            let sizes: BTreeSet<i128> = sizes.collect();
            sizes.into_iter().rev().find_map(|size| {
                let large = shapes().filter(|it| cluster.requests[*it][at] >= size);
                let large: Vec<ShapeId> = large.collect();
                let admits = |node: &NodeId| large.iter().any(|it| cluster.admits(*it, *node));
                let places: Option<i128> = (0..cluster.nodes.len())
                    .filter(admits)
                    .map(|it| Some(left[it]?.max(0) / size))
                    .sum();
                let (places, pods) = (places?, large.iter().map(|it| self.anywhere[it]).sum());
                let shape = large.into_iter().find(|it| cluster.requests[*it][at] == size)?;
                let resource = resource.clone();
                (i128::from(pods) > places).then_some(Proof::Pieces {
                    shape,
                    resource,
                    pods,
                    places,
                })
            })
        })
    }
}

impl Sum {
    fn requested(&self, cluster: &Cluster, resource: usize) -> i128 {
        let each = self.pods.iter();
        each.map(|(shape, count)| cluster.requests[*shape][resource] * i128::from(*count)).sum()
    }
}
