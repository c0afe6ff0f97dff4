//! What evictions, failures and volumes do to pods.

pub mod budgets;
pub mod claims;
pub mod evictions;
pub mod spread;
pub mod volume_binding;
