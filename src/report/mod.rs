//! Findings to bytes: the only place that knows lines and columns.

pub mod human;
pub mod json;
