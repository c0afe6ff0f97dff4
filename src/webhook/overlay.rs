//! Writes that were allowed and have not been seen on a watch yet, so that the next verdict knows of them.
//!
//! They stand in the snapshot itself, and here is what the snapshot held before. An allowed write may still be refused
//! (the quota plugin comes later) or fail, so what is never seen is taken back.

use super::key::Key;
use super::snapshot::{Entry, Snapshot};
use rustc_hash::FxHashMap;
use std::collections::VecDeque;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// For how long a write is believed in that no watch has shown. A request that is still under way after this is rare;
/// watches lag by less than a second.
pub const EXPIRY: Duration = Duration::from_secs(10);

/// The most writes that are remembered; the oldest go first.
pub const MOST: usize = 10_000;

/// A write that was allowed.
#[derive(Debug)]
struct Write {
    /// What the watches last said of the object.
    before: Option<Arc<Entry>>,
    /// The `resourceVersion` that the write was based on: what is newer settles it. 0 for a creation.
    base: u64,
    until: Instant,
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

    /// Enters an allowed write: the object as it will be, or `None` for a deletion.
    pub(super) fn enter(
        &mut self,
        snapshot: &mut Snapshot,
        key: &Key,
        after: Option<Arc<Entry>>,
        base: u64,
        now: Instant,
    ) {
        self.expire(snapshot, now);
        let shown = match after {
            Some(entry) => snapshot.upsert(entry),
            None => snapshot.remove(key),
        };
        // Of two writes to one object the first knows what the watches said.
        let before = match self.writes.remove(key) {
            Some(earlier) => earlier.before,
            None => shown,
        };
        let until = now + EXPIRY;
        self.writes.insert(key.clone(), Write { before, base, until });
        self.queue.push_back((until, key.clone()));
        while self.writes.len() > MOST {
            self.take_back_first(snapshot);
        }
    }

    /// A watch shows an object; whether the snapshot is to have it, and not the write that was allowed after it.
    pub(super) fn observe(&mut self, entry: &Arc<Entry>) -> bool {
        let Some(write) = self.writes.get_mut(&*entry.key) else { return true };
        if write.base == 0 || entry.version == 0 || entry.version > write.base {
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
            Some(write) if write.base == 0 => {
                write.before = None;
                false
            }
            _ => {
                self.writes.remove(key);
                true
            }
        }
    }

    /// Takes back the writes that have not been seen in time.
    pub(super) fn expire(&mut self, snapshot: &mut Snapshot, now: Instant) {
        while self.queue.front().is_some_and(|(until, _)| *until <= now) {
            self.take_back_first(snapshot);
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

    fn take_back_first(&mut self, snapshot: &mut Snapshot) {
        let Some((until, key)) = self.queue.pop_front() else { return };
        // What was seen since, or written again, has no place at the front of the queue.
        if self.writes.get(&key).is_some_and(|it| it.until == until) {
            self.forget(snapshot, &key);
        }
    }
}
