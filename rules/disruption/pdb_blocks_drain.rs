//! Budgets that let no pod go when their workloads run as few as they may.

use crate::absence::{Absence, Wanted};
use crate::analyze::capacity::replicas::{AUTOSCALERS, pods_of};
use crate::analyze::disruption::budgets::{Budget, Demand};
use crate::analyze::disruption::evictions::{Count, Evictions};
use crate::analyze::selection::workloads::WorkloadId;
use crate::api::kind::Kind;
use crate::api::quantity::Quantity;
use crate::rule::{Admission, Check, Cx, Finding, Group, Out, Preset, Rule, Severity};

/// The rule.
pub(super) static RULE: Rule = Rule {
    id: "pdb-blocks-drain",
    title: "a disruption budget lets no pod be evicted",
    severity: Severity::Error,
    group: Group::Disruption,
    admission: Admission::Deny,
    presets: &[Preset::Invariants],
    reads: &[Kind::PodDisruptionBudget, Kind::HorizontalPodAutoscaler, Kind::ScaledObject],
    like: &[
        "kube-linter:pdb-max-unavailable",
        "kube-linter:pdb-min-available",
        "kube-score:poddisruptionbudget-has-policy",
        "polaris:pdbDisruptionsIsZero",
        "polaris:pdbMinAvailableEqualToHPAMinReplicas",
        "polaris:pdbMinAvailableGreaterThanHPAMaxReplicas",
        "polaris:pdbMinAvailableGreaterThanHPAMinReplicas",
    ],
    parameters: &[],
    page: include_str!("pdb_blocks_drain.md"),
    reads_images: None,
    checks: &[Check::World(check)],
};

fn check(cx: &Cx<'_, '_>, out: &mut Out) {
    for budget in cx.facts.budgets().iter() {
        match cx.facts.evictions(budget) {
            Evictions::Counted(count) if count.lets_go == 0 => {
                out.find(finding(cx, budget, count));
            }
            // A budget that keeps every pod blocks whatever it selects.
            Evictions::Nothing | Evictions::CannotTell(_) if keeps_whatever(cx, budget) => {
                out.find(whatever(cx, budget));
            }
            Evictions::CannotTell(missing) => {
                out.cannot_tell(cx.object(budget.object), missing.clone());
            }
            // `pdb-owner-not-scalable` speaks of what the controller cannot count.
            Evictions::Counted(_) | Evictions::Unscalable(_) | Evictions::Nothing => {}
        }
    }
}

/// Whether a budget keeps every pod that it may select, be these in the input or not. Of one that surely selects none
/// `pdb-selects-nothing` speaks.
fn keeps_whatever(cx: &Cx<'_, '_>, budget: &Budget<'_>) -> bool {
    let Some(selector) = budget.selector.as_ref() else { return false };
    if !budget.demand.is_some_and(Demand::keeps_all) {
        return false;
    }
    match budget.covers.is_empty() {
        true => {
            let wanted = Wanted::LastingPods { namespace: budget.namespace, selector };
            cx.absence_of(wanted) != Absence::Absent
        }
        // What is scaled to nothing for good has no pod to evict.
        false => budget
            .covers
            .iter()
            .any(|(it, _)| cx.facts.envelope(*it).is_none_or(|it| it.peak.count > 0)),
    }
}

fn whatever(cx: &Cx<'_, '_>, budget: &Budget<'_>) -> Finding {
    let object = cx.object(budget.object);
    let place = budget.field.map_or(object.at("spec"), |it| object.place(it));
    let message =
        format!("`{object}` lets no pod be evicted: it requires all pods, whatever it selects");
    let described = match budget.demand {
        Some(Demand::Nothing) => {
            "neither minAvailable nor maxUnavailable, so it requires every pod".into()
        }
        _ => format!("{} requires every pod, however many there are", budget.describe()),
    };
    Finding::new(message, place, described).note(HANGS).help(FITS)
}

