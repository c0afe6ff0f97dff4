//! Two vertical autoscalers on one workload.
//!
//! "Multiple VPA resources matching the same pod have undefined behavior" (`vertical-pod-autoscaler/docs/known-limitations.md`).
//! One that only recommends (`updateMode: "Off"`) is skipped by the admission controller and the updater.

use crate::analyze::capacity::vertical::{Mode, Vertical};
use crate::api::kind::{Kind, group};
use crate::rule::{Admission, Check, Cx, Finding, Group, Out, Preset, Rule, Severity};
use std::collections::BTreeMap;

/// The rule.
pub(super) static RULE: Rule = Rule {
    id: "vpa-duplicate-target",
    title: "two vertical autoscalers size one workload",
    severity: Severity::Error,
    group: Group::Scaling,
    admission: Admission::Deny,
    presets: &[Preset::Invariants],
    reads: &[Kind::VerticalPodAutoscaler],
    like: &[],
    parameters: &[],
    page: include_str!("vpa_duplicate_target.md"),
    reads_images: None,
    checks: &[Check::World(check)],
};

fn check(cx: &Cx<'_, '_>, out: &mut Out) {
    let mut by_target: BTreeMap<_, Vec<&Vertical<'_>>> = BTreeMap::new();
    for vertical in cx.facts.verticals().iter().filter(|it| it.mode != Mode::Off) {
        let Some(reference) = vertical.target_ref else { continue };
        let (Some(kind), Some(name)) = (reference.text("kind"), reference.text("name")) else {
            continue;
        };
        // Deployments of `extensions` and of `apps` are the same ones.
        let written = reference.text("apiVersion").map_or("apps", group);
        let group = Kind::of(written, kind).info().map_or(written, |it| it.groups[0]);
        let namespace = cx.object(vertical.object).namespace;
        by_target.entry((namespace, group, kind, name)).or_default().push(vertical);
    }
    for ((namespace, _, kind, name), verticals) in by_target {
        if verticals.len() > 1 {
            out.find(finding(cx, &format!("{kind}/{namespace}/{name}"), &verticals));
        }
    }
}

/// How many autoscalers of one finding are shown.
const SHOWN: usize = 8;

fn finding(cx: &Cx<'_, '_>, target: &str, verticals: &[&Vertical<'_>]) -> Finding {
    let shown = &verticals[verticals.len().saturating_sub(SHOWN)..];
    let names: Vec<_> = shown.iter().map(|it| format!("`{}`", cx.object(it.object))).collect();
    let how_many = if verticals.len() == 2 { "both" } else { "all" };
    let place = |it: &Vertical<'_>| {
        let name = it.target_ref.and_then(|it| it.get("name"));
        let object = cx.object(it.object);
        name.map_or(object.whole(), |name| object.place(name))
    };
    let text = |it: &Vertical<'_>| match it.mode_node.and_then(|it| it.str()) {
        Some(mode) => format!("updateMode {mode}"),
        None => "updateMode not set, so by eviction".into(),
    };
    let message = format!("{} {how_many} size `{target}`", names.join(" and "));
    // The one that came last is the one too many.
    let (last, others) = shown.split_last().expect("a target has two autoscalers at least");
    let mut finding = Finding::new(message, place(last), text(last));
    for other in others {
        finding = finding.label(place(other), text(other));
    }
    finding
        .note("the autoscaler's documentation calls it undefined behaviour: which of them a pod gets its requests from is not settled")
        .help("put the container policies of all into one VerticalPodAutoscaler; one that only recommends can stay with `updateMode: \"Off\"`")
}
