//! What a drawing shows, and the sums that a document states: both have to agree with its other statements.

use super::super::text::Size;
use super::super::time::Times;
use super::FlowTo;
use crate::documents::Scalar;
use schemars::JsonSchema;
use serde::Deserialize;
use std::collections::BTreeMap;

/// What a drawing shows.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default, expecting = "`picture` is a mapping")]
pub struct Picture {
    /// By node, the pods that are drawn on it.
    pub nodes: BTreeMap<String, NodePicture>,
    /// By component, how many pods the text says are drawn.
    pub counts: BTreeMap<String, u32>,
    /// Who is drawn to call whom.
    pub flows: BTreeMap<String, Vec<FlowTo>>,
    /// By component, the fewest ready pods that a drawn rollout shows.
    pub rollout: BTreeMap<String, u32>,
}

/// A node of a drawing.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default, expecting = "a drawn node is a mapping")]
pub struct NodePicture {
    /// By component, how many of its pods.
    pub pods: BTreeMap<String, u32>,
    /// What is left beside the pods of components that do not scale.
    pub left: BTreeMap<String, Size>,
}

/// A sum that a document states.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default, expecting = "a total is a mapping")]
pub struct Total {
    /// The namespace that it is of; all of them, where none is named.
    pub namespace: Option<Scalar>,
    /// Whether all components run their fewest pods or their most.
    pub at: Option<Times>,
    /// How many pods.
    pub pods: Option<u32>,
    /// What they ask for together.
    pub requests: BTreeMap<String, Size>,
    /// What they may use together.
    pub limits: BTreeMap<String, Size>,
}
