//! What a verdict depends on besides the cluster.

use super::rulebook::Rulebook;
use crate::policy::Policy;
use crate::run::Run;

/// What a verdict depends on besides the cluster.
#[derive(Clone, Copy, Debug)]
pub struct Context<'c> {
    /// The rules.
    pub rules: &'c Rulebook,
    /// What the user wants.
    pub policy: &'c Policy,
    /// What is so this time: the day, and the findings that are known.
    pub run: &'c Run,
    /// The name by which the API server knows the webhook itself; what it writes is never denied.
    pub own_account: Option<&'c str>,
    /// The time of the request: whether a grace period has passed is told from it.
    pub now: jiff::Timestamp,
}
