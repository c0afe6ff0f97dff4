//! What has to hold, whatever happens.

use super::super::text::{Fraction, Size};
use super::super::time::{Duration, Event};
use crate::documents::Scalar;
use schemars::JsonSchema;
use serde::Deserialize;
use std::collections::BTreeMap;

/// What has to hold: one of `fail`, `drain`, `rollout`, `peak`, `scaleOut`, `availability`, `apart`, `load` and `latency`
/// says of what it is.
#[derive(Clone, Debug, Default, PartialEq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
#[serde(expecting = "an objective is a mapping")]
pub struct Objective {
    /// What is lost: `any node`, `node worker-1`, `any zone`, `zone us-east-1a`.
    pub fail: Option<Event>,
    /// What is drained: `every node`, `node worker-1`.
    pub drain: Option<Event>,
    /// What is rolled out: a component, or `all`.
    pub rollout: Option<Scalar>,
    /// What all autoscalers at their maximum are: they `fit`.
    pub peak: Option<Peak>,
    /// The component whose load grows.
    pub scale_out: Option<Scalar>,
    /// How much of the time the whole is up: 99.9%.
    pub availability: Option<Fraction>,
    /// The component, or `all`, of which no two pods may ever be on one node, or in one zone.
    pub apart: Option<Scalar>,
    /// How much of a metric the component takes at its maximum.
    pub load: Option<Load>,
    /// Of which requests the time is meant: p50, p95, p99.
    pub latency: Option<Scalar>,
    /// By component, how many pods are left at least.
    pub keep: BTreeMap<String, u32>,
    /// By component, what becomes of it.
    pub expect: BTreeMap<String, Expectation>,
    /// How many pods may be down meanwhile.
    pub unavailable: Option<u32>,
    /// To how many pods it grows: a count, or `max`.
    pub to: Option<Scalar>,
    /// How long it takes at most.
    pub within: Option<Duration>,
    /// How long it takes at most to be back after a disaster.
    pub recovery: Option<Duration>,
    /// The most data that may be lost, in time.
    pub data_loss: Option<Duration>,
    /// Whether `node` or `zone` may not be shared.
    pub by: Option<Domain>,
}

/// Pods of what one may not share.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase", expecting = "`node` or `zone`")]
pub enum Domain {
    /// A node.
    Node,
    /// A zone.
    Zone,
}

/// What all autoscalers at their maximum do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase", expecting = "`fits`")]
pub enum Peak {
    /// Every pod has a node.
    Fits,
}

/// What becomes of a component.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase", expecting = "what becomes of a component is a word")]
pub enum Expectation {
    /// Nothing.
    Unaffected,
    /// Its pods run again elsewhere.
    Rescheduled,
    /// Some pods are missing.
    Degraded,
    /// All are.
    Down,
}

impl Expectation {
    /// As the document writes it.
    pub fn name(self) -> &'static str {
        match self {
            Expectation::Unaffected => "unaffected",
            Expectation::Rescheduled => "rescheduled",
            Expectation::Degraded => "degraded",
            Expectation::Down => "down",
        }
    }
}

/// How much of a metric a component takes.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, expecting = "`load` is a mapping")]
pub struct Load {
    /// The component.
    pub of: Scalar,
    /// The metric, one of its `scaling.metrics`.
    pub metric: Scalar,
    /// How much of it.
    pub amount: Size,
}

/// When somebody is called.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default, expecting = "an alert is a mapping")]
pub struct Alert {
    /// Of which requests the time is meant.
    pub latency: Option<Scalar>,
    /// How long they take at least.
    pub above: Option<Duration>,
}
