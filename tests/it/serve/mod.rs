//! `purlin serve`: the real program over real HTTPS.

mod chaos;
mod client;
pub(crate) mod cluster;
mod contract;
mod doubt;
mod going_down;
mod known;
mod leases;
mod pretence;
pub(crate) mod program;
mod protocol;
mod relay;
mod replaced;
mod replicas;
mod reported;
mod requests;
mod setup;
mod stale;
