//! Flows that are declared, and that network policies deny.

use crate::analyze::network::reach::Effect;
use crate::api::kind::Kind;
use crate::architecture::sayings::flows as flows_of;
use crate::architecture::statements::Section;
use crate::intended_flows::{Missing, flows, missing, object_of};
use crate::policy::DeclaredFlow;
use crate::rule::{Admission, Check, Cx, Finding, Group, Out, Place, Preset, Rule, Severity};

/// The rule.
pub(super) static RULE: Rule = Rule {
    id: "flow-missing",
    title: "network policies deny a flow that is declared",
    severity: Severity::Error,
    group: Group::Network,
    admission: Admission::Deny,
    presets: &[Preset::Invariants],
    reads: &[
        Kind::AdminNetworkPolicy,
        Kind::BaselineAdminNetworkPolicy,
        Kind::ClusterNetworkPolicy,
        Kind::Custom,
        Kind::Namespace,
        Kind::NetworkPolicy,
        Kind::Node,
        Kind::Service,
    ],
    like: &[],
    parameters: &[],
    page: include_str!("flow_missing.md"),
    reads_images: None,
    checks: &[Check::Section(Section::Flows, check)],
};

fn check(cx: &Cx<'_, '_>, out: &mut Out) {
    // Names that mean nobody another rule speaks of.
    for it in missing(cx.facts, &flows(cx.model, cx.facts, cx.policy)) {
        finding(cx, &it, out);
    }
}

fn finding(cx: &Cx<'_, '_>, it: &Missing<'_, '_>, out: &mut Out) {
    let flow = &it.flow;
    let (from, to) = (object_of(cx.facts, &flow.from), object_of(cx.facts, &flow.to));
    let ports: Vec<_> = it.ports.iter().map(ToString::to_string).collect();
    let ports = if flow.declared.ports.is_empty() { "any port".into() } else { ports.join(", ") };
    let Some(object) = to.or(from) else { return };
    if let Some(reason) = it.reason {
        let (from, to) = (&flow.declared.from, &flow.declared.to);
        let missing =
            format!("the flow from `{from}` to `{to}` on {ports}: {}", reason.told(cx.model));
        return out.cannot_tell(cx.object(object), missing);
    }
    let closing = || it.because.iter().filter(|it| it.effect == Effect::Closes);
    if let Some(missing) = cx.unseen_policies(closing().map(|it| it.policy)) {
        return out.cannot_tell(cx.object(object), missing);
    }
    let name = |it, other: &str| match it {
        Some(it) => format!("`{}`", cx.object(it)),
        None => format!("`{other}`"),
    };
    let (source, destination) = (name(from, &flow.declared.from), name(to, &flow.declared.to));
    let message = format!("{source} may not reach {destination} on {ports}, as it is declared to");
    let mut finding = Finding::new(message, cx.object(object).whole(), "the flow ends here");
    if let Some(from) = from.filter(|it| *it != object) {
        finding = finding.label(cx.object(from).whole(), "and begins here");
    }
    if let Some(place) = stated(cx, flow.declared) {
        finding = finding.label(place, "promised here");
    }
    // What no NetworkPolicy opens another one may; what a policy of the administrator denies stays denied.
    if closing().all(|it| cx.object(it.policy).kind == Kind::NetworkPolicy) {
        finding = finding.awaits(&[Kind::NetworkPolicy]);
    }
    for because in closing().take(6) {
        let policy = cx.object(because.policy);
        let place = match because.rule {
            Some(rule) => policy.place(rule),
            None => policy.at(&format!("spec.{}", because.direction)),
        };
        finding = finding.label(place, format!("closes the {}", because.direction));
    }
    let mut ends: Vec<_> = it.because.iter().map(|it| it.direction.to_string()).collect();
    ends.sort();
    ends.dedup();
    out.find(
        finding
            .note("a flow needs the egress of its source and the ingress of its destination")
            .help(format!("allow {ports} between both: the {} is closed", ends.join(" and the "))),
    );
}

/// Where an architecture document states a flow.
fn stated(cx: &Cx<'_, '_>, declared: &DeclaredFlow) -> Option<Place> {
    let (of, at) = declared.statement?;
    let promise = cx.run.architecture.promises.get(of as usize)?;
    Some(promise.place(cx.model, flows_of(promise).get(at as usize)?.node))
}
