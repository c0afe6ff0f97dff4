//! The validating admission webhook: what a request means, and what the verdict on it is.
//!
//! `rulebook` holds the rules and what follows from them, `review` reads what the API server asks, `state` holds what is
//! known of the cluster and the writes that were allowed since, `change` says what a request changes, `world` cuts out
//! what one verdict looks at, `verdict` runs the rules on the world before and after the request, `regression` says what
//! the request makes worse, `baseline` what is known of it, and `answer` tells the API server, with the words of
//! `message`. None of it does I/O or looks at a clock.

mod answer;
mod baseline;
pub mod change;
pub mod context;
mod cross_namespace;
pub mod entry;
mod exempt;
pub mod key;
pub mod message;
pub mod notice;
pub mod overlay;
mod ownership;
pub mod past;
mod regression;
mod release;
pub mod review;
mod rollouts;
pub mod rulebook;
pub mod selection;
mod sharded;
mod slice;
pub mod snapshot;
pub mod state;
pub mod subscriptions;
pub mod verdict;
pub mod world;
