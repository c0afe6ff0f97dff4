//! Budgets whose controller cannot find out how many pods are wanted.

use crate::analyze::disruption::budgets::Budget;
use crate::analyze::disruption::evictions::Evictions;
use crate::analyze::selection::workloads::WorkloadId;
use crate::api::kind::Kind;
use crate::rule::{Admission, Check, Cx, Finding, Group, Out, Preset, Rule, Severity};

/// The rule.
pub(super) static RULE: Rule = Rule {
    id: "pdb-owner-not-scalable",
    title: "a disruption budget counts by the scale of a controller that has none",
    severity: Severity::Error,
    group: Group::Disruption,
    admission: Admission::Deny,
    presets: &[Preset::Invariants],
    reads: &[Kind::PodDisruptionBudget, Kind::CustomResourceDefinition],
    like: &[],
    parameters: &[],
    page: include_str!("pdb_owner_not_scalable.md"),
    reads_images: None,
    checks: &[Check::World(check)],
};

fn check(cx: &Cx<'_, '_>, out: &mut Out) {
    // Where it cannot be told whether a custom kind scales, `pdb-blocks-drain` says so.
    for budget in cx.facts.budgets().iter() {
        if let Evictions::Unscalable(owners) = cx.facts.evictions(budget) {
            out.find(finding(cx, budget, owners));
        }
    }
}

fn finding(cx: &Cx<'_, '_>, budget: &Budget<'_>, owners: &[WorkloadId]) -> Finding {
    let object = cx.object(budget.object);
    let owner = |id: &WorkloadId| cx.object(cx.facts.workloads().get(*id).object);
    let first = owner(&owners[0]);
    let is_bare = cx.facts.workloads().get(owners[0]).is_bare_pod();
    let why = if is_bare {
        format!("`{first}` has no controller to ask how many are wanted")
    } else {
        format!("a {} has no scale to count by", first.kind_name)
    };
    let place = budget.field.map_or(object.at("spec"), |it| object.place(it));
    let message = format!("`{object}` lets no pod be evicted: {why}");
    let mut finding =
        Finding::new(message, place, format!("{}, but of how many", budget.describe()));
    for id in owners.iter().take(8) {
        let text = if is_bare { "no controller" } else { "covered, without a scale subresource" };
        finding = finding.label(owner(id).whole(), text);
    }
    finding = finding.note("for a percentage and for maxUnavailable the controllers of the pods are asked for their scale; where one has none the budget allows 0 disruptions");
    if owners.len() < budget.covers.len() {
        finding = finding.note(format!(
            "the other pods that it covers are held as well: {} of its {} workloads can be counted",
            budget.covers.len() - owners.len(),
            budget.covers.len()
        ));
        return finding.help("narrow the selector to the workloads that can be scaled");
    }
    if owners.iter().all(|it| cx.facts.workloads().get(*it).kind == Kind::DaemonSet) {
        return finding
            .help("remove the budget: a drain leaves the pods of DaemonSets where they are");
    }
    finding
        .help("set `minAvailable` to a number of pods, which needs no scale, or remove the budget")
}
