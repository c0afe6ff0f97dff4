//! How many pods there are, what they ask for, and what limits that.

pub mod effective_resources;
pub mod hpa_metrics;
pub mod injected;
pub mod limit_ranges;
pub mod quotas;
pub mod replicas;
mod resized;
pub mod rollout;
pub mod scaled_pods;
pub mod vertical;
