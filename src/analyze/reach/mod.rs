//! Who may talk to whom, on which ports: what the network policies allow together, at both ends of every flow.
//!
//! Pods that no policy tells apart are one [`Endpoint`]; so are addresses outside. For a pair of endpoints, [`Reach::judge`]
//! gives a verdict for every port of every protocol, and [`Reach::because`] the policies that decide one of them.
//! [`Reach::table`] is all pairs. A flow needs the egress of its source and the ingress of its destination; replies need
//! nothing.

mod above;
pub mod ask;
mod because;
mod blocks;
mod compile;
pub mod endpoint;
pub mod network;
mod nodes;
mod outcome;
pub mod party;
pub mod ports;
mod sets;
mod shapes;
mod side;
mod tiers;
pub mod verdict;

use super::Facts;
use super::policies::Direction;
use super::workloads::WorkloadId;
use crate::model::{Model, ObjId};
pub use above::{Above, AnyPod};
use blocks::Blocks;
use compile::{Policy, PortSpec};
pub use endpoint::{Addresses, Endpoint, EndpointId, Pods};
pub use network::{Network, Plugin};
use nodes::Nodes;
pub use ports::{PortMap, PortSet, Ports, Protocol};
use rustc_hash::{FxHashMap, FxHashSet};
use sets::{Set, SetId, Spec, Specs};
use shapes::Shapes;
use side::{Side, WhichNode};
use tiers::TierPolicy;
use verdict::Truth;
pub use verdict::{Because, Effect, Reason, Verdict};

/// Everybody who can talk, and the policies between them.
#[derive(Debug)]
pub struct Reach<'d> {
    network: Network,
    endpoints: Vec<Endpoint<'d>>,
    of_workload: FxHashMap<WorkloadId, EndpointId>,
    policies: Vec<Policy<'d>>,
    /// Cluster-wide policies, by tier and priority.
    tiers: Vec<TierPolicy<'d>>,
    sets: Vec<Set>,
    /// The policies that isolate each endpoint for ingress and for egress.
    isolating: [FxHashMap<EndpointId, Vec<(u32, Truth)>>; 2],
    /// The cluster-wide policies that are for each endpoint.
    above: FxHashMap<EndpointId, Vec<(u32, Truth)>>,
}

/// What is said of a pair of endpoints.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Flow {
    /// The source.
    pub from: EndpointId,
    /// The destination.
    pub to: EndpointId,
    /// The verdict on every port of the destination.
    pub ports: PortMap<Verdict>,
}

impl<'d> Reach<'d> {
    /// Groups the pods of a model and reads its policies.
    pub fn new(model: &Model<'d>, facts: &Facts<'d>, network: &Network) -> Reach<'d> {
        let mut specs = Specs::default();
        let policies: Vec<_> =
            facts.policies().iter().map(|it| Policy::new(it, &mut specs)).collect();
        let tiers = tiers::read(model, &mut specs);
        let shapes = Shapes::new(model, facts, &specs.all, &names_in_use(&policies, &tiers));
        let mut reach = Reach {
            network: network.clone(),
            endpoints: Vec::new(),
            of_workload: FxHashMap::default(),
            policies,
            tiers,
            sets: Vec::new(),
            isolating: Default::default(),
            above: FxHashMap::default(),
        };
        reach.group(model, facts, &specs.all, shapes);
        for direction in [Direction::Ingress, Direction::Egress] {
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
        for (at, policy) in reach.tiers.iter().enumerate() {
            for (endpoint, truth) in &reach.sets[policy.subject.0 as usize].members {
                reach.above.entry(*endpoint).or_default().push((at as u32, *truth));
            }
        }
        reach
    }

