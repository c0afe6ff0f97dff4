//! Kubernetes' vocabulary, which depends on nothing: kinds, images, quantities, ports, versions, the network's plugin.

pub mod image;
pub mod kind;
pub mod network;
pub mod ports;
pub mod quantity;
pub mod reference;
pub mod schedule;
pub mod schema;
pub mod version;
