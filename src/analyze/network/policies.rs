//! NetworkPolicies as Kubernetes reads them: what they isolate, what they allow, and which pods they select.
//!
//! `k8s.io/api/networking/v1/types.go` for what fields mean, `pkg/apis/networking/v1/defaults.go` for what is written in
//! when they are absent, `pkg/apis/networking/validation/validation.go` for what the API server refuses.

use crate::analyze::Facts;
use crate::analyze::network::refused::mistakes;
use crate::analyze::selection::alike::{AllAlike, Selected};
use crate::analyze::selection::selector::{Selector, Selects};
use crate::analyze::selection::workloads::{Workload, WorkloadId};
use crate::api::kind::Kind;
use crate::model::{Model, ObjId, Object};
use crate::text::tree::Node;
use ipnet::IpNet;
use rustc_hash::FxHashMap;
use std::fmt;
use std::net::IpAddr;

/// Which way traffic goes, seen from the pods that a policy selects.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Direction {
    /// To them.
    Ingress,
    /// From them.
    Egress,
}

/// Both directions.
pub const DIRECTIONS: [Direction; 2] = [Direction::Ingress, Direction::Egress];

impl fmt::Display for Direction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Direction::Ingress => "ingress",
            Direction::Egress => "egress",
        })
    }
}

/// A policy's place among all policies.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct PolicyId(pub u32);

/// A NetworkPolicy.
#[derive(Clone, Debug)]
pub struct NetworkPolicy<'d> {
    /// Its place among all policies.
    pub id: PolicyId,
    /// The object.
    pub object: ObjId,
    /// Its namespace, the only one whose pods it selects.
    pub namespace: &'d str,
    /// Which pods of its namespace; empty or absent: all.
    pub selector: Selector<'d>,
    /// What may come in; `None` where the policy says nothing of ingress.
    pub ingress: Option<Vec<TrafficRule<'d>>>,
    /// What may go out; `None` where the policy says nothing of egress.
    pub egress: Option<Vec<TrafficRule<'d>>>,
    /// The workloads whose pods it selects, and how many of these; pods in the host's network are never selected.
    pub selects: Selected,
}

/// One entry of `ingress` or `egress`: the traffic with any of its peers on any of its ports.
#[derive(Clone, Debug)]
pub struct TrafficRule<'d> {
    /// The entry.
    pub node: Node<'d>,
    /// The other ends; `None` for everything, in the cluster and outside.
    pub peers: Option<Vec<Peer<'d>>>,
    /// The ports, those of the receiving pod; `None` for all ports of all protocols.
    pub ports: Option<Vec<PortRule<'d>>>,
}

/// One entry of `from` or `to`.
#[derive(Clone, Debug)]
pub struct Peer<'d> {
    /// The entry.
    pub node: Node<'d>,
    /// Whom it means.
    pub kind: PeerKind<'d>,
}

/// Whom a peer means.
#[derive(Clone, Debug)]
pub enum PeerKind<'d> {
    /// Pods that fit both selectors.
    Pods {
        /// Of which namespaces; `None` for the policy's own.
        namespaces: Option<Selector<'d>>,
        /// Which pods of these; `None` for all.
        pods: Option<Selector<'d>>,
    },
    /// Addresses.
    Block {
        /// These,
        cidr: IpNet,
        /// without those.
        except: Vec<IpNet>,
    },
    /// Nobody: the API server refuses it.
    Invalid,
}

/// One entry of `ports`.
#[derive(Clone, Copy, Debug)]
pub struct PortRule<'d> {
    /// The entry.
    pub node: Node<'d>,
    /// Of which protocol: `TCP` where none is written.
    pub protocol: &'d str,
    /// Which ports of it.
    pub ports: PortRange<'d>,
}

/// The ports that an entry of `ports` opens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PortRange<'d> {
    /// Every port of the protocol.
    All,
    /// From the first to the last, both included.
    Numbers(u16, u16),
    /// The port of this name and protocol, which differs from pod to pod.
    Named(&'d str),
    /// None: the API server refuses it.
    Invalid,
}

impl PortRule<'_> {
    /// Whether it opens a pod's port of this number and name.
    pub fn opens(&self, protocol: &str, number: u16, name: Option<&str>) -> bool {
        protocol == self.protocol
            && match self.ports {
                PortRange::All => true,
                PortRange::Numbers(first, last) => (first..=last).contains(&number),
                PortRange::Named(it) => name == Some(it),
                PortRange::Invalid => false,
            }
    }
}

