//! Findings to bytes: the only place that knows lines and columns.

pub mod concise;
pub mod escaped;
pub mod github;
pub mod human;
pub mod json;
pub mod junit;
pub mod markdown;
mod place;
pub mod repository;
pub mod sarif;
pub mod simulation;
mod text;
mod wording;
