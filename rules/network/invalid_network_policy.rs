//! Network policies that the API server refuses, field by field.

use crate::analyze::network::refused::{Mistakes, mistakes};
use crate::api::kind::Kind;
use crate::model::Object;
use crate::rule::{Admission, Check, Cx, Finding, Group, Out, Preset, Rule, Severity};

/// The rule.
pub(super) static RULE: Rule = Rule {
    id: "invalid-network-policy",
    title: "a network policy says what the API server refuses",
    severity: Severity::Error,
    group: Group::Network,
    admission: Admission::Deny,
    presets: &[Preset::Invariants],
    reads: &[
        Kind::NetworkPolicy,
        Kind::AdminNetworkPolicy,
        Kind::BaselineAdminNetworkPolicy,
        Kind::ClusterNetworkPolicy,
    ],
    like: &[],
    parameters: &[],
    page: include_str!("invalid_network_policy.md"),
    reads_images: None,
    checks: &[Check::Object(object)],
};

fn object(_: &Cx<'_, '_>, object: &Object<'_>, out: &mut Out) {
    tell(object, mistakes(object), out);
}

fn tell(object: &Object<'_>, mistakes: Mistakes<'_>, out: &mut Out) {
    out.find_some(mistakes.into_iter().map(|(node, why)| {
        let message = format!("`{object}` is refused by the API server: {why}");
        Finding::new(message, object.place(node), "refused").note(
            "the whole policy is refused, and what an earlier version of it allowed stays as it is",
        )
    }));
}
