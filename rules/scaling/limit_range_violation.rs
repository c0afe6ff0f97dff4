//! Pods and claims that a LimitRange refuses.
//!
//! `plugin/pkg/admission/limitranger/admission.go`, PodValidateLimitFunc and PersistentVolumeClaimValidateLimitFunc.

use crate::analyze::capacity::limit_ranges::{LimitItem, Side, Violation};
use crate::api::kind::Kind;
use crate::api::quantity::Quantity;
use crate::model::{Object, Place};
use crate::rule::{Admission, Check, Cx, Finding, Group, Out, Preset, Rule, Severity};
use crate::text::tree::Node;

/// The rule.
pub(super) static RULE: Rule = Rule {
    id: "limit-range-violation",
    title: "a LimitRange refuses a pod or claim",
    severity: Severity::Error,
    group: Group::Scaling,
    admission: Admission::Deny,
    presets: &[Preset::Invariants],
    reads: &[Kind::LimitRange, Kind::PersistentVolumeClaim],
    like: &[],
    parameters: &[],
    page: include_str!("limit_range_violation.md"),
    reads_images: None,
    checks: &[Check::World(check)],
};

/// A violation, who commits it, and where its resources stand.
type Found<'c, 'd> = (&'c LimitItem<'d>, Violation<'d>, String, Place);

fn check(cx: &Cx<'_, '_>, out: &mut Out) {
    for workload in cx.facts.workloads().iter() {
        let items = cx.facts.limit_ranges().items(workload.namespace);
        let is_off = cx.facts.envelope(workload.id).is_some_and(|it| it.peak.count == 0);
        if items.is_empty() {
            continue;
        }
        let object = cx.object(workload.object);
        let demand = cx.facts.demand(workload);
        let mut found: Vec<Found<'_, '_>> = Vec::new();
        for item in items.iter().filter(|it| !is_off && it.kind == "Container") {
            for container in &demand.containers {
                for violation in item.violations(&container.requests, &container.limits) {
                    let place = place(object, container.node, &violation);
                    found.push((item, violation, format!("container `{}`", container.name), place));
                }
            }
        }
        for item in items.iter().filter(|it| !is_off && it.kind == "Pod") {
            for violation in item.violations(&demand.own_requests, &demand.own_limits) {
                let place = place(object, workload.pod, &violation);
                found.push((item, violation, "the pod as a whole".into(), place));
            }
        }
        out.findings.extend(finding(cx, object, "every pod of", &found));
        for template in
            object.field(&["spec"]).into_iter().flat_map(|it| it.list("volumeClaimTemplates"))
        {
            claim(cx, out, object, workload.namespace, template);
        }
    }
    for object in cx.model.of_kind(Kind::PersistentVolumeClaim) {
        claim(cx, out, object, object.namespace, object.root);
    }
}

fn claim<'d>(
    cx: &Cx<'_, 'd>,
    out: &mut Out,
    object: &Object<'d>,
    namespace: &str,
    claim: Node<'d>,
) {
    let resources = claim.at(&["spec", "resources"]);
    let mut found: Vec<Found<'_, '_>> = Vec::new();
    for item in cx.facts.limit_ranges().items(namespace) {
        for violation in item.claim_violations(resources) {
            let node = resources.and_then(|it| it.at(&["requests", violation.resource]));
            let place = object.place(node.or(resources).unwrap_or(claim));
            found.push((item, violation, "the claim".into(), place));
        }
    }
    let what = if object.kind == Kind::PersistentVolumeClaim { "" } else { "the claims of" };
    out.findings.extend(finding(cx, object, what, &found));
}

fn finding(
    cx: &Cx<'_, '_>,
    object: &Object<'_>,
    what: &str,
    found: &[Found<'_, '_>],
) -> Option<Finding> {
    let (item, violation, who, place) = found.first()?;
    let range = cx.object(item.object);
    let more = match found.len() {
        1 => String::new(),
        count => format!(", and {} more", count - 1),
    };
    let what = if what.is_empty() { String::new() } else { format!("{what} ") };
    let message = format!("`{range}` refuses {what}`{object}`: {who} {}{more}", violation.text);
    let mut finding = Finding::new(message, place.clone(), violation.text.clone());
    for (_, violation, who, place) in &found[1..] {
        finding = finding.label(place.clone(), format!("{who} {}", violation.text));
    }
    for (_, violation, who, _) in found {
        let of = format!("{who} {} {}", violation.field, violation.resource);
        finding = finding.over(of, Quantity::units(1));
    }
    let mut lines: Vec<_> =
        found.iter().map(|(item, it, ..)| (item.object, it.bound, it.rule)).collect();
    lines.dedup_by_key(|(_, node, _)| node.index());
    for (range, node, rule) in lines {
        finding = finding.label(cx.object(range).place(node), rule);
    }
    let what = match violation.side {
        Side::Missing => "state it, or give the LimitRange a default",
        Side::Below => "raise it, or lower the LimitRange's minimum",
        Side::Above => "lower it, or raise the LimitRange's maximum",
    };
    if !matches!(object.kind, Kind::Pod | Kind::PersistentVolumeClaim) {
        finding = finding.note(
            "a LimitRange judges pods and claims when they are created: the apply of the workload succeeds, what it makes is refused",
        );
    }
    Some(finding.help(what))
}

/// Where the amount stands, or would.
fn place(object: &Object<'_>, owner: Node<'_>, violation: &Violation<'_>) -> Place {
    let resources = owner.get("resources");
    let amount = |key| resources.and_then(|it| it.at(&[key, violation.resource]));
    let node = amount(violation.field).or(resources).or(owner.get("name")).unwrap_or(owner);
    object.place(node)
}
