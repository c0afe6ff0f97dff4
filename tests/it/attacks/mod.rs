//! The webhook attacked: by its users, by ordinary operations in unusual orders, and at random.

mod annotations;
mod believed;
pub(crate) mod cluster;
mod objects;
mod operators;
mod orders;
mod put_back;
mod quoted;
mod random;
#[cfg(feature = "webhook")]
mod real;
mod renames;
#[cfg(feature = "webhook")]
mod server;
mod severity;
