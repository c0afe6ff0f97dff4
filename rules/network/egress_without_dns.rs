//! Pods whose egress is restricted and that may not ask the cluster's DNS.

use crate::absence::Wanted;
use crate::analyze::network::dns::Reach;
use crate::analyze::network::other_policies::why;
use crate::analyze::network::policies::{
    Direction, NetworkPolicy, Peer, PeerKind, PolicyId, PortRange,
};
use crate::analyze::network::reach::{Above, Effect};
use crate::analyze::selection::workloads::{Workload, WorkloadId};
use crate::api::kind::Kind;
use crate::api::network::Plugin;
use crate::model::ObjId;
use crate::rule::{Admission, Check, Cx, Finding, Group, Out, Preset, Rule, Severity};
use std::collections::{BTreeMap, BTreeSet};

/// The rule.
pub(super) static RULE: Rule = Rule {
    id: "egress-without-dns",
    title: "network policies restrict egress and leave out DNS",
    severity: Severity::Error,
    group: Group::Network,
    admission: Admission::Deny,
    presets: &[Preset::Invariants],
    reads: &[
        Kind::AdminNetworkPolicy,
        Kind::BaselineAdminNetworkPolicy,
        Kind::ClusterNetworkPolicy,
        Kind::Custom,
        Kind::Namespace,
        Kind::NetworkPolicy,
    ],
    like: &[],
    parameters: &[],
    page: include_str!("egress_without_dns.md"),
    reads_images: None,
    checks: &[Check::World(check)],
};

/// The policies that isolate a workload for egress, and whether they let it out to the DNS.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Way {
    policies: Vec<PolicyId>,
    udp: Reach,
    tcp: Reach,
    /// A policy of a kind that is not judged, which may let it out.
    other: Option<ObjId>,
}

fn check(cx: &Cx<'_, '_>, out: &mut Out) {
    // Workloads under the same policies have the same way, and are told of together.
    let mut ways: BTreeMap<Way, Vec<WorkloadId>> = BTreeMap::new();
    let mut connected = BTreeSet::new();
    for workload in cx.facts.workloads().iter() {
        let Some(way) = way(cx, workload) else { continue };
        if way.udp != Reach::Closed {
            connected.insert(workload.namespace);
        }
        ways.entry(way).or_default().push(workload.id);
    }
    let above = Above::new(cx.model);
    for (way, mut workloads) in ways {
        if way.udp == Reach::Open && way.tcp == Reach::Open {
            continue;
        }
        // In which order they were read says nothing.
        workloads
            .sort_by_cached_key(|it| cx.object(cx.facts.workloads().get(*it).object).to_string());
        let mut policies: Vec<_> =
            way.policies.iter().map(|it| cx.facts.policies().get(*it)).collect();
        policies.sort_by_key(|it| cx.object(it.object).name);
        let namespace = policies.first().map_or("", |it| it.namespace);
        if is_meant(&policies, connected.contains(namespace)) {
            continue;
        }
        // The policy that names the pods is the one that forgot.
        let first = policies.iter().find(|it| !it.selects_all()).or(policies.first());
        let Some(first) = first else { continue };
        let object = cx.object(first.object);
        if let Some(on_what) = unsure(&way) {
            let whose = names(cx, &workloads);
            out.cannot_tell(
                object,
                format!("whether {whose} may ask the cluster's DNS: {on_what}"),
            );
            continue;
        }
        if let Some(other) = way.other {
            let (whose, who) = (names(cx, &workloads), why(cx.object(other)));
            out.cannot_tell(object, format!("whether {whose} may ask the cluster's DNS: {who}"));
            continue;
        }
        // A policy of the cluster that allows something is asked before those of the namespace.
        let opens = |it: &WorkloadId| {
            let workload = cx.facts.workloads().get(*it);
            above.of_workload(cx.facts, workload, Direction::Egress, Effect::Opens)
        };
        if let Some(policy) = workloads.iter().find_map(opens) {
            let missing = format!(
                "whether `{}` allows DNS before the NetworkPolicies are asked",
                cx.object(policy)
            );
            out.cannot_tell(object, missing);
            continue;
        }
        out.report_absent(object, cx.absence_of(Wanted::Policies { namespace }), || {
            finding(cx, &way, &policies, first, &workloads)
        });
    }
}

