//! Autoscalers that find each other's pods, and stop.
//!
//! `pkg/controller/podautoscaler/horizontal.go`, validateAndParseSelector: a pod that the selectors of two autoscalers
//! find makes both fail with AmbiguousSelector. Only pods that there are count, not what selectors could find.

use crate::analyze::capacity::replicas::Scaler;
use crate::analyze::capacity::scaled_pods::{ScaledPods, scaled_pods};
use crate::analyze::selection::workloads::WorkloadId;
use crate::api::kind::Kind;
use crate::rule::{Admission, Check, Cx, Finding, Group, Out, Preset, Rule, Severity};
use std::collections::{BTreeMap, BTreeSet};

/// The rule.
pub(super) static RULE: Rule = Rule {
    id: "hpa-selector-ambiguous",
    title: "two autoscalers find the same pods by the selectors of their targets",
    severity: Severity::Error,
    group: Group::Scaling,
    admission: Admission::Deny,
    presets: &[Preset::Invariants],
    reads: &[Kind::HorizontalPodAutoscaler, Kind::ScaledObject],
    like: &[],
    parameters: &[],
    page: include_str!("hpa_selector_ambiguous.md"),
    reads_images: None,
    checks: &[Check::World(check)],
};

/// An autoscaler and what it counts.
type Counting<'c, 'd> = (&'c Scaler<'d>, ScaledPods<'d>);

fn check(cx: &Cx<'_, '_>, out: &mut Out) {
    let scalers = cx.facts.replicas().scalers().iter();
    let counting: Vec<Counting<'_, '_>> =
        scalers.filter_map(|it| Some((it, scaled_pods(cx.facts, it)?))).collect();
    let mut by_workload: BTreeMap<WorkloadId, Vec<usize>> = BTreeMap::new();
    for (at, (_, pods)) in counting.iter().enumerate() {
        for workload in &pods.workloads {
            by_workload.entry(*workload).or_default().push(at);
        }
    }
    // Several workloads may be shared by the same autoscalers.
    let mut seen = BTreeSet::new();
    for (workload, sharing) in by_workload {
        let targets: BTreeSet<_> = sharing.iter().map(|it| counting[*it].1.target).collect();
        // Of several on one target `hpa-duplicate-target` speaks.
        if targets.len() > 1 && seen.insert(sharing.clone()) {
            let sharing: Vec<_> = sharing.iter().map(|it| &counting[*it]).collect();
            out.find(finding(cx, workload, &sharing));
        }
    }
}

/// How many autoscalers of one finding are shown.
const SHOWN: usize = 8;

fn finding(cx: &Cx<'_, '_>, workload: WorkloadId, sharing: &[&Counting<'_, '_>]) -> Finding {
    let object = |id: WorkloadId| cx.object(cx.facts.workloads().get(id).object);
    let shown = &sharing[sharing.len().saturating_sub(SHOWN)..];
    let names: Vec<_> =
        shown.iter().map(|(scaler, _)| format!("`{}`", cx.object(scaler.object))).collect();
    let how_many = if sharing.len() == 2 { "both" } else { "all" };
    let message = format!(
        "{} {how_many} find the pods of `{}` by the selectors of their targets, and stop",
        names.join(" and "),
        object(workload)
    );
    let place = |scaler: &Scaler<'_>| {
        let it = cx.object(scaler.object);
        let name = scaler.target_ref.and_then(|it| it.get("name"));
        name.map_or(it.whole(), |name| it.place(name))
    };
    let text = |pods: &ScaledPods<'_>| format!("finds pods by `{}`", pods.selector);
    let mut shown_last_first = shown.iter().rev();
    let Some((last, pods)) = shown_last_first.next() else {
        return Finding::new(message, object(workload).whole(), "");
    };
    // The one that came last is the one too many.
    let mut finding = Finding::new(message, place(last), text(pods));
    for (scaler, pods) in shown_last_first {
        finding = finding.label(place(scaler), text(pods));
    }
    for (_, pods) in shown.iter().filter(|(_, it)| it.target != workload) {
        let target = object(pods.target);
        finding = finding.label(
            target.place(pods.node),
            format!("selects the pods of `{}`, too", object(workload)),
        );
    }
    let labels = cx.facts.workloads().get(workload).labels_path();
    finding
        .label(object(workload).at(&labels), "the pods that they share")
        .note("the controller stops an autoscaler whose selector finds a pod that another one's selector finds as well: ScalingActive is False, AmbiguousSelector")
        .help("give each target a label of its own in its selector and its pods; a selector cannot be changed, so that means to create one of them anew")
}
