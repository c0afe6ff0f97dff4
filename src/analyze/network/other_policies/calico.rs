//! NetworkPolicy and GlobalNetworkPolicy of Calico (`projectcalico.org/v3`).
//!
//! In a tier policies are asked in their order, and a pod that any of them selects is denied what none of them allows.
//! NetworkPolicies stand in the default tier with the order 1000
//! (<https://docs.tigera.io/calico/latest/reference/resources/networkpolicy>).

use super::condition::Condition;
use super::expression;
use super::{Closes, Effects, Read};
use crate::analyze::network::policies::{DIRECTIONS, Direction};
use crate::model::Object;
use crate::text::tree::{Node, Value};

pub(in crate::analyze) fn read<'d>(object: &Object<'d>) -> Vec<Read<'d>> {
    let Some(spec) = object.field(&["spec"]) else { return Vec::new() };
    let is_global = object.kind_name == "GlobalNetworkPolicy";
    let mut all = vec![of(spec, "selector", expression::pods)];
    if is_global {
        all.push(of(spec, "namespaceSelector", expression::namespaces));
    }
    if is_some(spec, "serviceAccountSelector") {
        all.push(Condition::Unknown);
    }
    let effects = DIRECTIONS.map(|it| effects(spec, it));
    // A global one is for host endpoints, too, unless it asks for a namespace.
    let nodes = is_global && !is_some(spec, "namespaceSelector");
    vec![Read { nodes, ..Read::of(object, Condition::All(all), effects) }]
}

fn is_some(spec: Node<'_>, field: &str) -> bool {
    spec.text(field).is_some_and(|it| !it.trim().is_empty())
}

fn of<'d>(
    spec: Node<'d>,
    field: &str,
    parse: impl Fn(&'d str) -> Option<Condition<'d>>,
) -> Condition<'d> {
    match spec.text(field) {
        Some(text) if !text.trim().is_empty() => parse(text).unwrap_or(Condition::Unknown),
        _ => Condition::Yes,
    }
}

/// Without types a policy is for egress if it has rules for it, and for ingress if it has rules for it or none at all.
fn is_for(spec: Node<'_>, direction: Direction) -> bool {
    let types: Vec<_> = spec.list("types").filter_map(Node::str).collect();
    if !types.is_empty() {
        return types.iter().any(|it| it.eq_ignore_ascii_case(&direction.to_string()));
    }
    let has = |it: &str| spec.list(it).next().is_some();
    match direction {
        Direction::Ingress => has("ingress") || !has("egress"),
        Direction::Egress => has("egress"),
    }
}

fn effects(spec: Node<'_>, direction: Direction) -> Effects {
    if !is_for(spec, direction) {
        return Effects::default();
    }
    let name = direction.to_string();
    let actions = || spec.list(&name).map(|it| it.text("action").unwrap_or_default());
    // A later tier, or the profile that allows, is asked after `Pass`.
    let opens = actions().any(|it| !matches!(it, "Deny" | "Log"));
    let denies = actions().any(|it| !matches!(it, "Allow" | "Log"));
    let is_default = matches!(spec.text("tier"), None | Some("" | "default"));
    let is_later = match spec.get("order").map(Node::value) {
        Some(Value::Number(_)) => spec.get("order").and_then(Node::int).is_some_and(|it| it > 1000),
        // Without an order it comes last.
        _ => true,
    };
    let closes = match is_default {
        true if is_later || !denies => Closes::Unisolated,
        _ => Closes::Anything,
    };
    Effects { opens, closes }
}
