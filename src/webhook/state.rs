//! What is known of the cluster: what the watches say, and over it the writes that were allowed since.
//!
//! One writer at a time; who judges takes a copy ([`State::snapshot`]), which costs nothing, and gives it back to
//! [`State::commit`], so that two requests that exclude each other are not both allowed:
//!
//! ```
//! # use purlin::webhook::{context::Context, review::Review, state::State, verdict::{Verdict, judge}};
//! # use std::{sync::Mutex, time::Instant};
//! fn answer(state: &Mutex<State>, review: &Review, context: &Context<'_>, now: Instant) -> Verdict {
//!     loop {
//!         let basis = state.lock().expect("no writer panics").snapshot();
//!         let verdict = judge(&basis, review, context);
//!         if verdict.is_denied() {
//!             return verdict;
//!         }
//!         if state.lock().expect("no writer panics").commit(&basis, review, &verdict.change, now) {
//!             return verdict;
//!         }
//!     }
//! }
//! ```

use super::change::Change;
use super::cross_namespace::is_outward;
use super::key::Key;
use super::overlay::{Allowed, Overlay};
use super::past::{Gone, Memory};
use super::review::{CLUSTER, Operation, Review};
use super::rollouts::Rollouts;
use super::rulebook::Rulebook;
use super::snapshot::{Entry, Snapshot};
use super::world::namespace_of;
use crate::api::kind::{Kind, WORKLOADS, group};
use crate::api::version::KubernetesVersion;
use crate::load::Document;
use crate::text::tree::Node;
use jiff::Timestamp;
use rustc_hash::FxHashSet;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// The cluster as far as it is known.
#[derive(Debug)]
pub struct State {
    /// What the watches and reads have shown.
    confirmed: Snapshot,
    /// The same with the writes that were allowed and that nothing has shown yet; `None` where there are none.
    expected: Option<Snapshot>,
    overlay: Overlay,
    memory: Memory,
    rollouts: Rollouts,
    /// The last revision of any part of either. One that was emptied and filled again does not come to the same number
    /// twice.
    revision: u64,
    now: Timestamp,
}

impl State {
    /// Nothing is known yet.
    pub fn new(rules: &Rulebook) -> State {
        State {
            confirmed: Snapshot::default(),
            expected: None,
            overlay: Overlay::default(),
            memory: Memory::new(rules.remembered()),
            rollouts: Rollouts::default(),
            revision: 0,
            now: Timestamp::default(),
        }
    }

    /// What is known now. It stays as it is whatever happens afterwards.
    pub fn snapshot(&self) -> Snapshot {
        let confirmed = self.expected.is_some().then(|| self.confirmed.clone());
        let (past, rollouts) = (self.memory.past.clone(), self.rollouts.clone());
        self.expected().clone().with(confirmed, self.overlay.is_outward(), past, rollouts)
    }

    fn expected(&self) -> &Snapshot {
        self.expected.as_ref().unwrap_or(&self.confirmed)
    }

    /// How many objects a namespace holds; of the cluster as a whole for the empty name.
    pub fn count(&self, namespace: &str) -> usize {
        self.expected().count(namespace)
    }

    /// How many objects are known.
    pub fn len(&self) -> usize {
        self.expected().len()
    }

    /// Whether none is.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The version in which an object was seen last.
    pub fn version(&self, key: &Key) -> Option<u64> {
        self.confirmed.get(key).map(|it| it.version)
    }

    /// Grows with each change that a rule could see in a namespace.
    pub fn namespace_revision(&self, namespace: &str) -> u64 {
        self.expected().revision(namespace)
    }

    /// Whether a write to an object was allowed that nothing has shown yet.
    pub fn is_expected(&self, key: &Key) -> bool {
        self.overlay.has(key)
    }

    /// How many allowed writes no watch has shown yet.
    pub fn pending(&self) -> usize {
        self.overlay.len()
    }

    /// Says what time it is: what is seen to be gone from now on is gone since then.
    pub fn set_time(&mut self, now: Timestamp) {
        self.now = now;
    }

    /// A watch shows an object that is new or has changed, in this `resourceVersion` (0: unknown). Documents that hold
    /// no object are skipped.
    pub fn observe(&mut self, document: Document, version: u64) {
        let document = Document { source: CLUSTER, ..document };
        let entry = Entry::new(Arc::new(document), version);
        let Some(entry) = entry.map(Arc::new) else { return };
        if is_made_by_a_workload(&entry) {
            return self.observe_deletion(&entry.key);
        }
        let known = self.confirmed.get(&entry.key).cloned();
        // Lists and watches of a kind may overlap; what is older than what is known says nothing.
        if entry.version != 0 && known.as_ref().is_some_and(|it| entry.version < it.version) {
            return;
        }
        if let Some(known) = known.as_ref().filter(|it| is_of_this_history(it)) {
            self.memory.observe(known, &entry, self.now);
        }
        let is_open = self.overlay.observe(&entry);
        let key = entry.key.clone();
        self.show(&key, Some(entry), is_open);
    }

