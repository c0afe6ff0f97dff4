//! Pods on nodes, and which nodes take one more.

use super::cluster::{Cluster, NodeId, ShapeId};
use super::filter::{Plugin, Plugins};
use std::collections::BTreeMap;

/// The pods on the nodes of a cluster.
#[derive(Clone, Debug)]
pub struct State<'c> {
    /// The cluster.
    pub cluster: &'c Cluster,
    /// What there is of them.
    pub counts: Counts,
}

/// What there is of the pods of a cluster, by its places.
#[derive(Clone, Debug, Default)]
pub struct Counts {
    /// By node, how many pods of which shape.
    pub pods: Vec<BTreeMap<ShapeId, u32>>,
    /// By node and resource, what is requested.
    pub used: Vec<Vec<i128>>,
    /// By node, the CPU and memory that scores count.
    pub scored: Vec<[i64; 2]>,
    /// By term and domain, pods that it means.
    meant: Vec<Vec<u32>>,
    /// By term and domain, pods that it is of.
    owners: Vec<Vec<u32>>,
    /// By group, topology of it, and domain, pods that meet it.
    met: Vec<Vec<Vec<u32>>>,
    /// By constraint and domain, pods that count.
    spread: Vec<Vec<u32>>,
    /// By claim of one pod, how many have it.
    single: Vec<u32>,
}

/// Whether more is to be counted, or less.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Sign {
    More,
    Less,
}

/// Whether a pod is being deleted; those count for all but spread.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Life {
    Stays,
    Terminates,
}

/// What is the same on all nodes while one pod is placed.
#[derive(Clone, Debug)]
pub struct Asked<'s, 'c> {
    state: &'s State<'c>,
    shape: ShapeId,
    /// By constraint of the shape, the least that a domain holds.
    least: Vec<i64>,
    /// Whether no pod meets its affinity and it does itself.
    is_first: bool,
    holds_single: bool,
}

