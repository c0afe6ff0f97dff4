//! Limits that are more than the chosen multiple of their requests.

use super::super::pods;
use crate::analyze::capacity::effective_resources::{ContainerDemand, Role};
use crate::analyze::security::pod::Fault;
use crate::api::kind::Kind;
use crate::rule::{Admission, Check, Cx, Group, Out, Parameter, Rule, Severity};

/// The rule.
pub(super) static RULE: Rule = Rule {
    id: "limit-above-request",
    title: "a limit is many times its request",
    severity: Severity::Note,
    group: Group::Object,
    admission: Admission::Warn,
    presets: &[],
    reads: &[Kind::LimitRange],
    like: &[
        "kube-score:container-cpu-requests-equal-limits",
        "kube-score:container-memory-requests-equal-limits",
        "kube-score:container-resource-requests-equal-limits",
        "kube-score:container-ephemeral-storage-request-equals-limit",
        "gatekeeper:containerresourceratios",
        "kyverno:enforce-resources-as-ratio",
    ],
    parameters: &[
        pods::NAMESPACES,
        Parameter {
            name: "ratio",
            about: "by resource, how many times its request a limit may be: `memory=1`",
            default: &[],
        },
    ],
    page: include_str!("limit_above_request.md"),
    reads_images: None,
    checks: &[Check::World(check)],
};

fn check(cx: &Cx<'_, '_>, out: &mut Out) {
    let ratios: Vec<(&str, f64)> = cx.parameter("ratio").into_iter().filter_map(ratio).collect();
    for workload in cx.facts.workloads().iter().filter(|_| !ratios.is_empty()) {
        let containers = cx.facts.demand(workload).containers.iter();
        let faults: Vec<_> = containers
            .filter(|it| it.role != Role::Init)
            .flat_map(|it| ratios.iter().filter_map(move |ratio| above(it, *ratio)))
            .collect();
        let faults = pods::judged(cx, workload, faults);
        if !faults.is_empty() {
            let does = ["may use more than it requests", "may use more than they request"];
            let finding = pods::finding(cx, workload, &faults, does);
            out.find(
                finding
                    .note("what a container uses beyond its request is nobody's promise: the node takes it back when others need it")
                    .help("raise the request, or lower the limit"),
            );
        }
    }
}

/// `memory=1`
fn ratio(text: &str) -> Option<(&str, f64)> {
    let (resource, ratio) = text.split_once(['=', ':'])?;
    Some((resource.trim(), ratio.trim().parse().ok()?))
}

fn above<'d>(container: &ContainerDemand<'d>, (resource, most): (&str, f64)) -> Option<Fault<'d>> {
    let limit = container.limits.get(resource)?;
    let request = container.requests.get(resource).filter(|it| !it.is_zero())?;
    let ratio = limit.ratio(request);
    if ratio <= most {
        return None;
    }
    let text = format!(
        "{} of {resource} are {ratio:.1} times the request of {}",
        limit.show(resource),
        request.show(resource)
    );
    Some(match container.node.at(&["resources", "limits", resource]) {
        Some(node) => Fault::of(container.node, node, text),
        None => Fault::lack(container.node, "resources.limits", text),
    })
}
