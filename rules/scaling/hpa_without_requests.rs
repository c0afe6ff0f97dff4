//! Autoscalers that measure against requests which a container does not make.

use crate::absence::Wanted;
use crate::analyze::capacity::effective_resources::ContainerDemand;
use crate::analyze::capacity::hpa_metrics::{Measure, utilization};
use crate::analyze::capacity::injected::unsized_sidecar;
use crate::analyze::capacity::scaled_pods::scaled_pods;
use crate::analyze::selection::workloads::Workload;
use crate::api::kind::Kind;
use crate::api::quantity::Quantity;
use crate::model::Object;
use crate::rule::{Admission, Check, Cx, Finding, Group, Out, Preset, Rule, Severity};

/// The rule.
pub(super) static RULE: Rule = Rule {
    id: "hpa-without-requests",
    title: "an autoscaler measures a percentage of a request that a container does not make",
    severity: Severity::Error,
    group: Group::Scaling,
    admission: Admission::Deny,
    presets: &[Preset::Invariants],
    reads: &[Kind::HorizontalPodAutoscaler, Kind::ScaledObject, Kind::LimitRange],
    like: &[],
    parameters: &[],
    page: include_str!("hpa_without_requests.md"),
    reads_images: None,
    checks: &[Check::World(check)],
};

fn check(cx: &Cx<'_, '_>, out: &mut Out) {
    for scaler in cx.facts.replicas().scalers() {
        let Some(target) = scaler.target else { continue };
        let workload = cx.facts.workloads().get(target);
        let object = cx.object(scaler.object);
        let measures = utilization(object);
        if measures.is_empty() {
            continue;
        }
        let counted = scaled_pods(cx.facts, scaler).map(|it| it.workloads).unwrap_or_default();
        let others =
            counted.iter().filter(|it| **it != target).map(|it| cx.facts.workloads().get(*it));
        let others: Vec<_> = others.collect();
        for measure in measures {
            let own = finding(cx, object, workload, measure);
            let is_right = own.is_none();
            let of_others =
                others.iter().filter_map(|it| stranger(cx, object, workload, it, measure));
            for finding in own.into_iter().chain(of_others) {
                match cx.unseen(Wanted::any(Kind::LimitRange, workload.namespace)) {
                    Some(missing) => out.cannot_tell(object, missing),
                    None if has_limit_range(cx, workload.namespace) => out.find(finding),
                    None => out.find(finding.awaits(&[Kind::LimitRange])),
                }
            }
            if is_right && let Some(missing) = injected(cx, workload, measure) {
                out.cannot_tell(object, missing);
            }
        }
    }
}

fn has_limit_range(cx: &Cx<'_, '_>, namespace: &str) -> bool {
    cx.model.of_kind(Kind::LimitRange).any(|it| it.namespace == namespace)
}

/// A sidecar that is injected, and of whose request nothing in the input tells. A container that is measured by itself,
/// or a request of the pod as a whole, leaves it out of the sum.
fn injected(cx: &Cx<'_, '_>, workload: &Workload<'_>, measure: Measure<'_>) -> Option<String> {
    let pod = cx.facts.demand(workload);
    if measure.container.is_some() || pod.is_pod_level {
        return None;
    }
    let injector = unsized_sidecar(cx.facts, workload, measure.resource)?;
    // The API server runs its own plugins again after webhooks, so a LimitRange gives what is injected its default.
    let ranges = cx.facts.limit_ranges().of(workload.namespace);
    let has_default = ranges.iter().any(|it| it.default_request.get(measure.resource).is_some());
    (!has_default).then(|| {
        format!(
            "whether the sidecar that {injector} injects into the pods of `{}` makes a {} request: an annotation can give it one",
            cx.object(workload.object),
            measure.resource
        )
    })
}

/// Pods of somebody else that the target's selector finds: the controller sums the requests of every pod that it finds,
/// finished ones included, and fails for all of them where one makes none (`replica_calculator.go`, calculatePodRequests).
fn stranger(
    cx: &Cx<'_, '_>,
    object: &Object<'_>,
    target: &Workload<'_>,
    other: &Workload<'_>,
    measure: Measure<'_>,
) -> Option<Finding> {
    let pod = cx.facts.demand(other);
    let resource = measure.resource;
    if pod.is_pod_level && pod.requests.get(resource).is_some() {
        return None;
    }
    let found: Vec<_> = measure.containers(pod).collect();
    let lacks_container = found.is_empty() && measure.container.is_some();
    let lacking: Vec<_> =
        found.into_iter().filter(|it| it.requests.get(resource).is_none()).collect();
    if lacking.is_empty() && !lacks_container {
        return None;
    }
    let (target, other_object) = (cx.object(target.object), cx.object(other.object));
    let what = match measure.container {
        Some(name) if lacks_container => format!("run no container `{name}`"),
        _ => format!("make no {resource} request in {}", names(&lacking)),
    };
    let mut finding = Finding::new(
        format!("`{object}` counts the pods of `{other_object}` as well, and these {what}"),
        measure.place(object),
        format!("a percentage of the {resource} request of every pod that the selector finds"),
    )
    .label(target.at("spec.selector"), "the selector finds them")
    .label(other_object.at(&other.labels_path()), "by these labels");
    for container in lacking.iter().take(8) {
        let place = other_object.place(container.node.get("name").unwrap_or(container.node));
        finding = finding.label(place, format!("requests no {resource}"));
    }
    Some(
        finding
            .over(format!("{other_object} {resource}"), Quantity::units(1))
            .note("an autoscaler takes every pod that its target's selector finds, whoever made it, finished ones included; one without the request fails the metric for all")
            .help(format!(
                "give the pods of `{other_object}` labels that the selector does not find, or set `resources.requests.{resource}` there"
            )),
    )
}

fn names(containers: &[&ContainerDemand<'_>]) -> String {
    let names: Vec<_> = containers.iter().map(|it| format!("`{}`", it.name)).collect();
    names.join(", ")
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
    if lacking.is_empty() {
        return None;
    }
    let message = format!(
        "`{object}` scales `{target}` on a percentage of its {resource} request, and {} {} none",
        names(&lacking),
        if lacking.len() == 1 { "makes" } else { "make" }
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
                names(&lacking)
            )),
    )
}
