//! The verdicts of the webhook, without its server.

pub(crate) mod agreement;
mod answers;
pub(crate) mod breaks;
mod cases;
mod properties;
mod state;
pub(crate) mod support;
