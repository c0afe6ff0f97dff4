//! What a check is run with beside the objects and what the user wants.

use crate::analyze::placement::planned::Described;
use crate::architecture::Gathered;
use crate::load::own::{Beside, OwnId};
use jiff::civil::Date;
use rustc_hash::FxHashSet;
use std::sync::Arc;

/// What a check is run with.
#[derive(Clone, Debug, Default)]
pub struct Run {
    /// Today, for exceptions that expire.
    pub today: Option<Date>,
    /// The policy file, where there is one, so that findings can point into it.
    pub policy: Option<OwnId>,
    /// What architecture documents promise.
    pub architecture: Gathered,
    /// The documents that they stand in, where worlds are put together after these were read.
    pub beside: Beside,
    /// All nodes of the cluster, where somebody describes them.
    pub nodes: Option<Arc<Described>>,
    /// What a change took out of the input: kind, namespace and name.
    pub gone: FxHashSet<(String, String, String)>,
    /// Fingerprints of the findings that are known, where the webhook is to hold them back.
    pub known: FxHashSet<String>,
    /// The rules that a check runs, so that none says of each part what another says of the whole. Empty in the webhook:
    /// a request may make worse what is no worse as a whole.
    pub rules: FxHashSet<&'static str>,
}

impl Run {
    /// Whether a change took this out of the input.
    pub fn is_gone(&self, kind: &str, namespace: &str, name: &str) -> bool {
        !self.gone.is_empty() && self.gone.contains(&(kind.into(), namespace.into(), name.into()))
    }
}
