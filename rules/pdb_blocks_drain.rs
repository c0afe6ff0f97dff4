//! Budgets that let no pod go when their workloads run as few as they may.

use crate::analyze::budgets::{Budget, Demand};
use crate::analyze::replicas::Bound;
use crate::analyze::selector::Selects;
use crate::model::Object;
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
        let Some(floors) = floors(cx, budget, out) else { continue };
        let pods = floors.iter().map(|(_, _, pods)| pods).sum();
        let Some(kept) = budget.keeps(pods).filter(|kept| pods > 0 && *kept >= pods) else {
            continue;
        };
        out.find(finding(cx, budget, &floors, pods, kept));
    }
}

/// The workloads that a budget covers, what says how few pods each may have, and that number; `None` where there is
/// nothing to judge.
fn floors<'c, 'd>(
    cx: &Cx<'c, 'd>,
    budget: &Budget<'d>,
    out: &mut Out,
) -> Option<Vec<(&'c Object<'d>, Bound, u64)>> {
    let mut floors = Vec::new();
    for (workload, selects) in &budget.covers {
        let workload = cx.facts.workloads().get(*workload);
        if budget.needs_scale() && workload.is_scalable() != Some(true) {
            // `pdb-owner-not-scalable` speaks of these.
            return None;
        }
        let object = cx.object(workload.object);
        if *selects == Selects::Some {
            let missing = format!(
                "how many pods of `{object}` carry the labels that only its controller knows"
            );
            out.cannot_tell(cx.object(budget.object), missing);
            return None;
        }
        let Some(envelope) = cx.facts.envelope(workload.id) else {
            let missing = format!("how many nodes run `{object}`");
            out.cannot_tell(cx.object(budget.object), missing);
            return None;
        };
        // Scaled to nothing for good there is nothing to evict; scaled to nothing for now it comes back with one.
        if envelope.peak.count > 0 {
            floors.push((object, envelope.floor, envelope.floor.count.max(1)));
        }
    }
    Some(floors)
}

fn finding(
    cx: &Cx<'_, '_>,
    budget: &Budget<'_>,
    floors: &[(&Object<'_>, Bound, u64)],
    pods: u64,
    kept: u64,
) -> Finding {
    let object = cx.object(budget.object);
    let place = budget.field.map_or(object.at("spec"), |it| object.place(it));
    let message = format!("`{object}` lets no pod be evicted: it keeps {kept} of {pods}");
    let mut finding = Finding::new(message, place, format!("keeps {kept}"));
    for (_, floor, count) in floors.iter().take(8) {
        finding = finding
            .label(floor.place(cx.model), format!("{count} at the least: {}", floor.describe()));
    }
    let sum: Vec<String> =
        floors.iter().map(|(object, _, count)| format!("{count} ({object})")).collect();
    let sum = if sum.len() > 1 { format!("{} = {pods}", sum.join(" + ")) } else { sum.concat() };
    finding
        .note(format!("pods at the floor: {sum}; the budget keeps {kept} ({}); {pods} − {kept} leaves none", budget.describe()))
        .note("draining any of their nodes waits for ever: `kubectl drain`, node upgrades and autoscalers included")
        .help(help(budget, floors, pods, kept))
}

fn help(budget: &Budget<'_>, floors: &[(&Object<'_>, Bound, u64)], pods: u64, kept: u64) -> String {
    if let (1, Some(Demand::MinAvailable(_) | Demand::Nothing)) = (pods, budget.demand) {
        return "run at least 2 replicas; or set `maxUnavailable: 1` and accept that a drain takes the only pod down".into();
    }
    let raise = match floors {
        [(_, floor, _)] => {
            let field = floor.path.rsplit('.').next().unwrap_or(floor.path);
            format!(", or raise {field} to {}", kept + 1)
        }
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