impl<'c> State<'c> {
    /// No pod anywhere.
    pub fn new(cluster: &'c Cluster) -> State<'c> {
        let domains = |topology: usize| vec![0; cluster.topologies[topology].values.len()];
        let nodes = cluster.nodes.len();
        let counts = Counts {
            pods: vec![BTreeMap::new(); nodes],
            used: vec![vec![0; cluster.resources.len()]; nodes],
            scored: vec![[0; 2]; nodes],
            meant: cluster.terms.iter().map(|it| domains(it.topology)).collect(),
            owners: cluster.terms.iter().map(|it| domains(it.topology)).collect(),
            met: cluster
                .groups
                .iter()
                .map(|it| it.topologies.iter().map(|it| domains(*it)).collect())
                .collect(),
            spread: cluster.constraints.iter().map(|it| domains(it.topology)).collect(),
            single: vec![0; cluster.single.len()],
        };
        State { cluster, counts }
    }

    /// Puts a pod on a node.
    pub fn put(&mut self, shape: ShapeId, node: NodeId) {
        *self.counts.pods[node].entry(shape).or_default() += 1;
        self.change(shape, node, Sign::More, Life::Stays);
    }

    /// Takes one away.
    pub fn take(&mut self, shape: ShapeId, node: NodeId) {
        if self.forget(shape, node) {
            self.change(shape, node, Sign::Less, Life::Stays);
        }
    }

    /// Puts a pod on a node that is being deleted there.
    pub fn put_terminating(&mut self, shape: ShapeId, node: NodeId) {
        *self.counts.pods[node].entry(shape).or_default() += 1;
        self.change(shape, node, Sign::More, Life::Terminates);
    }

    /// Takes one of those away.
    pub fn take_terminating(&mut self, shape: ShapeId, node: NodeId) {
        if self.forget(shape, node) {
            self.change(shape, node, Sign::Less, Life::Terminates);
        }
    }

    fn forget(&mut self, shape: ShapeId, node: NodeId) -> bool {
        let Some(count) = self.counts.pods[node].get_mut(&shape) else { return false };
        *count -= 1;
        if *count == 0 {
            self.counts.pods[node].remove(&shape);
        }
        true
    }

    fn change(&mut self, shape: ShapeId, node: NodeId, sign: Sign, life: Life) {
        let (cluster, counts) = (self.cluster, &mut self.counts);
        let step = |count: &mut u32| match sign {
            Sign::More => *count += 1,
            Sign::Less => *count -= 1,
        };
        let more = if sign == Sign::More { 1 } else { -1 };
        for (scored, own) in counts.scored[node].iter_mut().zip(cluster.scored[shape]) {
            *scored += more * own;
        }
        for (used, request) in counts.used[node].iter_mut().zip(&cluster.requests[shape]) {
            *used += i128::from(more) * request;
        }
        let domain =
            |topology: usize| cluster.topologies[topology].domains[node].map(|it| it as usize);
        let of = &cluster.of_shape[shape];
        for term in &of.meant_by {
            if let Some(at) = domain(cluster.terms[*term].topology) {
                step(&mut counts.meant[*term][at]);
            }
        }
        for term in &of.anti {
            if let Some(at) = domain(cluster.terms[*term].topology) {
                step(&mut counts.owners[*term][at]);
            }
        }
        for group in &of.meets {
            for (place, topology) in cluster.groups[*group].topologies.iter().enumerate() {
                if let Some(at) = domain(*topology) {
                    step(&mut counts.met[*group][place][at]);
                }
            }
        }
        for constraint in of.counted_by.iter().filter(|_| life == Life::Stays) {
            let it = &cluster.constraints[*constraint];
            if let Some(at) = domain(it.topology).filter(|_| it.counts[node]) {
                step(&mut counts.spread[*constraint][at]);
            }
        }
        for claim in &of.single {
            step(&mut counts.single[*claim]);
        }
    }

    /// Prepares to ask where a pod may go.
    pub fn ask(&self, shape: ShapeId) -> Asked<'_, 'c> {
        let of = &self.cluster.of_shape[shape];
        let least = of.constraints.iter().map(|it| self.least(*it)).collect();
        let is_first = of.group.is_some_and(|group| {
            let is_met = self.counts.met[group].iter().flatten().any(|it| *it > 0);
            !is_met && self.cluster.groups[group].matches.has(shape)
        });
        let holds_single = of.single.iter().any(|it| self.counts.single[*it] > 0);
        Asked { state: self, shape, least, is_first, holds_single }
    }

    /// The least that a domain of a constraint holds (`podtopologyspread/filtering.go`, minMatchNum).
    fn least(&self, constraint: usize) -> i64 {
        let it = &self.cluster.constraints[constraint];
        if (it.domains.len() as i64) < it.min_domains {
            return 0;
        }
        let counts =
            it.domains.iter().map(|at| i64::from(self.counts.spread[constraint][*at as usize]));
        counts.min().unwrap_or(0)
    }

    /// How many pods that a term means are near a node.
    pub fn meant_near(&self, term: usize, node: NodeId) -> u32 {
        let topology = self.cluster.terms[term].topology;
        let domain = self.cluster.topologies[topology].domains[node];
        domain.map_or(0, |it| self.counts.meant[term][it as usize])
    }

    /// How many pods that a constraint counts are in the domain of a node; `None` where it is in none.
    pub fn spread_near(&self, constraint: usize, node: NodeId) -> Option<u32> {
        let topology = self.cluster.constraints[constraint].topology;
        let domain = self.cluster.topologies[topology].domains[node]?;
        Some(self.counts.spread[constraint][domain as usize])
    }

    /// The nodes that take one more pod of a shape.
    pub fn takers(&self, shape: ShapeId) -> Vec<NodeId> {
        let asked = self.ask(shape);
        (0..self.cluster.nodes.len()).filter(|it| asked.takes(*it)).collect()
    }

    /// How many pods of a shape there are on a node.
    pub fn count(&self, node: NodeId, shape: ShapeId) -> u32 {
        self.counts.pods[node].get(&shape).copied().unwrap_or(0)
    }
}

impl Asked<'_, '_> {
    /// Whether a node takes the pod.
    pub fn takes(&self, node: NodeId) -> bool {
        !self.is_refused_everywhere() && self.has_place(node) && self.is_among(node)
    }

