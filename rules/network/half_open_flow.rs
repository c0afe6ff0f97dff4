//! Entries of network policies that open a flow whose other end is closed.

use crate::absence::{Absence, Wanted};
use crate::analyze::network::policies::Direction;
use crate::analyze::network::reach::half_open::HalfOpen;
use crate::analyze::network::reach::{EndpointId, Pods};
use crate::api::kind::Kind;
use crate::model::Object;
use crate::rule::{Admission, Check, Cx, Finding, Group, Out, Preset, Rule, Severity};

/// The rule.
pub(super) static RULE: Rule = Rule {
    id: "half-open-flow",
    title: "a network policy opens one end of a flow, and the other end is closed",
    severity: Severity::Warning,
    group: Group::Network,
    admission: Admission::Warn,
    presets: &[Preset::Invariants],
    reads: &[
        Kind::AdminNetworkPolicy,
        Kind::BaselineAdminNetworkPolicy,
        Kind::ClusterNetworkPolicy,
        Kind::Custom,
        Kind::Namespace,
        Kind::NetworkPolicy,
    ],
    like: &[],
    parameters: &[],
    page: include_str!("half_open_flow.md"),
    reads_images: None,
    checks: &[Check::World(check)],
};

fn check(cx: &Cx<'_, '_>, out: &mut Out) {
    let all = cx.facts.reach().half_open();
    for of_policy in all.chunk_by(|a, b| a.policy == b.policy) {
        let mut told = Vec::new();
        for it in of_policy {
            let (_, other) = ends(it);
            let Some(pods) = pods(cx, other) else { continue };
            match cx.absence_of(Wanted::Policies { namespace: pods.namespace }) {
                Absence::Elsewhere => {}
                Absence::CannotTell(missing) => out.cannot_tell(cx.object(it.policy), missing),
                Absence::Absent => told.extend(finding(cx, it)),
            }
        }
        out.find_some(told);
    }
}

/// The end that the policy is for, and the other one.
fn ends(it: &HalfOpen<'_>) -> (EndpointId, EndpointId) {
    match it.direction {
        Direction::Ingress => (it.flow.1, it.flow.0),
        Direction::Egress => it.flow,
    }
}

fn pods<'c, 'd>(cx: &Cx<'c, 'd>, id: EndpointId) -> Option<&'c Pods<'d>> {
    cx.facts.reach().get(id).pods()
}

fn finding(cx: &Cx<'_, '_>, it: &HalfOpen<'_>) -> Option<Finding> {
    let object = |id| -> Option<&Object<'_>> {
        let workload = pods(cx, id)?.workloads.first()?;
        Some(cx.object(cx.facts.workloads().get(*workload).object))
    };
    let (own, other) = ends(it);
    let (own, other) = (object(own)?, object(other)?);
    let policy = cx.object(it.policy);
    let (does, lacks, todo) = match it.direction {
        Direction::Ingress => {
            (format!("lets `{other}` in to `{own}`"), "and no policy lets it out there", "egress")
        }
        Direction::Egress => {
            (format!("lets `{own}` out to `{other}`"), "and no policy lets it in there", "ingress")
        }
    };
    let message = format!("`{policy}` {does}, {lacks}");
    let mut finding = Finding::new(message, policy.place(it.peer), "opens one end alone");
    finding = finding.label(other.whole(), format!("its {todo} is closed"));
    for id in it.closed_by.iter().filter(|id| **id != it.policy).take(4) {
        let closing = cx.object(*id);
        let place = closing.at(&format!("spec.{todo}"));
        finding = finding.label(place, format!("closes the {todo}"));
    }
    let finding = finding
        .awaits(&[Kind::NetworkPolicy])
        .note("a flow needs the egress of its source and the ingress of its destination")
        .help(format!(
            "allow the same flow in a policy for the {todo} of `{other}`, or drop the entry"
        ));
    Some(finding)
}
