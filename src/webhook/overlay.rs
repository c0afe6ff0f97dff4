//! Writes that were allowed and have not been seen on a watch yet, so that the next verdict knows of them.
//!
//! They are no knowledge: an allowed write may still be refused (the object may be there already, the quota plugin comes
//! later, other webhooks are asked at the same time) or fail. One counts against requests that it would contradict, and
//! only until a watch or a read confirms or refutes it; one that is not seen soon is doubtful, and a read of the object
//! tells whether to take it back. What cannot be read is taken back in the end.

use super::key::Key;
use super::snapshot::Entry;
use rustc_hash::FxHashMap;
use std::collections::VecDeque;
use std::time::{Duration, Instant};

/// From when on a write is doubtful that no watch has shown. Watches lag by less, and a request that is still under way
/// after this is rare; should it come about after all, it is a race, and the second look finds what it breaks.
pub const DOUBT: Duration = Duration::from_secs(1);

/// For how long a write is believed in of which nothing can be learnt: longer than a watch may be broken and verdicts
/// are still given.
pub const EXPIRY: Duration = Duration::from_secs(60);

/// The most writes that are remembered; the oldest go first.
pub const MOST: usize = 10_000;

/// The most of one namespace: who sends more than come about makes nobody's verdict long, and what the API server has yet
/// to store is far less.
pub const MOST_OF_NAMESPACE: usize = 500;

/// A write that was allowed.
#[derive(Clone, Copy, Debug)]
struct Write {
    /// The last `resourceVersion` that is known not to hold the write: what is newer settles it.
    base: u64,
    /// Whether it creates the object: then the end of an earlier one of the name settles nothing.
    is_creation: bool,
    /// Whether a verdict in another namespace may rest on it.
    is_outward: bool,
    entered: Instant,
}

/// What is entered of a write.
#[derive(Clone, Copy, Debug)]
pub(super) struct Allowed {
    /// The `resourceVersion` that it was based on, or 0; and the one of what it replaces in the expected world.
    pub(super) base: u64,
    pub(super) is_creation: bool,
    pub(super) is_outward: bool,
}

/// The writes that have not been seen yet.
#[derive(Debug, Default)]
pub struct Overlay {
    writes: FxHashMap<Key, Write>,
    queue: VecDeque<(Instant, Key)>,
    /// How many there are in each namespace that has any.
    by_namespace: FxHashMap<Box<str>, usize>,
    outward: usize,
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

    /// Whether there is one to this object.
    pub(super) fn has(&self, key: &Key) -> bool {
        self.writes.contains_key(key)
    }

    /// Whether a verdict in another namespace may rest on one of them.
    pub(super) fn is_outward(&self) -> bool {
        self.outward > 0
    }

    /// Whether there are none in a namespace.
    pub(super) fn is_settled(&self, namespace: &str) -> bool {
        !self.by_namespace.contains_key(namespace)
    }

    /// Enters an allowed write, and names those that have to go for it.
    pub(super) fn enter(&mut self, key: &Key, allowed: Allowed, now: Instant) -> Vec<Key> {
        // A creation is newer than what it replaces, of which the watch may tell still.
        let replaced = self.take(key).map_or(0, |it| it.base);
        let Allowed { base, is_creation, is_outward } = allowed;
        let base = base.max(replaced);
        self.writes.insert(key.clone(), Write { base, is_creation, is_outward, entered: now });
        *self.by_namespace.entry(key.namespace.clone()).or_default() += 1;
        self.outward += usize::from(is_outward);
        self.queue.push_back((now, key.clone()));
        let mut excess = self.tidy();
        if self.by_namespace.get(&key.namespace).is_some_and(|it| *it > MOST_OF_NAMESPACE) {
            let open = self.queue.iter().filter(|(entered, it)| self.is_open(*entered, it));
            let oldest = open.map(|it| &it.1).find(|it| it.namespace == key.namespace);
            excess.extend(oldest.filter(|it| !excess.contains(it)).cloned());
        }
        excess
    }

    /// Takes a write out.
    fn take(&mut self, key: &Key) -> Option<Write> {
        let write = self.writes.remove(key)?;
        self.outward -= usize::from(write.is_outward);
        if let Some(count) = self.by_namespace.get_mut(&key.namespace) {
            *count -= 1;
            if *count == 0 {
                self.by_namespace.remove(&key.namespace);
            }
        }
        Some(write)
    }

    /// A watch shows an object; whether a write is still to come after it.
    pub(super) fn observe(&mut self, entry: &Entry) -> bool {
        let Some(write) = self.writes.get(&*entry.key) else { return false };
        if entry.version == 0 || entry.version > write.base {
            self.take(&entry.key);
            return false;
        }
        true
    }

    /// A watch shows that an object is gone; whether one of the same name is still to come.
    pub(super) fn observe_deletion(&mut self, key: &Key) -> bool {
        if self.writes.get(key).is_some_and(|it| it.is_creation) {
            return true;
        }
        self.take(key);
        false
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

    /// Whether a read that began at `asked` and showed nothing of a write refutes it: it was doubtful by then, or is a
    /// creation and there was an object of its name, in which case the API server answers that it exists.
    pub(super) fn is_refuted(&self, key: &Key, asked: Instant, is_there: bool) -> bool {
        self.writes.get(key).is_some_and(|it| {
            it.entered + DOUBT <= asked || is_there && it.is_creation && it.entered <= asked
        })
    }

    /// Takes one write back; whether it was there.
    pub(super) fn forget(&mut self, key: &Key) -> bool {
        self.take(key).is_some()
    }

    /// Whether the write of this place in the queue has neither been seen nor written over.
    fn is_open(&self, entered: Instant, key: &Key) -> bool {
        self.writes.get(key).is_some_and(|it| it.entered == entered)
    }

    /// Names the writes that are too many, and lets go of the places of those that need none any more.
    fn tidy(&mut self) -> Vec<Key> {
        let mut excess = Vec::new();
        while let Some((entered, key)) = self.queue.front() {
            if self.is_open(*entered, key) {
                if self.writes.len() - excess.len() <= MOST {
                    break;
                }
                excess.push(key.clone());
            }
            self.queue.pop_front();
        }
        if self.queue.len() > 2 * self.writes.len() + 64 {
            let queue = std::mem::take(&mut self.queue);
            self.queue = queue.into_iter().filter(|(at, key)| self.is_open(*at, key)).collect();
        }
        excess
    }
}
