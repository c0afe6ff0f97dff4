//! References by name: to configuration, Services and what controllers make.

pub mod alternatives;
pub mod backends;
pub mod called_services;
pub mod credential_values;
pub mod credentials;
pub mod custom_references;
pub mod free_text;
pub mod generated_secrets;
pub mod keys;
pub mod named;
pub mod redis_cluster;
pub mod route_attachment;
pub mod terraform;
mod tokens;