/// `None` where nothing restricts a workload's egress, or it does not ask the cluster's DNS.
fn way(cx: &Cx<'_, '_>, workload: &Workload<'_>) -> Option<Way> {
    let dns = cx.facts.dns();
    // `Default` is the node's resolver, `None` names its own.
    let asks_cluster = !matches!(workload.pod.text("dnsPolicy"), Some("Default" | "None"));
    let isolating = cx.facts.policies().isolating(workload.id, Direction::Egress);
    let policies: Vec<_> = isolating.map(|(it, _)| it).collect();
    if !asks_cluster || dns.is_server(workload.id) || policies.is_empty() {
        return None;
    }
    let rules = policies.iter().flat_map(|policy| {
        policy.egress.iter().flatten().map(move |rule| (policy.namespace, rule))
    });
    let rules: Vec<_> = rules.collect();
    let reach = |protocol| dns.reach(cx.facts, &rules, protocol);
    let (udp, tcp) = (reach("UDP"), reach("TCP"));
    let other = cx.facts.other_policies().opening(workload.id, Direction::Egress);
    Some(Way { policies: policies.iter().map(|it| it.id).collect(), udp, tcp, other })
}

/// Who may send nothing at all needs no names. That is meant where a policy singles the pods out, or where others of the
/// namespace may ask; a lone default deny more likely forgot.
fn is_meant(policies: &[&NetworkPolicy<'_>], is_namespace_connected: bool) -> bool {
    let sends_nothing = policies.iter().all(|it| it.egress.as_ref().is_none_or(Vec::is_empty));
    sends_nothing && (is_namespace_connected || policies.iter().any(|it| !it.selects_all()))
}

fn unsure(way: &Way) -> Option<&'static str> {
    match (way.udp, way.tcp) {
        (Reach::Unsure(on_what), _) | (Reach::Open, Reach::Unsure(on_what)) => Some(on_what),
        _ => None,
    }
}

const UNRESOLVED: &str = "the names that it looks up do not resolve";

