//! References by name: to configuration, Services and what controllers make.

pub mod alternatives;
pub mod backends;
pub mod credentials;
pub mod free_text;
pub mod generated_secrets;
pub mod keys;
pub mod named;
pub mod terraform;
