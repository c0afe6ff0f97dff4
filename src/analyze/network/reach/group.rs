//! Endpoints of shapes that every selector treats alike, and of addresses; and the sets that policies mean, as endpoints.

use super::Reach;
use super::endpoint::{Addresses, Endpoint, EndpointId, Pods};
use super::network::Block;
use super::sets::{Set, SetId, Spec};
use super::verdict::{Reason, Truth};
use crate::analyze::Facts;
use crate::api::network::Network;
use ipnet::{IpNet, Ipv6Net};
use rustc_hash::FxHashMap;

/// A set of more pieces than these is not listed with each: many such sets would fill the memory.
const MOST_LISTED: usize = 64;

/// Shapes, and whether a description means them.
pub(super) type Found = Vec<(u32, Truth)>;

impl<'d> Reach<'d> {
    /// Makes the endpoints and resolves all sets.
    pub(super) fn group(&mut self, facts: &Facts<'d>) {
        let specs = std::mem::take(&mut self.specs);
        let found: Vec<Found> = specs.all.iter().map(|it| self.shapes_of(facts, it)).collect();
        let mut signatures: Vec<Found> = vec![Vec::new(); self.shapes.all.len()];
        for (set, found) in found.iter().enumerate() {
            for (shape, truth) in found {
                signatures[*shape as usize].push((set as u32, *truth));
            }
        }
        let mut by_signature = FxHashMap::default();
        for (shape, signature) in self.shapes.all.iter().zip(signatures) {
            let key = &shape.key;
            let same = (
                key.namespace,
                key.is_in_host_network,
                &key.names,
                &key.addresses,
                &key.exposed,
                &key.others,
                key.node,
                key.stranger,
                signature,
            );
            let next = EndpointId(self.endpoints.len() as u32);
            let id = *by_signature.entry(same).or_insert_with(|| {
                self.endpoints.push(Endpoint::Pods(Pods {
                    namespace: key.namespace,
                    workloads: Vec::new(),
                    is_in_host_network: key.is_in_host_network,
                    names: key.names.clone(),
                    addresses: key.addresses.clone(),
                    exposed: key.exposed.clone(),
                    others: key.others.clone(),
                    node: key.node,
                    stranger: key.stranger,
                }));
                next
            });
            self.of_shape.push(id);
            self.of_workload.extend(shape.workloads.iter().map(|it| (*it, id)));
            if let Endpoint::Pods(it) = &mut self.endpoints[id.0 as usize] {
                it.workloads.extend(&shape.workloads);
            }
        }
        self.with_address =
            self.endpoints().filter(|(_, it)| has_address(it)).map(|it| it.0).collect();
        self.shapes.asked.blocks.add_to(&mut self.endpoints);
        self.nodes.group(&self.shapes.asked.blocks);
        self.of_nodes = EndpointId(self.endpoints.len() as u32);
        self.endpoints.push(Endpoint::Nodes);
        if !self.shapes.asked.blocks.has_version_6() {
            self.of_version_6 = Some(EndpointId(self.endpoints.len() as u32));
            let block = IpNet::V6(Ipv6Net::default());
            self.endpoints.push(Endpoint::Addresses(Addresses { block, without: Vec::new() }));
        }
        for (spec, found) in specs.all.iter().zip(&found) {
            self.add_set(self.set_of(spec, found));
        }
        self.specs = specs;
    }

    /// Adds the set of the next description.
    pub(super) fn add_set(&mut self, set: Set) {
        let id = SetId(self.sets.len() as u32);
        let listed = set.members.iter().map(|it| it.0);
        let listed =
            listed.filter(|it| matches!(self.endpoints[it.0 as usize], Endpoint::Addresses(_)));
        let is_wide = set.pieces.count() > MOST_LISTED;
        let pieces = set.pieces.iter().take(if is_wide { 0 } else { MOST_LISTED });
        for piece in listed.chain(pieces) {
            self.around.entry(piece).or_default().push(id);
        }
        self.wide.extend(is_wide.then_some(id));
        self.sets.push(set);
    }

    /// The shapes that a description by labels means, in order.
    pub(super) fn shapes_of(&self, facts: &Facts<'d>, spec: &Spec<'d>) -> Found {
        match spec {
            Spec::Pods { scope, pods } => self.shapes.of(facts, scope, pods),
            _ => Vec::new(),
        }
    }

    /// The set of a description, of which the shapes are known.
    pub(super) fn set_of(&self, spec: &Spec<'d>, found: &[(u32, Truth)]) -> Set {
        let set = match spec {
            Spec::Pods { .. } => self.pods(found),
            Spec::Block(block) => {
                let pods = |known: &[IpNet]| self.network.means_pods(block, known);
                let nodes = |known: &[IpNet]| self.network.means_nodes(block, known);
                self.block(block, pods, nodes)
            }
            Spec::Network(block) => {
                let pods = |known: &[IpNet]| self.network.holds_pods(block, known);
                let nodes = |known: &[IpNet]| Network::holds_nodes(block, known);
                self.block(block, pods, nodes)
            }
            Spec::Nodes(selector) => Set { nodes: self.nodes.fit(selector), ..Set::nobody() },
            // Names of what is in the cluster are not for this kind of peer.
            Spec::Domain => Set { members: self.public(), ..Set::nobody() },
        };
        Set { is_open: spec.is_open(), ..set }
    }

    /// The set of pods of these shapes.
    fn pods(&self, found: &[(u32, Truth)]) -> Set {
        let mut set = Set::nobody();
        for (shape, truth) in found {
            let id = self.of_shape[*shape as usize];
            let endpoint = &self.endpoints[id.0 as usize];
            let list =
                if endpoint.is_of_node() { &mut set.in_host_network } else { &mut set.members };
            list.push((id, *truth));
        }
        for list in [&mut set.members, &mut set.in_host_network] {
            list.sort_unstable();
            list.dedup();
        }
        set
    }

    /// The set of those with addresses in a block, which means pods with `known` addresses as it is told, and nodes.
    fn block(
        &self,
        block: &Block,
        pods: impl Fn(&[IpNet]) -> Truth,
        hosts: impl Fn(&[IpNet]) -> Truth,
    ) -> Set {
        let nodes = hosts(&self.nodes.addresses);
        let of_nodes = self.nodes.alike.iter().map(|it| hosts(it)).collect();
        let known = self.with_address.iter().filter_map(|it| {
            let known = self.get(*it).pods()?;
            let truth = match known.is_in_host_network {
                true => hosts(&known.addresses),
                false => pods(&known.addresses),
            };
            Some((*it, truth))
        });
        let mut members: Vec<_> = known.filter(|(_, truth)| *truth != Truth::No).collect();
        members.sort_unstable();
        Set {
            members,
            pieces: self.shapes.asked.blocks.pieces(block),
            in_host_network: Vec::new(),
            pods: pods(&[]),
            nodes,
            of_nodes,
            is_block: true,
            is_open: true,
        }
    }

    /// The addresses that a domain name may stand for.
    fn public(&self) -> Vec<(EndpointId, Truth)> {
        let all = self.endpoints();
        let public = all.filter(|(_, it)| matches!(it, Endpoint::Addresses(it) if it.is_public()));
        public.map(|(id, _)| (id, Truth::Maybe(Reason::DomainName))).collect()
    }
}

fn has_address(endpoint: &Endpoint<'_>) -> bool {
    endpoint.pods().is_some_and(|it| !it.addresses.is_empty())
}
