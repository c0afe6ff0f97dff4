//! Requests above their limits, which the API server refuses.
//!
//! `pkg/apis/core/validation/validation.go`, ValidateContainerResourceRequirements.

use crate::analyze::capacity::effective_resources::Resources;
use crate::analyze::selection::workloads::Workload;
use crate::api::kind::Kind;
use crate::api::quantity::Quantity;
use crate::rule::{Admission, Check, Cx, Finding, Group, Out, Preset, Rule, Severity};
use crate::text::tree::Node;

/// The rule.
pub(super) static RULE: Rule = Rule {
    id: "requests-above-limits",
    title: "a container requests more than its limit",
    severity: Severity::Error,
    group: Group::Scaling,
    admission: Admission::Deny,
    presets: &[Preset::Invariants],
    reads: &[Kind::LimitRange],
    like: &[],
    parameters: &[],
    page: include_str!("requests_above_limits.md"),
    reads_images: None,
    checks: &[Check::World(check)],
};

fn check(cx: &Cx<'_, '_>, out: &mut Out) {
    for workload in cx.facts.workloads().iter() {
        let demand = cx.facts.demand(workload);
        for container in &demand.containers {
            let who = format!("container `{}` of ", container.name);
            for (resource, request) in container.requests.iter() {
                let limit = container.limits.get(resource);
                out.findings.extend(finding(
                    cx,
                    workload,
                    container.node,
                    &who,
                    resource,
                    request,
                    limit,
                ));
            }
        }
        let Some(resources) = workload.pod.get("resources") else { continue };
        let read = |key| Resources::parse(resources.get(key), &mut Vec::new());
        let limits = read("limits");
        for (resource, request) in read("requests").iter() {
            let limit = limits.get(resource);
            out.findings.extend(finding(cx, workload, workload.pod, "", resource, request, limit));
        }
    }
}

fn finding(
    cx: &Cx<'_, '_>,
    workload: &Workload<'_>,
    owner: Node<'_>,
    who: &str,
    resource: &str,
    request: Quantity,
    limit: Option<Quantity>,
) -> Option<Finding> {
    // CPU, memory and the like may be promised in part; whole devices and huge pages may not.
    let is_exact = resource.contains('/') || resource.starts_with("hugepages-");
    let limit = match limit {
        Some(limit) if request > limit || (is_exact && request != limit) => limit,
        _ => return None,
    };
    let object = cx.object(workload.object);
    let written = |key| owner.at(&["resources", key, resource]);
    let (request_node, limit_node) = (written("requests"), written("limits"));
    let amounts = (request.show(resource), limit.show(resource));
    let relation = if request > limit { "more than" } else { "other than" };
    let message = format!(
        "{who}`{object}` requests {} of {resource}, {relation} its limit of {}",
        amounts.0, amounts.1
    );
    let place = object.place(request_node.or(limit_node).or(owner.get("name")).unwrap_or(owner));
    let mut finding = Finding::new(message, place, format!("requests {}", amounts.0));
    if let Some(node) = limit_node {
        finding = finding.label(object.place(node), format!("limited to {}", amounts.1));
    }
    // What the container does not write comes from a LimitRange, which is then half of the contradiction.
    for item in cx.facts.limit_ranges().items(workload.namespace) {
        let keys: &[&str] = match (request_node, limit_node) {
            (Some(_), None) => &["default", "max"],
            (None, Some(_)) => &["defaultRequest", "default", "min"],
            _ => &[],
        };
        let nodes = keys.iter().filter_map(|key| item.node.at(&[key, resource]));
        if let Some(node) = nodes.take(1).next().filter(|_| item.kind == "Container") {
            let what = if limit_node.is_none() {
                "the limit comes from here"
            } else {
                "the request comes from here"
            };
            finding = finding.label(cx.object(item.object).place(node), what);
        }
    }
    let note = if is_exact {
        "devices and huge pages are promised whole: request and limit have to be the same"
    } else {
        "the API server refuses such pods"
    };
    let help = if is_exact {
        format!("set both to {} or to {}", amounts.0, amounts.1)
    } else {
        format!("set the limit to at least {}, or the request to at most {}", amounts.0, amounts.1)
    };
    Some(finding.note(note).help(help))
}
