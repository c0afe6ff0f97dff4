//! Vertical autoscalers that act by evictions which never happen.

use crate::analyze::capacity::replicas::{AUTOSCALERS, pods_of};
use crate::analyze::capacity::vertical::{Mode, Vertical};
use crate::analyze::disruption::budgets::Budget;
use crate::analyze::disruption::evictions::Evictions;
use crate::analyze::selection::workloads::WorkloadId;
use crate::api::kind::Kind;
use crate::rule::{Admission, Check, Cx, Finding, Group, Out, Preset, Rule, Severity};
use rustc_hash::{FxHashMap, FxHashSet};

/// The rule.
pub(super) static RULE: Rule = Rule {
    id: "vpa-cannot-evict",
    title: "a vertical autoscaler works by evictions that never happen",
    severity: Severity::Warning,
    group: Group::Scaling,
    admission: Admission::Deny,
    presets: &[Preset::Invariants],
    reads: &[
        Kind::VerticalPodAutoscaler,
        Kind::PodDisruptionBudget,
        Kind::HorizontalPodAutoscaler,
        Kind::ScaledObject,
    ],
    like: &[],
    parameters: &[],
    page: include_str!("vpa_cannot_evict.md"),
    reads_images: None,
    checks: &[Check::World(check)],
};

fn check(cx: &Cx<'_, '_>, out: &mut Out) {
    let evicting = cx.facts.verticals().iter().filter(|it| it.mode == Mode::Evict);
    let mut by_target: FxHashMap<WorkloadId, Vec<&Vertical<'_>>> = FxHashMap::default();
    for vertical in evicting.clone() {
        if let Some(target) = vertical.target {
            by_target.entry(target).or_default().push(vertical);
        }
    }
    let mut blocked = FxHashSet::default();
    for budget in cx.facts.budgets().iter() {
        let verticals = budget.covers.iter().filter_map(|(it, _)| by_target.get(it)).flatten();
        for vertical in verticals {
            if let Some(finding) = held(cx, vertical, budget) {
                blocked.insert(vertical.object);
                out.find(finding);
            }
        }
    }
    // The updater counts the pods of a group before it resizes one in place, too
    // (`updater/restriction/pods_restriction_factory.go`, "Too few replicas").
    let acting = cx.facts.verticals().iter().filter(|it| it.mode.is_of_updater());
    let free = acting.filter(|it| !blocked.contains(&it.object));
    out.findings.extend(free.filter_map(|it| too_few(cx, it)));
}

/// A budget that lets none of the pods go at the floor.
fn held(cx: &Cx<'_, '_>, vertical: &Vertical<'_>, budget: &Budget<'_>) -> Option<Finding> {
    let Evictions::Counted(count) = cx.facts.evictions(budget) else { return None };
    let own = count.floors.iter().find(|it| Some(it.workload) == vertical.target)?;
    if count.lets_go > 0 {
        return None;
    }
    let (pods, kept) = (count.pods, count.keeps);
    let (object, budget_object) = (cx.object(vertical.object), cx.object(budget.object));
    let target = cx.object(cx.facts.workloads().get(own.workload).object);
    let place = budget.field.map_or(budget_object.at("spec"), |it| budget_object.place(it));
    let mut finding = Finding::new(
        format!("`{object}` resizes `{target}` by evictions, and `{budget_object}` lets none go: it requires {kept} of {pods} pods"),
        mode_place(cx, vertical),
        mode_text(vertical),
    )
    .label(place, format!("keeps {kept}"))
    .label(own.bound.place(cx.model), format!("at least {}: {}", pods_of(own.count), own.bound.describe()))
    .note("a recommendation reaches the pods only when something else makes them anew");
    if own.bound.is_left_open() {
        finding = finding.awaits(AUTOSCALERS);
    }
    if own.count < vertical.min_replicas {
        finding = finding.note(format!(
            "the updater itself evicts nothing from fewer than {} pods (`updatePolicy.minReplicas`)",
            vertical.min_replicas
        ));
    }
    Some(finding.help("let one pod go (`maxUnavailable: 1`), or set `updateMode: Initial` or `\"Off\"`, which is what it comes to"))
}

/// Never as many pods as the updater wants to see before it evicts one.
fn too_few(cx: &Cx<'_, '_>, vertical: &Vertical<'_>) -> Option<Finding> {
    let workload = cx.facts.workloads().get(vertical.target?);
    let peak = cx.facts.envelope(workload.id)?.peak;
    if peak.count == 0
        || peak.count >= vertical.min_replicas
        || workload.is_scalable() != Some(true)
    {
        return None;
    }
    let (object, target) = (cx.object(vertical.object), cx.object(workload.object));
    let does = match vertical.mode {
        Mode::InPlace => "resizes none of",
        _ => "evicts nothing from",
    };
    let message = format!(
        "`{object}` {does} fewer than {} pods, and `{target}` has at most {}",
        vertical.min_replicas, peak.count
    );
    Some(
        Finding::new(message, mode_place(cx, vertical), mode_text(vertical))
            .label(peak.place(cx.model), peak.describe())
            .severity(Severity::Note)
            .help(format!(
                "set `updatePolicy.minReplicas: {}` if {} does no harm, or `updateMode: Initial`",
                peak.count,
                if vertical.mode == Mode::InPlace { "a resize" } else { "a restart" }
            )),
    )
}

fn mode_place(cx: &Cx<'_, '_>, vertical: &Vertical<'_>) -> crate::model::Place {
    let object = cx.object(vertical.object);
    object.at("spec.updatePolicy.updateMode")
}

fn mode_text(vertical: &Vertical<'_>) -> &'static str {
    if vertical.mode == Mode::InPlace {
        "resizes in place, else by eviction"
    } else if vertical.mode_node.is_some() {
        "resizes by eviction"
    } else {
        "updateMode not set, so by eviction"
    }
}
