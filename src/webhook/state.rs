//! What is known of the cluster: what the watches say, and over it the writes that were allowed since.
//!
//! One writer at a time; who judges takes a copy ([`State::snapshot`]), which costs nothing, and gives it back to
//! [`State::commit`], so that two requests that exclude each other are not both allowed:
//!
//! ```
//! # use purlin::webhook::{review::Review, state::State, verdict::{Context, Verdict, judge}};
//! # use std::{sync::Mutex, time::Instant};
//! fn answer(state: &Mutex<State>, review: &Review, context: &Context<'_>, now: Instant) -> Verdict {
//!     loop {
//!         let basis = state.lock().expect("no writer panics").snapshot();
//!         let verdict = judge(&basis, review, context);
//!         if verdict.is_denied() {
//!             return verdict;
//!         }
//!         if state.lock().expect("no writer panics").commit(&basis, review, now) {
//!             return verdict;
//!         }
//!     }
//! }
//! ```

use super::cross_namespace::is_outward;
use super::key::Key;
use super::overlay::Overlay;
use super::review::{CLUSTER, Operation, Review};
use super::scale::written;
use super::snapshot::{Entry, Snapshot};
use super::world::namespace_of;
use crate::api::kind::{Kind, WORKLOADS, group};
use crate::load::Document;
use crate::text::tree::Node;
use rustc_hash::FxHashSet;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// The cluster as far as it is known.
#[derive(Debug, Default)]
pub struct State {
    snapshot: Snapshot,
    overlay: Overlay,
}

impl State {
    /// What is known now. It stays as it is whatever happens afterwards.
    pub fn snapshot(&self) -> Snapshot {
        self.snapshot.clone()
    }

    /// How many objects a namespace holds; of the cluster as a whole for the empty name.
    pub fn count(&self, namespace: &str) -> usize {
        self.snapshot.count(namespace)
    }

    /// How many allowed writes no watch has shown yet.
    pub fn pending(&self) -> usize {
        self.overlay.len()
    }

    /// A watch shows an object that is new or has changed, in this `resourceVersion` (0: unknown). Documents that hold
    /// no object are passed over.
    pub fn observe(&mut self, document: Document, version: u64) {
        let document = Document { source: CLUSTER, ..document };
        let entry = Entry::new(Arc::new(document), version);
        let Some(entry) = entry.map(Arc::new) else { return };
        if is_made_by_a_workload(&entry) {
            return self.observe_deletion(&entry.key);
        }
        let known = self.snapshot.get(&entry.key).map_or(0, |it| it.version);
        // Lists and watches of a kind may overlap; what is older than what is known says nothing.
        let is_old = entry.version != 0 && entry.version < known;
        if !is_old && self.overlay.observe(&entry) {
            self.snapshot.upsert(entry);
        }
    }

    /// A watch shows that an object is gone.
    pub fn observe_deletion(&mut self, key: &Key) {
        if self.overlay.observe_deletion(key) {
            self.snapshot.remove(key);
        }
    }

    /// A list shows all objects of a kind: what it does not hold is gone, and the kind is known in full. Of custom
    /// kinds, name the one that was listed (`group/Kind`).
    pub fn observe_list(&mut self, kind: Kind, custom: &str, documents: Vec<(Document, u64)>) {
        let keys = documents.iter().filter_map(|(it, _)| Key::of(it.tree.root()));
        let listed: FxHashSet<Key> = keys.collect();
        let known = self.snapshot.iter().map(|it| &*it.key);
        let is_gone = |it: &&Key| it.kind == kind && *it.custom == *custom && !listed.contains(*it);
        let gone: Vec<Key> = known.filter(is_gone).cloned().collect();
        gone.iter().for_each(|it| self.observe_deletion(it));
        documents.into_iter().for_each(|(it, version)| self.observe(it, version));
        self.set_complete(kind, true);
    }

    /// Says that every object of this kind is known, or that this can no longer be said: then what is not there may
    /// still be in the cluster.
    pub fn set_complete(&mut self, kind: Kind, is_complete: bool) {
        self.snapshot.set_complete(kind, is_complete);
    }

    /// Enters what an allowed request writes, so that the next verdict knows of it. Dry runs are not entered, nor what
    /// changes nothing that a rule reads: the API server may not even write it.
    ///
    /// False where what the verdict rests on has changed since `basis` was taken: it has to be judged again.
    #[must_use]
    pub fn commit(&mut self, basis: &Snapshot, review: &Review, now: Instant) -> bool {
        if review.is_dry_run {
            return true;
        }
        let is_write = matches!(review.operation, Operation::Create | Operation::Update);
        let written = if is_write && !review.changes_nothing() {
            // Its own version is known once it is stored; until then it is newer than all others.
            written(&self.snapshot, review).and_then(|it| Entry::new(it, review.old_version))
        } else {
            None
        };
        if !self.is_current(basis, review, written.as_ref()) {
            return false;
        }
        let key = &review.key;
        if key.name.is_empty() {
            return true;
        }
        if let Some(entry) = written {
            let (entry, base) = (Some(Arc::new(entry)), review.old_version);
            self.overlay.enter(&mut self.snapshot, key, entry, base, now);
        } else if review.operation == Operation::Delete && review.subresource.is_empty() {
            self.overlay.enter(&mut self.snapshot, key, None, review.old_version, now);
        }
        true
    }

    /// Whether nothing has changed since `basis` was taken that a verdict on this request rests on.
    fn is_current(&self, basis: &Snapshot, review: &Review, written: Option<&Entry>) -> bool {
        let namespace = namespace_of(&review.key);
        let revision = |of: &Snapshot| of.slice(namespace).map_or(0, |it| it.revision);
        let known = self.snapshot.get(&review.key).map(|it| &**it);
        let is_outward = is_outward(review.key.kind)
            || written.into_iter().chain(known).any(|it| it.is_outward());
        revision(basis) == revision(&self.snapshot)
            && (!is_outward || basis.outward_revision == self.snapshot.outward_revision)
    }

    /// The allowed writes of at least this age that no watch has shown, with the times at which they were entered, the
    /// oldest first.
    pub fn unseen(&self, age: Duration, now: Instant) -> impl Iterator<Item = (Instant, &Key)> {
        self.overlay.unseen(age, now)
    }

    /// Takes back an allowed write of which a read that began at `asked` showed nothing, if it was doubtful by then.
    /// What was read is to be observed first.
    pub fn doubt(&mut self, key: &Key, asked: Instant) {
        self.overlay.doubt(&mut self.snapshot, key, asked);
    }

    /// Takes an allowed write back.
    pub fn forget(&mut self, key: &Key) {
        self.overlay.forget(&mut self.snapshot, key);
    }
}

/// The pods and replica sets that a workload makes repeat what it says, and rules read it there. Of those that a custom
/// controller makes nothing else may tell.
fn is_made_by_a_workload(entry: &Entry) -> bool {
    let metadata = entry.document.tree.root().get("metadata");
    let owners = metadata.into_iter().flat_map(|it| it.list("ownerReferences"));
    let mut controllers =
        owners.filter(|it| it.get("controller").and_then(Node::bool) == Some(true));
    let is_workload = |owner: Node<'_>| {
        let version = owner.text("apiVersion").unwrap_or_default();
        WORKLOADS.contains(&Kind::of(group(version), owner.text("kind").unwrap_or_default()))
    };
    matches!(entry.key.kind, Kind::Pod | Kind::ReplicaSet) && controllers.any(is_workload)
}
