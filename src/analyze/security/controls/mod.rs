//! The controls one by one: what each finds in a pod under a minor version.

pub(super) mod host;
pub mod identity;
pub(super) mod kernel;
pub(super) mod volumes;
