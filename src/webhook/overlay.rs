//! Writes that were allowed and have not been seen on a watch yet, so that the next verdict knows of them.
//!
//! They stand in the snapshot itself, and here is what the snapshot held before. An allowed write may still be refused
//! (the quota plugin comes later, other webhooks are asked at the same time) or fail, so one that is not seen soon is
//! doubtful: a read of the object tells whether to take it back. What cannot be read is taken back in the end.

use super::key::Key;
use super::snapshot::{Entry, Snapshot};
use rustc_hash::FxHashMap;
use std::collections::VecDeque;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// From when on a write is doubtful that no watch has shown. Watches lag by less, and a request that is still under way
/// after this is rare; should it come about after all, it is a race, and the second look finds what it breaks.
pub const DOUBT: Duration = Duration::from_secs(1);

/// For how long a write is believed in of which nothing can be learnt: longer than a watch may be broken and verdicts
/// are still given.
pub const EXPIRY: Duration = Duration::from_secs(60);

/// The most writes that are remembered; the oldest go first.
pub const MOST: usize = 10_000;

/// A write that was allowed.
#[derive(Debug)]
struct Write {
    /// What the watches last said of the object.
    before: Option<Arc<Entry>>,
    /// The last `resourceVersion` that is known not to hold the write: what is newer settles it.
    base: u64,
    /// Whether it creates the object: then the end of an earlier one of the name settles nothing.
    is_creation: bool,
    entered: Instant,
}

/// The writes that have not been seen yet.
#[derive(Debug, Default)]
pub struct Overlay {
    writes: FxHashMap<Key, Write>,
    queue: VecDeque<(Instant, Key)>,
}

impl Overlay {
    /// How many writes there are.
    pub fn len(&self) -> usize {
        self.writes.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.writes.is_empty()
    }

    /// Enters an allowed write: the object as it will be, or `None` for a deletion. It was based on this
    /// `resourceVersion`, 0 for a creation.
    pub(super) fn enter(
        &mut self,
        snapshot: &mut Snapshot,
        key: &Key,
        after: Option<Arc<Entry>>,
        base: u64,
        now: Instant,
    ) {
        let is_creation = base == 0 && after.is_some();
        let shown = match after {
            Some(entry) => snapshot.upsert(entry),
            None => snapshot.remove(key),
        };
        let earlier = self.writes.remove(key);
        // A creation is newer than what it replaces, of which the watch may tell still.
        let replaced = earlier.as_ref().map_or(0, |it| it.base);
        let base = base.max(replaced).max(shown.as_ref().map_or(0, |it| it.version));
        // Of two writes to one object the first knows what the watches said.
        let before = match earlier {
            Some(earlier) => earlier.before,
            None => shown,
        };
        self.writes.insert(key.clone(), Write { before, base, is_creation, entered: now });
        self.queue.push_back((now, key.clone()));
        self.tidy(snapshot);
    }

    /// A watch shows an object; whether the snapshot is to have it, and not the write that was allowed after it.
    pub(super) fn observe(&mut self, entry: &Arc<Entry>) -> bool {
        let Some(write) = self.writes.get_mut(&*entry.key) else { return true };
        if entry.version == 0 || entry.version > write.base {
            self.writes.remove(&*entry.key);
            return true;
        }
        write.before = Some(entry.clone());
        false
    }

    /// A watch shows that an object is gone; whether the snapshot is to lose it. One of the same name that was created
    /// since stays.
    pub(super) fn observe_deletion(&mut self, key: &Key) -> bool {
        match self.writes.get_mut(key) {
            Some(write) if write.is_creation => {
                write.before = None;
                false
            }
            _ => {
                self.writes.remove(key);
                true
            }
        }
    }

    /// The writes that were entered at least so long ago and have not been seen since, the oldest first.
    pub(super) fn unseen(
        &self,
        age: Duration,
        now: Instant,
    ) -> impl Iterator<Item = (Instant, &Key)> {
        let old = self.queue.iter().take_while(move |(entered, _)| *entered + age <= now);
        let unseen = old.filter(|(entered, key)| self.is_open(*entered, key));
        unseen.map(|(entered, key)| (*entered, key))
    }

    /// A read of the object that began then has been observed and shows nothing of a write: if it was doubtful by
    /// then, it has not come about.
    pub(super) fn doubt(&mut self, snapshot: &mut Snapshot, key: &Key, asked: Instant) {
        if self.writes.get(key).is_some_and(|it| it.entered + DOUBT <= asked) {
            self.forget(snapshot, key);
        }
    }

    /// Takes one write back.
    pub(super) fn forget(&mut self, snapshot: &mut Snapshot, key: &Key) {
        if let Some(write) = self.writes.remove(key) {
            match write.before {
                Some(entry) => snapshot.upsert(entry),
                None => snapshot.remove(key),
            };
        }
    }

    /// Whether the write of this place in the queue has neither been seen nor written over.
    fn is_open(&self, entered: Instant, key: &Key) -> bool {
        self.writes.get(key).is_some_and(|it| it.entered == entered)
    }

    /// Makes room where there are too many writes, and lets go of the places of those that need none any more.
    fn tidy(&mut self, snapshot: &mut Snapshot) {
        while let Some((entered, key)) = self.queue.front() {
            if self.is_open(*entered, key) {
                if self.writes.len() <= MOST {
                    return;
                }
                let key = key.clone();
                self.forget(snapshot, &key);
            }
            self.queue.pop_front();
        }
    }
}
