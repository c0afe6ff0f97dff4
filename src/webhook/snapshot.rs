//! The objects of a cluster as they are known: by namespace, kind and name.
//!
//! A copy costs a few counts, and a change to one copy never touches another, so a verdict works on a consistent view
//! for as long as it takes, and writers never wait for it.

pub use super::entry::Entry;
use super::key::Key;
use super::past::Past;
use super::rollouts::Rollouts;
use super::sharded::Sharded;
use super::slice::Slice;
use crate::api::kind::Kind;
use crate::api::version::KubernetesVersion;
use crate::load::cluster::coverage::Coverage;
use rustc_hash::FxHashSet;
use std::sync::Arc;

/// The objects of a cluster, as far as they are known.
#[derive(Clone, Debug, Default)]
pub struct Snapshot {
    namespaces: Sharded<Arc<Slice>>,
    cluster: Arc<Slice>,
    /// The Namespaces of the cluster by their names: there may be thousands, and every verdict asks for one.
    named: Sharded<Arc<Entry>>,
    /// The objects that are to be found from outside their namespace, by what they are found by.
    topics: Sharded<Arc<Vec<Arc<Key>>>>,
    /// The revision of the last change on which a denial in another namespace may rest.
    pub(super) outward_revision: u64,
    /// The kinds of which every object is known.
    complete: Arc<FxHashSet<Kind>>,
    /// The same by their names, for the worlds that are cut out of it.
    coverage: Coverage,
    objects: usize,
    /// The world without the writes that were allowed and nothing has shown yet, where there are any.
    confirmed: Option<Arc<Snapshot>>,
    /// Whether a verdict in another namespace may rest on one of these writes.
    is_outward: bool,
    /// What was there a short time ago.
    past: Past,
    /// Who rolled out changes a moment ago.
    pub(super) rollouts: Rollouts,
}

impl Snapshot {
    /// With what else a verdict looks at.
    pub(super) fn with(
        mut self,
        confirmed: Option<Snapshot>,
        is_outward: bool,
        past: Past,
        rollouts: Rollouts,
    ) -> Snapshot {
        self.confirmed = confirmed.map(|it| {
            let (past, rollouts) = (past.clone(), rollouts.clone());
            Arc::new(Snapshot { past, rollouts, ..it })
        });
        Snapshot { is_outward, past, rollouts, ..self }
    }

    /// The world without the writes that were allowed and nothing has shown yet.
    pub(super) fn confirmed(&self) -> &Snapshot {
        self.confirmed.as_deref().unwrap_or(self)
    }

    /// The same, where a verdict in a namespace may come out otherwise in it.
    pub(super) fn confirmed_apart(&self, namespace: &str, is_outward: bool) -> Option<&Snapshot> {
        let confirmed = self.confirmed.as_deref()?;
        let is_apart = confirmed.revision(namespace) != self.revision(namespace);
        (is_apart || is_outward && self.is_outward).then_some(confirmed)
    }

    /// What was there a short time ago.
    pub(super) fn past(&self) -> &Past {
        &self.past
    }

    /// How many objects are known.
    pub fn len(&self) -> usize {
        self.objects
    }

    /// Whether none is.
    pub fn is_empty(&self) -> bool {
        self.objects == 0
    }

    /// The object of this key.
    pub fn get(&self, key: &Key) -> Option<&Arc<Entry>> {
        if key.kind == Kind::Namespace {
            return self.named.get(&key.name);
        }
        self.slice(&key.namespace)?.get(key)
    }

    /// Grows with each change that a rule could see in a namespace (of the cluster as a whole, for the empty name).
    pub fn revision(&self, namespace: &str) -> u64 {
        self.slice(namespace).map_or(0, |it| it.revision)
    }

    /// How many objects a namespace holds (the cluster as a whole, for the empty name).
    pub fn count(&self, namespace: &str) -> usize {
        self.slice(namespace).map_or(0, |it| it.kinds.values().map(|it| it.len()).sum())
    }

    /// Every object, in no order.
    pub fn iter(&self) -> impl Iterator<Item = &Arc<Entry>> {
        self.cluster.iter().chain(self.namespaces.iter().flat_map(|(_, it)| it.iter()))
    }

    /// The names of the namespaces that hold anything, in no order.
    pub fn namespaces(&self) -> impl Iterator<Item = &str> {
        self.namespaces.iter().filter(|(_, it)| it.iter().next().is_some()).map(|(name, _)| name)
    }

    /// The objects of a namespace; of the cluster as a whole for the empty name.
    pub(super) fn slice(&self, namespace: &str) -> Option<&Slice> {
        if namespace.is_empty() {
            return Some(&self.cluster);
        }
        self.namespaces.get(namespace).map(|it| &**it)
    }

    /// The objects that are found by this.
    pub(super) fn found_by(&self, topic: &str) -> &[Arc<Key>] {
        self.topics.get(topic).map_or(&[], |it| it.as_slice())
    }

