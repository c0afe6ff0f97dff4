//! The part of the cluster that a verdict on one object looks at: its namespace, and of the rest what the rules read
//! for its sake.

use super::cross_namespace;
use super::cross_namespace::{Links, Want};
use super::key::Key;
use super::snapshot::{Entry, Snapshot};
use crate::analyze::selection::namespaces::NAME_LABEL;
use crate::analyze::selection::selector::{Operator, Selector};
use crate::api::kind::{Kind, Kinds};
use crate::load::cluster::coverage::Coverage;
use crate::load::{Document, Loaded};
use crate::model::Head;
use crate::text::source::Source;
use crate::text::tree::Node;
use rustc_hash::{FxBuildHasher, FxHashSet};
use std::sync::Arc;

/// A document, and what it is if that was read before.
pub type Known<'s> = (&'s Document, Option<Head>);

/// What a request changes, and what that is judged with.
#[derive(Debug)]
pub struct Worlds<'s> {
    /// What is known of the cluster, without documents.
    pub loaded: Loaded,
    /// All other documents, with what they are.
    pub others: Vec<Known<'s>>,
    /// The object before the request; `None` where it is not there.
    pub before: Option<Arc<Document>>,
    /// The object after it.
    pub after: Option<Arc<Document>>,
}

/// Kinds of the cluster as a whole of which there are few, and every namespace may need each.
const EVERYWHERE: &[Kind] = &[
    Kind::AdminNetworkPolicy,
    Kind::BaselineAdminNetworkPolicy,
    Kind::ClusterNetworkPolicy,
    Kind::GatewayClass,
    Kind::IngressClass,
    Kind::PriorityClass,
    Kind::RuntimeClass,
    Kind::StorageClass,
];

/// The most users of one object that are looked at.
const MOST_USERS: usize = 32;

/// The most objects of the cluster as a whole, of a kind of which there may be many, that are looked at.
const MOST_OF_KIND: usize = 64;

/// So many objects are expected, where most namespaces hold less.
const MANY: usize = 32;

/// How many of the namespaces that a selector selects are looked at, where it is enough that there are some.
const ENOUGH: usize = 4;

/// The most namespaces that are read in full for the sake of one object.
const MOST_NEIGHBOURS: usize = 8;

/// The most objects of all these namespaces.
const MOST_OF_NEIGHBOURS: usize = 512;

/// The world of the object of this key, of the kinds that are read, and the object before and after it changes; `None`
/// where it is not there.
///
/// What only one of the two refers to is there for both.
pub fn worlds<'s>(
    snapshot: &'s Snapshot,
    key: &'s Key,
    before: Option<Arc<Entry>>,
    after: Option<Arc<Entry>>,
    kinds: Kinds,
) -> Worlds<'s> {
    let mut builder = Builder::new(snapshot, namespace_of(key), kinds);
    if kinds != Kinds::default() {
        builder.around(key, &before, &after);
    }
    let Builder { entries, coverage, .. } = builder;
    let others: Vec<_> = entries.into_iter().map(|it| (&*it.document, it.head)).collect();
    others.iter().for_each(|(it, _)| it.tree.fetch());
    let document = |it: Option<Arc<Entry>>| it.map(|it| it.document.clone());
    Worlds { loaded: loaded(coverage), others, before: document(before), after: document(after) }
}

/// The world of a namespace as it is, with what any of its objects looks at in others.
pub fn world(snapshot: &Snapshot, namespace: &str) -> Loaded {
    let mut builder = Builder::new(snapshot, namespace, Kinds::ALL);
    builder.own();
    for entry in snapshot.slice(namespace).into_iter().flat_map(|it| it.iter()) {
        builder.look_around(&entry.links, &entry.document);
    }
    let Builder { entries, coverage, .. } = builder;
    let documents = entries.into_iter().map(|it| it.document.clone()).collect();
    Loaded { documents, ..loaded(coverage) }
}

fn loaded(coverage: Coverage) -> Loaded {
    let mut loaded = Loaded { coverage: Some(coverage), ..Loaded::default() };
    loaded.sources.add(Source::cluster("cluster".into()));
    loaded
}

