//! What policy engines generate: NetworkPolicies that are in no manifest.
//!
//! Whether one of them does depends on a controller, on what it matches and when; so what it generates may be there.

use super::condition::Condition;
use super::{Closes, Effects, Read, both};
use crate::analyze::selection::selector::Selector;
use crate::model::Object;
use crate::text::tree::Node;

/// Rules of Kyverno with `generate`
/// (<https://kyverno.io/docs/policy-types/cluster-policy/generate/>).
pub(in crate::analyze) fn kyverno<'d>(object: &Object<'d>) -> Vec<Read<'d>> {
    let rules = object.field(&["spec", "rules"]).into_iter().flat_map(Node::items);
    rules.flat_map(|rule| of_rule(object, rule)).collect()
}

fn of_rule<'d>(object: &Object<'d>, rule: Node<'d>) -> Vec<Read<'d>> {
    let Some(generate) = rule.get("generate") else { return Vec::new() };
    let each = generate.list("foreach");
    let all = std::iter::once(generate).chain(each);
    all.filter_map(|it| of_generate(object, rule, it)).collect()
}

fn of_generate<'d>(object: &Object<'d>, rule: Node<'d>, generate: Node<'d>) -> Option<Read<'d>> {
    let cloned = generate.at(&["cloneList", "kinds"]).into_iter().flat_map(Node::items);
    let mut kinds = generate.text("kind").into_iter().chain(cloned.filter_map(Node::str));
    let kind = kinds.find(|it| it.contains("NetworkPolicy") || is_variable(it))?;
    let target = generate.text("namespace");
    let target = target.or_else(|| generate.at(&["cloneList", "namespace"]).and_then(Node::str));
    let namespaces = namespaces(rule, target);
    let data = generate.at(&["data", "spec"]).filter(|_| kind == "NetworkPolicy");
    let (pods, effects) = match data {
        Some(spec) => (pods(spec), effects(spec)),
        None => (Condition::Unknown, both(Effects::ANYTHING)),
    };
    Some(Read::of(object, Condition::All(vec![namespaces, pods]), effects))
}

fn is_variable(text: &str) -> bool {
    text.contains("{{")
}

/// The namespaces that something is generated in: of a name that is written, or those of what the rule matches.
fn namespaces<'d>(rule: Node<'d>, target: Option<&'d str>) -> Condition<'d> {
    let Some(target) = target else { return Condition::Unknown };
    if !is_variable(target) {
        return Condition::NamespaceName(target);
    }
    let inner: String = target.chars().filter(|it| !it.is_whitespace()).collect();
    let of = match inner.as_str() {
        "{{request.object.metadata.name}}" | "{{request.name}}" => Of::Name,
        "{{request.object.metadata.namespace}}" | "{{request.namespace}}" => Of::Namespace,
        _ => return Condition::Unknown,
    };
    let Some(matched) = rule.get("match") else { return Condition::Unknown };
    let own = matched.get("resources").map(|it| resources(it, of));
    let list = |key: &str| -> Vec<_> {
        let entries = matched.list(key).filter_map(|it| it.get("resources"));
        entries.map(|it| resources(it, of)).collect()
    };
    let (any, all) = (list("any"), list("all"));
    let mut conditions: Vec<_> = own.into_iter().chain(all).collect();
    if !any.is_empty() {
        conditions.push(Condition::Any(any));
    }
    Condition::All(conditions)
}

/// What of the object that a rule matches names the namespace.
#[derive(Clone, Copy)]
enum Of {
    /// It is a Namespace.
    Name,
    /// It lies there.
    Namespace,
}

/// The namespaces that an entry of `match` means.
fn resources(entry: Node<'_>, of: Of) -> Condition<'_> {
    let (one, several, selector) = match of {
        Of::Name => (entry.text("name"), "names", "selector"),
        Of::Namespace => (None, "namespaces", "namespaceSelector"),
    };
    let globs = one.into_iter().chain(entry.list(several).filter_map(Node::str));
    let globs: Vec<_> = globs.map(Condition::NamespaceName).collect();
    let names = if globs.is_empty() { Condition::Yes } else { Condition::Any(globs) };
    let labels = Condition::namespace_labels(entry.get(selector).filter(is_plain));
    Condition::All(vec![names, labels])
}

/// Whether a selector has no patterns, which Kyverno takes in keys and values.
fn is_plain(selector: &Node<'_>) -> bool {
    let parsed = Selector::parse(*selector);
    !parsed.to_string().contains(['*', '?', '{'])
}

/// The pods that a generated NetworkPolicy selects.
fn pods(spec: Node<'_>) -> Condition<'_> {
    match spec.get("podSelector") {
        None => Condition::Yes,
        Some(it) if it.is_map() && is_plain(&it) => Condition::labels(Some(it)),
        Some(_) => Condition::Unknown,
    }
}

/// What a generated NetworkPolicy may do: it isolates, and its rules open.
fn effects(spec: Node<'_>) -> [Effects; 2] {
    let types = spec.get("policyTypes");
    let written: Vec<_> = types.into_iter().flat_map(Node::items).filter_map(Node::str).collect();
    let is_known = types.is_none_or(|it| it.items().next().is_some())
        && !written.iter().any(|it| is_variable(it));
    ["Ingress", "Egress"].map(|name| {
        let rules = spec.get(&name.to_lowercase());
        let has_rules =
            rules.is_some_and(|it| it.scalar().is_some() || it.items().next().is_some());
        let is_for = match written.is_empty() {
            true => name == "Ingress" || has_rules,
            false => written.contains(&name),
        };
        match is_for || !is_known {
            true => Effects { opens: has_rules, closes: Closes::Unisolated },
            false => Effects::default(),
        }
    })
}

/// Policies of Kyverno in CEL: what they generate their expressions compute.
pub(in crate::analyze) fn kyverno_expressions<'d>(object: &Object<'d>) -> Vec<Read<'d>> {
    let spec = object.field(&["spec"]);
    let speaks_of_policies = |it: &str| it.to_ascii_lowercase().contains("networkpolic");
    let mut open: Vec<_> = spec.into_iter().collect();
    while let Some(node) = open.pop() {
        if node.str().is_some_and(speaks_of_policies) {
            return vec![Read::of(object, Condition::Unknown, both(Effects::ANYTHING))];
        }
        open.extend(node.items());
        open.extend(node.entries().map(|(_, value)| value));
    }
    Vec::new()
}

/// Tenants of Capsule: `networkPolicies.items` go to each namespace of theirs
/// (<https://projectcapsule.dev/docs/tenants/enforcement/>).
pub(in crate::analyze) fn tenant<'d>(object: &Object<'d>) -> Vec<Read<'d>> {
    let items = object.field(&["spec", "networkPolicies", "items"]);
    let items = items.into_iter().flat_map(Node::items);
    items
        .map(|it| {
            let all = Condition::All(vec![Condition::Unknown, pods(it)]);
            Read::of(object, all, effects(it))
        })
        .collect()
}
