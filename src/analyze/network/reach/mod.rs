//! Who may talk to whom, on which ports: what the network policies allow together, at both ends of every flow.
//!
//! Pods that no policy tells apart are one [`Endpoint`]; so are addresses outside. For a pair of endpoints, [`Reach::judge`]
//! gives a verdict for every port of every protocol, and [`Reach::because`] the policies that decide one of them.
//! [`Reach::table`] is all pairs, and [`Reach::replace`] judges anew what one changed policy touches; [`Reach::changed`]
//! compares that with what was. A flow needs the egress of its source and the ingress of its destination; replies need
//! nothing.

mod above;
pub mod ask;
mod because;
mod blocks;
pub mod change;
mod compile;
pub mod difference;
pub mod endpoint;
mod group;
pub mod half_open;
mod named;
pub mod network;
mod nodes;
mod others;
mod outcome;
pub mod party;
mod pieces;
mod rest;
mod sets;
mod shapes;
mod side;
pub mod stranger;
mod table;
mod tiers;
mod unlisted;
pub mod verdict;

use super::policies::{DIRECTIONS, Direction};
use crate::analyze::Facts;
use crate::analyze::selection::workloads::WorkloadId;
use crate::api::kind::Kind;
use crate::api::network::Network;
use crate::api::ports::{PortMap, Protocol};
use crate::model::{Model, ObjId};
pub use above::{Above, AnyPod};
use compile::{Policy, PortSpec};
use difference::Changes;
pub use endpoint::{Addresses, Endpoint, EndpointId, Pods};
use named::Named;
use nodes::Nodes;
use others::Others;
use rustc_hash::{FxHashMap, FxHashSet};
use sets::{Set, SetId, Specs};
use shapes::{Asked, Shapes};
use side::{Side, WhichNode};
use std::sync::OnceLock;
pub use table::Flow;
pub use tiers::CLUSTER_WIDE;
use tiers::TierPolicy;
use unlisted::Unlisted;
use verdict::Truth;
pub use verdict::{Because, Effect, Reason, Verdict};

/// The kinds that tell who may talk to whom, beside those that run pods.
pub const READS: &[Kind] = &[
    Kind::AdminNetworkPolicy,
    Kind::BaselineAdminNetworkPolicy,
    Kind::ClusterNetworkPolicy,
    // Policies of kinds that are not judged.
    Kind::Custom,
    Kind::HorizontalPodAutoscaler,
    Kind::Namespace,
    Kind::NetworkPolicy,
    Kind::Node,
    Kind::Service,
];

/// Everybody who can talk, and the policies between them.
#[derive(Debug)]
pub struct Reach<'d> {
    network: Network,
    nodes: Nodes<'d>,
    unlisted: Unlisted,
    /// Policies of kinds that are not judged.
    others: Others,
    /// Pods as selectors see them, and the endpoint that each shape is part of.
    shapes: Shapes<'d>,
    of_shape: Vec<EndpointId>,
    endpoints: Vec<Endpoint<'d>>,
    of_workload: FxHashMap<WorkloadId, EndpointId>,
    /// Pods whose addresses are known.
    with_address: Vec<EndpointId>,
    /// The endpoint of the nodes.
    of_nodes: EndpointId,
    /// That of the addresses of version 6, where no policy names any: they are there for who asks about one.
    of_version_6: Option<EndpointId>,
    policies: Vec<Policy<'d>>,
    /// Cluster-wide policies, by tier and priority.
    tiers: Vec<TierPolicy<'d>>,
    /// Whom policies mean, as they say it,
    specs: Specs<'d>,
    /// and as endpoints.
    sets: Vec<Set>,
    /// The sets that each piece of the addresses outside is in.
    around: FxHashMap<EndpointId, Vec<SetId>>,
    /// The sets of so many pieces that they are listed here, and not with each piece.
    wide: Vec<SetId>,
    /// The policies that isolate each endpoint for ingress and for egress.
    isolating: [FxHashMap<EndpointId, Vec<(u32, Truth)>>; 2],
    /// The cluster-wide policies that are for each endpoint.
    above: FxHashMap<EndpointId, Vec<(u32, Truth)>>,
    /// The rules by whom they name, once somebody is asked about for whom there are many.
    named: OnceLock<Named>,
}