    /// The shape that is asked about.
    pub fn shape(&self) -> ShapeId {
        self.shape
    }

    /// The pods that are there.
    pub fn state(&self) -> &State<'_> {
        self.state
    }

    /// How many nodes there are.
    pub fn nodes(&self) -> usize {
        self.state.cluster.nodes.len()
    }

    /// Whether it matters what stands on other nodes than the one that is asked.
    pub fn looks_around(&self) -> bool {
        let cluster = self.state.cluster;
        let of = &cluster.of_shape[self.shape];
        let has_owner = |it: &usize| cluster.terms[*it].is_required;
        of.group.is_some()
            || !of.anti.is_empty()
            || !of.constraints.is_empty()
            || of.meant_by.iter().any(has_owner)
    }

    /// Whether no node takes it, whatever is there.
    pub fn is_refused_everywhere(&self) -> bool {
        self.state.cluster.shapes[self.shape].is_gated || self.holds_single
    }

    /// Whether a node takes it as far as only the node and the pods there say.
    pub fn has_place(&self, node: NodeId) -> bool {
        self.state.cluster.refused(self.shape, node).is_empty()
            && self.has_room(node)
            && self.has_ports(node)
    }

    /// Leaves those nodes that take it as far as pods on other nodes have a say: one reason after the other, which for
    /// many nodes is faster than one node after the other.
    pub fn keep_among(&self, nodes: &mut Vec<NodeId>) {
        let cluster = self.state.cluster;
        let counts = &self.state.counts;
        let of = &cluster.of_shape[self.shape];
        for (at, least) in of.constraints.iter().zip(&self.least) {
            let it = &cluster.constraints[*at];
            let (domains, there) = (&cluster.topologies[it.topology].domains, &counts.spread[*at]);
            let most = it.max_skew + least - i64::from(it.matches_own);
            nodes.retain(|it| domains[*it].is_some_and(|it| i64::from(there[it as usize]) <= most));
        }
        let required = of.meant_by.iter().filter(|it| cluster.terms[**it].is_required);
        let meant = of.anti.iter().map(|it| (it, &counts.meant[*it]));
        let owners = required.map(|it| (it, &counts.owners[*it]));
        for (term, there) in meant.chain(owners) {
            let domains = &cluster.topologies[cluster.terms[*term].topology].domains;
            nodes.retain(|it| domains[*it].is_none_or(|it| there[it as usize] == 0));
        }
        if of.group.is_some() {
            nodes.retain(|it| self.is_beside(*it));
        }
    }

    /// Whether a node takes it as far as pods on other nodes have a say.
    pub fn is_among(&self, node: NodeId) -> bool {
        self.is_spread(node) && self.is_beside_and_apart(node)
    }

    /// Whether a node takes it, were all other pods wherever suits it.
    pub fn takes_at_best(&self, node: NodeId) -> bool {
        self.has_place(node) && self.keeps_apart(node) && self.is_kept_apart(node)
    }

    /// The plugins that refuse it on a node.
    pub fn refusals(&self, node: NodeId) -> Plugins {
        let mut refused = self.state.cluster.refused(self.shape, node);
        let others = [
            (Plugin::NodePorts, self.has_ports(node)),
            (Plugin::NodeResourcesFit, self.has_room(node)),
            (Plugin::VolumeRestrictions, !self.holds_single),
            (Plugin::PodTopologySpread, self.is_spread(node)),
            (Plugin::InterPodAffinity, self.is_beside_and_apart(node)),
        ];
        for (plugin, _) in others.into_iter().filter(|it| !it.1) {
            refused.add(plugin);
        }
        refused
    }

