//! Services that lead to nothing but workloads without pods.

use crate::absence::Wanted;
use crate::analyze::selection::alike::Alike;
use crate::analyze::selection::services::{Service, ServiceId};
use crate::api::kind::Kind;
use crate::rule::{Admission, Check, Cx, Finding, Group, Out, Preset, Rule, Severity};
use crate::rules::judged::NAMESPACES;

/// The rule.
pub(super) static RULE: Rule = Rule {
    id: "scaled-to-zero",
    title: "a Service leads only to a workload without pods",
    severity: Severity::Note,
    group: Group::Object,
    admission: Admission::Warn,
    presets: &[Preset::Recommended],
    reads: &[Kind::Service, Kind::HorizontalPodAutoscaler, Kind::ScaledObject],
    like: &["popeye:500"],
    parameters: &[NAMESPACES],
    page: include_str!("scaled_to_zero.md"),
    reads_images: None,
    checks: &[Check::World(check)],
};

fn check(cx: &Cx<'_, '_>, out: &mut Out) {
    let services = cx.facts.services();
    for (_, alike) in services.alike() {
        if !is_empty(cx, alike) {
            continue;
        }
        for service in alike.members.iter().map(|it| services.get(ServiceId(*it))) {
            let object = cx.object(service.object);
            let Some(finding) = finding(cx, service, alike).filter(|_| cx.is_judged(object)) else {
                continue;
            };
            let Some(selector) = &service.selector else { continue };
            let pods = Wanted::LastingPods { namespace: service.namespace, selector };
            out.report_absent(object, cx.absence_of(pods), || finding);
        }
    }
}

/// Whether all that these Services lead to has no pod, and no autoscaler that makes one.
fn is_empty(cx: &Cx<'_, '_>, services: &Alike) -> bool {
    let mut workloads = services.workloads.iter();
    let has_none = workloads.all(|(id, _)| {
        let envelope = cx.facts.envelope(*id);
        let is_scaled = cx.facts.replicas().scalers_of(*id).next().is_some();
        envelope.is_some_and(|it| it.floor.count == 0 && it.peak.count == 0) && !is_scaled
    });
    has_none && !services.workloads.is_empty()
}

fn finding(cx: &Cx<'_, '_>, service: &Service<'_>, services: &Alike) -> Option<Finding> {
    let (first, _) = services.workloads.first()?;
    let envelope = cx.facts.envelope(*first)?;
    let workload = cx.object(cx.facts.workloads().get(*first).object);
    let object = cx.object(service.object);
    let message = format!("`{object}` leads to nothing: `{workload}` runs no pods");
    Some(
        Finding::new(message, envelope.floor.place(cx.model), envelope.floor.describe())
            .label(object.whole(), "answers nothing")
            .note("no autoscaler starts it again")
            .help("start a pod, or remove the Service as long as it is off"),
    )
}
