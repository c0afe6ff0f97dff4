//! Pods that answer DNS, and whether a rule lets traffic out to them.

use super::{Reach, SYSTEM, Way};
use crate::analyze::Facts;
use crate::analyze::network::policies::{Peer, PeerKind};
use crate::analyze::network::reach::network::{Block, private};
use crate::analyze::network::reach::verdict::Truth;
use crate::analyze::selection::namespaces::NAME_LABEL;
use crate::analyze::selection::selector::{Operator, Requirement, Selector, Selects};
use crate::analyze::selection::services::Service;
use crate::analyze::selection::workloads::WorkloadId;
use crate::api::network::Network;
use ipnet::IpNet;

/// Pods that answer.
#[derive(Clone, Debug)]
pub(super) struct Server {
    namespace: &'static str,
    /// The workload, where the input has it.
    workload: Option<WorkloadId>,
    /// Those of its labels that are known where the input does not have it.
    labels: &'static [(&'static str, &'static str)],
    /// On which port for UDP, and for TCP.
    ports: [u16; 2],
}

const KUBE_DNS: (&str, &str) = ("k8s-app", "kube-dns");

/// Ports that DNS pods listen on where they may not use 53.
const UNUSUAL: [u16; 3] = [1053, 5353, 8053];

const WHICH_PORT: &str = "on which port its pods listen";

/// Where a cluster runs its DNS.
const NAMESPACES: [&str; 2] = [SYSTEM, "openshift-dns"];

/// The Services in front of the cluster's DNS.
pub(super) fn services<'f, 'd>(facts: &'f Facts<'d>) -> impl Iterator<Item = &'f Service<'d>> {
    let all = NAMESPACES.into_iter().flat_map(|it| facts.services().in_namespace(it));
    all.filter(|it| it.numbered(53).any(|it| it.protocol == "UDP"))
}

/// The pods that the DNS Service of the input leads to, and on which ports: policies are asked after its address and port
/// have become those of a pod.
fn behind_service(facts: &Facts<'_>) -> Vec<Server> {
    let each = services(facts).flat_map(|service| {
        service.selects.iter().filter_map(|(workload, _)| {
            let namespace = NAMESPACES.into_iter().find(|it| *it == service.namespace)?;
            let port = |protocol: &str| {
                let port = service.numbered(53).find(|it| it.protocol == protocol)?;
                u16::try_from(port.on(facts.ports(*workload))?).ok()
            };
            let udp = port("UDP")?;
            let ports = [udp, port("TCP").unwrap_or(udp)];
            Some(Server { namespace, workload: Some(*workload), labels: &[], ports })
        })
    });
    let mut all: Vec<Server> = each.collect();
    all.dedup_by_key(|it| it.workload);
    all
}

/// Whether the input holds the DNS Service and its pods.
pub(super) fn is_whole(facts: &Facts<'_>) -> bool {
    !behind_service(facts).is_empty()
}

/// The DNS pods of the input; else those that a cluster of each kind has.
pub(super) fn servers(facts: &Facts<'_>) -> Vec<Server> {
    let behind = behind_service(facts);
    if !behind.is_empty() {
        return behind;
    }
    let operator = Operator::In(vec![KUBE_DNS.1]);
    let requirements = vec![Requirement { key: KUBE_DNS.0, operator }];
    let by_label = Selector { requirements, invalid: false };
    let found = facts.workloads().select(SYSTEM, &by_label);
    if found.is_empty() {
        let kube =
            Server { namespace: SYSTEM, workload: None, labels: &[KUBE_DNS], ports: [53; 2] };
        let labels = &[("dns.operator.openshift.io/daemonset-dns", "default")];
        let openshift =
            Server { namespace: "openshift-dns", workload: None, labels, ports: [5353; 2] };
        return vec![kube, openshift];
    }
    let servers = found.into_iter().map(|(workload, _)| {
        let port = facts.ports(workload.id).named("dns", "UDP").map(|it| it.number);
        let port = port.and_then(|it| u16::try_from(it).ok()).unwrap_or(53);
        Server { ports: [port; 2], ..Server::of(workload.id) }
    });
    servers.collect()
}

