//! Which kinds the rules need to see: what is listed of a cluster, watched, and allowed to whoever runs purlin.

use crate::api::kind::{Kind, Kinds, WORKLOADS};
use crate::rule::Rule;

/// What is read for all rules beside workloads. Without it more cannot be told, and nothing is found wrongly: `absence`
/// asks whether pods may label themselves, and whether an operator makes them.
const ALWAYS: &[Kind] = &[
    Kind::ClusterRole,
    Kind::ClusterRoleBinding,
    Kind::CustomResourceDefinition,
    Kind::Namespace,
    Kind::Prometheus,
    Kind::Role,
    Kind::RoleBinding,
];

/// The kinds without which a rule may find what is not so.
pub fn of(rule: &Rule) -> impl Iterator<Item = Kind> {
    WORKLOADS.iter().chain(rule.reads).copied()
}

/// Everything that these rules read. Custom kinds that purlin has no name for are always among it: what their
/// controllers make, no other object tells.
pub fn kinds<'r>(rules: impl IntoIterator<Item = &'r Rule>) -> Kinds {
    let always = ALWAYS.iter().copied().chain([Kind::Custom]);
    always.chain(rules.into_iter().flat_map(of)).collect()
}
