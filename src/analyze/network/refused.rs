//! What the API server refuses of network policies, field by field. A policy that it refuses is refused as a whole, so it
//! is none of those that are judged.

use super::policies::{PeerKind, PortRange, parse_cidr, rule};
use crate::analyze::selection::selector::Selector;
use crate::api::kind::Kind;
use crate::model::Object;
use crate::text::tree::Node;

/// Fields that the API server refuses, and why.
pub type Mistakes<'d> = Vec<(Node<'d>, String)>;

/// After so many mistakes of one policy no more are looked for.
const MOST: usize = 20;

/// What the API server refuses of a network policy of any kind.
pub fn mistakes<'d>(object: &Object<'d>) -> Mistakes<'d> {
    match object.kind {
        Kind::NetworkPolicy => network_policy(object),
        Kind::AdminNetworkPolicy
        | Kind::BaselineAdminNetworkPolicy
        | Kind::ClusterNetworkPolicy => cluster_wide(object),
        _ => Vec::new(),
    }
}

fn network_policy<'d>(object: &Object<'d>) -> Mistakes<'d> {
    let mut mistakes = Vec::new();
    let spec = object.field(&["spec"]);
    if let Some(node) = spec.and_then(|it| it.get("podSelector")) {
        selector(node, &mut mistakes);
    }
    for (at, it) in spec.into_iter().flat_map(|it| it.list("policyTypes")).enumerate() {
        if !matches!(it.str(), Some("Ingress" | "Egress")) {
            mistakes.push((it, "a policy type is `Ingress` or `Egress`".into()));
        } else if at == 2 {
            mistakes.push((it, "there are two policy types at most".into()));
        }
    }
    // What the types leave out counts for nothing, and is looked at all the same.
    for (direction, peers) in [("ingress", "from"), ("egress", "to")] {
        let entries = spec.into_iter().flat_map(|it| it.list(direction));
        for rule in entries.map(|it| rule(it, peers)) {
            if mistakes.len() > MOST {
                return mistakes;
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
    }
    mistakes
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
    if let Some(name) = object.field(&["metadata", "name"]).filter(|_| is_baseline)
        && name.str() != Some("default")
    {
        // `self.metadata.name == 'default'` (baselineadminnetworkpolicy_types.go): there is one at most.
        mistakes.push((name, "the only BaselineAdminNetworkPolicy is called `default`".into()));
    }
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
    spec.get("subject").into_iter().for_each(|it| selectors(it, &mut mistakes));
    let most = if is_new { 25 } else { 100 };
    for (direction, peers) in [("ingress", "from"), ("egress", "to")] {
        for (at, rule) in spec.list(direction).enumerate() {
            if at == most {
                mistakes.push((rule, format!("there are {most} rules at most")));
            }
            if at >= most || mistakes.len() > MOST {
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
            for peer in rule.list(peers) {
                mistakes.extend(kinds_of_peer(peer).map(|why| (peer, why)));
                selectors(peer, &mut mistakes);
                for network in peer.list("networks") {
                    if network.str().and_then(parse_cidr).is_none() {
                        mistakes.push((network, "this is no block of addresses".into()));
                    }
                }
                let names = peer.get("domainNames");
                if let Some(names) = names.filter(|_| matches!(action, Some("Deny" | "Pass"))) {
                    let why = "`domainNames` are for rules that allow";
                    mistakes.push((names, why.into()));
                }
            }
            ports(rule, &mut mistakes);
        }
    }
    mistakes
}

/// A peer has one field, and no more (`MinProperties=1`, `MaxProperties=1`).
fn kinds_of_peer(peer: Node<'_>) -> Option<String> {
    const KNOWN: [&str; 5] = ["namespaces", "pods", "nodes", "networks", "domainNames"];
    let known: Vec<_> = KNOWN.into_iter().filter(|it| peer.get(it).is_some()).collect();
    match known.as_slice() {
        [one, other, ..] => Some(format!("a peer has one field, not `{one}` and `{other}`")),
        [] if peer.count() == 0 => Some("a peer has one field, such as `namespaces`".into()),
        _ => None,
    }
}

/// The selectors of a subject or peer of a policy for the whole cluster.
fn selectors<'d>(of: Node<'d>, mistakes: &mut Mistakes<'d>) {
    let paths: [&[&str]; 4] =
        [&["namespaces"], &["nodes"], &["pods", "namespaceSelector"], &["pods", "podSelector"]];
    paths.iter().filter_map(|it| of.at(it)).for_each(|it| selector(it, mistakes));
}

/// The ports of a rule of a policy for the whole cluster, as either version writes them.
fn ports<'d>(rule: Node<'d>, mistakes: &mut Mistakes<'d>) {
    const PROTOCOLS: [&str; 3] = ["tcp", "udp", "sctp"];
    let old: Vec<_> = rule.list("ports").collect();
    let new = rule.list("protocols");
    let of_new = new.flat_map(|it| {
        PROTOCOLS.into_iter().filter_map(move |key| it.at(&[key, "destinationPort"]))
    });
    let of_new: Vec<_> = of_new.collect();
    let numbers = old.iter().filter_map(|it| it.at(&["portNumber", "port"]));
    for number in numbers.chain(of_new.iter().filter_map(|it| it.get("number"))) {
        if !number.int().is_some_and(|it| (1..=65535).contains(&it)) {
            mistakes.push((number, "a port is a number from 1 to 65535".into()));
        }
    }
    let ranges = old.iter().filter_map(|it| it.get("portRange"));
    for range in ranges.chain(of_new.iter().filter_map(|it| it.get("range"))) {
        let ends = ["start", "end"].map(|it| range.get(it).and_then(Node::int));
        let [Some(start), Some(end)] = ends else { continue };
        if !(1 <= start && start < end && end <= 65535) {
            let why = "a range goes from `start` to a higher `end`, within 1 and 65535";
            mistakes.push((range, why.into()));
        }
    }
    let written = old.iter().filter_map(|it| it.get("portNumber").or(it.get("portRange")));
    for protocol in written.filter_map(|it| it.get("protocol")) {
        if !matches!(protocol.str(), Some("TCP" | "UDP" | "SCTP")) {
            mistakes.push((protocol, "a protocol is `TCP`, `UDP` or `SCTP`".into()));
        }
    }
    for entry in rule.list("protocols").filter(|it| it.count() > 0) {
        let is_known =
            |(key, _): (&str, Node<'_>)| key == "destinationNamedPort" || PROTOCOLS.contains(&key);
        if !entry.pairs().all(is_known) {
            let why = "a protocol is `tcp`, `udp` or `sctp`, or `destinationNamedPort`";
            mistakes.push((entry, why.into()));
        }
    }
}