impl Server {
    /// A workload of the system that answers on the usual port.
    pub(super) fn of(workload: WorkloadId) -> Server {
        Server { namespace: SYSTEM, workload: Some(workload), labels: &[], ports: [53; 2] }
    }

    /// On which port it answers.
    pub(super) fn port(&self, protocol: &str) -> u16 {
        self.ports[usize::from(protocol != "UDP")]
    }

    /// Who it is, in words.
    pub(super) fn described(&self, facts: &Facts<'_>) -> String {
        let written = self.workload.map(|it| &facts.workloads().get(it).labels.written[..]);
        let labels = written.unwrap_or(self.labels).iter().take(1);
        let labels: Vec<_> = labels.map(|(key, value)| format!("`{key}={value}`")).collect();
        format!("the pods {} of the namespace `{NAME_LABEL}={}`", labels.join(", "), self.namespace)
    }

    /// Whether it is this workload.
    pub(super) fn is(&self, workload: WorkloadId) -> bool {
        self.workload == Some(workload)
    }

    /// Whether a rule lets traffic of a protocol out to them, as far as it is judged by their own addresses.
    pub(super) fn reach(
        &self,
        facts: &Facts<'_>,
        network: &Network,
        (namespace, rule): &Way<'_, '_>,
        protocol: &str,
    ) -> Reach {
        let port = self.port(protocol);
        let usual = if protocol == "UDP" { "dns" } else { "dns-tcp" };
        let own = self.workload.map(|it| facts.ports(it).numbered(i64::from(port), protocol));
        let name = own.map_or(Some(usual), |it| it.and_then(|it| it.name).or(Some(usual)));
        let is_open = if rule.opens(protocol, port, name) {
            Reach::Open
        } else if self.workload.is_none()
            && UNUSUAL.iter().any(|it| rule.opens(protocol, *it, None))
        {
            Reach::Unsure(WHICH_PORT)
        } else {
            Reach::Closed
        };
        let Some(peers) = &rule.peers else { return is_open };
        let each = peers.iter().map(|peer| match &peer.kind {
            PeerKind::Block { cidr, except } => {
                let block = Block { cidr: *cidr, except: except.clone() };
                // A name means a port of a pod: an address has none.
                match rule.opens(protocol, port, None) {
                    true => self.in_block(network, &block),
                    false => Reach::Closed,
                }
            }
            kind => self.fits(facts, namespace, kind).min(is_open),
        });
        each.max().unwrap_or(Reach::Closed)
    }

    /// Whether their addresses lie in a block that means pods.
    fn in_block(&self, network: &Network, block: &Block) -> Reach {
        match network.means_pods(block, &[]) {
            Truth::No => Reach::Closed,
            Truth::Maybe(_) => Reach::Unsure(
                "whether its addresses lie in the block, and the plugin minds blocks for pods",
            ),
            // That there are such pods at all a block does not say.
            Truth::Yes if self.ports[0] != 53 && self.workload.is_none() => {
                Reach::Unsure(WHICH_PORT)
            }
            Truth::Yes => Reach::Open,
        }
    }

    /// Whether a peer of a policy in `namespace` selects them.
    pub(super) fn fits(&self, facts: &Facts<'_>, namespace: &str, peer: &PeerKind<'_>) -> Reach {
        match peer {
            PeerKind::Invalid | PeerKind::Block { .. } => Reach::Closed,
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
        let known = [(NAME_LABEL, self.namespace)];
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

/// Whether a rule lets traffic of a protocol out to the addresses of the Services in front of them, for a plugin that may
/// judge by those.
pub(super) fn in_front(services: &[IpNet], (_, rule): &Way<'_, '_>, protocol: &str) -> Reach {
    let private = private();
    let ranges = if services.is_empty() { &private[..] } else { services };
    let holds = |peer: &Peer<'_>| match &peer.kind {
        PeerKind::Block { cidr, except } => {
            let block = Block { cidr: *cidr, except: except.clone() };
            ranges.iter().any(|it| block.touches(it))
        }
        _ => false,
    };
    if rule.opens(protocol, 53, None) && rule.peers.iter().flatten().any(holds) {
        return Reach::Unsure(
            "whether the address of its Service lies in the block, and the plugin judges by that",
        );
    }
    Reach::Closed
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