    /// A watch shows that an object is gone.
    pub fn observe_deletion(&mut self, key: &Key) {
        if let Some(entry) = self.confirmed.get(key).filter(|it| is_of_this_history(it)).cloned() {
            let slice = self.confirmed.shared_slice(&key.namespace);
            self.memory.observe_deletion(&entry, slice, self.now);
        }
        let is_open = self.overlay.observe_deletion(key);
        self.show(key, None, is_open);
    }

    /// Puts what is shown of an object in its place, in the expected world only where no write is still to come.
    fn show(&mut self, key: &Key, entry: Option<Arc<Entry>>, is_open: bool) {
        let namespace = &key.namespace;
        let are_alike = self
            .expected
            .as_ref()
            .is_none_or(|it| it.revision(namespace) == self.confirmed.revision(namespace));
        self.revision += 1;
        write(&mut self.confirmed, key, entry.clone(), self.revision);
        if !is_open && let Some(expected) = &mut self.expected {
            self.revision += u64::from(!are_alike);
            write(expected, key, entry, self.revision);
        }
        self.settle(namespace);
    }

    /// Where no writes are to come any more, the expected world is the confirmed one.
    fn settle(&mut self, namespace: &str) {
        if self.overlay.is_empty() {
            if let Some(expected) = self.expected.take() {
                self.confirmed = expected;
            }
        } else if let Some(expected) =
            self.expected.as_ref().filter(|_| self.overlay.is_settled(namespace))
        {
            self.confirmed.adopt(expected, namespace);
        }
    }

    /// A list shows all objects of a kind: what it does not hold is gone, and the kind is known in full. Of custom
    /// kinds, name the one that was listed (`group/Kind`).
    pub fn observe_list(&mut self, kind: Kind, custom: &str, documents: Vec<(Document, u64)>) {
        let keys = documents.iter().filter_map(|(it, _)| Key::of(it.tree.root()));
        let listed: FxHashSet<Key> = keys.collect();
        let is_gone = |it: &&Key| it.kind == kind && *it.custom == *custom && !listed.contains(*it);
        let known = self.confirmed.iter().chain(self.expected.iter().flat_map(|it| it.iter()));
        let gone: FxHashSet<Key> = known.map(|it| &*it.key).filter(is_gone).cloned().collect();
        gone.iter().for_each(|it| self.observe_deletion(it));
        documents.into_iter().for_each(|(it, version)| self.observe(it, version));
        self.set_complete(kind, true);
    }

    /// A read that began at `asked`, when an object was known in the version `known`, shows it, or that it is not there.
    pub fn observe_read(
        &mut self,
        key: &Key,
        (known, asked): (Option<u64>, Instant),
        shown: Option<(Document, u64)>,
    ) {
        let is_there = shown.is_some();
        match shown {
            Some((document, version)) => self.observe(document, version),
            // If it is known in another version by now, it was written meanwhile, and the read tells nothing.
            None if self.version(key) == known => self.observe_deletion(key),
            None => {}
        }
        if self.overlay.is_refuted(key, asked, is_there) {
            self.forget(key);
        }
    }

    /// Takes an allowed write back of which a read that began at `asked` showed nothing, if it was doubtful by then.
    /// What was read is to be observed first.
    pub fn doubt(&mut self, key: &Key, asked: Instant) {
        if self.overlay.is_refuted(key, asked, false) {
            self.forget(key);
        }
    }

    /// Has whatever is observed from now on be newer than what is known: the API server has gone back in time. Writes
    /// that were allowed before are taken back.
    pub fn forget_versions(&mut self, now: Instant) {
        let unseen: Vec<Key> =
            self.overlay.unseen(Duration::ZERO, now).map(|(_, key)| key.clone()).collect();
        unseen.iter().for_each(|it| self.forget(it));
        let known: Vec<Arc<Entry>> = self.confirmed.iter().cloned().collect();
        for it in known {
            let Some(entry) = Entry::new(it.document.clone(), 0) else { continue };
            self.revision += 1;
            write(&mut self.confirmed, &it.key, Some(Arc::new(entry)), self.revision);
        }
    }

