//! Two autoscalers on one workload.

use crate::analyze::capacity::replicas::Scaler;
use crate::api::kind::{Kind, group};
use crate::model::Object;
use crate::rule::{Admission, Check, Cx, Finding, Group, Out, Preset, Rule, Severity};
use std::collections::BTreeMap;

/// The rule.
pub(super) static RULE: Rule = Rule {
    id: "hpa-duplicate-target",
    title: "two autoscalers scale one workload",
    severity: Severity::Error,
    group: Group::Scaling,
    admission: Admission::Deny,
    presets: &[Preset::Invariants],
    reads: &[Kind::HorizontalPodAutoscaler, Kind::ScaledObject],
    like: &[],
    parameters: &[],
    page: include_str!("hpa_duplicate_target.md"),
    reads_images: None,
    checks: &[Check::World(check)],
};

fn check(cx: &Cx<'_, '_>, out: &mut Out) {
    let mut by_target: BTreeMap<_, Vec<(&Scaler<'_>, &Object<'_>)>> = BTreeMap::new();
    for scaler in cx.facts.replicas().scalers() {
        let object = cx.object(scaler.object);
        let Some(reference) = scaler.target_ref else { continue };
        let Some(name) = reference.text("name") else { continue };
        let kind = reference.text("kind").unwrap_or("Deployment");
        // Deployments of `extensions` and of `apps` are the same ones.
        let written = reference.text("apiVersion").map_or("apps", group);
        let group = Kind::of(written, kind).info().map_or(written, |it| it.groups[0]);
        by_target.entry((object.namespace, group, kind, name)).or_default().push((scaler, object));
    }
    for ((namespace, _, kind, name), scalers) in by_target {
        if scalers.len() > 1 && !scalers.iter().any(|(_, it)| takes_over(it)) {
            out.find(finding(&format!("{kind}/{namespace}/{name}"), &scalers));
        }
    }
}

/// KEDA takes a HorizontalPodAutoscaler over that was there before, if told to.
fn takes_over(object: &Object<'_>) -> bool {
    object.kind == Kind::ScaledObject
        && object.annotation("scaledobject.keda.sh/transfer-hpa-ownership") == Some("true")
}

fn finding(target: &str, scalers: &[(&Scaler<'_>, &Object<'_>)]) -> Finding {
    let names: Vec<_> = scalers.iter().map(|(_, it)| format!("`{it}`")).collect();
    let place = |(scaler, object): &(&Scaler<'_>, &Object<'_>)| {
        let name = scaler.target_ref.and_then(|it| it.get("name"));
        name.map_or(object.whole(), |it| object.place(it))
    };
    let text = |(scaler, _): &(&Scaler<'_>, &Object<'_>)| {
        format!("{} to {} replicas", scaler.floor.count, scaler.peak.count)
    };
    let all = if scalers.len() == 2 { "both" } else { "all" };
    let message = format!("{} {all} scale `{target}`", names.join(" and "));
    // The one that came last is the one too many.
    let (last, others) = scalers.split_last().expect("a target has two scalers at least");
    let mut finding = Finding::new(message, place(last), text(last));
    for other in others {
        finding = finding.label(place(other), text(other));
    }
    let is_same =
        |it: &(&Scaler<'_>, &Object<'_>)| match (it.1.field(&["spec"]), last.1.field(&["spec"])) {
            (Some(a), Some(b)) => it.1.kind == last.1.kind && a.same(b),
            _ => false,
        };
    finding = finding.renamed(others.iter().all(is_same));
    finding
        .note("each sets the replicas that its own metrics ask for and undoes what the other set; newer versions of Kubernetes stop both (AmbiguousSelector)")
        .help("put the metrics of all into one autoscaler: it takes the largest number that any of them asks for")
}