    /// What is known in full, of one namespace.
    pub(super) fn coverage(&self, namespace: &str) -> Coverage {
        self.coverage.within(namespace)
    }

    /// Says that every object of this kind is known, or no longer is. A kind that the cluster does not serve is known
    /// to have none.
    pub fn set_complete(&mut self, kind: Kind, is_complete: bool) {
        if self.is_complete(kind) != is_complete {
            let kinds = Arc::make_mut(&mut self.complete);
            if is_complete {
                kinds.insert(kind);
                self.coverage.add(kind.name());
            } else {
                kinds.remove(&kind);
                self.coverage.remove(kind.name());
            }
        }
    }

    /// Says which version the API server is of.
    pub(super) fn set_server(&mut self, version: KubernetesVersion) {
        self.coverage.server = Some(version);
    }

    /// Whether every object of this kind is known.
    pub fn is_complete(&self, kind: Kind) -> bool {
        self.complete.contains(&kind)
    }

    /// Puts an object in, in the place of the one of the same key, which it hands back. No other change to any snapshot
    /// has this revision, unless both snapshots are alike after it.
    pub(super) fn upsert(&mut self, entry: Arc<Entry>, revision: u64) -> Option<Arc<Entry>> {
        let slice = self.slice_mut(&entry.key.namespace);
        let earlier = slice.put(entry.clone());
        let is_same = earlier.as_ref().is_some_and(|it| says_the_same(it, &entry));
        if !is_same {
            slice.revision = revision;
        }
        if entry.key.kind == Kind::Namespace {
            self.named.insert(&entry.key.name, entry.clone());
        }
        self.objects += usize::from(earlier.is_none());
        let topics_before = earlier.as_ref().map_or(&[][..], |it| it.links.found_by());
        if topics_before != entry.links.found_by() {
            earlier.iter().for_each(|it| self.unlink(it));
            self.link(&entry);
        }
        if !is_same && earlier.iter().chain([&entry]).any(|it| it.is_outward()) {
            self.outward_revision = revision;
        }
        earlier
    }

    /// Takes an object out and hands it back.
    pub(super) fn remove(&mut self, key: &Key, revision: u64) -> Option<Arc<Entry>> {
        self.get(key)?;
        let slice = self.slice_mut(&key.namespace);
        let taken = slice.take(key)?;
        slice.revision = revision;
        let is_empty = slice.kinds.is_empty() && !key.namespace.is_empty();
        if is_empty {
            self.namespaces.remove(&key.namespace);
        }
        if key.kind == Kind::Namespace {
            self.named.remove(&key.name);
        }
        self.objects -= 1;
        self.unlink(&taken);
        if taken.is_outward() {
            self.outward_revision = revision;
        }
        Some(taken)
    }

    /// The objects of a namespace as they are now.
    pub(super) fn shared_slice(&self, namespace: &str) -> Option<Arc<Slice>> {
        match namespace {
            "" => Some(self.cluster.clone()),
            name => self.namespaces.get(name).cloned(),
        }
    }

    /// The same cluster with the objects of a namespace as they were.
    pub(super) fn with_slice(&self, namespace: &str, slice: Arc<Slice>) -> Snapshot {
        let mut then = self.clone();
        match namespace {
            "" => then.cluster = slice,
            name => then.namespaces.insert(name, slice),
        }
        then
    }

    /// Takes the objects of a namespace over from a snapshot that holds the same ones.
    pub(super) fn adopt(&mut self, other: &Snapshot, namespace: &str) {
        if namespace.is_empty() {
            self.cluster = other.cluster.clone();
        } else if let Some(slice) = other.namespaces.get(namespace) {
            self.namespaces.insert(namespace, slice.clone());
        } else {
            self.namespaces.remove(namespace);
        }
    }

    fn slice_mut(&mut self, namespace: &str) -> &mut Slice {
        if namespace.is_empty() {
            return Arc::make_mut(&mut self.cluster);
        }
        Arc::make_mut(self.namespaces.get_mut(namespace))
    }

    fn link(&mut self, entry: &Entry) {
        for topic in entry.links.found_by() {
            let keys = Arc::make_mut(self.topics.get_mut(topic));
            if let Err(at) = keys.binary_search(&entry.key) {
                keys.insert(at, entry.key.clone());
            }
        }
    }

    fn unlink(&mut self, entry: &Entry) {
        for topic in entry.links.found_by() {
            let keys = Arc::make_mut(self.topics.get_mut(topic));
            if let Ok(at) = keys.binary_search(&entry.key) {
                keys.remove(at);
            }
            if keys.is_empty() {
                self.topics.remove(topic);
            }
        }
    }
}

/// Whether two versions of an object are alike to every rule: mostly it is the status that changes.
fn says_the_same(a: &Entry, b: &Entry) -> bool {
    a.document.tree.root().same(b.document.tree.root())
}
