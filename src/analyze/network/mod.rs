//! Who may talk to whom, by which name and address.

pub mod access;
pub mod addresses;
mod config_files;
pub mod config_readers;
pub mod dns;
pub mod isolation;
pub mod monitors;
pub mod other_policies;
pub mod policies;
pub mod policy_ports;
pub mod reach;
pub mod refused;
pub mod service_addresses;
pub mod service_clients;
