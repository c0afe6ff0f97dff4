//! Budgets under which a pod that does not work cannot be evicted either.

use crate::analyze::disruption::budgets::Budget;
use crate::api::kind::Kind;
use crate::rule::{Admission, Check, Cx, Finding, Group, Out, Preset, Rule, Severity};

/// The rule.
pub(super) static RULE: Rule = Rule {
    id: "pdb-unhealthy-pods-block-drain",
    title: "pods that are not ready may hold a drain up",
    severity: Severity::Note,
    group: Group::Disruption,
    admission: Admission::Warn,
    presets: &[Preset::Invariants],
    reads: &[Kind::PodDisruptionBudget],
    like: &["kube-linter:pdb-unhealthy-pod-eviction-policy"],
    parameters: &[],
    page: include_str!("pdb_unhealthy_pods_block_drain.md"),
    reads_images: None,
    checks: &[Check::World(check)],
};

fn check(cx: &Cx<'_, '_>, out: &mut Out) {
    for budget in cx.facts.budgets().iter() {
        let object = cx.object(budget.object);
        let policy = object.field(&["spec", "unhealthyPodEvictionPolicy"]);
        let is_open = policy.is_some_and(|it| it.str() == Some("AlwaysAllow"));
        // The field is of policy/v1; a budget of nothing holds nothing up.
        let is_idle = budget.covers.is_empty() || budget.demand.is_none();
        if is_open || is_idle || object.api_version == "policy/v1beta1" {
            continue;
        }
        out.find(finding(cx, budget));
    }
}

fn finding(cx: &Cx<'_, '_>, budget: &Budget<'_>) -> Finding {
    let object = cx.object(budget.object);
    let policy = object.field(&["spec", "unhealthyPodEvictionPolicy"]);
    let (place, text) = match policy {
        Some(it) => (object.place(it), "only while enough others are healthy"),
        None => (object.at("spec"), "unhealthyPodEvictionPolicy not set, so IfHealthyBudget"),
    };
    Finding::new(
        format!("pods of `{object}` that are not ready may hold a drain up"),
        place,
        text,
    )
    .note(format!(
        "under IfHealthyBudget a pod that is not ready is evicted only while the others satisfy the budget ({}): if a bad release keeps them all from getting ready, no node can be drained",
        budget.describe()
    ))
    .help("set `unhealthyPodEvictionPolicy: AlwaysAllow`")
}
