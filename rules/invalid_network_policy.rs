//! Network policies that the API server refuses, field by field.

use crate::analyze::policies::{DIRECTIONS, PeerKind, PortRange, parse_cidr};
use crate::analyze::selector::Selector;
use crate::model::Object;
use crate::model::kind::Kind;
use crate::rule::{Admission, Cx, Finding, Group, Out, Rule, Severity};
use crate::tree::Node;

/// The rule.
pub(super) static RULE: Rule = Rule {
    id: "invalid-network-policy",
    title: "a network policy says what the API server refuses",
    severity: Severity::Error,
    group: Group::Network,
    admission: Admission::Deny,
    reads: &[
        Kind::NetworkPolicy,
        Kind::AdminNetworkPolicy,
        Kind::BaselineAdminNetworkPolicy,
        Kind::ClusterNetworkPolicy,
    ],
    like: &[],
    parameters: &[],
    page: include_str!("invalid_network_policy.md"),
    check,
};

/// So many mistakes of one policy are told.
const TOLD: usize = 20;

type Mistakes<'d> = Vec<(Node<'d>, String)>;

fn check(cx: &Cx<'_, '_>, out: &mut Out) {
    for policy in cx.facts.policies().iter() {
        let object = cx.object(policy.object);
        let mut mistakes = Vec::new();
        let spec = object.field(&["spec"]);
        if let Some(node) = spec.and_then(|it| it.get("podSelector")) {
            selector(node, &mut mistakes);
        }
        for it in spec.into_iter().flat_map(|it| it.list("policyTypes")) {
            if !matches!(it.str(), Some("Ingress" | "Egress")) {
                mistakes.push((it, "a policy type is `Ingress` or `Egress`".into()));
            }
        }
        for rule in DIRECTIONS.iter().flat_map(|it| policy.rules(*it).unwrap_or_default()) {
            if mistakes.len() > TOLD {
                break;
            }
            let peers = rule.peers.iter().flatten();
            for it in peers.filter(|it| matches!(it.kind, PeerKind::Invalid)) {
                peer(it.node, &mut mistakes);
            }
            let ports = rule.ports.iter().flatten();
            for it in ports.filter(|it| it.ports == PortRange::Invalid) {
                mistakes.push(port(it.node));
            }
        }
        tell(object, mistakes, out);
    }
    for kind in
        [Kind::AdminNetworkPolicy, Kind::BaselineAdminNetworkPolicy, Kind::ClusterNetworkPolicy]
    {
        for object in cx.model.of_kind(kind) {
            tell(object, cluster_wide(object), out);
        }
    }
}

fn tell(object: &Object<'_>, mistakes: Mistakes<'_>, out: &mut Out) {
    let more = mistakes.len() > TOLD;
    for (node, why) in mistakes.into_iter().take(TOLD) {
        let message = format!("`{object}` is refused by the API server: {why}");
        let mut finding = Finding::new(message, object.place(node), "refused");
        if more {
            finding =
                finding.note(format!("only the first {TOLD} mistakes of the policy are told"));
        }
        out.find(finding.note(
            "the whole policy is refused, and what an earlier version of it allowed stays as it is",
        ));
    }
}

fn selector<'d>(node: Node<'d>, mistakes: &mut Mistakes<'d>) {
    if !Selector::parse(node).invalid {
        return;
    }
    for it in node.list("matchExpressions") {
        let has_values = it.list("values").next().is_some();
        let why = match (it.text("operator"), has_values) {
            _ if it.text("key").is_none_or(str::is_empty) => "an expression needs a `key`",
            (Some("In" | "NotIn"), false) => "`In` and `NotIn` need `values`",
            (Some("Exists" | "DoesNotExist"), true) => {
                "`Exists` and `DoesNotExist` have no `values`"
            }
            (Some("In" | "NotIn" | "Exists" | "DoesNotExist"), _) => continue,
            _ => "an operator is `In`, `NotIn`, `Exists` or `DoesNotExist`",
        };
        mistakes.push((it.get("operator").unwrap_or(it), why.into()));
    }
}

fn peer<'d>(node: Node<'d>, mistakes: &mut Mistakes<'d>) {
    let selectors = ["namespaceSelector", "podSelector"].map(|it| node.get(it));
    let Some(block) = node.get("ipBlock") else {
        if selectors.iter().all(Option::is_none) {
            mistakes.push((node, "a peer has a selector or an `ipBlock`".into()));
        }
        selectors.into_iter().flatten().for_each(|it| selector(it, mistakes));
        return;
    };
    if selectors.iter().any(Option::is_some) {
        mistakes.push((block, "a peer has selectors or an `ipBlock`, not both".into()));
        return;
    }
    let Some(cidr) = block.text("cidr").and_then(parse_cidr) else {
        let node = block.get("cidr").unwrap_or(block);
        mistakes.push((node, "`cidr` is no block of addresses".into()));
        return;
    };
    for it in block.list("except") {
        match it.str().and_then(parse_cidr) {
            None => mistakes.push((it, "this is no block of addresses".into())),
            Some(hole) if !cidr.contains(&hole) || hole.prefix_len() <= cidr.prefix_len() => {
                mistakes.push((it, format!("`except` lies in `{cidr}` and is smaller")));
            }
            Some(_) => {}
        }
    }
}

