//! The validating admission webhook: what a request means, and what the verdict on it is.
//!
//! `review` reads what the API server asks, `state` holds what is known of the cluster and the writes that were allowed
//! since, `world` cuts out of it what one verdict looks at, `verdict` runs the rules on the world before and after the
//! request, `worse` says what the request makes worse, `known` what a
//! baseline knows of it, and `message` tells the user. None of it does I/O or looks at a
//! clock.

mod baseline;
mod cross_namespace;
mod exempt;
pub mod key;
mod message;
pub mod overlay;
mod regression;
pub mod review;
mod scale;
pub mod selection;
mod sharded;
pub mod snapshot;
pub mod state;
pub mod subscriptions;
pub mod verdict;
pub mod world;
