//! Blocks of addresses, and what they mean to the plugin that enforces network policies.

use super::verdict::{Reason, Truth};
use crate::api::network::{Network, Plugin};
use ipnet::{IpNet, Ipv4Net, Ipv6Net};
use std::net::{Ipv4Addr, Ipv6Addr};

/// A block of addresses with holes.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(in crate::analyze) struct Block {
    /// These,
    pub(in crate::analyze) cidr: IpNet,
    /// without those.
    pub(in crate::analyze) except: Vec<IpNet>,
}

impl Block {
    /// Whether it holds all of a block, whatever its holes are elsewhere.
    fn covers(&self, other: &IpNet) -> bool {
        let touches = |it: &IpNet| it.contains(other) || other.contains(it);
        self.cidr.contains(other) && !self.except.iter().any(touches)
    }

    /// Whether it holds any of a block. Holes that only together leave nothing are not added up.
    pub(in crate::analyze) fn touches(&self, other: &IpNet) -> bool {
        let common = match (self.cidr.contains(other), other.contains(&self.cidr)) {
            (true, _) => other,
            (_, true) => &self.cidr,
            _ => return false,
        };
        !self.except.iter().any(|it| it.contains(common))
    }

    /// Whether it holds all or some of these addresses, each as the smallest block around it that any
    /// policy names.
    fn of_known(&self, addresses: &[IpNet], reason: Reason) -> Truth {
        let is_in = |it: &&IpNet| {
            self.cidr.contains(*it) && !self.except.iter().any(|except| except.contains(*it))
        };
        let inside = addresses.iter().filter(is_in).count();
        match inside {
            0 => Truth::No,
            _ if inside == addresses.len() => Truth::Yes,
            _ => Truth::Maybe(reason),
        }
    }
}

impl Network {
    /// Whether a block of a NetworkPolicy means pods, as the plugin enforces it; `known` are their addresses, if any are.
    pub(in crate::analyze) fn means_pods(&self, block: &Block, known: &[IpNet]) -> Truth {
        match self.plugin {
            // A selector by address means nobody that Cilium knows by an identity of its own.
            Plugin::Cilium => Truth::No,
            Plugin::Generic => self.holds_pods(block, known).and(Truth::Maybe(Reason::PodAddress)),
            Plugin::Calico | Plugin::Antrea | Plugin::OvnKubernetes | Plugin::AwsVpc => {
                self.holds_pods(block, known)
            }
        }
    }

    /// The same for nodes, and pods in their network.
    pub(super) fn means_nodes(&self, block: &Block, known: &[IpNet]) -> Truth {
        match self.plugin {
            Plugin::Cilium => Truth::No,
            _ => Network::holds_nodes(block, known),
        }
    }

    /// The same for an address that a program puts on every node. Cilium counts it as the node's own only where it was
    /// there before the agent began (<https://github.com/cilium/cilium/issues/18644>).
    pub(in crate::analyze) fn means_on_nodes(&self, block: &Block, address: IpNet) -> Truth {
        let held = block.of_known(&[address], Reason::NodeAddress);
        match self.plugin {
            Plugin::Cilium => held.and(Truth::Maybe(Reason::NodeAddress)),
            _ => held,
        }
    }

    /// Whether egress may be judged by the address of a Service, before that is translated to a pod's.
    pub(in crate::analyze) fn may_judge_services(&self) -> bool {
        matches!(self.plugin, Plugin::Generic | Plugin::AwsVpc)
    }

    /// Whether the addresses of pods lie in a block; `known` are those of the pods, if any are.
    pub(super) fn holds_pods(&self, block: &Block, known: &[IpNet]) -> Truth {
        let reason = Reason::PodAddress;
        if !known.is_empty() {
            return block.of_known(known, reason);
        }
        let private = private();
        let ranges = if self.pod_cidrs.is_empty() { &private[..] } else { &self.pod_cidrs };
        // Nobody said that pods have addresses of version 6: one that they may have is no certain one.
        let is_guess = self.pod_cidrs.is_empty();
        let is_relevant = |it: &&IpNet| !is_guess || matches!(it, IpNet::V4(_));
        match ranges.iter().any(|it| block.touches(it)) {
            true if ranges.iter().filter(is_relevant).all(|it| block.covers(it)) => Truth::Yes,
            true => Truth::Maybe(reason),
            false => Truth::No,
        }
    }

    /// Whether the addresses of nodes lie in a block; `known` are all of theirs, if any are.
    pub(super) fn holds_nodes(block: &Block, known: &[IpNet]) -> Truth {
        let reason = Reason::NodeAddress;
        if !known.is_empty() {
            return block.of_known(known, reason);
        }
        let everything = IpNet::V4(Ipv4Net::default());
        if block.covers(&everything) { Truth::Yes } else { Truth::Maybe(reason) }
    }
}

/// Where pods get their addresses from, if nobody said: never from what is routed on the Internet.
pub(in crate::analyze) fn private() -> [IpNet; 5] {
    let v4 = |a, b, length| IpNet::V4(Ipv4Net::new_assert(Ipv4Addr::new(a, b, 0, 0), length));
    let v6 = IpNet::V6(Ipv6Net::new_assert(Ipv6Addr::new(0xfc00, 0, 0, 0, 0, 0, 0, 0), 7));
    [v4(10, 0, 8), v4(172, 16, 12), v4(192, 168, 16), v4(100, 64, 10), v6]
}

/// What nobody on the Internet has for an address: private blocks, and those of one host, link or group
/// (<https://www.iana.org/assignments/iana-ipv4-special-registry>). Blocks for examples count as public, since examples
/// mean them so.
pub(super) fn not_public() -> impl Iterator<Item = IpNet> {
    let v4 = |a, b, length| IpNet::V4(Ipv4Net::new_assert(Ipv4Addr::new(a, b, 0, 0), length));
    let v6 =
        |a, length| IpNet::V6(Ipv6Net::new_assert(Ipv6Addr::new(a, 0, 0, 0, 0, 0, 0, 0), length));
    let special = [
        v4(0, 0, 8),
        v4(127, 0, 8),
        v4(169, 254, 16),
        v4(198, 18, 15),
        v4(224, 0, 4),
        v4(240, 0, 4),
        v6(0, 8),
        v6(0xfe80, 10),
        v6(0xff00, 8),
    ];
    private().into_iter().chain(special)
}
