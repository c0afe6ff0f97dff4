//! Cluster-wide policies: AdminNetworkPolicy and BaselineAdminNetworkPolicy (v1alpha1), ClusterNetworkPolicy (v1alpha2).
//!
//! Those of the admin tier are asked before NetworkPolicies, those of the baseline tier after them, where no NetworkPolicy
//! selects the pod. In a tier the first rule that fits decides, by priority and then by order; `Pass` skips the rest of
//! the tier (`sigs.k8s.io/network-policy-api`, clusternetworkpolicy_types.go and adminnetworkpolicy_types.go).

use super::compile::PortSpec;
use super::network::Block;
use super::outcome::Outcome;
use super::sets::{Scope, SetId, Spec, Specs};
use crate::analyze::network::policies::{Direction, parse_cidr};
use crate::analyze::network::refused::mistakes;
use crate::analyze::selection::selector::Selector;
use crate::api::kind::Kind;
use crate::api::ports::{PortMap, PortSet, Ports, Protocol};
use crate::model::{Model, ObjId, Object};
use crate::text::tree::Node;

/// When a policy is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Tier {
    /// Before NetworkPolicies.
    Admin,
    /// After them.
    Baseline,
}

/// A cluster-wide policy.
#[derive(Clone, Debug)]
pub(super) struct TierPolicy<'d> {
    pub(super) object: ObjId,
    pub(super) tier: Tier,
    /// The lower is asked first.
    pub(super) priority: i64,
    pub(super) subject: SetId,
    pub(super) ingress: Vec<TierRule<'d>>,
    pub(super) egress: Vec<TierRule<'d>>,
}

/// One of its rules.
#[derive(Clone, Debug)]
pub(super) struct TierRule<'d> {
    pub(super) node: Node<'d>,
    pub(super) action: Outcome,
    /// `None` for everybody: a peer of a kind that nobody knows makes a rule that closes close everything.
    pub(super) peers: Option<Vec<SetId>>,
    pub(super) ports: PortSpec<'d>,
}

impl<'d> TierPolicy<'d> {
    /// Its rules for a direction, in order.
    pub(super) fn rules(&self, direction: Direction) -> &[TierRule<'d>] {
        match direction {
            Direction::Ingress => &self.ingress,
            Direction::Egress => &self.egress,
        }
    }
}

/// The kinds of cluster-wide policies.
pub const CLUSTER_WIDE: [Kind; 3] =
    [Kind::AdminNetworkPolicy, Kind::BaselineAdminNetworkPolicy, Kind::ClusterNetworkPolicy];

/// The cluster-wide policies of a model, by tier and priority.
pub(super) fn read<'d>(model: &Model<'d>, specs: &mut Specs<'d>) -> Vec<TierPolicy<'d>> {
    let objects = CLUSTER_WIDE.into_iter().flat_map(|it| model.of_kind(it));
    let mut policies: Vec<_> = objects.filter_map(|it| policy(it, specs)).collect();
    sort(&mut policies);
    policies
}

