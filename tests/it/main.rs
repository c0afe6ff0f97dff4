//! The tests of purlin: one binary, data-driven where it can be.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on says so by a panic")]

mod absence;
mod action;
#[cfg(feature = "cluster")]
#[allow(dead_code, reason = "the tests of the webhook use the rest")]
mod apiserver;
mod architecture;
mod attacks;
mod budgets;
mod calm;
mod cli;
#[cfg(feature = "cluster")]
mod cluster;
mod credentials;
mod demand;
#[cfg(feature = "webhook")]
mod deploy;
mod dns;
mod documents;
mod flow_names;
mod focus;
mod formats;
mod graph;
mod human;
mod init;
mod json;
mod known;
#[cfg(feature = "webhook")]
mod kubectl;
mod load;
mod migrate;
mod model;
mod needs;
mod neighbours;
mod network_policies;
mod oracle;
mod other_policies;
mod parameters;
mod picture;
mod placement;
mod pod_security;
mod policy;
mod quotas;
mod reach;
mod readme;
mod replicas;
mod routing;
mod rule_set;
mod rules;
mod schemas;
mod selectors;
#[cfg(feature = "webhook")]
mod serve;
mod support;
mod systems;
mod tidy;
mod tree;
pub(crate) mod webhook;
mod worlds;
