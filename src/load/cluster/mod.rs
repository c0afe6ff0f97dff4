//! A live cluster: what is read of it, and what of that was read in full.

#[cfg(feature = "cluster")]
mod connect;
pub mod coverage;
#[cfg(feature = "cluster")]
mod list;
pub mod live;
#[cfg(feature = "cluster")]
mod read;
#[cfg(feature = "cluster")]
mod relevant;
mod replicas;

#[cfg(feature = "cluster")]
pub use connect::{Options, client, explain, namespace_of, version};
#[cfg(feature = "cluster")]
pub use read::*;