/// Puts policies in the order in which they are asked.
pub(super) fn sort(policies: &mut [TierPolicy<'_>]) {
    policies.sort_by_key(|it| (it.tier, it.priority));
}

/// A policy as it is judged; `None` where the API server refuses it.
pub(super) fn policy<'d>(object: &Object<'d>, specs: &mut Specs<'d>) -> Option<TierPolicy<'d>> {
    if !mistakes(object).is_empty() {
        return None;
    }
    let spec = object.field(&["spec"])?;
    let priority = spec.get("priority").and_then(Node::int).filter(|it| (0..=1000).contains(it));
    let (tier, priority) = match object.kind {
        Kind::AdminNetworkPolicy => (Tier::Admin, priority?),
        // There is one at most, and nothing is asked after it.
        Kind::BaselineAdminNetworkPolicy => (Tier::Baseline, i64::MAX),
        _ => match spec.text("tier")? {
            "Admin" => (Tier::Admin, priority?),
            "Baseline" => (Tier::Baseline, priority?),
            _ => return None,
        },
    };
    let subject = spec.get("subject").and_then(pods)?;
    let subject = specs.intern(subject);
    let mut rules = |direction: &str, peers: &str| {
        spec.list(direction).filter_map(|it| rule(it, peers, specs)).collect()
    };
    let ingress = rules("ingress", "from");
    let egress = rules("egress", "to");
    Some(TierPolicy { object: object.id, tier, priority, subject, ingress, egress })
}

/// `namespaces`, or `pods` with both selectors.
fn pods(node: Node<'_>) -> Option<Spec<'_>> {
    let (namespaces, pods) = match (node.get("namespaces"), node.get("pods")) {
        (Some(it), None) => (Some(it), None),
        (None, Some(it)) => (it.get("namespaceSelector"), it.get("podSelector")),
        _ => return None,
    };
    Some(Spec::Pods { scope: Scope::Selected(selector(namespaces)), pods: selector(pods) })
}

fn selector(node: Option<Node<'_>>) -> Selector<'_> {
    node.map(Selector::parse).unwrap_or_default()
}

fn rule<'d>(node: Node<'d>, peers: &str, specs: &mut Specs<'d>) -> Option<TierRule<'d>> {
    let action = match node.text("action")? {
        "Allow" | "Accept" => Outcome::ALLOW,
        "Deny" => Outcome::DENY,
        "Pass" => Outcome::PASS,
        _ => return None,
    };
    let mut sets = Vec::new();
    let mut is_known = true;
    for peer in node.list(peers) {
        match peer_specs(peer, peers) {
            Some(found) => sets.extend(found.into_iter().map(|it| specs.intern(it))),
            None => is_known = false,
        }
    }
    if is_known {
        let ports = ports(node);
        return Some(TierRule { node, action, peers: Some(sets), ports });
    }
    // "For Accept rules, fail closed means: treat the rule as matching no traffic. For Deny and Pass rules: treat the
    // rule as a 'Deny all' rule."
    let (action, peers) =
        if action == Outcome::ALLOW { (action, Some(Vec::new())) } else { (Outcome::DENY, None) };
    Some(TierRule { node, action, peers, ports: PortSpec::all() })
}

/// Whom a peer means; `None` for one of a kind that nobody knows.
fn peer_specs<'d>(peer: Node<'d>, peers: &str) -> Option<Vec<Spec<'d>>> {
    if peer.count() != 1 {
        return None;
    }
    if let Some(pods) = pods(peer) {
        return Some(vec![pods]);
    }
    // What lies outside the pods can be named as a destination alone.
    if peers != "to" {
        return None;
    }
    if let Some(nodes) = peer.get("nodes") {
        return Some(vec![Spec::Nodes(Selector::parse(nodes))]);
    }
    if peer.get("domainNames").is_some() {
        return Some(vec![Spec::Domain]);
    }
    peer.get("networks")?;
    let blocks = peer.list("networks").filter_map(|it| parse_cidr(it.str()?));
    Some(blocks.map(|cidr| Spec::Network(Block { cidr, except: Vec::new() })).collect())
}

/// `ports` of v1alpha1 and `protocols` of v1alpha2.
fn ports<'d>(rule: Node<'d>) -> PortSpec<'d> {
    let old: Vec<_> = rule.list("ports").collect();
    let new: Vec<_> = rule.list("protocols").collect();
    if old.is_empty() && new.is_empty() {
        return PortSpec::all();
    }
    let mut spec = PortSpec::default();
    let mut numbers = Vec::new();
    for entry in old {
        let protocol = |it: Node<'_>| Protocol::parse(it.text("protocol").unwrap_or("TCP"));
        if let Some(it) = entry.get("portNumber") {
            numbers.extend(
                number(it.get("port")).zip(protocol(it)).map(|(it, of)| Ports::one(of, it)),
            );
        } else if let Some(it) = entry.get("portRange") {
            numbers.extend(protocol(it).and_then(|of| range(it, of)));
        } else {
            spec.names.extend(entry.text("namedPort").map(|it| (it, None)));
        }
    }
    for entry in new {
        spec.names.extend(entry.text("destinationNamedPort").map(|it| (it, None)));
        for protocol in Protocol::ALL {
            let Some(it) = entry.get(&protocol.name().to_lowercase()) else { continue };
            numbers.extend(match it.get("destinationPort") {
                None => Some(Ports::every(protocol)),
                Some(it) => match it.get("range") {
                    Some(it) => range(it, protocol),
                    None => number(it.get("number")).map(|it| Ports::one(protocol, it)),
                },
            });
        }
    }
    spec.numbers.extend(numbers);
    spec
}

fn number(node: Option<Node<'_>>) -> Option<u16> {
    node?.int().and_then(|it| u16::try_from(it).ok()).filter(|it| *it > 0)
}

/// The start lies before the end: one port is a number.
fn range(node: Node<'_>, protocol: Protocol) -> Option<Ports> {
    let (first, last) = (number(node.get("start"))?, number(node.get("end"))?);
    (first < last).then_some(Ports { protocol, first, last })
}

/// What a list of rules makes of every port: the first that fits decides. For each rule: whether the peer fits, what the
/// rule does, and on which ports.
pub(super) fn first_match(
    rules: impl Iterator<Item = (super::verdict::Truth, Outcome, PortSet)>,
) -> PortMap<Outcome> {
    let mut map = PortMap::of(Outcome::NEXT);
    for (truth, action, ports) in rules {
        if map.uniform().is_some_and(|it| !it.may(Outcome::NEXT)) {
            break;
        }
        let mut own = PortMap::of(Outcome::NEXT);
        own.set(&ports, action.provided(truth));
        map = map.with(&own, Outcome::then);
    }
    map
}
