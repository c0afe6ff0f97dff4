//! Peers of network policies that no pod is.

use crate::absence::{Absence, Wanted};
use crate::analyze::network::policies::{
    DIRECTIONS, Direction, NetworkPolicy, Peer, PeerKind, is_in_host_network,
};
use crate::analyze::selection::namespaces::NAME_LABEL;
use crate::analyze::selection::selector::{Operator, Selector};
use crate::api::kind::Kind;
use crate::rule::{
    Admission, Check, Cx, Finding, Group, MAX_REPORTED, Out, Preset, Rule, Severity,
};
use std::collections::BTreeSet;

/// The rule.
pub(super) static RULE: Rule = Rule {
    id: "policy-peer-matches-nothing",
    title: "a peer of a network policy matches no pods",
    severity: Severity::Warning,
    group: Group::Network,
    admission: Admission::Warn,
    presets: &[Preset::Invariants],
    reads: &[Kind::NetworkPolicy, Kind::Namespace],
    like: &["kube-linter:dangling-networkpolicypeer-podselector"],
    parameters: &[],
    page: include_str!("policy_peer_matches_nothing.md"),
    reads_images: None,
    checks: &[Check::World(check)],
};

/// Why a peer is nobody, or what would tell.
enum Nobody {
    /// Certainly; why, and what to do.
    Certain(String, String),
    /// The input does not say.
    CannotTell(String),
}

fn check(cx: &Cx<'_, '_>, out: &mut Out) {
    for policy in cx.facts.policies().iter() {
        let mut certain = Vec::new();
        let mut unknown = BTreeSet::new();
        let peers = DIRECTIONS.into_iter().flat_map(|direction| {
            let rules = policy.rules(direction).unwrap_or_default();
            rules.iter().flat_map(|it| it.peers.iter().flatten()).map(move |it| (direction, it))
        });
        for (direction, peer) in peers {
            match nobody(cx, policy, peer) {
                Some(Nobody::CannotTell(missing)) if unknown.len() < MAX_REPORTED => {
                    unknown.insert(missing);
                }
                Some(Nobody::Certain(why, help)) if certain.len() <= MAX_REPORTED => {
                    certain.push((direction, peer, why, help));
                }
                _ => {}
            }
        }
        for missing in unknown {
            out.cannot_tell(cx.object(policy.object), missing);
        }
        out.find_some(certain.into_iter().map(|(direction, peer, why, help)| {
            finding(cx, policy, direction, peer, &why).help(help)
        }));
    }
}

fn finding(
    cx: &Cx<'_, '_>,
    policy: &NetworkPolicy<'_>,
    direction: Direction,
    peer: &Peer<'_>,
    why: &str,
) -> Finding {
    let object = cx.object(policy.object);
    let does = match direction {
        Direction::Ingress => "lets in",
        Direction::Egress => "lets traffic out to",
    };
    Finding::new(
        format!("`{object}` {does} a peer that does not exist: {why}"),
        object.place(peer.node),
        "matches no pods",
    )
    .note("the entry allows nothing, and an entry that allows nothing is most often one that was meant to allow something")
}

fn nobody(cx: &Cx<'_, '_>, policy: &NetworkPolicy<'_>, peer: &Peer<'_>) -> Option<Nobody> {
    let PeerKind::Pods { namespaces, pods } = &peer.kind else { return None };
    if cx.facts.dns().is_peer(cx.facts, policy.namespace, &peer.kind) {
        return None;
    }
    match (namespaces, pods) {
        (None, None) => None,
        (None, Some(pods)) => in_namespace(cx, policy.namespace, pods),
        (Some(namespaces), pods) => in_namespaces(cx, namespaces, pods.as_ref()),
    }
}

/// Peers in one namespace, by their labels.
fn in_namespace(cx: &Cx<'_, '_>, namespace: &str, pods: &Selector<'_>) -> Option<Nobody> {
    if pods.is_empty() {
        return None;
    }
    let found = cx.facts.workloads().select(namespace, pods);
    if found.iter().any(|(it, _)| !is_in_host_network(it)) {
        return None;
    }
    if let Some((workload, _)) = found.first() {
        let object = cx.object(workload.object);
        return Some(Nobody::CannotTell(format!(
            "whether the network plugin tells the pods of `{object}`, in the host's network, from their nodes"
        )));
    }
    if namespace == "kube-system" {
        return Some(Nobody::CannotTell(format!(
            "the pods `{pods}` of namespace `kube-system`: the cluster brings its own"
        )));
    }
    match cx.absence_of(Wanted::Pods { namespace, selector: pods }) {
        Absence::Elsewhere => None,
        Absence::CannotTell(missing) => Some(Nobody::CannotTell(missing)),
        Absence::Absent => Some(Nobody::Certain(
            format!("no pods of namespace `{namespace}` have the labels `{pods}`"),
            "select labels that the peer's pods carry, or delete the entry".into(),
        )),
    }
}

