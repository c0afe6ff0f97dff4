//! Containers that request more than they may use.

use crate::analyze::demand::ContainerDemand;
use crate::analyze::workloads::Workload;
use crate::model::kind::Kind;
use crate::rule::{Admission, Cx, Finding, Group, Out, Rule, Severity};

/// The rule.
pub(super) static RULE: Rule = Rule {
    id: "requests-above-limits",
    title: "a container requests more than its limit",
    severity: Severity::Error,
    group: Group::Scaling,
    admission: Admission::Deny,
    reads: &[Kind::LimitRange],
    like: &[],
    parameters: &[],
    page: include_str!("requests_above_limits.md"),
    check,
};

fn check(cx: &Cx<'_, '_>, out: &mut Out) {
    for workload in cx.facts.workloads().iter() {
        for container in &cx.facts.demand(workload).containers {
            above(cx, workload, container, out);
        }
    }
}

fn above(cx: &Cx<'_, '_>, workload: &Workload<'_>, container: &ContainerDemand<'_>, out: &mut Out) {
    let object = cx.object(workload.object);
    for (name, request) in container.requests.iter() {
        let Some(limit) =
            container.limits.get(name).filter(|limit| request.rounded(name) > limit.rounded(name))
        else {
            continue;
        };
        let written = |side| container.node.at(&["resources", side, name]);
        let (asks, may) = (request.show(name), limit.show(name));
        let message = format!(
            "`{}` of `{object}` requests {asks} of {name}, and its limit is {may}",
            container.name
        );
        // One side may come from a LimitRange: then only the other is in the manifest.
        let place = written("requests").or(written("limits")).unwrap_or(container.node);
        let mut finding = Finding::new(message, object.place(place), format!("requests {asks}"));
        match (written("requests"), written("limits")) {
            (Some(_), Some(it)) => {
                finding = finding.label(object.place(it), format!("may use {may}"))
            }
            (Some(_), None) => {
                finding =
                    finding.note(format!("a LimitRange of the namespace sets the limit {may}"))
            }
            _ => {
                finding =
                    finding.note(format!("a LimitRange of the namespace sets the request {asks}"))
            }
        }
        let help = format!("raise the limit to {asks} or more, or lower the request to {may}");
        out.find(finding.note("the API server refuses such a pod").help(help));
    }
}