impl<'d> Reach<'d> {
    /// Groups the pods of a model and reads its policies.
    pub fn new(model: &Model<'d>, facts: &Facts<'d>, network: &Network) -> Reach<'d> {
        Reach::told_apart_for(model, facts, network, &Changes::default())
    }

    /// The same, with everybody told apart whom some changes tell apart.
    fn told_apart_for(
        model: &Model<'d>,
        facts: &Facts<'d>,
        network: &Network,
        changes: &Changes<'_, 'd>,
    ) -> Reach<'d> {
        let mut specs = Specs::default();
        let policies: Vec<_> =
            facts.policies().iter().map(|it| Policy::new(it, &mut specs)).collect();
        let tiers = tiers::read(model, &mut specs);
        let more = changes.policies.iter().map(|it| Policy::new(it.1, &mut specs));
        let more: Vec<_> = more.collect();
        let above = changes.cluster_wide.iter().filter_map(|it| tiers::policy(it.1, &mut specs));
        let above: Vec<_> = above.collect();
        let names = names_in_use(policies.iter().chain(&more), tiers.iter().chain(&above));
        let asked = Asked::new(&specs.all, names);
        let nodes = Nodes::new(model);
        let mut reach = Reach {
            network: network.clone(),
            unlisted: Unlisted::new(model),
            others: Others::new(facts),
            shapes: Shapes::new(model, facts, &nodes, asked),
            nodes,
            of_shape: Vec::new(),
            endpoints: Vec::new(),
            of_workload: FxHashMap::default(),
            with_address: Vec::new(),
            of_nodes: EndpointId(0),
            of_version_6: None,
            policies,
            tiers,
            specs,
            sets: Vec::new(),
            around: FxHashMap::default(),
            wide: Vec::new(),
            isolating: Default::default(),
            above: FxHashMap::default(),
            named: OnceLock::new(),
        };
        reach.group(facts);
        for direction in DIRECTIONS {
            for (at, policy) in reach.policies.iter().enumerate() {
                if policy.rules(direction).is_none() {
                    continue;
                }
                for (endpoint, truth) in &reach.sets[policy.subject.0 as usize].members {
                    let all = &mut reach.isolating[direction as usize];
                    all.entry(*endpoint).or_default().push((at as u32, *truth));
                }
            }
        }
        reach.find_above();
        reach
    }

    /// Finds the cluster-wide policies that are for each endpoint.
    fn find_above(&mut self) {
        self.above.clear();
        for (at, policy) in self.tiers.iter().enumerate() {
            for (endpoint, truth) in &self.sets[policy.subject.0 as usize].members {
                self.above.entry(*endpoint).or_default().push((at as u32, *truth));
            }
        }
    }

    /// All endpoints: pods by the order of their workloads, then addresses, then the nodes; last what a change told apart.
    pub fn endpoints(&self) -> impl Iterator<Item = (EndpointId, &Endpoint<'d>)> {
        let all = self.endpoints.iter().enumerate().map(|(at, it)| (EndpointId(at as u32), it));
        all.filter(|it| Some(it.0) != self.of_version_6)
    }

    /// The endpoint of this id.
    pub fn get(&self, id: EndpointId) -> &Endpoint<'d> {
        &self.endpoints[id.0 as usize]
    }

    /// The endpoint that the pods of a workload are part of; `None` where none of them is on the network any more.
    pub fn of_workload(&self, workload: WorkloadId) -> Option<EndpointId> {
        self.of_workload.get(&workload).copied()
    }

    /// The verdict on every port from one endpoint to another, by the address of the pod itself.
    ///
    /// Within one endpoint it is about two different pods.
    pub fn judge(&self, from: EndpointId, to: EndpointId) -> PortMap<Verdict> {
        let egress = Side::new(Direction::Egress, from, to);
        let ingress = Side::new(Direction::Ingress, to, from);
        self.side(egress).with(&self.ingress(ingress), Verdict::and)
    }

    /// What the destination says. Behind a node port or load balancer an address from outside may turn into a node's, and
    /// nobody says whether before or after policies are asked
    /// (<https://kubernetes.io/docs/concepts/services-networking/network-policies/#the-two-sorts-of-pod-isolation>).
    fn ingress(&self, side: Side) -> PortMap<Verdict> {
        let map = self.side(side);
        let exposed = self.get(side.subject).pods().map(|it| &it.exposed);
        let Some(exposed) = exposed.filter(|it| !it.is_empty()) else { return map };
        if !matches!(self.get(side.peer), Endpoint::Addresses(_)) {
            return map;
        }
        let nodes = Side { peer: self.of_nodes, ..side };
        let node = self.side_from(nodes, WhichNode::Another);
        let mut is_exposed = PortMap::of(false);
        is_exposed.set(exposed, true);
        let other = node.with(&is_exposed, |it, is_exposed| Some(it).filter(|_| is_exposed));
        map.with(&other, |it, other| match other {
            Some(other) if other != it => Verdict::Undefined(Reason::SourceAddress),
            _ => it,
        })
    }

    /// Whether a port of an endpoint may be open to somebody of another namespace, or outside, whom the input does not
    /// hold: denied where nobody there gets in, whoever it is.
    pub fn stranger(&self, to: EndpointId, protocol: Protocol, port: u16) -> Verdict {
        if self.may_admit_stranger(to, protocol, port) {
            return Verdict::Allow;
        }
        self.with_others(Direction::Ingress, to, Verdict::Deny)
    }

    fn may_admit_stranger(&self, to: EndpointId, protocol: Protocol, port: u16) -> bool {
        let selecting = self.selecting(Direction::Ingress, to);
        let is_isolated = selecting.iter().any(|(_, truth)| *truth == Truth::Yes);
        if self.may_be_selected(to) || !is_isolated || !self.selecting_in_tiers(to).is_empty() {
            return true;
        }
        let rules = selecting.iter().flat_map(|(at, _)| {
            self.policies[*at as usize].rules(Direction::Ingress).unwrap_or_default()
        });
        let names = self.names(to);
        rules.into_iter().any(|rule| {
            let is_open =
                rule.peers.as_ref().is_none_or(|it| it.iter().any(|it| self.set(*it).is_open));
            let mut ports = rule.ports.on(names);
            is_open
                && ports.any(|it| it.protocol == protocol && (it.first..=it.last).contains(&port))
        })
    }

    /// The policies that isolate an endpoint for certain.
    pub fn isolating(&self, direction: Direction, id: EndpointId) -> Vec<ObjId> {
        let all = self.selecting(direction, id).iter().filter(|it| it.1 == Truth::Yes);
        all.map(|(at, _)| self.policies[*at as usize].object).collect()
    }

    fn selecting(&self, direction: Direction, subject: EndpointId) -> &[(u32, Truth)] {
        self.isolating[direction as usize].get(&subject).map_or(&[], Vec::as_slice)
    }

    fn selecting_in_tiers(&self, subject: EndpointId) -> &[(u32, Truth)] {
        self.above.get(&subject).map_or(&[], Vec::as_slice)
    }

    fn set(&self, id: SetId) -> &Set {
        &self.sets[id.0 as usize]
    }

    fn names(&self, destination: EndpointId) -> &[(&'d str, Protocol, u16)] {
        self.get(destination).pods().map_or(&[], |it| &it.names)
    }
}

fn names_in_use<'p, 'd: 'p>(
    policies: impl Iterator<Item = &'p Policy<'d>>,
    tiers: impl Iterator<Item = &'p TierPolicy<'d>>,
) -> FxHashSet<&'d str> {
    let rules = policies.flat_map(|it| it.ingress.iter().chain(&it.egress).flatten());
    let above = tiers.flat_map(|it| it.ingress.iter().chain(&it.egress));
    let specs = rules.map(|it| &it.ports).chain(above.map(|it| &it.ports));
    specs.flat_map(|it| it.names.iter().map(|it| it.0)).collect()
}