fn finding(
    cx: &Cx<'_, '_>,
    way: &Way,
    policies: &[&NetworkPolicy<'_>],
    first: &NetworkPolicy<'_>,
    workloads: &[WorkloadId],
) -> Finding {
    let is_one = workloads.len() == 1;
    let whose = names(cx, workloads);
    let object = cx.object(first.object);
    let rules = policies.iter().flat_map(|policy| {
        policy.egress.iter().flatten().map(move |rule| (policy.namespace, rule))
    });
    let (whom_to, [port_udp, port_tcp]) =
        cx.facts.dns().advice(cx.facts, &rules.collect::<Vec<_>>());
    let numbers = match port_udp == port_tcp {
        true => format!("UDP and TCP port {port_udp} are closed"),
        false => format!("UDP port {port_udp} and TCP port {port_tcp} are closed"),
    };
    let (message, why, ports, effect, severity) = match (way.udp, way.tcp) {
        (Reach::Open, _) => (
            format!(
                "{whose} may ask the cluster's DNS over UDP alone: TCP port {port_tcp} is closed"
            ),
            "an answer that does not fit into a datagram is asked for again over TCP, and then never comes",
            format!("TCP {port_tcp}"),
            "long answers do not arrive",
            Severity::Warning,
        ),
        (_, Reach::Open) => (
            format!(
                "{whose} may ask the cluster's DNS over TCP alone: UDP port {port_udp} is closed"
            ),
            "resolvers ask over UDP, and few go on to TCP when nothing answers",
            format!("UDP {port_udp}"),
            UNRESOLVED,
            Severity::Error,
        ),
        _ => (
            format!("{whose} may not ask the cluster's DNS: {numbers}"),
            "no name resolves, those of the peers that the policies allow included",
            format!("UDP {port_udp} and TCP {port_tcp}"),
            UNRESOLVED,
            Severity::Error,
        ),
    };
    let field = if object.field(&["spec", "egress"]).is_some() { "egress" } else { "policyTypes" };
    let place = object.at(&format!("spec.{field}"));
    let mut finding =
        Finding::new(message, place, format!("leaves out {ports}")).severity(severity);
    for policy in policies.iter().filter(|it| it.id != first.id).take(4) {
        finding = finding.label(cx.object(policy.object).whole(), "so does this");
    }
    for workload in workloads.iter().take(8) {
        let place = cx.object(cx.facts.workloads().get(*workload).object).whole();
        finding = finding.label(place, effect);
    }
    if [port_udp, port_tcp] != [53; 2] {
        finding = finding.note(
            "the DNS pods do not listen on 53, and policies are asked once the Service's port has become theirs",
        );
    }
    // Where NodeLocal DNSCache answers in place of the DNS pods, their selector may not be enough.
    let addresses = cx.facts.dns().cache_addresses();
    let cache = match addresses.first() {
        Some(it) => format!(", and to `{it}`, where NodeLocal DNSCache answers"),
        None => String::new(),
    };
    let whom = if is_one { "it" } else { "them" };
    let isolate = match policies.len() {
        1 => format!("`{object}` isolates {whom} for egress"),
        count => format!("{count} policies isolate {whom} for egress"),
    };
    let is_block = |it: &Peer<'_>| matches!(it.kind, PeerKind::Block { .. });
    let mut rules = policies.iter().flat_map(|it| it.egress.iter().flatten());
    if cx.policy.network.plugin == Plugin::Cilium
        && rules.any(|it| it.peers.iter().flatten().any(is_block))
    {
        finding = finding.note("to Cilium a block of addresses never means pods");
    }
    finding
        .awaits(&[Kind::NetworkPolicy])
        .note(format!("{isolate}; what is allowed: {}", allowed(policies)))
        .note(why)
        .help(format!("allow egress on {ports} to {whom_to}{cache}"))
}

/// The ports that the policies let out, in short.
fn allowed(policies: &[&NetworkPolicy<'_>]) -> String {
    let rules = policies.iter().flat_map(|it| it.egress.iter().flatten());
    let mut ports = BTreeSet::new();
    for rule in rules {
        let Some(entries) = &rule.ports else {
            ports.insert((0, "every port of some peers".to_string()));
            continue;
        };
        for it in entries {
            let protocol = it.protocol;
            ports.insert(match it.ports {
                PortRange::Invalid => continue,
                PortRange::All => (0, format!("all of {protocol}")),
                PortRange::Named(name) => (1, format!("{protocol} `{name}`")),
                PortRange::Numbers(first, last) if first == last => {
                    (u32::from(first), format!("{protocol} {first}"))
                }
                PortRange::Numbers(first, last) => {
                    (u32::from(first), format!("{protocol} {first} to {last}"))
                }
            });
        }
    }
    if ports.is_empty() {
        return "nothing".into();
    }
    let more = ports.len().saturating_sub(12);
    let shown: Vec<_> = ports.into_iter().take(12).map(|(_, it)| it).collect();
    let more = if more > 0 { format!(" and {more} more") } else { String::new() };
    format!("{}{more}", shown.join(", "))
}

/// The workloads in words: all of up to three, else two and how many more.
fn names(cx: &Cx<'_, '_>, workloads: &[WorkloadId]) -> String {
    let name = |it: &WorkloadId| format!("`{}`", cx.object(cx.facts.workloads().get(*it).object));
    match workloads {
        [one] => name(one),
        [one, two] => format!("{} and {}", name(one), name(two)),
        [one, two, three] => format!("{}, {} and {}", name(one), name(two), name(three)),
        [one, two, rest @ ..] => {
            format!("{}, {} and {} more", name(one), name(two), rest.len())
        }
        [] => String::new(),
    }
}
