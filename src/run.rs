//! What a check is run with beside the objects and what the user wants.

use crate::analyze::placement::planned::Described;
use crate::api::network::Network;
use crate::architecture::Gathered;
use crate::load::own::{Beside, OwnId};
use crate::model::Model;
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
    /// The same of architectures for some targets alone, by their places among all.
    pub own_nodes: Vec<(usize, Arc<Described>)>,
    /// What a change took out of the input: kind, namespace and name.
    pub gone: FxHashSet<(String, String, String)>,
    /// Fingerprints of the findings that are known, where the webhook is to hold them back.
    pub known: FxHashSet<String>,
    /// The rules that a check runs, so that none says of each part what another says of the whole. Empty in the webhook:
    /// a request may make worse what is no worse as a whole.
    pub rules: FxHashSet<&'static str>,
}

impl Run {
    /// All nodes of the cluster that a world is for, where somebody describes them.
    pub fn nodes_of(&self, model: &Model<'_>) -> Option<&Arc<Described>> {
        let own = self.own_nodes.iter().find(|it| self.is_of(it.0, model));
        own.map(|it| &it.1).or(self.nodes.as_ref())
    }

    /// What an architecture for this world alone says of the network.
    pub fn network_of(&self, model: &Model<'_>) -> Option<&Network> {
        let all = self.architecture.promises.iter().enumerate();
        let mut own = all.filter(|(at, it)| !it.targets.is_empty() && self.is_of(*at, model));
        own.find_map(|(_, it)| {
            let is_said = it.at(&["cluster", "network"]).is_some_and(|it| it.count() > 0);
            is_said.then_some(&it.value.cluster.network)
        })
    }

    /// Whether a world is stated by an architecture, or has to keep it.
    fn is_of(&self, at: usize, model: &Model<'_>) -> bool {
        let is_for = || self.architecture.promises.get(at).is_some_and(|it| it.is_for(model.name));
        model.architecture.map_or_else(is_for, |it| it == at)
    }

    /// Whether a change took this out of the input.
    pub fn is_gone(&self, kind: &str, namespace: &str, name: &str) -> bool {
        !self.gone.is_empty() && self.gone.contains(&(kind.into(), namespace.into(), name.into()))
    }
}
