//! The rules that purlin brings, by group; everything that names rules is derived from a set of them.

use crate::rule::{Rule, RuleSet};
use std::sync::LazyLock;

mod access;
mod api_versions;
mod architecture;
mod disruption;
mod grants;
mod images;
mod input;
mod judged;
mod left_out;
mod missing;
mod network;
mod nodes;
mod object;
mod pods;
mod routing;
mod scaling;
mod security;

pub use left_out::{LEFT_OUT, LeftOut, left_out_why};

const GROUPS: &[&[&Rule]] = &[
    access::RULES,
    architecture::RULES,
    disruption::RULES,
    input::RULES,
    network::RULES,
    object::RULES,
    routing::RULES,
    scaling::RULES,
    security::RULES,
];

/// The rules that purlin brings.
pub fn built_in() -> &'static RuleSet {
    static BUILT_IN: LazyLock<RuleSet> =
        LazyLock::new(|| RuleSet::new(GROUPS.iter().copied().flatten().copied()));
    &BUILT_IN
}