impl TrafficRule<'_> {
    /// Whether it allows everything, in the cluster and outside.
    pub fn allows_all(&self) -> bool {
        self.peers.is_none() && self.ports.is_none()
    }

    /// Whether it opens a pod's port of this number and name, to or from its peers.
    pub fn opens(&self, protocol: &str, number: u16, name: Option<&str>) -> bool {
        self.ports.as_ref().is_none_or(|it| it.iter().any(|it| it.opens(protocol, number, name)))
    }
}

impl<'d> NetworkPolicy<'d> {
    /// What it allows in a direction; `None` where it says nothing of it and so isolates no pod there.
    pub fn rules(&self, direction: Direction) -> Option<&[TrafficRule<'d>]> {
        match direction {
            Direction::Ingress => self.ingress.as_deref(),
            Direction::Egress => self.egress.as_deref(),
        }
    }

    /// Whether it isolates the pods that it selects.
    pub fn isolates(&self, direction: Direction) -> bool {
        self.rules(direction).is_some()
    }

    /// The rule that allows everything, if one does.
    pub fn allow_all(&self, direction: Direction) -> Option<&TrafficRule<'d>> {
        self.rules(direction)?.iter().find(|it| it.allows_all())
    }

    /// Whether it selects every pod of its namespace, those to come included.
    pub fn selects_all(&self) -> bool {
        self.selector.is_empty()
    }
}

/// All NetworkPolicies, found by what they select.
#[derive(Debug, Default)]
pub struct Policies<'d> {
    all: Vec<NetworkPolicy<'d>>,
    alike: AllAlike<'d>,
    by_namespace: FxHashMap<&'d str, Vec<PolicyId>>,
}

impl<'d> Policies<'d> {
    /// Reads the policies of a model.
    pub(in crate::analyze) fn new(model: &Model<'d>, facts: &Facts<'d>) -> Policies<'d> {
        let mut policies = Policies::default();
        // What the API server refuses is never there.
        let all = model.of_kind(Kind::NetworkPolicy);
        for object in all.filter(|it| mistakes(it).is_empty()) {
            let id = PolicyId(policies.all.len() as u32);
            let mut policy = read(id, object);
            let selector = (policy.namespace, &policy.selector);
            let is_meant = |it: &Workload<'_>| !is_in_host_network(it);
            (_, policy.selects) = policies.alike.add(id.0, selector, facts.workloads(), is_meant);
            policies.by_namespace.entry(policy.namespace).or_default().push(id);
            policies.all.push(policy);
        }
        policies
    }

    /// The policy of this id.
    pub fn get(&self, id: PolicyId) -> &NetworkPolicy<'d> {
        &self.all[id.0 as usize]
    }

    /// All policies.
    pub fn iter(&self) -> impl Iterator<Item = &NetworkPolicy<'d>> {
        self.all.iter()
    }

    /// The policies of a namespace.
    pub fn in_namespace(&self, namespace: &str) -> impl Iterator<Item = &NetworkPolicy<'d>> {
        self.by_namespace.get(namespace).into_iter().flatten().map(|id| self.get(*id))
    }

    /// The policies that isolate a workload's pods in a direction, and how many of these.
    pub fn isolating(
        &self,
        workload: WorkloadId,
        direction: Direction,
    ) -> impl Iterator<Item = (&NetworkPolicy<'d>, Selects)> {
        let selecting = self.alike.members_of(workload);
        selecting
            .map(|(id, selects)| (self.get(PolicyId(id)), selects))
            .filter(move |(policy, _)| policy.isolates(direction))
    }
}

/// Whether a workload's pods use their node's network: no policy ever selects them.
pub fn is_in_host_network(workload: &Workload<'_>) -> bool {
    workload.pod.get("hostNetwork").and_then(Node::bool) == Some(true)
}

/// A policy as it is written, whether or not the API server takes it; whom it selects is not looked for.
pub fn read<'d>(id: PolicyId, object: &Object<'d>) -> NetworkPolicy<'d> {
    let field = |name: &str| object.field(&["spec", name]);
    let types: Vec<_> =
        field("policyTypes").into_iter().flat_map(Node::items).filter_map(Node::str).collect();
    // Without types a policy is for ingress, and for egress if it has a rule for it; rules of a direction that the
    // types leave out count for nothing.
    let (is_ingress, is_egress) = if types.is_empty() {
        (true, field("egress").is_some_and(|it| it.count() > 0))
    } else {
        (types.contains(&"Ingress"), types.contains(&"Egress"))
    };
    let rules = |name, peers| {
        let entries = field(name).into_iter().flat_map(Node::items);
        entries.map(|it| rule(it, peers)).collect()
    };
    let ingress = is_ingress.then(|| rules("ingress", "from"));
    let egress = is_egress.then(|| rules("egress", "to"));
    let selector = field("podSelector").map(Selector::parse).unwrap_or_default();
    NetworkPolicy {
        id,
        object: object.id,
        namespace: object.namespace,
        selector,
        ingress,
        egress,
        selects: Selected::default(),
    }
}

