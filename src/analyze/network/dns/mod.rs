//! The cluster's DNS as network policies see it: which pods and addresses answer, and whether rules let traffic there.
//!
//! Pods ask the address of the DNS Service, which leads to the DNS pods, on the pods' own ports. Manifests seldom hold
//! them; what every cluster of a kind has in common (`k8s-app: kube-dns` in `kube-system`, ports `dns` and `dns-tcp`,
//! both 53) is known, the rest of their labels is not. Where the nodes run NodeLocal DNSCache, this answers in their
//! place, under addresses of its own or under that of the Service; what it asks the DNS pods itself no policy stops, since
//! it runs in the nodes' network.

mod cache;
mod kubelet;
mod server;

pub(crate) use kubelet::is_kubelet_config;

use super::policies::{PeerKind, TrafficRule};
use crate::analyze::Facts;
use crate::analyze::selection::workloads::WorkloadId;
use crate::api::network::Network;
use crate::api::network::Plugin;
use crate::text::tree::Node;
use cache::Cache;
use ipnet::IpNet;
use server::Server;
use std::net::IpAddr;

/// Whether traffic gets to the DNS.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Reach {
    /// It does not.
    Closed,
    /// It depends; this is on what.
    Unsure(&'static str),
    /// It does.
    Open,
}

/// Who answers in this cluster.
#[derive(Clone, Debug)]
pub struct Dns {
    network: Network,
    servers: Vec<Server>,
    /// Whether the input holds the DNS Service and its pods: with them a cache on the nodes would be there.
    is_whole: bool,
    /// The addresses of the Services in front of them, as far as the input tells.
    services: Vec<IpNet>,
    /// The addresses that pods are told to ask; empty where the input does not say.
    asked: Vec<IpNet>,
    /// The cache; manifests seldom hold what the cluster itself runs.
    cache: Option<Cache>,
}

