//! Vertical autoscalers whose least is more than the manifest requests.

use crate::analyze::capacity::vertical::{Mode, Vertical};
use crate::api::kind::Kind;
use crate::api::quantity::Quantity;
use crate::rule::{Admission, Check, Cx, Finding, Group, Out, Preset, Rule, Severity};
use crate::text::tree::Node;

/// The rule.
pub(super) static RULE: Rule = Rule {
    id: "vpa-floor-above-request",
    title: "a vertical autoscaler's least is more than a container requests",
    severity: Severity::Note,
    group: Group::Scaling,
    admission: Admission::Warn,
    presets: &[Preset::Invariants],
    reads: &[Kind::VerticalPodAutoscaler, Kind::LimitRange],
    like: &[],
    parameters: &[],
    page: include_str!("vpa_floor_above_request.md"),
    reads_images: None,
    checks: &[Check::World(check)],
};

/// A resource of a container that no pod ever has as it is written.
struct Raised<'d> {
    container: &'d str,
    node: Node<'d>,
    resource: &'d str,
    request: Quantity,
    floor: Quantity,
    written: Node<'d>,
}

fn check(cx: &Cx<'_, '_>, out: &mut Out) {
    for vertical in cx.facts.verticals().iter().filter(|it| it.mode != Mode::Off) {
        let raised = raised(cx, vertical);
        if !raised.is_empty() {
            out.find(finding(cx, vertical, &raised));
        }
    }
}

fn raised<'d>(cx: &Cx<'_, 'd>, vertical: &Vertical<'d>) -> Vec<Raised<'d>> {
    let Some(target) = vertical.target else { return Vec::new() };
    let demand = cx.facts.demand(cx.facts.workloads().get(target));
    let mut raised = Vec::new();
    for container in &demand.containers {
        for resource in ["cpu", "memory"] {
            let Some(written) = vertical.least(container.name, resource) else { continue };
            let floor = written.scalar().and_then(|it| Quantity::parse(&it).ok());
            let (Some(floor), Some(request)) = (floor, container.requests.get(resource)) else {
                continue;
            };
            if floor > request {
                let (container, node) = (container.name, container.node);
                raised.push(Raised { container, node, resource, request, floor, written });
            }
        }
    }
    raised
}

fn finding(cx: &Cx<'_, '_>, vertical: &Vertical<'_>, raised: &[Raised<'_>]) -> Finding {
    let object = cx.object(vertical.object);
    let first = &raised[0];
    let target = vertical.target.map(|it| cx.object(cx.facts.workloads().get(it).object));
    let of = target.map_or(String::new(), |it| format!(" of `{it}`"));
    let amounts: Vec<_> =
        raised.iter().map(|it| format!("{} {}", it.floor.show(it.resource), it.resource)).collect();
    let message = format!(
        "`{object}` gives container `{}`{of} at least {}, more than it requests",
        first.container,
        amounts.join(" and ")
    );
    let mut finding = Finding::new(
        message,
        object.place(first.written),
        format!("at least {}", first.floor.show(first.resource)),
    );
    for it in raised {
        let node = it.node.at(&["resources", "requests", it.resource]);
        if let (Some(target), Some(node)) = (target, node) {
            let text = format!("requests {} of {}", it.request.show(it.resource), it.resource);
            finding = finding.label(target.place(node), text);
        }
    }
    finding
        .note("a recommendation is never below `minAllowed`, so no pod runs with what the manifest requests, and limits are raised in proportion")
        .help("lower `minAllowed`, or request as much as it says")
}
