//! NodeLocal DNSCache: where it answers, and whether a rule lets traffic out to it.
//!
//! It is a DaemonSet in the nodes' network, and puts the addresses of its argument `-localip` on every node
//! (<https://github.com/kubernetes/dns/blob/master/cmd/node-cache/main.go>). A network plugin that redirects questions to
//! it by itself runs it as pods of the pod network.

use super::server::Server;
use super::{Reach, SYSTEM, Way};
use crate::analyze::Facts;
use crate::analyze::network::policies::{PeerKind, TrafficRule, is_in_host_network};
use crate::analyze::network::reach::network::{Block, private};
use crate::analyze::network::reach::verdict::Truth;
use crate::analyze::selection::selector::LabelValue;
use crate::analyze::selection::workloads::Workload;
use crate::api::network::Network;
use crate::api::network::Plugin;
use crate::text::tree::Node;
use ipnet::{IpNet, Ipv4Net};
use std::net::{IpAddr, Ipv4Addr};

/// Where the cache runs.
#[derive(Clone, Debug)]
pub(super) enum Cache {
    /// It runs in the nodes' network.
    OnNodes {
        /// Its pods.
        server: Server,
        /// The addresses that it answers at; empty where they are not known.
        addresses: Vec<IpNet>,
    },
    /// It runs in pods of its own.
    OnPods(Server),
}

const LABEL: (&str, &str) = ("k8s-app", "node-local-dns");

/// The cache of the input.
pub(super) fn find(facts: &Facts<'_>) -> Option<Cache> {
    let mut all = facts.workloads().in_namespace(SYSTEM);
    let (workload, addresses) = all.find_map(|it| {
        let addresses = listed(it);
        let is_labelled = it.labels.get(LABEL.0) == LabelValue::Is(LABEL.1);
        (is_labelled || addresses.is_some()).then(|| (it, addresses.unwrap_or_default()))
    })?;
    let server = Server::of(workload.id);
    Some(match is_in_host_network(workload) {
        true => Cache::OnNodes { server, addresses },
        false => Cache::OnPods(server),
    })
}

/// The addresses of `-localip`, written in any way that Go's `flag` takes; `None` without the argument, and none of them
/// where one cannot be read.
fn listed(workload: &Workload<'_>) -> Option<Vec<IpNet>> {
    workload.containers().find_map(|container| {
        let words = ["command", "args"].into_iter().flat_map(|it| container.list(it));
        let mut words = words.filter_map(Node::str);
        let list = words.by_ref().find_map(|word| {
            let flag = word.strip_prefix("--").or_else(|| word.strip_prefix('-'))?;
            match flag.strip_prefix("localip")? {
                "" => Some(None),
                rest => rest.strip_prefix('=').map(Some),
            }
        })?;
        let list = list.or_else(|| words.next()).unwrap_or_default();
        let addresses = list.split(',').map(|it| it.trim().parse::<IpAddr>().map(IpNet::from));
        Some(addresses.collect::<Result<_, _>>().unwrap_or_default())
    })
}

/// Whether a rule lets traffic of a protocol out to the cache at one of its addresses.
pub(super) fn at(
    facts: &Facts<'_>,
    network: &Network,
    server: &Server,
    address: IpNet,
    (namespace, rule): &Way<'_, '_>,
    protocol: &str,
) -> Reach {
    of_peers(rule, protocol, |kind| match kind {
        PeerKind::Block { cidr, except } => {
            let block = Block { cidr: *cidr, except: except.clone() };
            match network.means_on_nodes(&block, address) {
                Truth::No => Reach::Closed,
                Truth::Maybe(_) => Reach::Unsure(
                    "whether Cilium takes the address of NodeLocal DNSCache for the node's own",
                ),
                Truth::Yes => Reach::Open,
            }
        }
        // Pods in the host's network are nodes to all plugins that are known
        // (<https://kubernetes.io/docs/concepts/services-networking/network-policies/#networkpolicy-and-hostnetwork-pods>).
        kind => match server.fits(facts, namespace, kind) {
            Reach::Closed => Reach::Closed,
            _ if network.plugin != Plugin::Generic => Reach::Closed,
            _ => Reach::Unsure(
                "whether the plugin tells NodeLocal DNSCache, in the host's network, from the node",
            ),
        },
    })
}

/// The same where none of its addresses is known.
pub(super) fn somewhere((_, rule): &Way<'_, '_>, protocol: &str) -> Reach {
    of_peers(rule, protocol, |kind| match kind {
        PeerKind::Block { cidr, except } => {
            let block = Block { cidr: *cidr, except: except.clone() };
            if private().iter().chain([&link_local()]).any(|it| block.touches(it)) {
                return Reach::Unsure("at which addresses NodeLocal DNSCache answers");
            }
            Reach::Closed
        }
        _ => Reach::Closed,
    })
}

/// The same where the input holds no cache, and the cluster may.
pub(super) fn perhaps(network: &Network, (_, rule): &Way<'_, '_>, protocol: &str) -> Reach {
    let link_local = link_local();
    // Who answers there is the cloud: metadata of the machine, credentials, time.
    let taken = [net(169, 24), net(170, 24)];
    let reach = of_peers(rule, protocol, |kind| match kind {
        PeerKind::Block { cidr, except } => {
            let block = Block { cidr: *cidr, except: except.clone() };
            let may_hold =
                block.touches(&link_local) && !taken.iter().any(|it| it.contains(&block.cidr));
            // A wide block that means no nodes is no sign that somebody thought of a cache.
            let is_meant = network.plugin != Plugin::Cilium || link_local.contains(&block.cidr);
            if may_hold && is_meant { Reach::Open } else { Reach::Closed }
        }
        _ => Reach::Closed,
    });
    reach.min(Reach::Unsure("whether the nodes run NodeLocal DNSCache, and pods ask it"))
}

/// Whether an address can be none of a Service.
pub(super) fn is_own(address: &IpNet) -> bool {
    link_local().contains(address)
}

/// Addresses that mean something on one node alone.
fn link_local() -> IpNet {
    net(0, 16)
}

fn net(third: u8, length: u8) -> IpNet {
    IpNet::V4(Ipv4Net::new_assert(Ipv4Addr::new(169, 254, third, 0), length))
}

/// Whether a rule opens port 53 to a peer that fits: an address has no names of ports.
fn of_peers(
    rule: &TrafficRule<'_>,
    protocol: &str,
    fits: impl Fn(&PeerKind<'_>) -> Reach,
) -> Reach {
    if !rule.opens(protocol, 53, None) {
        return Reach::Closed;
    }
    match &rule.peers {
        None => Reach::Open,
        Some(peers) => peers.iter().map(|it| fits(&it.kind)).max().unwrap_or(Reach::Closed),
    }
}