/// Peers in the namespaces that carry certain labels.
fn in_namespaces(
    cx: &Cx<'_, '_>,
    namespaces: &Selector<'_>,
    pods: Option<&Selector<'_>>,
) -> Option<Nobody> {
    let found = cx.facts.namespaces().select(namespaces);
    let Some(pods) = pods.filter(|it| !it.is_empty()) else {
        return if found.is_empty() { no_namespace(cx, namespaces) } else { None };
    };
    if found.is_empty() {
        return no_namespace(cx, namespaces);
    }
    let mut worst = None;
    for name in &found {
        match in_namespace(cx, name, pods) {
            None => return None,
            Some(Nobody::CannotTell(it)) => worst = Some(it),
            Some(Nobody::Certain(..)) => {}
        }
    }
    if let Some(missing) = worst {
        return Some(Nobody::CannotTell(missing));
    }
    // A selector that lists names or asks for a label means namespaces that its author knows; one that takes every
    // namespace, or every one but some, means those of the cluster too.
    let is_open = !namespaces
        .requirements
        .iter()
        .any(|it| matches!(it.operator, Operator::In(_) | Operator::Exists));
    let named = names(namespaces).unwrap_or_default();
    let mut missing = named.iter().filter(|it| {
        !found.contains(it)
            && cx.absence_of(Wanted::object(Kind::Namespace, "", it)) != Absence::Absent
    });
    let missing = missing.next();
    if missing.is_some() || is_open && !cx.is_whole() {
        let of = match missing {
            None => format!("the namespaces `{namespaces}`"),
            Some(first) => format!("namespace `{first}`"),
        };
        return Some(Nobody::CannotTell(format!(
            "the pods `{pods}` of {of}: other manifests may bring them"
        )));
    }
    let found: Vec<_> = found.iter().map(|it| format!("`{it}`")).collect();
    Some(Nobody::Certain(
        format!(
            "no pods of {} {} have the labels `{pods}`",
            if found.len() == 1 { "namespace" } else { "namespaces" },
            found.join(", ")
        ),
        "select labels that the peer's pods carry, or delete the entry".into(),
    ))
}

/// What to say where no namespace of the input carries the labels.
fn no_namespace(cx: &Cx<'_, '_>, selector: &Selector<'_>) -> Option<Nobody> {
    let certain = |help: String| {
        Some(Nobody::Certain(format!("no namespace has the labels `{selector}`"), help))
    };
    // The name is the label that people forget to set: Kubernetes sets another.
    for requirement in &selector.requirements {
        let Operator::In(values) = &requirement.operator else { continue };
        let defined = values
            .iter()
            .find(|it| cx.facts.namespaces().get(it).is_some_and(|it| it.object.is_some()));
        if let ("name", Some(name)) = (requirement.key, defined) {
            return certain(format!(
                "select `{NAME_LABEL}: {name}`, which Kubernetes sets on every namespace, or set `name: {name}` on the Namespace"
            ));
        }
        if let (NAME_LABEL, Some(_)) = (requirement.key, defined) {
            return certain("select labels that the Namespace carries".into());
        }
    }
    let names = names(selector).unwrap_or_default();
    let name = names.first().map_or(selector.to_string(), ToString::to_string);
    match cx.absence_of(Wanted::object(Kind::Namespace, "", &name)) {
        Absence::Elsewhere => None,
        Absence::CannotTell(missing) => Some(Nobody::CannotTell(missing)),
        Absence::Absent => {
            certain("select labels that a Namespace carries, or delete the entry".into())
        }
    }
}

/// The only names that a namespace which the selector selects may have, if it says.
fn names<'d>(selector: &Selector<'d>) -> Option<Vec<&'d str>> {
    selector.requirements.iter().find_map(|it| match &it.operator {
        Operator::In(values) if it.key == NAME_LABEL => Some(values.clone()),
        _ => None,
    })
}
