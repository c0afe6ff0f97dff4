//! The cluster's DNS as network policies see it: which pods and addresses answer, and whether a rule lets traffic there.
//!
//! Policies see the pods behind the DNS Service, on the pods' own ports. Manifests seldom hold them; what every cluster
//! of a kind has in common (`k8s-app: kube-dns` in `kube-system`, ports `dns` and `dns-tcp`, both 53) is known, the rest
//! of their labels is not.

use super::Facts;
use super::policies::{Peer, PeerKind, TrafficRule};
use super::selector::{Selector, Selects};
use super::workloads::WorkloadId;
use ipnet::{IpNet, Ipv4Net, Ipv6Net};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

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

/// Pods that answer.
#[derive(Clone, Debug)]
struct Server {
    namespace: &'static str,
    /// The workload, where the input has it.
    workload: Option<WorkloadId>,
    /// Those of its labels that are known where the input does not have it.
    labels: &'static [(&'static str, &'static str)],
    /// On which port.
    port: u16,
}

/// Who answers in this cluster.
#[derive(Clone, Debug)]
pub struct Dns {
    servers: Vec<Server>,
}

const KUBE_DNS: (&str, &str) = ("k8s-app", "kube-dns");

/// The address of NodeLocal DNSCache on every node, unless set otherwise.
const NODE_LOCAL: IpAddr = IpAddr::V4(Ipv4Addr::new(169, 254, 20, 10));

/// Ports that DNS pods listen on where they may not use 53.
const UNUSUAL: [u16; 3] = [1053, 5353, 8053];

impl Dns {
    pub(super) fn new(facts: &Facts<'_>) -> Dns {
        let by_label = Selector {
            requirements: vec![super::selector::Requirement {
                key: KUBE_DNS.0,
                operator: super::selector::Operator::In(vec![KUBE_DNS.1]),
            }],
            invalid: false,
        };
        let found = facts.workloads().select("kube-system", &by_label);
        if found.is_empty() {
            let kube =
                Server { namespace: "kube-system", workload: None, labels: &[KUBE_DNS], port: 53 };
            let labels = &[("dns.operator.openshift.io/daemonset-dns", "default")];
            let openshift =
                Server { namespace: "openshift-dns", workload: None, labels, port: 5353 };
            return Dns { servers: vec![kube, openshift] };
        }
        let servers = found.into_iter().map(|(workload, _)| {
            let port = facts.ports(workload.id).named("dns", "UDP").map(|it| it.number);
            let port = port.and_then(|it| u16::try_from(it).ok()).unwrap_or(53);
            Server { namespace: "kube-system", workload: Some(workload.id), labels: &[], port }
        });
        Dns { servers: servers.collect() }
    }

    /// Whether a workload is the DNS itself.
    pub fn is_server(&self, workload: WorkloadId) -> bool {
        self.servers.iter().any(|it| it.workload == Some(workload))
    }

    /// Whether a peer of a policy in `namespace` is the DNS, for certain.
    pub fn is_peer(&self, facts: &Facts<'_>, namespace: &str, peer: &PeerKind<'_>) -> bool {
        self.servers.iter().any(|it| it.fits(facts, namespace, peer) == Reach::Open)
    }

    /// Whether a rule of a policy in `namespace` lets traffic of a protocol out to the DNS.
    pub fn reach(
        &self,
        facts: &Facts<'_>,
        namespace: &str,
        rule: &TrafficRule<'_>,
        protocol: &str,
    ) -> Reach {
        let each = self.servers.iter().map(|it| it.reach(facts, namespace, rule, protocol));
        each.max().unwrap_or(Reach::Closed)
    }
}