fn port(node: Node<'_>) -> (Node<'_>, String) {
    if let Some(it) = node.get("protocol")
        && !matches!(it.str(), Some("TCP" | "UDP" | "SCTP"))
    {
        return (it, "a protocol is `TCP`, `UDP` or `SCTP`".into());
    }
    let number = |it: Node<'_>| it.int().filter(|it| (1..=65535).contains(it));
    match (node.get("port"), node.get("endPort")) {
        (None, Some(end)) => (end, "`endPort` needs `port`".into()),
        (Some(port), Some(end)) if port.str().is_some() => {
            (end, "`endPort` needs a `port` that is a number".into())
        }
        (Some(port), Some(end)) if number(port).is_some() => {
            (end, "`endPort` is a number from `port` to 65535".into())
        }
        (Some(port), _) if port.str().is_some() => {
            (port, "a port in quotes is a name: up to 15 of a-z, 0-9 and -, with a letter".into())
        }
        (port, _) => (port.unwrap_or(node), "a port is a number from 1 to 65535, or a name".into()),
    }
}

/// The mistakes of a policy for the whole cluster.
fn cluster_wide<'d>(object: &Object<'d>) -> Mistakes<'d> {
    let mut mistakes = Vec::new();
    let Some(spec) = object.field(&["spec"]) else { return mistakes };
    let is_baseline = object.kind == Kind::BaselineAdminNetworkPolicy;
    let is_new = object.kind == Kind::ClusterNetworkPolicy;
    let priority = spec.get("priority");
    if !is_baseline && !priority.and_then(Node::int).is_some_and(|it| (0..=1000).contains(&it)) {
        mistakes.push((priority.unwrap_or(spec), "`priority` is a number from 0 to 1000".into()));
    }
    if is_new && !matches!(spec.text("tier"), Some("Admin" | "Baseline")) {
        let node = spec.get("tier").unwrap_or(spec);
        mistakes.push((node, "`tier` is `Admin` or `Baseline`".into()));
    }
    if spec.get("subject").is_none_or(|it| it.count() != 1) {
        let node = spec.get("subject").unwrap_or(spec);
        mistakes.push((node, "`subject` has either `namespaces` or `pods`".into()));
    }
    let most = if is_new { 25 } else { 100 };
    for (direction, peers) in [("ingress", "from"), ("egress", "to")] {
        for (at, rule) in spec.list(direction).enumerate() {
            if at == most {
                mistakes.push((rule, format!("there are {most} rules at most")));
            }
            if at >= most || mistakes.len() > TOLD {
                break;
            }
            let action = rule.text("action");
            let is_known = match action {
                Some("Deny") => true,
                Some("Allow") => !is_new,
                Some("Accept") => is_new,
                Some("Pass") => !is_baseline,
                _ => false,
            };
            if !is_known {
                let node = rule.get("action").unwrap_or(rule);
                let actions = match (is_new, is_baseline) {
                    (true, _) => "`Accept`, `Deny` or `Pass`",
                    (_, true) => "`Allow` or `Deny`",
                    _ => "`Allow`, `Deny` or `Pass`",
                };
                mistakes.push((node, format!("an action is {actions}")));
            }
            if rule.list(peers).next().is_none() {
                mistakes.push((rule, format!("a rule needs a peer under `{peers}`")));
            }
            for network in rule.list(peers).flat_map(|it| it.list("networks")) {
                if network.str().and_then(parse_cidr).is_none() {
                    mistakes.push((network, "this is no block of addresses".into()));
                }
            }
            for range in ranges(rule) {
                let ends = ["start", "end"].map(|it| range.get(it).and_then(Node::int));
                let [Some(start), Some(end)] = ends else { continue };
                if !(1 <= start && start < end && end <= 65535) {
                    let why = "a range goes from `start` to a higher `end`, within 1 and 65535";
                    mistakes.push((range, why.into()));
                }
            }
        }
    }
    mistakes
}

fn ranges(rule: Node<'_>) -> impl Iterator<Item = Node<'_>> {
    let old = rule.list("ports").filter_map(|it| it.get("portRange"));
    let new = rule.list("protocols").flat_map(|it| {
        let each = ["tcp", "udp", "sctp"].into_iter();
        each.filter_map(move |key| it.at(&[key, "destinationPort", "range"]))
    });
    old.chain(new)
}
