//! Who can talk: groups of pods that no policy tells apart, blocks of addresses outside, and the nodes.

use super::stranger::StrangerId;
use crate::analyze::network::other_policies::OtherId;
use crate::analyze::selection::workloads::WorkloadId;
use crate::api::ports::{PortSet, Protocol};
use ipnet::IpNet;
use std::net::IpAddr;

/// An endpoint's place among all endpoints.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EndpointId(pub u32);

/// One end of a flow.
#[derive(Clone, Debug)]
pub enum Endpoint<'d> {
    /// Pods that no policy tells apart.
    Pods(Pods<'d>),
    /// Addresses that no policy tells apart, outside the cluster as far as anybody knows.
    Addresses(Addresses),
    /// The nodes themselves.
    Nodes,
}

/// Pods of one namespace that no policy tells apart.
#[derive(Clone, Debug)]
pub struct Pods<'d> {
    /// Their namespace.
    pub namespace: &'d str,
    /// The workloads that they belong to.
    pub workloads: Vec<WorkloadId>,
    /// Whether they use their node's network: no policy selects them, and their addresses are the node's.
    pub is_in_host_network: bool,
    /// Those of their ports that a policy names, in the order in which they are declared.
    pub(super) names: Vec<(&'d str, Protocol, u16)>,
    /// The smallest blocks that policies name around their addresses, where a cluster told these.
    pub(super) addresses: Vec<IpNet>,
    /// Their ports that node ports and load balancers lead to without keeping the source's address.
    pub(super) exposed: PortSet,
    /// The policies of kinds that are not judged which may select them.
    pub(super) others: Vec<OtherId>,
    /// The node that they run on, where the input says so.
    pub(super) node: &'d str,
    /// Where they are pods that the input does not hold: which.
    pub stranger: Option<StrangerId>,
}

/// A block of addresses without the smaller ones in it that are endpoints of their own.
#[derive(Clone, Debug)]
pub struct Addresses {
    /// The block.
    pub block: IpNet,
    /// The blocks right below it that are not part of this endpoint.
    pub without: Vec<IpNet>,
}

impl Addresses {
    /// Whether an address is one of these.
    pub fn has(&self, address: IpAddr) -> bool {
        self.block.contains(&address) && !self.without.iter().any(|it| it.contains(&address))
    }

    /// Whether the Internet routes any of them: the block is not a private or a special one.
    pub fn is_public(&self) -> bool {
        !super::network::not_public().any(|it| it.contains(&self.block))
    }
}

impl<'d> Endpoint<'d> {
    /// The pods, if it is some.
    pub fn pods(&self) -> Option<&Pods<'d>> {
        match self {
            Endpoint::Pods(it) => Some(it),
            _ => None,
        }
    }

    /// Whether its traffic bears the address of a node.
    pub(super) fn is_of_node(&self) -> bool {
        match self {
            Endpoint::Pods(it) => it.is_in_host_network,
            Endpoint::Addresses(_) => false,
            Endpoint::Nodes => true,
        }
    }
}
