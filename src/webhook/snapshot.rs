//! The objects of a cluster as they are known: by namespace, kind and name.
//!
//! A copy costs a few counts, and a change to one copy never touches another, so a verdict works on a consistent view
//! for as long as it takes, and writers never wait for it.

use super::cross_namespace::{Links, is_outward};
use super::key::Key;
use super::sharded::Sharded;
use crate::api::kind::{Kind, Kinds};
use crate::load::Document;
use crate::load::cluster::coverage::Coverage;
use crate::model::Head;
use rustc_hash::FxHashSet;
use std::cmp::Ordering;
use std::collections::BTreeMap;
use std::sync::Arc;

/// An object that is known.
#[derive(Debug)]
pub struct Entry {
    /// What names it.
    pub key: Arc<Key>,
    /// What it says, without what no rule reads.
    pub document: Arc<Document>,
    /// Its `resourceVersion`; 0 where it has none yet.
    pub version: u64,
    /// Where it says what it is.
    pub(super) head: Option<Head>,
    /// What it has to do with objects outside its namespace.
    pub(super) links: Links,
}

impl Entry {
    /// The entry of an object that was read in this `resourceVersion`; `None` if the document holds no object.
    pub fn new(document: Arc<Document>, version: u64) -> Option<Entry> {
        let tree = &document.tree;
        let head = Head::of(tree);
        let key = match head {
            Some(head) => Key::named(&head.names(tree)),
            None => Key::of(tree.root())?,
        };
        let links = Links::of(&key, tree.root());
        let key = Arc::new(key);
        Some(Entry { key, document, version, head, links })
    }

    /// Whether a denial in another namespace may rest on it, or one of it on what is there.
    pub(super) fn is_outward(&self) -> bool {
        is_outward(self.key.kind) || self.links.are_outward()
    }

    /// The bytes that it takes in memory.
    pub fn bytes(&self) -> usize {
        let key = &self.key;
        size_of::<Entry>()
            + size_of::<Document>()
            + size_of::<Key>()
            + key.namespace.len()
            + key.custom.len()
            + key.name.len()
            + self.document.tree.bytes()
            + self.links.bytes()
    }
}

/// The order of the objects of one kind in one namespace.
fn by_name(it: &Key, other: &Key) -> Ordering {
    it.custom.cmp(&other.custom).then_with(|| it.name.cmp(&other.name))
}

/// The objects of a namespace, or those of the cluster as a whole.
#[derive(Clone, Debug, Default)]
pub(super) struct Slice {
    /// By kind, each in the order of their names.
    kinds: BTreeMap<Kind, Arc<Vec<Arc<Entry>>>>,
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

    fn get(&self, key: &Key) -> Option<&Arc<Entry>> {
        let entries = self.of_kind(key.kind);
        entries.binary_search_by(|it| by_name(&it.key, key)).ok().map(|at| &entries[at])
    }

    /// Puts an entry in its place and hands back the one that was there.
    fn put(&mut self, entry: Arc<Entry>) -> Option<Arc<Entry>> {
        let entries = Arc::make_mut(self.kinds.entry(entry.key.kind).or_default());
        match entries.binary_search_by(|it| by_name(&it.key, &entry.key)) {
            Ok(at) => Some(std::mem::replace(&mut entries[at], entry)),
            Err(at) => {
                entries.insert(at, entry);
                None
            }
        }
    }

    fn take(&mut self, key: &Key) -> Option<Arc<Entry>> {
        let entries = self.kinds.get_mut(&key.kind)?;
        let at = entries.binary_search_by(|it| by_name(&it.key, key)).ok()?;
        let taken = Arc::make_mut(entries).remove(at);
        if entries.is_empty() {
            self.kinds.remove(&key.kind);
        }
        Some(taken)
    }
}

/// The objects of a cluster, as far as they are known.
#[derive(Clone, Debug, Default)]
pub struct Snapshot {
    namespaces: Sharded<Arc<Slice>>,
    cluster: Arc<Slice>,
    /// The Namespaces of the cluster by their names: there may be thousands, and every verdict asks for one.
    named: Sharded<Arc<Entry>>,
    /// The objects that are to be found from outside their namespace, by what they are found by.
    topics: Sharded<Arc<Vec<Arc<Key>>>>,
    /// Grows with each change on which a denial in another namespace may rest.
    pub(super) outward_revision: u64,
    /// The last revision of any slice. One that was emptied and filled again does not come to the same number twice.
    last_revision: u64,
    /// The kinds of which every object is known.
    complete: Arc<FxHashSet<Kind>>,
    /// The same by their names, for the worlds that are cut out of it.
    coverage: Coverage,
    objects: usize,
}

impl Snapshot {
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

    /// Whether every object of this kind is known.
    pub fn is_complete(&self, kind: Kind) -> bool {
        self.complete.contains(&kind)
    }

    /// Puts an object in, in the place of the one of the same key, which it hands back.
    pub fn upsert(&mut self, entry: Arc<Entry>) -> Option<Arc<Entry>> {
        let revision = self.last_revision + 1;
        let slice = self.slice_mut(&entry.key.namespace);
        let earlier = slice.put(entry.clone());
        let is_same = earlier.as_ref().is_some_and(|it| says_the_same(it, &entry));
        if !is_same {
            slice.revision = revision;
            self.last_revision = revision;
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
            self.outward_revision += 1;
        }
        earlier
    }

    /// Takes an object out and hands it back.
    pub fn remove(&mut self, key: &Key) -> Option<Arc<Entry>> {
        self.get(key)?;
        let revision = self.last_revision + 1;
        let slice = self.slice_mut(&key.namespace);
        let taken = slice.take(key)?;
        slice.revision = revision;
        let is_empty = slice.kinds.is_empty() && !key.namespace.is_empty();
        if is_empty {
            self.namespaces.remove(&key.namespace);
        }
        self.last_revision = revision;
        if key.kind == Kind::Namespace {
            self.named.remove(&key.name);
        }
        self.objects -= 1;
        self.unlink(&taken);
        if taken.is_outward() {
            self.outward_revision += 1;
        }
        Some(taken)
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
