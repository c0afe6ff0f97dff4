//! Autoscalers whose target does not exist or cannot be scaled.

use crate::absence::{Absence, Wanted};
use crate::analyze::capacity::replicas::Scaler;
use crate::api::kind::{Kind, group};
use crate::model::Object;
use crate::rule::{Admission, Check, Cx, Finding, Group, Out, Preset, Rule, Severity};
use crate::text::tree::Node;

/// The rule.
pub(super) static RULE: Rule = Rule {
    id: "hpa-target-missing",
    title: "an autoscaler's target does not exist or cannot be scaled",
    severity: Severity::Error,
    group: Group::Scaling,
    admission: Admission::Warn,
    presets: &[Preset::Invariants],
    reads: &[Kind::HorizontalPodAutoscaler, Kind::ScaledObject],
    like: &[
        "kube-linter:dangling-horizontalpodautoscaler",
        "kube-score:horizontalpodautoscaler-has-target",
    ],
    parameters: &[],
    page: include_str!("hpa_target_missing.md"),
    reads_images: None,
    checks: &[Check::World(check)],
};

fn check(cx: &Cx<'_, '_>, out: &mut Out) {
    for scaler in cx.facts.replicas().scalers() {
        let object = cx.object(scaler.object);
        let Some(reference) = scaler.target_ref else { continue };
        let Some(name) = reference.text("name") else { continue };
        if let Some(finding) = unscalable(cx, scaler, object, reference) {
            out.find(finding);
        } else if scaler.target.is_none() {
            missing(
                cx,
                out,
                object,
                (reference, name),
                "scales",
                "an autoscaler without a target scales nothing, and says so only in its conditions",
            );
        }
    }
}

/// A target that is there, or whose kind is known, and that no autoscaler can scale.
fn unscalable(
    cx: &Cx<'_, '_>,
    scaler: &Scaler<'_>,
    object: &Object<'_>,
    reference: Node<'_>,
) -> Option<Finding> {
    let target = scaler.target.map(|it| cx.facts.workloads().get(it));
    let kind = reference.text("kind").unwrap_or("Deployment");
    if let Some(target) = target
        && target.is_scalable() == Some(false)
    {
        let place = object.place(reference.get("kind").unwrap_or(reference));
        let target = cx.object(target.object);
        return Some(
            Finding::new(
                format!("`{object}` targets `{target}`, which cannot be scaled"),
                place,
                "its kind has no scale subresource",
            )
            .label(target.whole(), "this one")
            .help("target a Deployment or StatefulSet, or remove the autoscaler"),
        );
    }
    // `pkg/controller/podautoscaler/horizontal.go`: no apiVersion means the core group, which has no Deployments.
    let is_core = reference.text("apiVersion").map(group) == Some("")
        || (reference.get("apiVersion").is_none() && object.kind == Kind::HorizontalPodAutoscaler);
    let in_apps = Kind::of("apps", kind);
    if is_core && in_apps != Kind::Custom && Kind::of("", kind) == Kind::Custom {
        let written = match reference.text("apiVersion") {
            Some(it) => format!("`apiVersion: {it}`"),
            None => "no `apiVersion`".to_string(),
        };
        let node = reference.get("apiVersion").or(reference.get("kind")).unwrap_or(reference);
        return Some(
            Finding::new(
                format!("`{object}` looks for a {kind} in the core group, which has none"),
                object.place(node),
                format!("{written} means the core group"),
            )
            .help("set `apiVersion: apps/v1` in `scaleTargetRef`"),
        );
    }
    None
}

/// Reports a target that is not there; `does` says what the autoscaler does with targets, `note` what comes of it.
pub(super) fn missing(
    cx: &Cx<'_, '_>,
    out: &mut Out,
    object: &Object<'_>,
    (reference, name): (Node<'_>, &str),
    does: &str,
    note: &str,
) {
    let kind = reference.text("kind").unwrap_or("Deployment");
    let written_group = reference.text("apiVersion").map_or("apps", group);
    let is_there = match Kind::of(written_group, kind) {
        Kind::Custom => cx.model.find_custom(written_group, kind, object.namespace, name),
        known => cx.model.find(known, object.namespace, name),
    };
    // A custom object without a pod template may well serve the scale subresource.
    if is_there.is_some() {
        return;
    }
    let namespace = object.namespace;
    let absence =
        match cx.absence_of(Wanted::Workload { group: written_group, kind, namespace, name }) {
            Absence::Absent if Kind::of(written_group, kind) == Kind::Custom => {
                Absence::CannotTell(format!(
                    "{kind} `{name}` of namespace `{namespace}`: not in the input"
                ))
            }
            absence => absence,
        };
    out.report_absent(object, absence, || {
        let place = object.place(reference.get("name").unwrap_or(reference));
        let message =
            format!("`{object}` {does} `{kind}/{namespace}/{name}`, which does not exist");
        let mut finding = Finding::new(message, place, format!("no {kind} of this name"));
        if let Some(near) = near(cx, object, name) {
            finding = finding.hint(near.whole(), "perhaps this one is meant").help(format!(
                "set `kind: {}` and `name: {}` if `{near}` is meant",
                near.kind_name, near.name
            ));
        }
        finding.note(note)
    });
}

/// The workload of the namespace whose name comes closest.
fn near<'c, 'd>(cx: &Cx<'c, 'd>, object: &Object<'_>, name: &str) -> Option<&'c Object<'d>> {
    let scalable = cx.facts.workloads().in_namespace(object.namespace);
    // Enough for any namespace that people name by hand, and bounded for one that they do not.
    let scalable = scalable.filter(|it| it.is_scalable() == Some(true)).take(1000);
    let likeness = |it: &str| {
        let holds = it.contains(name) || name.contains(it);
        strsim::jaro_winkler(it, name).max(if holds { 0.9 } else { 0.0 })
    };
    let near = scalable.map(|it| (it, likeness(it.name))).filter(|(_, it)| *it >= 0.85);
    let best = near.max_by(|(_, a), (_, b)| a.total_cmp(b));
    best.map(|(it, _)| cx.object(it.object))
}
