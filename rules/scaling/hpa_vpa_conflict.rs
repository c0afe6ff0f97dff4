//! Workloads whose number and size follow the same resource.

use crate::analyze::capacity::hpa_metrics::utilization;
use crate::analyze::capacity::replicas::Scaler;
use crate::analyze::capacity::vertical::{Mode, Vertical};
use crate::analyze::selection::workloads::Workload;
use crate::api::kind::Kind;
use crate::rule::{Admission, Check, Cx, Finding, Group, Out, Preset, Rule, Severity};

/// The rule.
pub(super) static RULE: Rule = Rule {
    id: "hpa-vpa-conflict",
    title: "a horizontal and a vertical autoscaler drive one resource of one workload",
    severity: Severity::Error,
    group: Group::Scaling,
    admission: Admission::Deny,
    presets: &[Preset::Invariants],
    reads: &[Kind::HorizontalPodAutoscaler, Kind::ScaledObject, Kind::VerticalPodAutoscaler],
    like: &[],
    parameters: &[],
    page: include_str!("hpa_vpa_conflict.md"),
    reads_images: None,
    checks: &[Check::World(check)],
};

fn check(cx: &Cx<'_, '_>, out: &mut Out) {
    for vertical in cx.facts.verticals() {
        let Some(target) = vertical.target.filter(|_| vertical.mode != Mode::Off) else { continue };
        let workload = cx.facts.workloads().get(target);
        for scaler in cx.facts.replicas().scalers_of(target) {
            out.findings.extend(finding(cx, workload, vertical, scaler));
        }
    }
}

fn finding(
    cx: &Cx<'_, '_>,
    workload: &Workload<'_>,
    vertical: &Vertical<'_>,
    scaler: &Scaler<'_>,
) -> Option<Finding> {
    let pod = cx.facts.demand(workload);
    let (horizontal, target) = (cx.object(scaler.object), cx.object(workload.object));
    let mut shared = utilization(horizontal);
    shared.retain(|it| it.containers(pod).any(|c| vertical.controls(c.name, it.resource)));
    let mut resources: Vec<_> = shared.iter().map(|it| it.resource).collect();
    resources.sort_unstable();
    resources.dedup();
    if resources.is_empty() {
        return None;
    }
    let object = cx.object(vertical.object);
    let resources = resources.join(" and ");
    let place = object.at("spec.updatePolicy.updateMode");
    let text = match vertical.mode {
        Mode::Initial => format!("sets the {resources} requests of every new pod"),
        _ => format!("sets the {resources} requests"),
    };
    let message = format!("`{object}` and `{horizontal}` both drive {resources} of `{target}`");
    let mut finding = Finding::new(message, place, text);
    for measure in &shared {
        let place = measure.place(horizontal);
        finding = finding
            .label(place, format!("scales on a percentage of the {} request", measure.resource));
    }
    // Pods that run keep their requests; the denominator moves with every new one all the same.
    if vertical.mode == Mode::Initial {
        finding = finding.severity(Severity::Warning);
    }
    Some(
        finding
            .label(target.whole(), "driven by both")
            .note("the vertical one changes the request of which the horizontal one takes its percentage: each answers the other's change")
            .help("set `updateMode: \"Off\"` and read the recommendations; or take the resource out of `controlledResources`; or scale on an `AverageValue` or another metric"),
    )
}