fn finding(cx: &Cx<'_, '_>, budget: &Budget<'_>, count: &Count) -> Finding {
    let object = cx.object(budget.object);
    let place = budget.field.map_or(object.at("spec"), |it| object.place(it));
    let (pods, keeps) = (count.pods, count.keeps);
    if pods == 0 {
        let message = format!("`{object}` lets no pod be evicted: it requires all that there are");
        let mut finding = Finding::new(message, place, "requires every pod");
        for (id, _) in budget.covers.iter() {
            finding = finding.over(name(cx, *id), Quantity::units(1));
        }
        return finding.note(HANGS).help(help(cx, budget, count));
    }
    let message = format!("`{object}` lets no pod be evicted: it requires {keeps} of {pods} pods");
    let mut finding = Finding::new(message, place, format!("requires {keeps}"));
    for floor in count.floors.iter().take(8) {
        let text = format!("at least {}: {}", pods_of(floor.count), floor.bound.describe());
        finding = finding.label(floor.bound.place(cx.model), text);
    }
    // By how many pods it keeps too many to let one go.
    let missing = (keeps + 1).saturating_sub(pods).max(1);
    for floor in &count.floors {
        finding = finding.over(name(cx, floor.workload), Quantity::units(missing));
    }
    if count.floors.iter().any(|it| it.bound.is_left_open()) && enough(budget, count).is_some() {
        finding = finding.awaits(AUTOSCALERS);
    }
    // Pods of their own, or of a custom controller, come one after the other.
    let is_pod = |id: WorkloadId| cx.object(cx.facts.workloads().get(id).object).kind == Kind::Pod;
    if count.floors.iter().any(|it| is_pod(it.workload)) {
        finding = finding.awaits(&[Kind::Pod]);
    }
    finding.note(sum(cx, budget, count)).note(HANGS).help(help(cx, budget, count))
}

const HANGS: &str = "draining any of their nodes waits for ever: `kubectl drain`, node upgrades and autoscalers included";
const ONLY_INTEGER: &str = "set `minAvailable` to a number below the pods that run, or remove the budget: percentages and `maxUnavailable` need controllers that can be scaled";
const FITS: &str = "set `maxUnavailable: 1`, which fits any number of pods";

fn sum(cx: &Cx<'_, '_>, budget: &Budget<'_>, count: &Count) -> String {
    let (pods, keeps) = (count.pods, count.keeps);
    let terms = count.floors.iter().map(|it| format!("{} ({})", it.count, name(cx, it.workload)));
    let terms: Vec<String> = terms.collect();
    let total = if terms.len() > 1 { format!(" = {pods}") } else { String::new() };
    let left = if keeps > pods {
        format!("{keeps} is more than there are")
    } else {
        format!("{pods} − {keeps} leaves none")
    };
    format!(
        "pods at the floor: {}{total}; the budget requires {keeps} ({}); {left}",
        terms.join(" + "),
        budget.describe()
    )
}

fn name(cx: &Cx<'_, '_>, id: WorkloadId) -> String {
    cx.object(cx.facts.workloads().get(id).object).to_string()
}

/// How many pods would let one go; a budget of 100 % keeps all of them, however many there are.
fn enough(budget: &Budget<'_>, count: &Count) -> Option<u64> {
    let lets_one_go = |it: &u64| budget.demand.is_some_and(|by| by.lets_go(*it, *it) > 0);
    (count.pods.max(count.keeps)..).take(101).find(lets_one_go)
}

fn help(cx: &Cx<'_, '_>, budget: &Budget<'_>, count: &Count) -> String {
    let pods = count.pods;
    let workloads = cx.facts.workloads();
    if budget.covers.iter().any(|(it, _)| workloads.get(*it).is_scalable() == Some(false)) {
        return ONLY_INTEGER.into();
    }
    let enough = enough(budget, count);
    if pods == 1 && !matches!(budget.demand, Some(Demand::MaxUnavailable(_))) {
        let raise = enough.map(|it| format!("run at least {it} replicas; or "));
        return format!(
            "{}set `maxUnavailable: 1` and accept that a drain takes the only pod down",
            raise.unwrap_or_default()
        );
    }
    if !matches!(budget.demand, Some(Demand::MinAvailable(_))) {
        return FITS.into();
    }
    let raise = match (count.floors.as_slice(), enough) {
        ([floor], Some(enough)) => format!(", or raise {} to {enough}", floor.bound.field()),
        _ => String::new(),
    };
    format!("set `minAvailable: {}` or `maxUnavailable: 1`{raise}", pods - 1)
}
