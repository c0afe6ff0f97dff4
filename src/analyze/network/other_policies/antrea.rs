//! NetworkPolicy and ClusterNetworkPolicy of Antrea (`crd.antrea.io/v1beta1`).
//!
//! They stand in tiers before NetworkPolicies; those of the tier `baseline` after them, for pods that no NetworkPolicy
//! isolates. What no rule fits they leave alone
//! (<https://github.com/antrea-io/antrea/blob/main/docs/antrea-network-policy.md>).

use super::condition::Condition;
use super::{Closes, Effects, Read};
use crate::analyze::network::policies::{DIRECTIONS, Direction};
use crate::model::Object;
use crate::text::tree::Node;

/// `appliedTo` stands in the policy, or in each of its rules.
pub(in crate::analyze) fn read<'d>(object: &Object<'d>) -> Vec<Read<'d>> {
    let Some(spec) = object.field(&["spec"]) else { return Vec::new() };
    let is_baseline = spec.text("tier").is_some_and(|it| it.eq_ignore_ascii_case("baseline"));
    let rules = DIRECTIONS.into_iter().flat_map(|direction| {
        let name = direction.to_string();
        let rules: Vec<_> = spec.list(&name).collect();
        rules.into_iter().map(move |it| (direction, it))
    });
    let own = spec.get("appliedTo").filter(|it| it.count() > 0);
    let mut found = Vec::new();
    for (direction, rule) in rules {
        let Some(applied) = own.or_else(|| rule.get("appliedTo")) else { continue };
        let mut effects = [Effects::default(); 2];
        effects[direction as usize] = of(rule, is_baseline);
        let any = applied.items().map(whom).collect();
        let nodes = applied.items().any(|it| it.get("nodeSelector").is_some());
        found.push(Read { nodes, ..Read::of(object, Condition::Any(any), effects) });
    }
    if own.is_some() { together(object, found) } else { found }
}

/// Rules for the same pods are one.
fn together<'d>(object: &Object<'d>, found: Vec<Read<'d>>) -> Vec<Read<'d>> {
    let effects = [Direction::Ingress, Direction::Egress].map(|direction| {
        let each = found.iter().map(|it| it.effects[direction as usize]);
        each.fold(Effects::default(), Effects::and)
    });
    let first = found.into_iter().next();
    first
        .map(|it| Read { nodes: it.nodes, ..Read::of(object, it.pods, effects) })
        .into_iter()
        .collect()
}

fn of(rule: Node<'_>, is_baseline: bool) -> Effects {
    let filters = rule.list("l7Protocols").next().is_some();
    match (rule.text("action"), is_baseline) {
        (Some("Allow"), false) => Effects {
            opens: true,
            closes: if filters { Closes::Anything } else { Closes::Nothing },
        },
        (Some("Allow" | "Pass"), _) => Effects::default(),
        (Some("Drop" | "Reject"), true) => Effects { opens: false, closes: Closes::Unisolated },
        (Some("Drop" | "Reject"), false) => Effects { opens: false, closes: Closes::Anything },
        _ => Effects::ANYTHING,
    }
}

/// Whom an entry of `appliedTo` means. Groups, and what stands behind a Service, are written elsewhere.
fn whom(entry: Node<'_>) -> Condition<'_> {
    if let Some(account) = entry.get("serviceAccount") {
        let name = account.text("name").unwrap_or_default();
        let namespace = account.text("namespace").unwrap_or_default();
        return Condition::All(vec![
            Condition::ServiceAccount(vec![name]),
            Condition::NamespaceName(namespace),
        ]);
    }
    let is_only = |keys: &[&str]| entry.pairs().all(|(key, _)| keys.contains(&key));
    match entry {
        _ if is_only(&["nodeSelector"]) || is_only(&["externalEntitySelector"]) => {
            Condition::Any(Vec::new())
        }
        _ if is_only(&["podSelector", "namespaceSelector"]) => Condition::All(vec![
            Condition::labels(entry.get("podSelector")),
            Condition::namespace_labels(entry.get("namespaceSelector")),
        ]),
        _ => Condition::Unknown,
    }
}
