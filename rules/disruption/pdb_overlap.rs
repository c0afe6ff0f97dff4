//! Pods under several budgets, which nobody can evict.

use crate::analyze::disruption::budgets::Budget;
use crate::analyze::selection::alike::AlikeId;
use crate::analyze::selection::selector::Selects;
use crate::analyze::selection::workloads::Workload;
use crate::api::kind::Kind;
use crate::model::ObjId;
use crate::rule::{Admission, Check, Cx, Finding, Group, Out, Place, Preset, Rule, Severity};
use rustc_hash::FxHashMap;
use std::cmp::Reverse;
use std::collections::BTreeMap;

/// The rule.
pub(super) static RULE: Rule = Rule {
    id: "pdb-overlap",
    title: "several disruption budgets cover the same pods",
    severity: Severity::Error,
    group: Group::Disruption,
    admission: Admission::Deny,
    presets: &[Preset::Invariants],
    reads: &[Kind::PodDisruptionBudget],
    like: &[],
    parameters: &[],
    page: include_str!("pdb_overlap.md"),
    reads_images: None,
    checks: &[Check::World(check)],
};

fn check(cx: &Cx<'_, '_>, out: &mut Out) {
    // What the API server refuses covers nothing.
    let valid = |id: AlikeId| cx.facts.budgets().of_alike(id).filter(|it| it.demand.is_some());
    // One finding for each set of budgets that meet, whatever the number of workloads they meet in.
    let mut meetings: BTreeMap<Vec<AlikeId>, Vec<&Workload<'_>>> = BTreeMap::new();
    for workload in cx.facts.workloads().iter() {
        let covering = cx.facts.budgets().alike_of(workload.id).iter();
        let covering: Vec<_> = covering.filter(|it| valid(it.0).next().is_some()).collect();
        // Of a workload switched off nothing is evicted.
        let is_off = cx.facts.envelope(workload.id).is_some_and(|it| it.peak.count == 0);
        if covering.iter().flat_map(|it| valid(it.0)).take(2).count() < 2 || is_off {
            continue;
        }
        // One that covers all pods meets every other that covers some; two that cover some may share them out.
        if covering.iter().all(|(_, selects)| *selects != Selects::All) {
            let budgets = in_order(covering.iter().flat_map(|it| valid(it.0)));
            out.cannot_tell(
                cx.object(workload.object),
                format!(
                    "which of its pods {} cover: by labels that only its controller knows",
                    names(cx, &budgets)
                ),
            );
            continue;
        }
        meetings.entry(covering.iter().map(|it| it.0).collect()).or_default().push(workload);
    }
    if meetings.is_empty() {
        return;
    }
    let budgets = cx.facts.budgets().iter();
    let reach: FxHashMap<ObjId, usize> = budgets.map(|it| (it.object, it.covers.len())).collect();
    let meetings = meetings.iter();
    let meetings =
        meetings.map(|(alike, it)| (in_order(alike.iter().flat_map(|it| valid(*it))), it));
    let meetings: BTreeMap<Vec<ObjId>, _> = meetings.collect();
    for (budgets, workloads) in &meetings {
        out.find(finding(cx, budgets, workloads, |it| reach.get(&it).copied().unwrap_or(0)));
    }
}

fn in_order<'b, 'd: 'b>(budgets: impl Iterator<Item = &'b Budget<'d>>) -> Vec<ObjId> {
    let mut budgets: Vec<_> = budgets.map(|it| it.object).collect();
    budgets.sort_unstable();
    budgets
}

fn finding(
    cx: &Cx<'_, '_>,
    budgets: &[ObjId],
    workloads: &[&Workload<'_>],
    reach: impl Fn(ObjId) -> usize,
) -> Finding {
    let first = cx.object(workloads[0].object);
    let pods = match workloads.len() {
        1 => format!("the pods of `{first}`"),
        2 => format!("the pods of `{first}` and one more workload"),
        many => format!("the pods of `{first}` and {} more workloads", many - 1),
    };
    let both = if budgets.len() == 2 { "both" } else { "all" };
    let message = format!("{} {both} cover {pods}", names(cx, budgets));
    // The one that reaches furthest is most likely the one that was not meant to.
    let mut order: Vec<ObjId> = budgets.to_vec();
    order.sort_by_key(|it| (Reverse(reach(*it)), Reverse(*it)));
    let place = |id: ObjId| cx.object(id).at("spec.selector");
    let text = |id: ObjId| match reach(id) {
        1 => "selects them".to_string(),
        many => format!("selects them, among {many} workloads"),
    };
    let mut finding = Finding::new(message, place(order[0]), text(order[0]));
    for id in &order[1..] {
        finding = finding.label(place(*id), text(*id));
    }
    let specs: Vec<_> = budgets.iter().filter_map(|it| cx.object(*it).field(&["spec"])).collect();
    finding = finding.renamed(specs.iter().all(|it| it.same(specs[0])));
    for workload in workloads.iter().take(8) {
        finding = finding.label(labels(cx, workload), "the pods' labels");
    }
    finding
        .note("of a pod under more than one budget every eviction fails with status 500, whatever the budgets would allow; `kubectl drain` gives up at it")
        .help("leave each pod to one budget: narrow the selectors, or merge the budgets")
}

fn labels(cx: &Cx<'_, '_>, workload: &Workload<'_>) -> Place {
    let dot = if workload.template_path.is_empty() { "" } else { "." };
    cx.object(workload.object).at(&format!("{}{dot}metadata.labels", workload.template_path))
}

fn names(cx: &Cx<'_, '_>, budgets: &[ObjId]) -> String {
    let names: Vec<String> = budgets.iter().map(|it| format!("`{}`", cx.object(*it))).collect();
    match names.split_last() {
        Some((last, [])) => last.clone(),
        Some((last, rest)) => format!("{} and {last}", rest.join(", ")),
        None => String::new(),
    }
}
