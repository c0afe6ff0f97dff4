//! What was there a short time ago: objects that were deleted, and workloads that were scaled to nothing.
//!
//! Only what a watch has shown to be there counts, so a deletion that never happened makes no past. Of what is deleted
//! its namespace stays as it was then, or what was wrong with it: an object that comes back is excused by that alone, and
//! not by what others have changed since.

use super::entry::{Entry, json, replicas};
use super::key::Key;
use super::regression::Said;
use super::review::CLUSTER;
use super::sharded::Sharded;
use super::slice::Slice;
use crate::api::kind::Kinds;
use crate::load::cluster::live;
use crate::rule::RuleSet;
use crate::text::tree::Node;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use std::collections::VecDeque;
use std::sync::Arc;

/// The most that is remembered; the oldest go first.
const MOST: usize = 2_000;

/// Something that was there.
#[derive(Clone, Debug)]
pub struct Gone {
    /// What it was.
    pub key: Arc<Key>,
    /// When it was seen to be gone.
    pub at: Timestamp,
    pub(super) was: Was,
}

/// How it was.
#[derive(Clone, Debug)]
pub(super) enum Was {
    /// An object that is deleted, and its namespace as it was with it.
    Object(Arc<Entry>, Arc<Slice>),
    /// The same, where nothing is left of it but what was wrong with it.
    Wrong(Arc<Vec<Said>>),
    /// A workload with its replicas; it has none now.
    Scaled(Arc<Entry>),
}

/// What was there, by namespace. A copy costs a count.
#[derive(Clone, Debug, Default)]
pub struct Past {
    by_namespace: Sharded<Arc<Vec<Gone>>>,
}

impl Past {
    fn of(&self, key: &Key) -> Option<&Gone> {
        self.by_namespace.get(&key.namespace)?.iter().find(|it| *it.key == *key)
    }

    /// An object that was deleted no longer ago than this.
    pub(super) fn deleted(
        &self,
        key: &Key,
        now: Timestamp,
        within: SignedDuration,
    ) -> Option<&Gone> {
        let gone = self.of(key)?;
        (gone.is_deleted() && now.duration_since(gone.at) <= within).then_some(gone)
    }

    /// A workload as it was before it was scaled to nothing.
    pub(super) fn scaled(&self, key: &Key) -> Option<Arc<Entry>> {
        match &self.of(key)?.was {
            Was::Scaled(entry) => Some(entry.clone()),
            Was::Object(..) | Was::Wrong(_) => None,
        }
    }

    fn remove(&mut self, key: &Key) {
        if self.of(key).is_some() {
            let all = Arc::make_mut(self.by_namespace.get_mut(&key.namespace));
            all.retain(|it| *it.key != *key);
            if all.is_empty() {
                self.by_namespace.remove(&key.namespace);
            }
        }
    }
}

/// Who keeps the past.
#[derive(Debug, Default)]
pub(super) struct Memory {
    pub(super) past: Past,
    /// The kinds whose deleted objects are remembered.
    kinds: Kinds,
    queue: VecDeque<(Timestamp, Arc<Key>)>,
    /// What was entered since it was taken last.
    fresh: VecDeque<Gone>,
}

impl Memory {
    pub(super) fn new(kinds: Kinds) -> Memory {
        Memory { kinds, ..Memory::default() }
    }

    /// A watch shows an object where this one was known. Of what is back the past stays: the second look after the
    /// write asks for it.
    pub(super) fn observe(&mut self, earlier: &Arc<Entry>, entry: &Entry, now: Timestamp) {
        if replicas(entry) == Some(0) && replicas(earlier).is_some_and(|it| it > 0) {
            self.enter(entry.key.clone(), Was::Scaled(earlier.clone()), now);
        }
    }

    /// A watch shows that an object is gone, which was in its namespace as it was.
    pub(super) fn observe_deletion(
        &mut self,
        entry: &Arc<Entry>,
        slice: Option<Arc<Slice>>,
        now: Timestamp,
    ) {
        let Some(slice) = slice.filter(|_| self.kinds.has(entry.key.kind)) else { return };
        if !is_controlled(entry) {
            self.enter(entry.key.clone(), Was::Object(entry.clone(), slice), now);
        }
    }

    fn enter(&mut self, key: Arc<Key>, was: Was, now: Timestamp) {
        let gone = Gone { key, at: now, was };
        self.fresh.push_back(gone.clone());
        if self.fresh.len() > MOST {
            self.fresh.pop_front();
        }
        self.put(gone);
    }

    fn put(&mut self, gone: Gone) {
        self.past.remove(&gone.key);
        self.queue.push_back((gone.at, gone.key.clone()));
        Arc::make_mut(self.past.by_namespace.get_mut(&gone.key.namespace)).push(gone);
        while self.queue.len() > MOST {
            let Some((at, key)) = self.queue.pop_front() else { return };
            if self.past.of(&key).is_some_and(|it| it.at == at) {
                self.past.remove(&key);
            }
        }
    }

    /// Enters what others remember, unless something as new is known.
    pub(super) fn remember(&mut self, gone: Gone) {
        if self.past.of(&gone.key).is_none_or(|it| it.at < gone.at) {
            self.put(gone);
        }
    }

    /// What was entered since the last call.
    pub(super) fn take_fresh(&mut self) -> Vec<Gone> {
        std::mem::take(&mut self.fresh).into()
    }
}

/// Whether a controller made it and makes it again.
fn is_controlled(entry: &Entry) -> bool {
    let metadata = entry.document.tree.root().get("metadata");
    let mut owners = metadata.into_iter().flat_map(|it| it.list("ownerReferences"));
    owners.any(|it| it.get("controller").and_then(Node::bool) == Some(true))
}

impl Gone {
    /// Whether it was deleted, and not only scaled to nothing.
    pub fn is_deleted(&self) -> bool {
        !matches!(self.was, Was::Scaled(_))
    }

    /// As it is stored for a restart and other replicas, without the time; `None` for what has yet to be judged
    /// ([`super::verdict::settled`]).
    pub fn to_json(&self) -> Option<Value> {
        let key = self.key.to_json();
        match &self.was {
            Was::Object(..) => None,
            Was::Wrong(said) => {
                let wrong: Vec<Value> = said.iter().map(Said::to_json).collect();
                Some(json!({"at": self.at.to_string(), "key": key, "wrong": wrong}))
            }
            Was::Scaled(entry) => {
                let object = json(entry.document.tree.root());
                Some(json!({"at": self.at.to_string(), "key": key, "scaled": object}))
            }
        }
    }

    /// What [`Gone::to_json`] has written; `None` for anything else. What was wrong by another rule than these is left
    /// out.
    pub fn of_json(rules: &RuleSet, stored: &Value) -> Option<Gone> {
        let at = stored["at"].as_str()?.parse().ok()?;
        let key = Arc::new(Key::of_json(&stored["key"])?);
        let was = match stored.get("scaled") {
            Some(object) => {
                let document = Arc::new(live::document(CLUSTER, object, "", ""));
                Was::Scaled(Arc::new(Entry::new(document, 0)?))
            }
            None => {
                let wrong = stored["wrong"].as_array()?.iter();
                Was::Wrong(Arc::new(wrong.filter_map(|it| Said::of_json(rules, it)).collect()))
            }
        };
        Some(Gone { key, at, was })
    }
}