/// The namespace whose objects an object is judged with: its own, and for a Namespace what is in it.
pub fn namespace_of(key: &Key) -> &str {
    if key.kind == Kind::Namespace { &key.name } else { &key.namespace }
}

struct Builder<'s> {
    snapshot: &'s Snapshot,
    /// The namespace that is judged.
    namespace: &'s str,
    /// The kinds that are read of it and of all others.
    kinds: Kinds,
    /// Others that are read in full.
    neighbours: Vec<Box<str>>,
    /// How many more objects of others may be read.
    room: usize,
    /// The entries that are in it, by where they lie.
    seen: FxHashSet<*const Entry>,
    /// The lists of keys that were gone through, by where they lie: what many want is looked for once.
    listed: FxHashSet<*const Arc<Key>>,
    /// The same for all of a kind in a namespace.
    added: FxHashSet<*const Arc<Entry>>,
    entries: Vec<&'s Entry>,
    coverage: Coverage,
}

impl<'s> Builder<'s> {
    fn new(snapshot: &'s Snapshot, namespace: &'s str, kinds: Kinds) -> Builder<'s> {
        Builder {
            snapshot,
            namespace,
            kinds,
            neighbours: Vec::new(),
            room: MOST_OF_NEIGHBOURS,
            seen: FxHashSet::with_capacity_and_hasher(MANY, FxBuildHasher),
            listed: FxHashSet::default(),
            added: FxHashSet::default(),
            entries: Vec::with_capacity(MANY),
            coverage: snapshot.coverage(namespace),
        }
    }

    /// What the rules look at for the sake of the object of this key, before and after it changes.
    fn around(&mut self, key: &Key, before: &Option<Arc<Entry>>, after: &Option<Arc<Entry>>) {
        let snapshot = self.snapshot;
        self.seen.extend(snapshot.get(key).map(Arc::as_ptr));
        self.own();
        for user in snapshot.found_by(&cross_namespace::users(key)).iter().take(MOST_USERS) {
            match user.kind {
                // All kinds of the cluster as a whole count as read, so a claim needs its volume beside it.
                Kind::PersistentVolumeClaim => self.object_and_more(user),
                _ => _ = self.object(user),
            }
        }
        for entry in [before, after].into_iter().flatten() {
            self.follow(&entry.links, &entry.document);
            self.look_around(&entry.links, &entry.document);
        }
        match key.kind {
            Kind::NetworkPolicy => self.clients(),
            Kind::ReferenceGrant => self.referring(),
            _ => {}
        }
    }

    /// What the rules look at wherever the request goes.
    fn own(&mut self) {
        self.cluster();
        if !self.namespace.is_empty() {
            self.namespace(self.namespace);
        }
    }

    /// What every namespace may need of the cluster as a whole.
    fn cluster(&mut self) {
        for kind in EVERYWHERE {
            self.all(*kind, "");
        }
        // How many nodes there are matters where there are few, and custom objects tell what their controllers make.
        for kind in [Kind::Node, Kind::Custom] {
            let count = self.snapshot.slice("").map_or(0, |it| it.of_kind(kind).len());
            if count <= MOST_OF_KIND {
                self.all(kind, "");
            }
        }
    }

    fn namespace(&mut self, namespace: &str) {
        let Builder { snapshot, kinds, .. } = *self;
        self.object(&Key::known(Kind::Namespace, "", namespace));
        for entry in snapshot.slice(namespace).into_iter().flat_map(|it| it.of_kinds(kinds)) {
            self.add(entry);
            self.follow(&entry.links, &entry.document);
        }
        self.topic(&cross_namespace::into(namespace));
        self.topic(&cross_namespace::into("*"));
        if kinds.has(Kind::PodMonitor) || kinds.has(Kind::ServiceMonitor) {
            self.monitors(namespace);
        }
        // Who asks where DNS is answered reads policies: these have to let their pods ask there.
        if kinds.has(Kind::NetworkPolicy) {
            self.dns();
        }
    }

    /// Those of other namespaces that scrape this one.
    fn monitors(&mut self, namespace: &str) {
        let snapshot = self.snapshot;
        for topic in [cross_namespace::scraping(namespace), cross_namespace::scraping("*")] {
            for monitor in snapshot.found_by(&topic).iter().take(MOST_USERS) {
                self.object_and_more(monitor);
            }
        }
    }

    /// What answers DNS.
    fn dns(&mut self) {
        const SYSTEM: &str = "kube-system";
        self.object(&Key::known(Kind::Namespace, "", SYSTEM));
        self.topic(cross_namespace::DNS);
    }

    /// Adds an entry of a kind that is read, which is not looked at for it: memory is slow.
    fn add(&mut self, entry: &'s Entry) {
        if self.seen.insert(std::ptr::from_ref(entry)) {
            self.entries.push(entry);
        }
    }

    /// Adds one object, if its kind is read and it is there, and hands it back.
    fn object(&mut self, key: &Key) -> Option<&'s Entry> {
        let is_read = self.kinds.has(key.kind);
        let entry = is_read.then(|| self.snapshot.get(key)).flatten()?;
        self.add(entry);
        Some(entry)
    }

    /// Adds one object and what the rules look at for its sake.
    fn object_and_more(&mut self, key: &Key) {
        if let Some(entry) = self.object(key) {
            self.follow(&entry.links, &entry.document);
        }
    }

    fn all(&mut self, kind: Kind, namespace: &str) {
        let slice = self.snapshot.slice(namespace).filter(|_| self.kinds.has(kind));
        let all = slice.map_or(&[][..], |it| it.of_kind(kind));
        if self.added.insert(all.as_ptr()) {
            all.iter().for_each(|it| self.add(it));
        }
    }

    fn topic(&mut self, topic: &str) {
        let found = self.snapshot.found_by(topic);
        if !self.listed.insert(found.as_ptr()) {
            return;
        }
        for key in found {
            match key.kind {
                Kind::ClusterRoleBinding => self.object_and_more(key),
                _ => _ = self.object(key),
            }
        }
    }

    /// Adds what the rules look at for an object's sake.
    fn follow(&mut self, links: &Links, document: &Document) {
        for want in links.wants() {
            match want {
                Want::Object(key) if !self.kinds.has(key.kind) => {}
                Want::Object(key) => {
                    self.object(key);
                    if self.snapshot.is_complete(key.kind) {
                        let Key { namespace, name, .. } = key;
                        self.coverage.add_object(key.kind.name(), namespace, name);
                    }
                }
                Want::One(topic) => {
                    let snapshot = self.snapshot;
                    snapshot.found_by(topic).iter().take(2).for_each(|it| _ = self.object(it));
                }
                Want::Topic(topic) => self.topic(topic),
                Want::Prometheuses => self.prometheuses(),
                Want::All(kind, _) if !self.kinds.has(*kind) => {}
                Want::All(kind, namespace) => {
                    self.all(*kind, namespace);
                    if self.snapshot.is_complete(*kind) {
                        self.coverage.add_apart(kind.name(), namespace);
                    }
                }
                Want::Namespaces(selector) => {
                    let selector = Selector::parse(document.tree.node(*selector));
                    self.namespaces(&selector, ENOUGH);
                }
                Want::Callers(topic) => self.callers(topic),
                // For the sake of the object itself, by `look_around`.
                Want::Neighbour(_) | Want::Neighbours(_) => {}
            }
        }
    }

    /// Adds the namespaces that have to be read in full to judge an object.
    fn look_around(&mut self, links: &Links, document: &Document) {
        for want in links.wants() {
            match want {
                Want::Neighbour(namespace) => self.neighbour(namespace),
                Want::Neighbours(selector) => {
                    // With more of them than can be neighbours, at least one is not read, and nothing is called absent.
                    let selector = Selector::parse(document.tree.node(*selector));
                    let selected = self.namespaces(&selector, 2 * MOST_NEIGHBOURS);
                    if selected.len() <= MOST_NEIGHBOURS {
                        selected.iter().for_each(|it| self.neighbour(it));
                    }
                }
                Want::Object(_)
                | Want::One(_)
                | Want::Prometheuses
                | Want::Topic(_)
                | Want::All(..)
                | Want::Callers(_)
                | Want::Namespaces(_) => {}
            }
        }
    }

    /// Adds every Prometheus, so that what none of them selects is known.
    fn prometheuses(&mut self) {
        self.topic(cross_namespace::PROMETHEUSES);
        if self.kinds.has(Kind::Prometheus) && self.snapshot.is_complete(Kind::Prometheus) {
            self.coverage.add_object(Kind::Prometheus.name(), "*", "*");
        }
    }

    /// Adds some of those who call by trade, and what may close their egress.
    fn callers(&mut self, topic: &str) {
        let snapshot = self.snapshot;
        for key in snapshot.found_by(topic).iter().take(ENOUGH) {
            self.object(key);
            self.object(&Key::known(Kind::Namespace, "", &key.namespace));
            let slice =
                snapshot.slice(&key.namespace).filter(|_| self.kinds.has(Kind::NetworkPolicy));
            for policy in slice.into_iter().flat_map(|it| it.of_kind(Kind::NetworkPolicy)) {
                self.add(policy);
                self.follow(&policy.links, &policy.document);
            }
        }
    }

    /// Reads the namespaces of those who name Services of this one by their addresses: a policy may close these to them.
    fn clients(&mut self) {
        let snapshot = self.snapshot;
        let slice = snapshot.slice(self.namespace);
        for service in slice.into_iter().flat_map(|it| it.of_kind(Kind::Service)) {
            let users = snapshot.found_by(&cross_namespace::users(&service.key));
            users.iter().take(MOST_USERS).for_each(|it| self.neighbour(&it.namespace));
        }
    }

    /// Adds what only a ReferenceGrant of this namespace lets refer to it.
    fn referring(&mut self) {
        for key in self
            .snapshot
            .found_by(&cross_namespace::referring(self.namespace))
            .iter()
            .take(MOST_USERS)
        {
            self.object_and_more(key);
        }
    }

    /// Reads another namespace in full, unless that is too much.
    fn neighbour(&mut self, namespace: &str) {
        let objects = self.snapshot.slice(namespace).into_iter().flat_map(|it| it.iter());
        let Some(room) = self.room.checked_sub(objects.take(self.room + 1).count()) else { return };
        if namespace == self.namespace
            || self.neighbours.iter().any(|it| **it == *namespace)
            || self.neighbours.len() == MOST_NEIGHBOURS
        {
            return;
        }
        self.room = room;
        self.neighbours.push(namespace.into());
        self.coverage.add_namespace(namespace);
        self.namespace(namespace);
    }

    /// Adds so many of the namespaces that a selector selects, none only where there is none, and says which.
    fn namespaces(&mut self, selector: &Selector<'_>, most: usize) -> Vec<Box<str>> {
        let listed = selector.requirements.iter().find_map(|it| match &it.operator {
            Operator::In(values) => Some((it.key, values)),
            _ => None,
        });
        let snapshot = self.snapshot;
        let is_selected = |it: &&Arc<Entry>| selector.matches(&labels(it));
        let found: Vec<&Arc<Entry>> = match listed {
            Some((key, values)) => {
                let topics = values.iter().map(|value| cross_namespace::label(key, value));
                let keys = topics.flat_map(|it| snapshot.found_by(&it));
                let entries = keys.filter_map(|it| snapshot.get(it));
                entries.filter(is_selected).take(most).collect()
            }
            None => {
                let all = snapshot.slice("").map_or(&[][..], |it| it.of_kind(Kind::Namespace));
                all.iter().filter(is_selected).take(most).collect()
            }
        };
        for entry in &found {
            self.add(entry);
        }
        found.iter().map(|it| it.key.name.clone()).collect()
    }
}

/// The labels of a Namespace, with that of its name, which the API server sets.
fn labels(entry: &Entry) -> Vec<(&str, &str)> {
    let labels = entry.document.tree.root().at(&["metadata", "labels"]);
    let pairs = labels.into_iter().flat_map(Node::pairs);
    let written = pairs.filter_map(|(key, value)| Some((key, value.str()?)));
    written.filter(|(key, _)| *key != NAME_LABEL).chain([(NAME_LABEL, &*entry.key.name)]).collect()
}
