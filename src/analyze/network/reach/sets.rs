//! Whom selectors and blocks mean, each distinct one once.

use super::endpoint::{Endpoint, EndpointId};
use super::network::Block;
use super::pieces::Pieces;
use super::verdict::{Reason, Truth};
use crate::analyze::selection::selector::Selector;
use crate::api::network::{Network, Plugin};
use rustc_hash::FxHashMap;

/// A set's place among all sets.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct SetId(pub(super) u32);

/// Whom a policy means, as it says it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) enum Spec<'d> {
    /// Pods by labels.
    Pods {
        /// Of which namespaces.
        scope: Scope<'d>,
        /// Which of them.
        pods: Selector<'d>,
    },
    /// Addresses, as a NetworkPolicy means them: of pods, perhaps.
    Block(Block),
    /// Addresses, as a cluster-wide policy means them: of pods too.
    Network(Block),
    /// Nodes by labels.
    Nodes(Selector<'d>),
    /// Whoever answers to a domain name.
    Domain,
}

/// In which namespaces pods are looked for.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) enum Scope<'d> {
    /// In this one.
    Namespace(&'d str),
    /// In those with such labels.
    Selected(Selector<'d>),
}

/// All that policies mean, each once.
#[derive(Debug, Default)]
pub(super) struct Specs<'d> {
    pub(super) all: Vec<Spec<'d>>,
    by_spec: FxHashMap<Spec<'d>, SetId>,
}

impl Spec<'_> {
    /// Whether it may mean somebody outside the namespace that it is written in.
    pub(super) fn is_open(&self) -> bool {
        !matches!(self, Spec::Pods { scope: Scope::Namespace(_), .. })
    }
}

impl<'d> Specs<'d> {
    /// The set of this description.
    pub(super) fn intern(&mut self, spec: Spec<'d>) -> SetId {
        if let Some(it) = self.by_spec.get(&spec) {
            return *it;
        }
        let id = SetId(self.all.len() as u32);
        self.by_spec.insert(spec.clone(), id);
        self.all.push(spec);
        id
    }

    /// Forgets all but the first ones.
    pub(super) fn truncate(&mut self, length: usize) {
        for spec in self.all.drain(length..) {
            self.by_spec.remove(&spec);
        }
    }
}

/// Whom a policy means, as endpoints.
#[derive(Clone, Debug)]
pub(super) struct Set {
    /// These, in order.
    pub(super) members: Vec<(EndpointId, Truth)>,
    /// Pieces of the addresses outside that a block surely means.
    pub(super) pieces: Pieces,
    /// Pods in the host's network whose labels would fit, in order.
    pub(super) in_host_network: Vec<(EndpointId, Truth)>,
    /// Pods whose addresses are not known.
    pub(super) pods: Truth,
    /// Nodes, and pods in their network.
    pub(super) nodes: Truth,
    /// The same by kinds of nodes that blocks tell apart; empty where a block tells none apart.
    pub(super) of_nodes: Vec<Truth>,
    /// Whether it is a block of addresses.
    pub(super) is_block: bool,
    /// Whether it may mean somebody whom the input does not hold: in other namespaces, or by an address.
    pub(super) is_open: bool,
}

impl Set {
    /// Nobody.
    pub(super) fn nobody() -> Set {
        Set {
            members: Vec::new(),
            pieces: Pieces::default(),
            in_host_network: Vec::new(),
            pods: Truth::No,
            nodes: Truth::No,
            of_nodes: Vec::new(),
            is_block: false,
            is_open: false,
        }
    }

    /// Adds pods, the last endpoint of all, where others are a member.
    pub(super) fn add_like(&mut self, id: EndpointId, other: EndpointId) {
        for members in [&mut self.members, &mut self.in_host_network] {
            if let Some(truth) = Set::member(members, other) {
                members.push((id, truth));
            }
        }
    }

    fn member(members: &[(EndpointId, Truth)], id: EndpointId) -> Option<Truth> {
        members.binary_search_by_key(&id, |it| it.0).ok().map(|at| members[at].1)
    }

    /// Whether it means an endpoint, and if that is of a node, of which kind of node.
    pub(super) fn has(
        &self,
        id: EndpointId,
        endpoint: &Endpoint<'_>,
        kind: Option<usize>,
    ) -> Truth {
        let listed = Set::member(&self.members, id);
        if let Some(listed) = listed {
            return listed;
        }
        match endpoint {
            Endpoint::Addresses(_) if self.pieces.has(id) => Truth::Yes,
            Endpoint::Addresses(_) => Truth::No,
            // Whose address is known, is a member where a block holds it; other peers by node are told by no address.
            Endpoint::Pods(it)
                if it.is_in_host_network && self.is_block && !it.addresses.is_empty() =>
            {
                Truth::No
            }
            _ if endpoint.is_of_node() => {
                kind.and_then(|it| self.of_nodes.get(it).copied()).unwrap_or(self.nodes)
            }
            Endpoint::Pods(it) if it.addresses.is_empty() => self.pods,
            _ => Truth::No,
        }
    }

    /// The same for a peer of a NetworkPolicy, which plugins without a profile may take to mean pods in the host's
    /// network (<https://kubernetes.io/docs/concepts/services-networking/network-policies/#networkpolicy-and-hostnetwork-pods>).
    pub(super) fn has_peer(
        &self,
        id: EndpointId,
        endpoint: &Endpoint<'_>,
        kind: Option<usize>,
        network: &Network,
    ) -> Truth {
        let has = self.has(id, endpoint, kind);
        let is_host = network.plugin == Plugin::Generic && endpoint.is_of_node();
        if is_host && Set::member(&self.in_host_network, id).is_some() {
            return has.or(Truth::Maybe(Reason::HostNetwork));
        }
        has
    }
}
