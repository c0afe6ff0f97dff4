//! CiliumNetworkPolicy and CiliumClusterwideNetworkPolicy (`cilium.io/v2`).
//!
//! What they allow is allowed beside what NetworkPolicies allow, and what they deny is denied whoever allows it. A policy
//! with a section for a direction isolates whom it selects there
//! (<https://docs.cilium.io/en/stable/security/policy/intro/>, `pkg/policy/api/rule.go`).

use super::condition::Condition;
use super::{Closes, Effects, Read};
use crate::analyze::network::policies::DIRECTIONS;
use crate::analyze::selection::namespaces::NAME_LABEL;
use crate::analyze::selection::selector::{Operator, Requirement, Selector};
use crate::model::Object;
use crate::text::tree::Node;

/// `spec`, and each of `specs`.
pub(in crate::analyze) fn read<'d>(object: &Object<'d>) -> Vec<Read<'d>> {
    let specs = object.root.list("specs");
    object.field(&["spec"]).into_iter().chain(specs).map(|it| spec(object, it)).collect()
}

fn spec<'d>(object: &Object<'d>, spec: Node<'d>) -> Read<'d> {
    let effects = DIRECTIONS.map(|it| effects(spec, &it.to_string()));
    let pods = match spec.get("endpointSelector") {
        Some(it) => endpoints(it),
        // For nodes alone.
        None if spec.get("nodeSelector").is_some() => Condition::Any(Vec::new()),
        None => Condition::Unknown,
    };
    let nodes = spec.get("nodeSelector").is_some();
    Read { nodes, ..Read::of(object, pods, effects) }
}

fn effects(spec: Node<'_>, direction: &str) -> Effects {
    let allowed = spec.get(direction).filter(|it| !it.is_null());
    let denied = spec.get(&format!("{direction}Deny")).filter(|it| !it.is_null());
    // A rule that names nothing selects nothing: `ingress: [{}]` isolates and lets nobody in.
    let says_something = |it: Node<'_>| it.items().any(|it| it.count() > 0);
    let isolates = spec.at(&["enableDefaultDeny", direction]).and_then(Node::bool) != Some(false);
    let closes = match (allowed, denied) {
        (_, Some(it)) if says_something(it) => Closes::Anything,
        (None, None) => Closes::Nothing,
        _ if isolates => Closes::Unisolated,
        _ => Closes::Nothing,
    };
    Effects { opens: allowed.is_some_and(says_something), closes }
}

/// A selector of endpoints: keys say where a label comes from, and labels of the namespace stand among those of the pod
/// (`pkg/labels`, `pkg/k8s/apis/cilium.io/const.go`).
fn endpoints(node: Node<'_>) -> Condition<'_> {
    let selector = Selector::parse(node);
    let mut all: Vec<_> = selector.requirements.into_iter().map(requirement).collect();
    if selector.invalid || !node.is_map() {
        all.push(Condition::Unknown);
    }
    Condition::All(all)
}

fn requirement(it: Requirement<'_>) -> Condition<'_> {
    let Requirement { key, operator } = it;
    let (source, key) = match key.split_once(':') {
        Some((source, key)) => (source, key),
        None => ("any", key),
    };
    match (source, &operator) {
        ("any" | "k8s", _) => {}
        // What is no pod of the user's bears these.
        ("reserved", Operator::In(_) | Operator::Exists) => return Condition::Any(Vec::new()),
        _ => return Condition::Unknown,
    }
    if key == "io.kubernetes.pod.namespace" {
        return Condition::NamespaceLabel(Requirement { key: NAME_LABEL, operator });
    }
    if let Some(key) = key.strip_prefix("io.cilium.k8s.namespace.labels.") {
        return Condition::NamespaceLabel(Requirement { key, operator });
    }
    if key.starts_with("io.cilium.k8s.") {
        return match (key, operator) {
            ("io.cilium.k8s.policy.serviceaccount", Operator::In(it)) => {
                Condition::ServiceAccount(it)
            }
            _ => Condition::Unknown,
        };
    }
    Condition::Label(Requirement { key, operator })
}
