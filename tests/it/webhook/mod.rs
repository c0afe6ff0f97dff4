//! The verdicts of the webhook, without its server.

mod agreement;
mod answers;
mod breaks;
mod cases;
mod properties;
mod state;
mod support;
