//! Budgets that let no pod go when their workloads run as few as they may.

use crate::analyze::budgets::{Budget, Demand, Floor, Uncounted};
use crate::model::kind::Kind;
use crate::rule::{Admission, Cx, Finding, Group, Out, Rule, Severity};

/// The rule.
pub(super) static RULE: Rule = Rule {
    id: "pdb-blocks-drain",
    title: "a disruption budget lets no pod be evicted",
    severity: Severity::Error,
    group: Group::Disruption,
    admission: Admission::Deny,
    reads: &[Kind::PodDisruptionBudget, Kind::HorizontalPodAutoscaler, Kind::ScaledObject],
    like: &[
        "kube-linter:pdb-min-available",
        "kube-linter:pdb-max-unavailable",
        "polaris:pdbMinAvailableGreaterThanHPAMinReplicas",
    ],
    parameters: &[],
    page: include_str!("pdb_blocks_drain.md"),
    check,
};

fn check(cx: &Cx<'_, '_>, out: &mut Out) {
    for budget in cx.facts.budgets() {
        match budget.floors(cx.facts) {
            Ok(floors) => out.findings.extend(finding(cx, budget, &floors)),
            // `pdb-owner-not-scalable` speaks of these.
            Err(Uncounted::WithoutScale(_)) => {}
            Err(Uncounted::SomeOf(workload)) => {
                let object = cx.object(cx.facts.workloads().get(workload).object);
                let missing = format!(
                    "how many pods of `{object}` carry the labels that only its controller knows"
                );
                out.cannot_tell(cx.object(budget.object), missing);
            }
            Err(Uncounted::PerNode(workload)) => {
                let object = cx.object(cx.facts.workloads().get(workload).object);
                out.cannot_tell(cx.object(budget.object), format!("how many nodes run `{object}`"));
            }
        }
    }
}

fn finding(cx: &Cx<'_, '_>, budget: &Budget<'_>, floors: &[Floor]) -> Option<Finding> {
    let pods = floors.iter().map(|it| it.count).sum();
    let kept = budget.keeps_all(pods)?;
    let object = cx.object(budget.object);
    let place = budget.field.map_or(object.at("spec"), |it| object.place(it));
    let message = format!("`{object}` lets no pod be evicted: it keeps {kept} of {pods}");
    let mut finding = Finding::new(message, place, format!("keeps {kept}"));
    for floor in floors.iter().take(8) {
        let text = format!("{} at the least: {}", floor.count, floor.bound.describe());
        finding = finding.label(floor.bound.place(cx.model), text);
    }
    let sum = floors.iter().map(|it| {
        let object = cx.object(cx.facts.workloads().get(it.workload).object);
        format!("{} ({object})", it.count)
    });
    let sum: Vec<String> = sum.collect();
    let sum = if sum.len() > 1 { format!("{} = {pods}", sum.join(" + ")) } else { sum.concat() };
    let finding = finding
        .note(format!("pods at the floor: {sum}; the budget keeps {kept} ({}); {pods} − {kept} leaves none", budget.describe()))
        .note("draining any of their nodes waits for ever: `kubectl drain`, node upgrades and autoscalers included")
        .help(help(budget, floors, pods, kept));
    Some(finding)
}

fn help(budget: &Budget<'_>, floors: &[Floor], pods: u64, kept: u64) -> String {
    if let (1, Some(Demand::MinAvailable(_) | Demand::Nothing)) = (pods, budget.demand) {
        // A budget of more than one pod, or of 100 %, keeps both of two as well.
        let enough = (2..=100).find(|it| budget.keeps(*it).is_some_and(|kept| kept < *it));
        let raise = enough.map(|it| format!("run at least {it} replicas; or "));
        return format!(
            "{}set `maxUnavailable: 1` and accept that a drain takes the only pod down",
            raise.unwrap_or_default()
        );
    }
    let raise = match floors {
        [floor] => format!(", or raise {} to {}", floor.bound.field(), kept + 1),
        _ => String::new(),
    };
    match budget.demand {
        Some(Demand::MinAvailable(_)) => {
            format!("set `minAvailable: {}` or `maxUnavailable: 1`{raise}", pods - 1)
        }
        _ => format!(
            "set `maxUnavailable: 1`{}",
            if matches!(budget.demand, Some(Demand::MaxUnavailable(_))) { "" } else { &raise }
        ),
    }
}