    /// Makes endpoints of shapes that every selector treats alike, and of addresses; then resolves all sets.
    fn group(
        &mut self,
        model: &Model<'d>,
        facts: &Facts<'d>,
        specs: &[Spec<'d>],
        shapes: Shapes<'d>,
    ) {
        let found: Vec<Vec<(u32, Truth)>> = specs
            .iter()
            .map(|it| match it {
                Spec::Pods { scope, pods } => shapes.of(facts, scope, pods),
                _ => Vec::new(),
            })
            .collect();
        let mut signatures: Vec<Vec<(u32, Truth)>> = vec![Vec::new(); shapes.all.len()];
        for (set, found) in found.iter().enumerate() {
            for (shape, truth) in found {
                signatures[*shape as usize].push((set as u32, *truth));
            }
        }
        let mut by_signature = FxHashMap::default();
        let mut of_shape = Vec::with_capacity(shapes.all.len());
        for (shape, signature) in shapes.all.into_iter().zip(signatures) {
            let key = shape.key;
            let same = (
                key.namespace,
                key.is_in_host_network,
                key.names,
                key.addresses,
                key.exposed,
                signature,
            );
            let next = EndpointId(self.endpoints.len() as u32);
            let id = *by_signature.entry(same).or_insert_with_key(|it| {
                self.endpoints.push(Endpoint::Pods(Pods {
                    namespace: it.0,
                    workloads: Vec::new(),
                    is_in_host_network: it.1,
                    names: it.2.clone(),
                    addresses: it.3.clone(),
                    exposed: it.4.clone(),
                }));
                next
            });
            of_shape.push(id);
            self.of_workload.extend(shape.workloads.iter().map(|it| (*it, id)));
            if let Endpoint::Pods(it) = &mut self.endpoints[id.0 as usize] {
                it.workloads.extend(shape.workloads);
            }
        }
        let nodes = Nodes::new(model);
        let blocks = Blocks::new(specs, &mut self.endpoints);
        self.endpoints.push(Endpoint::Nodes);
        let sets = specs.iter().zip(found).map(|(spec, found)| match spec {
            Spec::Pods { .. } => {
                self.pods(found.iter().map(|(at, it)| (of_shape[*at as usize], *it)))
            }
            Spec::Block(block) => {
                let mut set = self.block(block, &blocks, &nodes);
                match self.network.plugin {
                    // A selector by address means nobody that Cilium knows by an identity of its own.
                    Plugin::Cilium => {
                        set.members.retain(|(id, _)| {
                            matches!(self.endpoints[id.0 as usize], Endpoint::Addresses(_))
                        });
                        set.pods = Truth::No;
                        set.nodes = Truth::No;
                    }
                    Plugin::Generic => {
                        let perhaps = Truth::Maybe(Reason::PodAddress);
                        for (id, truth) in &mut set.members {
                            if self.endpoints[id.0 as usize].pods().is_some() {
                                *truth = truth.and(perhaps);
                            }
                        }
                        set.pods = set.pods.and(perhaps);
                    }
                    Plugin::Calico | Plugin::Antrea | Plugin::OvnKubernetes | Plugin::AwsVpc => {}
                }
                set
            }
            Spec::Network(block) => self.block(block, &blocks, &nodes),
            Spec::Nodes(selector) => Set { nodes: nodes.fit(selector), ..Set::nobody() },
            // Names of what is in the cluster are not for this kind of peer.
            Spec::Domain => Set { members: self.public(), ..Set::nobody() },
        });
        self.sets = sets.collect();
        for (set, spec) in self.sets.iter_mut().zip(specs) {
            set.is_open = spec.is_open();
        }
    }

    /// The set of pods of these endpoints.
    fn pods(&self, found: impl Iterator<Item = (EndpointId, Truth)>) -> Set {
        let mut set = Set::nobody();
        for (id, truth) in found {
            let endpoint = &self.endpoints[id.0 as usize];
            let list =
                if endpoint.is_of_node() { &mut set.in_host_network } else { &mut set.members };
            list.push((id, truth));
        }
        for list in [&mut set.members, &mut set.in_host_network] {
            list.sort_unstable();
            list.dedup();
        }
        set
    }

    /// The set of those with addresses in a block.
    fn block(&self, block: &network::Block, blocks: &Blocks, nodes: &Nodes<'d>) -> Set {
        let known = self.endpoints.iter().enumerate().filter_map(|(at, it)| {
            let addresses = &it.pods().filter(|it| !it.addresses.is_empty())?.addresses;
            Some((EndpointId(at as u32), self.network.holds_pods(block, addresses)))
        });
        let mut members: Vec<_> = known.filter(|(_, truth)| *truth != Truth::No).collect();
        members.extend(blocks.members(block));
        Set {
            members,
            in_host_network: Vec::new(),
            pods: self.network.holds_pods(block, &[]),
            nodes: Network::holds_nodes(block, &nodes.addresses),
            is_open: true,
        }
    }

    /// The addresses that a domain name may stand for.
    fn public(&self) -> Vec<(EndpointId, Truth)> {
        let all = self.endpoints();
        let public = all.filter(|(_, it)| matches!(it, Endpoint::Addresses(it) if it.is_public()));
        public.map(|(id, _)| (id, Truth::Maybe(Reason::DomainName))).collect()
    }

    /// All endpoints: pods by the order of their workloads, then addresses, then the nodes.
    pub fn endpoints(&self) -> impl Iterator<Item = (EndpointId, &Endpoint<'d>)> {
        self.endpoints.iter().enumerate().map(|(at, it)| (EndpointId(at as u32), it))
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
        let egress = Side { direction: Direction::Egress, subject: from, peer: to };
        let ingress = Side { direction: Direction::Ingress, subject: to, peer: from };
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
        let nodes = EndpointId(self.endpoints.len() as u32 - 1);
        let node = self.side_from(Side { peer: nodes, ..side }, WhichNode::Another);
        let mut is_exposed = PortMap::of(false);
        is_exposed.set(exposed, true);
        let other = node.with(&is_exposed, |it, is_exposed| Some(it).filter(|_| is_exposed));
        map.with(&other, |it, other| match other {
            Some(other) if other != it => Verdict::Undefined(Reason::SourceAddress),
            _ => it,
        })
    }

    /// The pairs between which something is allowed or undefined on some port.
    pub fn table(&self) -> Vec<Flow> {
        let mut flows = Vec::new();
        for (from, source) in self.endpoints() {
            for (to, destination) in self.endpoints() {
                let is_outside =
                    |it: &Endpoint<'_>| matches!(it, Endpoint::Addresses(_) | Endpoint::Nodes);
                if is_outside(source) && is_outside(destination) {
                    continue;
                }
                let ports = self.judge(from, to);
                if ports.uniform() != Some(Verdict::Deny) {
                    flows.push(Flow { from, to, ports });
                }
            }
        }
        flows
    }

    /// Whether a port of an endpoint may be open to somebody of another namespace, or outside, whom the input does not
    /// hold. Where this is false, nobody there gets in, whoever it is.
    pub fn may_admit_stranger(&self, to: EndpointId, protocol: Protocol, port: u16) -> bool {
        let selecting = self.selecting(Direction::Ingress, to);
        let is_isolated = selecting.iter().any(|(_, truth)| *truth == Truth::Yes);
        if !is_isolated || !self.selecting_in_tiers(to).is_empty() {
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

fn names_in_use<'d>(policies: &[Policy<'d>], tiers: &[TierPolicy<'d>]) -> FxHashSet<&'d str> {
    let rules = policies.iter().flat_map(|it| it.ingress.iter().chain(&it.egress).flatten());
    let above = tiers.iter().flat_map(|it| it.ingress.iter().chain(&it.egress));
    let specs = rules.map(|it| &it.ports).chain(above.map(|it| &it.ports));
    specs.flat_map(|it| it.names.iter().map(|it| it.0)).collect()
}
