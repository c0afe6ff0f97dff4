//! The objects of one namespace, or those of the cluster as a whole.

use super::entry::Entry;
use super::key::Key;
use crate::api::kind::{Kind, Kinds};
use std::cmp::Ordering;
use std::collections::BTreeMap;
use std::sync::Arc;

/// The order of the objects of one kind in one namespace.
fn by_name(it: &Key, other: &Key) -> Ordering {
    it.custom.cmp(&other.custom).then_with(|| it.name.cmp(&other.name))
}

/// The objects of a namespace, or those of the cluster as a whole.
#[derive(Clone, Debug, Default)]
pub(super) struct Slice {
    /// By kind, each in the order of their names.
    pub(super) kinds: BTreeMap<Kind, Arc<Vec<Arc<Entry>>>>,
    /// Grows with each change that a rule could see.
    pub(super) revision: u64,
}

impl Slice {
    pub(super) fn iter(&self) -> impl Iterator<Item = &Arc<Entry>> {
        self.kinds.values().flat_map(|it| it.iter())
    }

    /// Those of some kinds.
    pub(super) fn of_kinds(&self, kinds: Kinds) -> impl Iterator<Item = &Arc<Entry>> {
        let lists = self.kinds.iter().filter(move |(kind, _)| kinds.has(**kind));
        lists.flat_map(|(_, it)| it.iter())
    }

    pub(super) fn of_kind(&self, kind: Kind) -> &[Arc<Entry>] {
        self.kinds.get(&kind).map_or(&[], |it| it.as_slice())
    }

    pub(super) fn get(&self, key: &Key) -> Option<&Arc<Entry>> {
        let entries = self.of_kind(key.kind);
        entries.binary_search_by(|it| by_name(&it.key, key)).ok().map(|at| &entries[at])
    }

    /// Puts an entry in its place and hands back the one that was there.
    pub(super) fn put(&mut self, entry: Arc<Entry>) -> Option<Arc<Entry>> {
        let entries = Arc::make_mut(self.kinds.entry(entry.key.kind).or_default());
        match entries.binary_search_by(|it| by_name(&it.key, &entry.key)) {
            Ok(at) => Some(std::mem::replace(&mut entries[at], entry)),
            Err(at) => {
                entries.insert(at, entry);
                None
            }
        }
    }

    pub(super) fn take(&mut self, key: &Key) -> Option<Arc<Entry>> {
        let entries = self.kinds.get_mut(&key.kind)?;
        let at = entries.binary_search_by(|it| by_name(&it.key, key)).ok()?;
        let taken = Arc::make_mut(entries).remove(at);
        if entries.is_empty() {
            self.kinds.remove(&key.kind);
        }
        Some(taken)
    }
}