/// A rule of a policy for egress, and the namespace of the policy.
pub type Way<'r, 'd> = (&'r str, &'r TrafficRule<'d>);

const SYSTEM: &str = "kube-system";

const WHICH_ADDRESS: &str =
    "whether the kubelets' `clusterDNS` names an address of NodeLocal DNSCache";
const WHO_TRANSLATES: &str = "whether NodeLocal DNSCache or the network plugin is the first to take up what pods send to the address of the DNS Service";

impl Dns {
    pub(in crate::analyze) fn new(facts: &Facts<'_>) -> Dns {
        let is_whole = server::is_whole(facts);
        let servers = server::servers(facts);
        let is_in_front = |it: &WorkloadId| servers.iter().any(|server| server.is(*it));
        let in_front = facts.services().in_namespace(SYSTEM).filter(|it| {
            it.name == "kube-dns" || it.selects.iter().any(|(workload, _)| is_in_front(workload))
        });
        let in_front = in_front.chain(server::services(facts));
        let addresses = in_front.flat_map(|it| {
            let spec = facts.model.object(it.object).field(&["spec"]);
            let listed =
                spec.into_iter().flat_map(|it| it.list("clusterIPs")).filter_map(Node::str);
            let first = spec.and_then(|it| it.text("clusterIP"));
            let all: Vec<_> =
                listed.chain(first).filter_map(|it| it.parse::<IpAddr>().ok()).collect();
            all
        });
        let mut services: Vec<_> = addresses.map(IpNet::from).collect();
        services.sort_unstable();
        services.dedup();
        let (cache, asked) = (cache::find(facts), kubelet::cluster_dns(facts));
        Dns { network: facts.network.clone(), servers, is_whole, services, asked, cache }
    }

    /// Whether a workload is the DNS itself.
    pub fn is_server(&self, workload: WorkloadId) -> bool {
        self.servers.iter().any(|it| it.is(workload))
    }

    /// Whether a peer of a policy in `namespace` selects the DNS pods, for certain.
    pub fn is_peer(&self, facts: &Facts<'_>, namespace: &str, peer: &PeerKind<'_>) -> bool {
        self.servers.iter().any(|it| it.fits(facts, namespace, peer) == Reach::Open)
    }

    /// Who is to be let through to, in words, and on which ports for UDP and TCP: those whom the rules mean already, else
    /// the first.
    pub fn advice(&self, facts: &Facts<'_>, ways: &[Way<'_, '_>]) -> (String, [u16; 2]) {
        let is_meant = |it: &&Server| {
            let mut peers = ways
                .iter()
                .flat_map(|(own, rule)| rule.peers.iter().flatten().map(move |it| (own, it)));
            peers.any(|(own, peer)| it.fits(facts, own, &peer.kind) != Reach::Closed)
        };
        let meant = self.servers.iter().find(is_meant).or(self.servers.first());
        let ports = |it: &Server| [it.port("UDP"), it.port("TCP")];
        meant.map_or_else(
            || ("the cluster's DNS".into(), [53; 2]),
            |it| (it.described(facts), ports(it)),
        )
    }

    /// The addresses at which NodeLocal DNSCache answers what pods ask, as far as policies see these.
    pub fn cache_addresses(&self) -> Vec<IpNet> {
        let own: Vec<_> = self.own().iter().filter(|it| self.asked.contains(it)).copied().collect();
        match self.network.plugin {
            _ if !own.is_empty() => own,
            Plugin::Cilium | Plugin::Antrea | Plugin::OvnKubernetes => Vec::new(),
            Plugin::Generic | Plugin::Calico | Plugin::AwsVpc => self.taken_over(),
        }
    }

    /// The addresses of the DNS Service that the cache takes over.
    fn taken_over(&self) -> Vec<IpNet> {
        let all = self.of_cache().iter();
        all.filter(|it| self.services.contains(it)).copied().collect()
    }

    /// The addresses of the cache that are none of the DNS Service's.
    fn own(&self) -> Vec<IpNet> {
        let all = self.of_cache().iter();
        all.filter(|it| !self.services.contains(it)).copied().collect()
    }

    fn of_cache(&self) -> &[IpNet] {
        match &self.cache {
            Some(Cache::OnNodes { addresses, .. }) => addresses,
            _ => &[],
        }
    }

    /// Whether rules, those of all policies that isolate a pod, let traffic of a protocol out to the DNS.
    pub fn reach(&self, facts: &Facts<'_>, ways: &[Way<'_, '_>], protocol: &str) -> Reach {
        let pods = best(ways, |way| self.of_pods(facts, way, protocol));
        match &self.cache {
            // Pods that ask the DNS Service are served by a cache under its address, if by any.
            None if pods == Reach::Closed && !self.is_whole && !self.asks_service() => {
                best(ways, |way| cache::perhaps(&self.network, way, protocol))
            }
            None => pods,
            Some(Cache::OnPods(server)) => {
                let own = best(ways, |way| server.reach(facts, &self.network, way, protocol));
                same(
                    &[pods, own],
                    "whether the network plugin leads questions to NodeLocal DNSCache",
                )
            }
            Some(Cache::OnNodes { server, .. }) => {
                let at = |address: &IpNet| {
                    let network = &self.network;
                    best(ways, |way| cache::at(facts, network, server, *address, way, protocol))
                };
                self.on_nodes(pods, at, || best(ways, |way| cache::somewhere(way, protocol)))
            }
        }
    }

    /// Whether pods are told to ask the DNS Service, for certain.
    fn asks_service(&self) -> bool {
        !self.asked.is_empty() && self.asked.iter().all(|it| self.services.contains(it))
    }

    fn of_pods(&self, facts: &Facts<'_>, way: &Way<'_, '_>, protocol: &str) -> Reach {
        let each = self.servers.iter().map(|it| it.reach(facts, &self.network, way, protocol));
        match each.max() {
            None | Some(Reach::Closed) if self.network.may_judge_services() => {
                server::in_front(&self.services, way, protocol)
            }
            reach => reach.unwrap_or(Reach::Closed),
        }
    }

    /// What comes of a cache on the nodes, where the DNS pods can be reached so far, and it under each of its addresses.
    ///
    /// With the address of the DNS Service among its own it takes over all questions, before kube-proxy translates the
    /// address: then policies see this (<https://kubernetes.io/docs/tasks/administer-cluster/nodelocaldns>, kube-proxy in
    /// iptables mode). Otherwise the kubelets have to name one of its addresses.
    fn on_nodes(
        &self,
        pods: Reach,
        at: impl Fn(&IpNet) -> Reach,
        somewhere: impl Fn() -> Reach,
    ) -> Reach {
        let own = self.own();
        let asked = own.iter().filter(|it| self.asked.contains(it));
        let Some(service) = self.taken_over().iter().map(&at).max() else {
            if self.asks_service() {
                return pods;
            }
            // The address of a Service that the input does not hold may be among these.
            if let Some(reach) = asked.filter(|it| cache::is_own(it)).map(&at).max() {
                return reach;
            }
            let each = own.iter().map(at).chain(own.is_empty().then(somewhere));
            let each: Vec<_> = each.chain([pods]).collect();
            return same(&each, WHICH_ADDRESS);
        };
        if let Some(reach) = asked.map(&at).max() {
            return reach;
        }
        let reach = match self.network.plugin {
            // These translate it by themselves, in the pod's own end of the wire.
            Plugin::Cilium | Plugin::Antrea | Plugin::OvnKubernetes => pods,
            // Its agent lets a peer's Services pass with the peer.
            Plugin::AwsVpc => pods.max(service),
            // With the data plane of eBPF it translates the address, unless it is told not to.
            Plugin::Calico if service == Reach::Open => service,
            Plugin::Calico | Plugin::Generic => same(&[pods, service], WHO_TRANSLATES),
        };
        match own.iter().map(at).max().filter(|_| !self.asks_service()) {
            Some(other) if reach == Reach::Closed && other != Reach::Closed => {
                Reach::Unsure(WHICH_ADDRESS)
            }
            _ => reach,
        }
    }
}

/// What is reached by any of these ways.
fn best(ways: &[Way<'_, '_>], reach: impl Fn(&Way<'_, '_>) -> Reach) -> Reach {
    ways.iter().map(reach).max().unwrap_or(Reach::Closed)
}

/// What is reached where it is not known which of these is asked.
fn same(each: &[Reach], on_what: &'static str) -> Reach {
    match each {
        [first, rest @ ..] if rest.iter().all(|it| it == first) => *first,
        _ => Reach::Unsure(on_what),
    }
}