impl Server {
    fn reach(
        &self,
        facts: &Facts<'_>,
        namespace: &str,
        rule: &TrafficRule<'_>,
        protocol: &str,
    ) -> Reach {
        let name = if protocol == "UDP" { "dns" } else { "dns-tcp" };
        let is_open = |peer: Option<&Peer<'_>>| {
            // A name means a port of a pod: an address has none.
            let is_block = peer.is_some_and(|it| matches!(it.kind, PeerKind::Block { .. }));
            let name = Some(name).filter(|_| !is_block);
            let port = if is_block { 53 } else { self.port };
            if rule.opens(protocol, port, name) {
                return Reach::Open;
            }
            let is_unusual = UNUSUAL.iter().any(|it| rule.opens(protocol, *it, None));
            if is_unusual && self.workload.is_none() && !is_block {
                return Reach::Unsure("on which port its pods listen");
            }
            Reach::Closed
        };
        let Some(peers) = &rule.peers else { return is_open(None) };
        let each =
            peers.iter().map(|it| self.fits(facts, namespace, &it.kind).min(is_open(Some(it))));
        each.max().unwrap_or(Reach::Closed)
    }

    fn fits(&self, facts: &Facts<'_>, namespace: &str, peer: &PeerKind<'_>) -> Reach {
        match peer {
            PeerKind::Invalid => Reach::Closed,
            PeerKind::Block { cidr, except } => of_block(cidr, except),
            PeerKind::Pods { namespaces, pods } => {
                let in_namespace = match namespaces {
                    None if namespace == self.namespace => Reach::Open,
                    None => Reach::Closed,
                    Some(it) => self.in_namespace(facts, it),
                };
                let pods = pods.as_ref().map_or(Reach::Open, |it| self.of_pods(facts, it));
                in_namespace.min(pods)
            }
        }
    }

    fn in_namespace(&self, facts: &Facts<'_>, selector: &Selector<'_>) -> Reach {
        let defined = facts.namespaces().get(self.namespace).filter(|it| it.object.is_some());
        if let Some(it) = defined {
            return if selector.matches(&it.labels) { Reach::Open } else { Reach::Closed };
        }
        let known = [(super::namespaces::NAME_LABEL, self.namespace)];
        of_known(selector, &known, "what other labels its namespace has")
    }

    fn of_pods(&self, facts: &Facts<'_>, selector: &Selector<'_>) -> Reach {
        match self.workload {
            None => of_known(selector, self.labels, "what other labels its pods have"),
            Some(it) => match selector.selects(&facts.workloads().get(it).labels) {
                Selects::None => Reach::Closed,
                Selects::Some | Selects::All => Reach::Open,
            },
        }
    }
}

/// Whether a selector selects something of whose labels only these are known.
fn of_known(selector: &Selector<'_>, known: &[(&str, &str)], on_what: &'static str) -> Reach {
    if selector.invalid {
        return Reach::Closed;
    }
    let each = selector.requirements.iter().map(|it| {
        if !known.iter().any(|(key, _)| *key == it.key) {
            return Reach::Unsure(on_what);
        }
        let one = Selector { requirements: vec![it.clone()], invalid: false };
        if one.matches(known) { Reach::Open } else { Reach::Closed }
    });
    each.min().unwrap_or(Reach::Open)
}

/// Addresses of NodeLocal DNSCache are certain. Private ones may be those of the DNS pods or of their Service, and
/// network plugins differ on whether a block means pods at all. Public ones are not the cluster's.
fn of_block(cidr: &IpNet, except: &[IpNet]) -> Reach {
    let link_local = Ipv4Net::new_assert(Ipv4Addr::new(169, 254, 0, 0), 16);
    let is_out = |it: &IpNet| except.iter().any(|except| except.contains(it));
    if IpNet::V4(link_local).contains(cidr) {
        let is_in = cidr.contains(&NODE_LOCAL) && !is_out(&IpNet::from(NODE_LOCAL));
        return if is_in { Reach::Open } else { Reach::Closed };
    }
    let v4 = |a, b, length| IpNet::V4(Ipv4Net::new_assert(Ipv4Addr::new(a, b, 0, 0), length));
    let v6 = IpNet::V6(Ipv6Net::new_assert(Ipv6Addr::new(0xfc00, 0, 0, 0, 0, 0, 0, 0), 7));
    let private = [v4(10, 0, 8), v4(172, 16, 12), v4(192, 168, 16), v4(100, 64, 10), v6];
    let overlaps = private.iter().filter_map(|it| match (cidr.contains(it), it.contains(cidr)) {
        (true, _) => Some(it),
        (_, true) => Some(cidr),
        _ => None,
    });
    if overlaps.into_iter().any(|it| !is_out(it)) {
        return Reach::Unsure(
            "whether its addresses lie in the block, and the plugin minds blocks for pods",
        );
    }
    if cidr.contains(&NODE_LOCAL) && !is_out(&IpNet::from(NODE_LOCAL)) {
        return Reach::Unsure("whether the nodes run NodeLocal DNSCache");
    }
    Reach::Closed
}
