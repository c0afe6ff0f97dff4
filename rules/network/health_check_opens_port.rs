//! Policies for health checks that open the port of the application.

use crate::analyze::network::policies::{
    Direction, NetworkPolicy, Peer, PeerKind, PortRange, TrafficRule,
};
use crate::analyze::selection::selector::Selector;
use crate::analyze::selection::services::Service;
use crate::analyze::selection::workloads::WorkloadId;
use crate::api::kind::Kind;
use crate::rule::{Admission, Check, Cx, Finding, Group, Out, Place, Preset, Rule, Severity};
use rustc_hash::FxHashMap;
use std::collections::BTreeSet;

/// The rule.
pub(super) static RULE: Rule = Rule {
    id: "health-check-opens-port",
    title: "a network policy for health checks opens the port of the application to all",
    severity: Severity::Warning,
    group: Group::Network,
    admission: Admission::Warn,
    presets: &[Preset::Invariants],
    reads: &[
        Kind::GRPCRoute,
        Kind::HTTPRoute,
        Kind::Ingress,
        Kind::NetworkPolicy,
        Kind::Route,
        Kind::Service,
        Kind::TCPRoute,
        Kind::TLSRoute,
        Kind::UDPRoute,
    ],
    like: &[],
    parameters: &[],
    page: include_str!("health_check_opens_port.md"),
    reads_images: None,
    checks: &[Check::World(check)],
};

fn check(cx: &Cx<'_, '_>, out: &mut Out) {
    let for_health = |it: &&NetworkPolicy<'_>| is_for_health_checks(cx.object(it.object).name);
    let mut policies = cx.facts.policies().iter().filter(for_health).peekable();
    if policies.peek().is_none() {
        return;
    }
    let routed = routed(cx);
    for policy in policies {
        let rules = policy.rules(Direction::Ingress).unwrap_or_default();
        for rule in rules.iter().filter(|it| is_for_all(it)) {
            judge(cx, policy, rule, &routed, out);
        }
    }
}

/// `allow-health-checks`, `kubelet-probes`; `healthcare` is another matter.
fn is_for_health_checks(name: &str) -> bool {
    const WORDS: [&str; 10] = [
        "health",
        "healthcheck",
        "healthchecks",
        "healthz",
        "liveness",
        "livez",
        "probe",
        "probes",
        "readiness",
        "readyz",
    ];
    name.split(['-', '.']).any(|it| WORDS.contains(&it))
}

/// Whether an entry is for everybody, or for every pod of the cluster.
fn is_for_all(rule: &TrafficRule<'_>) -> bool {
    rule.peers.as_ref().is_none_or(|it| it.iter().any(is_everybody))
}

fn is_everybody(peer: &Peer<'_>) -> bool {
    match &peer.kind {
        PeerKind::Pods { namespaces, pods } => {
            namespaces.as_ref().is_some_and(Selector::is_empty)
                && pods.as_ref().is_none_or(Selector::is_empty)
        }
        PeerKind::Block { cidr, except } => cidr.prefix_len() == 0 && except.is_empty(),
        PeerKind::Invalid => false,
    }
}

/// Where a port is written to be for more than health checks, and what is said of it there.
type Use = (Place, String);

/// The ports that Ingresses and routes lead to.
type Routed = FxHashMap<(WorkloadId, i64), Use>;

fn routed(cx: &Cx<'_, '_>) -> Routed {
    let mut routed = Routed::default();
    for backend in cx.facts.backends() {
        let Some(service) = cx.facts.services().find(backend.namespace, backend.service) else {
            continue;
        };
        for port in backend.ports(cx.model, service) {
            for (workload, _) in service.selects.iter() {
                let Some(number) = port.on(cx.facts.ports(*workload)) else { continue };
                routed.entry((*workload, number)).or_insert_with(|| {
                    let object = cx.object(backend.object);
                    (object.place(backend.name), format!("leads to port {number}"))
                });
            }
        }
    }
    routed
}

