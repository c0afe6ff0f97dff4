//! `purlin serve`: the real program over real HTTPS.

mod chaos;
pub(crate) mod client;
pub(crate) mod cluster;
mod contract;
mod doubt;
mod going_down;
mod known;
mod leases;
mod pretence;
pub(crate) mod program;
mod promised;
mod protocol;
pub(crate) mod relay;
mod replaced;
mod replicas;
mod reported;
pub(crate) mod requests;
pub(crate) mod setup;
mod stale;