/// An entry of `ingress` or `egress`, with its peers under `from` or `to`.
pub(in crate::analyze) fn rule<'d>(node: Node<'d>, peers: &str) -> TrafficRule<'d> {
    let peers: Vec<_> = node.list(peers).map(peer).collect();
    let ports: Vec<_> = node.list("ports").map(port).collect();
    TrafficRule {
        node,
        // An empty list is no list: it matches everything, and not nothing.
        peers: Some(peers).filter(|it| !it.is_empty()),
        ports: Some(ports).filter(|it| !it.is_empty()),
    }
}

fn peer(node: Node<'_>) -> Peer<'_> {
    let namespaces = node.get("namespaceSelector").map(Selector::parse);
    let pods = node.get("podSelector").map(Selector::parse);
    let is_invalid = |it: &Option<Selector<'_>>| it.as_ref().is_some_and(|it| it.invalid);
    let kind = match (node.get("ipBlock"), namespaces, pods) {
        (None, None, None) => None,
        (None, namespaces, pods) if is_invalid(&namespaces) || is_invalid(&pods) => None,
        (None, namespaces, pods) => Some(PeerKind::Pods { namespaces, pods }),
        (Some(it), None, None) => block(it),
        // A peer is an address block or has selectors, not both.
        (Some(_), _, _) => None,
    };
    Peer { node, kind: kind.unwrap_or(PeerKind::Invalid) }
}

fn block(node: Node<'_>) -> Option<PeerKind<'_>> {
    let cidr = node.text("cidr").and_then(parse_cidr)?;
    let mut except = Vec::new();
    for it in node.list("except") {
        let it = it.str().and_then(parse_cidr)?;
        // What it takes out is smaller than the block and lies in it.
        if !cidr.contains(&it) || it.prefix_len() <= cidr.prefix_len() {
            return None;
        }
        except.push(it);
    }
    Some(PeerKind::Block { cidr, except })
}

/// Reads `10.0.0.1/24` as the network `10.0.0.0/24`, and leading zeros as decimal, as the API server does for fields that
/// have always taken them (`k8s.io/utils/net`, ParseCIDRSloppy).
pub fn parse_cidr(text: &str) -> Option<IpNet> {
    let (address, length) = text.split_once('/')?;
    let is_number = |it: &str| !it.is_empty() && it.bytes().all(|it| it.is_ascii_digit());
    let length = Some(length).filter(|it| is_number(it))?.parse().ok()?;
    let address: IpAddr = if address.contains(':') {
        address.parse().ok()?
    } else {
        let parts: Option<Vec<u8>> = address
            .split('.')
            .map(|it| Some(it).filter(|it| is_number(it))?.parse().ok())
            .collect();
        IpAddr::from(<[u8; 4]>::try_from(parts?).ok()?)
    };
    IpNet::new(address, length).ok().map(|it| it.trunc())
}

fn port(node: Node<'_>) -> PortRule<'_> {
    let protocol = match node.get("protocol").map(Node::str) {
        None => Some("TCP"),
        Some(it) => it.filter(|it| ["TCP", "UDP", "SCTP"].contains(it)),
    };
    let rule = protocol.zip(port_range(node));
    let (protocol, ports) = rule.unwrap_or(("TCP", PortRange::Invalid));
    PortRule { node, protocol, ports }
}

fn port_range(node: Node<'_>) -> Option<PortRange<'_>> {
    let number = |it: Node<'_>| it.int().and_then(|it| u16::try_from(it).ok()).filter(|it| *it > 0);
    match (node.get("port"), node.get("endPort")) {
        (None, None) => Some(PortRange::All),
        (None, Some(_)) => None,
        (Some(port), None) => match port.str() {
            Some(name) => Some(name).filter(|it| is_port_name(it)).map(PortRange::Named),
            None => number(port).map(|it| PortRange::Numbers(it, it)),
        },
        (Some(port), Some(last)) => {
            let (first, last) = (number(port)?, number(last)?);
            (first <= last).then_some(PortRange::Numbers(first, last))
        }
    }
}

/// `k8s.io/apimachinery/pkg/util/validation`, IsValidPortName: a number in quotes is no name.
fn is_port_name(text: &str) -> bool {
    let is_allowed = |it: u8| it.is_ascii_lowercase() || it.is_ascii_digit() || it == b'-';
    (1..=15).contains(&text.len())
        && text.bytes().all(is_allowed)
        && text.bytes().any(|it| it.is_ascii_lowercase())
        && !text.contains("--")
        && !text.starts_with('-')
        && !text.ends_with('-')
}