fn judge(
    cx: &Cx<'_, '_>,
    policy: &NetworkPolicy<'_>,
    rule: &TrafficRule<'_>,
    routed: &Routed,
    out: &mut Out,
) {
    // An entry without ports opens everything, and other rules say so.
    for entry in rule.ports.iter().flatten() {
        let opened = policy.selects.iter().find_map(|(workload, _)| {
            let ports = uses(cx, policy, *workload, routed);
            let is_open = |number: i64| {
                let name = cx.facts.ports(*workload).numbered(number, "TCP").and_then(|it| it.name);
                u16::try_from(number).is_ok_and(|it| entry.opens("TCP", it, name))
            };
            let (number, of) = ports.into_iter().find(|it| is_open(it.0))?;
            Some((*workload, number, of))
        });
        let Some((workload, number, (place, text))) = opened else { continue };
        let object = cx.object(policy.object);
        let pods = cx.object(cx.facts.workloads().get(workload).object);
        let message = format!(
            "`{object}` is for health checks and opens port {number} of `{pods}` to everybody, whatever they ask for"
        );
        out.find(
            Finding::new(message, object.place(entry.node), format!("port {number}, from anywhere"))
                .label(place, text)
                .label(pods.whole(), "these pods answer")
                .guessed()
                .note("a policy sees ports and no paths: who may ask for `/health` may ask for everything else on this port")
                .note("the kubelet's probes need no policy: what comes from a pod's own node is always let in")
                .help("answer health checks on a port of their own and open that; or name who asks"),
        );
    }
}

/// The ports of a workload that are for more than health checks; none where a Service opens them to the outside anyway.
fn uses(
    cx: &Cx<'_, '_>,
    policy: &NetworkPolicy<'_>,
    workload: WorkloadId,
    routed: &Routed,
) -> Vec<(i64, Use)> {
    let services: Vec<_> = cx.facts.services().of_workload(workload).collect();
    if services.iter().any(|it| is_public(cx, it)) {
        return Vec::new();
    }
    let numbers = |it: &Service<'_>| -> Vec<i64> {
        it.ports.iter().filter_map(|it| it.on(cx.facts.ports(workload))).collect()
    };
    let served: BTreeSet<i64> = services.iter().flat_map(|it| numbers(it)).collect();
    let mut uses = Vec::new();
    for number in &served {
        if let Some((place, text)) = routed.get(&(workload, *number)) {
            uses.push((*number, (place.clone(), text.clone())));
        } else if let Some(of) = named_peers(cx, policy, workload, *number) {
            uses.push((*number, of));
        } else if let (1, Some(service)) = (served.len(), services.first()) {
            let text = format!("leads to port {number}, the only one");
            uses.push((*number, (cx.object(service.object).at("spec.ports"), text)));
        }
    }
    uses
}

/// Whether a Service is open to whoever reaches a node or a load balancer.
fn is_public(cx: &Cx<'_, '_>, service: &Service<'_>) -> bool {
    let kind = cx.object(service.object).field(&["spec", "type"]).and_then(|it| it.str());
    matches!(kind, Some("LoadBalancer" | "NodePort"))
}

/// Another entry that opens the very port to peers whom it names.
fn named_peers(
    cx: &Cx<'_, '_>,
    policy: &NetworkPolicy<'_>,
    workload: WorkloadId,
    number: i64,
) -> Option<Use> {
    let is_it = |it: &PortRange<'_>| match it {
        PortRange::Numbers(first, last) => first == last && i64::from(*first) == number,
        PortRange::Named(name) => {
            cx.facts.ports(workload).named(name, "TCP").is_some_and(|it| it.number == number)
        }
        PortRange::All | PortRange::Invalid => false,
    };
    let others = cx.facts.policies().isolating(workload, Direction::Ingress);
    let others = others.filter(|(it, _)| it.id != policy.id);
    let mut rules = others.flat_map(|(it, _)| {
        it.ingress.iter().flatten().map(move |rule| (cx.object(it.object), rule))
    });
    rules.find_map(|(object, rule)| {
        let names_peers = !is_for_all(rule);
        let mut entries = rule.ports.iter().flatten();
        let entry = entries.find(|it| names_peers && is_it(&it.ports))?;
        Some((object.place(entry.node), format!("names who may reach port {number}, in vain")))
    })
}
