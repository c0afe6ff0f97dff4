//! Policies that allow everything beside one that denies everything.

use crate::analyze::network::policies::{DIRECTIONS, Direction, NetworkPolicy};
use crate::api::kind::Kind;
use crate::rule::{Admission, Check, Cx, Finding, Group, Out, Preset, Rule, Severity};

/// The rule.
pub(super) static RULE: Rule = Rule {
    id: "default-allow-cancels-deny",
    title: "a network policy opens again what a default deny closes",
    severity: Severity::Error,
    group: Group::Network,
    admission: Admission::Deny,
    presets: &[Preset::Invariants],
    reads: &[Kind::NetworkPolicy],
    like: &["kubeaudit:netpols"],
    parameters: &[],
    page: include_str!("default_allow_cancels_deny.md"),
    reads_images: None,
    checks: &[Check::World(check)],
};

fn check(cx: &Cx<'_, '_>, out: &mut Out) {
    let policies = cx.facts.policies();
    for policy in policies.iter() {
        if !policy.selects_all() && policy.selects.is_empty() {
            continue;
        }
        for direction in DIRECTIONS {
            let Some(rule) = policy.allow_all(direction) else { continue };
            let deny = policies.in_namespace(policy.namespace).find(|it| denies_all(it, direction));
            let Some(deny) = deny else { continue };
            let object = cx.object(policy.object);
            let whose = if policy.selects_all() { "every pod" } else { "the pods it selects" };
            let message = format!(
                "`{object}` allows all {direction} of {whose}, which `{}` denies",
                cx.object(deny.object)
            );
            let mut finding = Finding::new(
                message,
                object.place(rule.node),
                format!("everything, {} anywhere", from(direction)),
            );
            finding = finding.label(
                cx.object(deny.object).at("spec.policyTypes"),
                format!("denies all {direction}"),
            );
            if !policy.selects_all() {
                finding = finding.severity(Severity::Warning);
                for (workload, _) in policy.selects.iter().take(8) {
                    let workload = cx.object(cx.facts.workloads().get(*workload).object);
                    finding = finding.label(workload.whole(), format!("open for {direction}"));
                }
            }
            out.find(
                finding
                    .note("policies add up: what one of them allows, no other takes back")
                    .help("name the peers and ports that it is for, or delete it"),
            );
        }
    }
}

/// Whether it is a default deny: every pod, and nothing allowed.
fn denies_all(policy: &NetworkPolicy<'_>, direction: Direction) -> bool {
    policy.selects_all() && policy.rules(direction).is_some_and(<[_]>::is_empty)
}

fn from(direction: Direction) -> &'static str {
    match direction {
        Direction::Ingress => "from",
        Direction::Egress => "to",
    }
}
