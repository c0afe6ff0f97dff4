//! The tests of purlin: one binary, data-driven where it can be.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on says so by a panic")]

mod budgets;
mod cli;
mod demand;
mod human;
mod json;
mod load;
mod model;
mod network_policies;
mod policy;
mod quotas;
mod readme;
mod replicas;
mod routing;
mod rules;
mod selectors;
mod support;
mod systems;
mod tidy;