    /// Says that every object of this kind is known, or that this can no longer be said: then what is not there may
    /// still be in the cluster.
    pub fn set_complete(&mut self, kind: Kind, is_complete: bool) {
        self.confirmed.set_complete(kind, is_complete);
        self.expected.iter_mut().for_each(|it| it.set_complete(kind, is_complete));
    }

    /// Says which version the API server is of.
    pub fn set_server(&mut self, version: KubernetesVersion) {
        self.confirmed.set_server(version);
        self.expected.iter_mut().for_each(|it| it.set_server(version));
    }

    /// Enters what an allowed request writes, so that the next verdict knows of it. Dry runs are not entered, nor what
    /// changes nothing that a rule reads: the API server may not even write it.
    ///
    /// False where what the verdict rests on has changed since `basis` was taken: it has to be judged again.
    #[must_use]
    pub fn commit(
        &mut self,
        basis: &Snapshot,
        review: &Review,
        change: &Change,
        now: Instant,
    ) -> bool {
        if review.is_dry_run {
            return true;
        }
        let is_write = matches!(review.operation, Operation::Create | Operation::Update);
        let after = change.after.as_ref().filter(|_| is_write && !review.changes_nothing());
        if !self.is_current(basis, review, after.map(|it| &**it)) {
            return false;
        }
        let key = &review.key;
        if key.name.is_empty() {
            return true;
        }
        let is_deletion = review.operation == Operation::Delete && review.subresource.is_empty();
        if after.is_some() || is_deletion {
            self.expect(key, after.cloned(), review.old_version, now);
        }
        if let Some(after) = after {
            self.rollouts.enter(review, after, &self.confirmed, change.at);
        }
        true
    }

    /// Enters a write: the object as it will be, or `None` for a deletion. It was based on this `resourceVersion`, 0 for
    /// a creation.
    fn expect(&mut self, key: &Key, after: Option<Arc<Entry>>, base: u64, now: Instant) {
        let shown = self.expected().get(key).cloned();
        let allowed = Allowed {
            base: base.max(shown.as_ref().map_or(0, |it| it.version)),
            is_creation: base == 0 && after.is_some(),
            is_outward: after.iter().chain(&shown).any(|it| it.is_outward()),
        };
        let excess = self.overlay.enter(key, allowed, now);
        self.revision += 1;
        let expected = self.expected.get_or_insert_with(|| self.confirmed.clone());
        write(expected, key, after, self.revision);
        excess.iter().for_each(|it| self.forget(it));
    }

    /// Whether nothing has changed since `basis` was taken that a verdict on this request rests on.
    fn is_current(&self, basis: &Snapshot, review: &Review, written: Option<&Entry>) -> bool {
        let current = self.expected();
        let namespace = namespace_of(&review.key);
        let known = current.get(&review.key).map(|it| &**it);
        let is_outward = is_outward(review.key.kind)
            || written.into_iter().chain(known).any(|it| it.is_outward());
        basis.revision(namespace) == current.revision(namespace)
            && (!is_outward || basis.outward_revision == current.outward_revision)
    }

    /// The allowed writes of at least this age that no watch has shown, with the times at which they were entered, the
    /// oldest first.
    pub fn unseen(&self, age: Duration, now: Instant) -> impl Iterator<Item = (Instant, &Key)> {
        self.overlay.unseen(age, now)
    }

    /// Takes an allowed write back.
    pub fn forget(&mut self, key: &Key) {
        if !self.overlay.forget(key) {
            return;
        }
        let shown = self.confirmed.get(key).cloned();
        self.revision += 1;
        if let Some(expected) = &mut self.expected {
            write(expected, key, shown, self.revision);
        }
        self.settle(&key.namespace);
    }

    /// Enters what others remember of the past.
    pub fn remember(&mut self, gone: Gone) {
        self.memory.remember(gone);
    }

    /// What is gone since the last call.
    pub fn take_gone(&mut self) -> Vec<Gone> {
        self.memory.take_fresh()
    }
}

/// Whether what is seen to be gone of an object has gone: where the API server has gone back in time
/// ([`State::forget_versions`]), what it does not show never was, and kinds are listed one after the other, so the world
/// in between was never so either.
fn is_of_this_history(entry: &Entry) -> bool {
    entry.version != 0
}

/// Puts an object in its place, or takes it out.
fn write(snapshot: &mut Snapshot, key: &Key, entry: Option<Arc<Entry>>, revision: u64) {
    match entry {
        Some(entry) => snapshot.upsert(entry, revision),
        None => snapshot.remove(key, revision),
    };
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