    /// `noderesources/fit.go`, fitsRequest. What a node has is not known of every node; there all fits.
    fn has_room(&self, node: NodeId) -> bool {
        let cluster = self.state.cluster;
        let Some(allocatable) = &cluster.allocatable[node] else { return true };
        let used = &self.state.counts.used[node];
        let requests = &cluster.requests[self.shape];
        requests
            .iter()
            .zip(allocatable)
            .zip(used)
            .all(|((request, has), used)| *request == 0 || *request <= has - used)
    }

    /// The resources that a node lacks for the pod, with what is left.
    pub fn lacks(&self, node: NodeId) -> Vec<(usize, i128)> {
        let cluster = self.state.cluster;
        let Some(allocatable) = &cluster.allocatable[node] else { return Vec::new() };
        let requests = cluster.requests[self.shape].iter().enumerate();
        requests
            .map(|(at, request)| (at, *request, allocatable[at] - self.state.counts.used[node][at]))
            .filter(|(_, request, left)| *request > 0 && request > left)
            .map(|(at, _, left)| (at, left))
            .collect()
    }

    fn has_ports(&self, node: NodeId) -> bool {
        let cluster = self.state.cluster;
        let wanted = &cluster.shapes[self.shape].host_ports;
        wanted.is_empty()
            || !self.state.counts.pods[node].keys().any(|other| {
                let taken = &cluster.shapes[*other].host_ports;
                taken.iter().any(|taken| wanted.iter().any(|it| it.conflicts(taken)))
            })
    }

    fn is_spread(&self, node: NodeId) -> bool {
        let cluster = self.state.cluster;
        let constraints = &cluster.of_shape[self.shape].constraints;
        constraints.iter().zip(&self.least).all(|(at, least)| {
            let it = &cluster.constraints[*at];
            // A node without the label takes none of its pods, whatever the skew.
            let Some(domain) = cluster.topologies[it.topology].domains[node] else { return false };
            let there = i64::from(self.state.counts.spread[*at][domain as usize]);
            there + i64::from(it.matches_own) - least <= it.max_skew
        })
    }

    /// `interpodaffinity/filtering.go`: satisfyPodAffinity, satisfyPodAntiAffinity, satisfyExistingPodsAntiAffinity.
    fn is_beside_and_apart(&self, node: NodeId) -> bool {
        self.is_beside(node) && self.keeps_apart(node) && self.is_kept_apart(node)
    }

    fn domain(&self, topology: usize, node: NodeId) -> Option<usize> {
        self.state.cluster.topologies[topology].domains[node].map(|it| it as usize)
    }

    /// Whether the pods that it has to be beside are there.
    pub fn is_beside(&self, node: NodeId) -> bool {
        let cluster = self.state.cluster;
        let Some(group) = cluster.of_shape[self.shape].group else { return true };
        let mut is_met = true;
        for (place, topology) in cluster.groups[group].topologies.iter().enumerate() {
            let Some(domain) = self.domain(*topology, node) else { return false };
            // Terms of one topology count the same pods.
            is_met &= self.state.counts.met[group][place][domain] > 0;
        }
        is_met || self.is_first
    }

    /// Whether no pod is there that it has to be apart from.
    pub fn keeps_apart(&self, node: NodeId) -> bool {
        let cluster = self.state.cluster;
        cluster.of_shape[self.shape].anti.iter().all(|term| {
            let domain = self.domain(cluster.terms[*term].topology, node);
            domain.is_none_or(|it| self.state.counts.meant[*term][it] == 0)
        })
    }

    /// Whether no pod is there that has to be apart from it.
    pub fn is_kept_apart(&self, node: NodeId) -> bool {
        let cluster = self.state.cluster;
        let meant_by = cluster.of_shape[self.shape].meant_by.iter();
        meant_by.filter(|it| cluster.terms[**it].is_required).all(|term| {
            let domain = self.domain(cluster.terms[*term].topology, node);
            domain.is_none_or(|it| self.state.counts.owners[*term][it] == 0)
        })
    }
}
