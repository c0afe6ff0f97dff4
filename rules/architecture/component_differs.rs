//! Components that are otherwise than the architecture promises.

use super::workload_of;
use crate::api::kind::Kind;
use crate::api::quantity::Quantity;
use crate::architecture::compare::{Difference, differences};
use crate::architecture::statements::{Component, Section};
use crate::model::{Object, Place};
use crate::rule::{Admission, Check, Cx, Finding, Group, ImagePart, Out, Preset, Rule, Severity};

/// The rule.
pub(super) static RULE: Rule = Rule {
    id: "component-differs",
    title: "a component is not as the architecture promises",
    severity: Severity::Error,
    group: Group::Architecture,
    admission: Admission::Deny,
    presets: &[Preset::Invariants],
    reads: &[
        Kind::HorizontalPodAutoscaler,
        Kind::LimitRange,
        Kind::PersistentVolumeClaim,
        Kind::PodDisruptionBudget,
        Kind::ScaledObject,
        Kind::Service,
        Kind::VerticalPodAutoscaler,
    ],
    like: &[],
    parameters: &[],
    page: include_str!("component_differs.md"),
    reads_images: Some(ImagePart::Whole),
    checks: &[Check::Section(Section::Components, check)],
};

fn check(cx: &Cx<'_, '_>, out: &mut Out) {
    for promise in cx.promises() {
        for (name, component, workload) in promise.workloads() {
            let Some(found) = workload_of(cx, &workload) else { continue };
            let all = differences((cx.model, cx.facts), promise, (name, component), found);
            let object = cx.object(found.object);
            out.findings.extend(finding((name, component), object, &all));
        }
    }
}

/// One finding a component, with each number and both its places, the first of them in the workload itself.
fn finding(
    (name, component): (&str, &Component),
    object: &Object<'_>,
    all: &[Difference],
) -> Option<Finding> {
    let first = all.first()?;
    let one = |it: &Difference| format!("{} {} promised, {} there", it.what, it.promised, it.found);
    let told: Vec<_> = all.iter().map(one).collect();
    let message = format!("`{name}` is not as the architecture promises: {}", told.join("; "));
    let is_own = matches!(&first.place, Place::Field { object: at, .. } if *at == object.id);
    let mut finding = match is_own {
        true => Finding::new(message, first.place.clone(), format!("{} here", first.found))
            .label(first.statement.clone(), format!("{} promised", first.promised)),
        false => Finding::new(message, object.whole(), "this component"),
    };
    for it in &all[usize::from(is_own)..] {
        finding = finding
            .label(it.place.clone(), format!("{} here", it.found))
            .label(it.statement.clone(), format!("{} promised", it.promised));
    }
    for it in all {
        finding = finding.over(format!("component {}", it.what), apart(it));
    }
    if component.observed {
        finding = finding
            .severity(Severity::Note)
            .note("nobody decided it: it was only observed")
            .help("decide, and leave `observed` out; or let `purlin init --update` write what is there");
    }
    Some(finding)
}

/// How far what is there is from what is promised; of what is no amount, that it is otherwise.
fn apart(it: &Difference) -> Quantity {
    let amounts = (Quantity::parse(&it.promised), Quantity::parse(&it.found));
    match amounts {
        (Ok(a), Ok(b)) => {
            if a > b {
                a - b
            } else {
                b - a
            }
        }
        _ => Quantity::units(1),
    }
}
