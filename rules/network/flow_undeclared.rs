//! Flows that network policies allow, and that nobody declared.

use crate::absence::{Absence, Wanted};
use crate::analyze::network::other_policies::why;
use crate::analyze::network::reach::Effect;
use crate::analyze::selection::workloads::WorkloadId;
use crate::api::kind::Kind;
use crate::architecture::statements::Section;
use crate::intended_flows::{Comparison, Undeclared, flows, undeclared};
use crate::rule::{Admission, Check, Cx, Finding, Group, Out, Preset, Rule, Severity};

/// The rule.
pub(super) static RULE: Rule = Rule {
    id: "flow-undeclared",
    title: "network policies allow a flow that is not declared",
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
    page: include_str!("flow_undeclared.md"),
    reads_images: None,
    checks: &[Check::Section(Section::Flows, check)],
};

fn check(cx: &Cx<'_, '_>, out: &mut Out) {
    let known = flows(cx.model, cx.facts, cx.policy);
    let Comparison { undeclared, others } = undeclared(cx.facts, &known, |namespace| {
        cx.unseen(Wanted::Policies { namespace }).is_some()
    });
    for it in undeclared {
        // Policies that the input does not hold may close it at either end.
        let namespaces = [it.from, it.to].into_iter().flatten();
        let namespaces = namespaces.map(|it| cx.facts.workloads().get(it).namespace);
        let absences: Vec<_> =
            namespaces.map(|namespace| cx.absence_of(Wanted::Policies { namespace })).collect();
        if absences.contains(&Absence::Elsewhere) {
            continue;
        }
        let missing = absences.into_iter().find_map(|it| match it {
            Absence::CannotTell(missing) => Some(missing),
            Absence::Elsewhere | Absence::Absent => None,
        });
        let end = it.to.or(it.from).map(|it| cx.object(cx.facts.workloads().get(it).object));
        match (missing, end) {
            (Some(missing), Some(object)) => out.cannot_tell(object, missing),
            _ => finding(cx, &it, out),
        }
    }
    for it in others.into_iter().map(|it| cx.object(it)) {
        out.cannot_tell(it, format!("whether flows pass that nobody declared: {}", why(it)));
    }
}

fn finding(cx: &Cx<'_, '_>, it: &Undeclared<'_>, out: &mut Out) {
    let object = |it: WorkloadId| cx.object(cx.facts.workloads().get(it).object);
    let name = |it: Option<WorkloadId>| match it {
        Some(it) => format!("`{}`", object(it)),
        None => "the Internet".to_string(),
    };
    let shown: Vec<_> = it.ports.iter().take(6).map(ToString::to_string).collect();
    let more = it.ports.len().saturating_sub(6);
    let more = if more > 0 { format!(" and {more} more") } else { String::new() };
    let ports = format!("{}{more}", shown.join(", "));
    let (source, destination) = (name(it.from), name(it.to));
    let message = format!("{source} may reach {destination} on {ports}, which no flow declares");
    let Some(place) = it.to.or(it.from).map(|it| object(it).whole()) else { return };
    let mut finding = Finding::new(message, place, "this is open");
    if let Some(from) = it.from.filter(|_| it.to.is_some()) {
        finding = finding.label(object(from).whole(), "to this");
    }
    for because in it.because.iter().filter(|it| it.effect == Effect::Opens).take(6) {
        let policy = cx.object(because.policy);
        let place = because.rule.map_or_else(|| policy.whole(), |rule| policy.place(rule));
        finding = finding.label(place, format!("opens the {}", because.direction));
    }
    let note = if it.because.is_empty() {
        "no policy stands between them"
    } else {
        "what is not declared is meant to be denied, at one end at least"
    };
    out.find(finding.note(note).help("declare the flow, or narrow the policies that open it"));
}
