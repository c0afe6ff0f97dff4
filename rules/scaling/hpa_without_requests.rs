//! Autoscalers that measure against requests which a container does not make.

use crate::absence::Wanted;
use crate::analyze::capacity::hpa_metrics::{Measure, utilization};
use crate::analyze::selection::workloads::Workload;
use crate::api::kind::Kind;
use crate::api::quantity::Quantity;
use crate::model::Object;
use crate::rule::{Admission, Check, Cx, Finding, Group, Out, Rule, Severity};

/// The rule.
pub(super) static RULE: Rule = Rule {
    id: "hpa-without-requests",
    title: "an autoscaler measures a percentage of a request that a container does not make",
    severity: Severity::Error,
    group: Group::Scaling,
    admission: Admission::Deny,
    reads: &[Kind::HorizontalPodAutoscaler, Kind::ScaledObject, Kind::LimitRange],
    like: &[],
    parameters: &[],
    page: include_str!("hpa_without_requests.md"),
    reads_images: false,
    checks: &[Check::World(check)],
};

fn check(cx: &Cx<'_, '_>, out: &mut Out) {
    for scaler in cx.facts.replicas().scalers() {
        let Some(target) = scaler.target else { continue };
        let workload = cx.facts.workloads().get(target);
        let object = cx.object(scaler.object);
        for measure in utilization(object) {
            let Some(finding) = finding(cx, object, workload, measure) else { continue };
            match cx.unseen(Wanted::any(Kind::LimitRange, workload.namespace)) {
                Some(missing) => out.cannot_tell(object, missing),
                None if has_limit_range(cx, workload.namespace) => out.find(finding),
                None => out.find(finding.awaits(&[Kind::LimitRange])),
            }
        }
    }
}

fn has_limit_range(cx: &Cx<'_, '_>, namespace: &str) -> bool {
    cx.model.of_kind(Kind::LimitRange).any(|it| it.namespace == namespace)
}

fn finding(
    cx: &Cx<'_, '_>,
    object: &Object<'_>,
    workload: &Workload<'_>,
    measure: Measure<'_>,
) -> Option<Finding> {
    let pod = cx.facts.demand(workload);
    let target = cx.object(workload.object);
    let resource = measure.resource;
    let place = measure.place(object);
    let text = match measure.node {
        Some(_) => format!("a percentage of the {resource} request"),
        None => "without metrics, 80 % of the cpu request".to_string(),
    };
    if let Some(name) = measure.container
        && measure.containers(pod).next().is_none()
    {
        let names: Vec<_> = pod.containers.iter().map(|it| format!("`{}`", it.name)).collect();
        return Some(
            Finding::new(
                format!("`{object}` measures container `{name}`, which `{target}` does not run"),
                place,
                text,
            )
            .label(target.at(&workload.pod_path("containers")), "its containers")
            .help(format!("name one of {}", names.join(", "))),
        );
    }
    // What the pod requests as a whole stands in place of its containers' requests.
    let is_pod_wide = measure.container.is_none() && pod.is_pod_level;
    if is_pod_wide && pod.requests.get(resource).is_some() {
        return None;
    }
    let lacking = measure.containers(pod).filter(|it| it.requests.get(resource).is_none());
    let lacking: Vec<_> = lacking.collect();
    let names: Vec<_> = lacking.iter().map(|it| format!("`{}`", it.name)).collect();
    if lacking.is_empty() {
        return None;
    }
    let message = format!(
        "`{object}` scales `{target}` on a percentage of its {resource} request, and {} {} none",
        names.join(", "),
        if names.len() == 1 { "makes" } else { "make" }
    );
    let mut finding = Finding::new(message, place, text);
    for container in &lacking {
        let node = container.node.get("resources").or(container.node.get("name"));
        let place = target.place(node.unwrap_or(container.node));
        finding = finding.label(place, format!("requests no {resource}"));
        finding = finding.over(format!("`{}` {resource}", container.name), Quantity::units(1));
    }
    Some(
        finding
            .note("one container without the request is enough: the metric fails, and with it every scaling down")
            .help(format!(
                "set `resources.requests.{resource}` of {}; or measure one container (`ContainerResource`) or an `AverageValue`",
                names.join(", ")
            )),
    )
}
