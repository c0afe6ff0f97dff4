//! The part of the cluster that a verdict on one object looks at: its namespace, and of the rest what the rules read
//! for its sake.

use super::key::Key;
use super::links::{self, Want};
use super::snapshot::{Entry, Snapshot};
use crate::analyze::namespaces::NAME_LABEL;
use crate::analyze::selector::{Operator, Selector};
use crate::load::coverage::Coverage;
use crate::load::{Document, Loaded};
use crate::model::kind::Kind;
use crate::source::Source;
use crate::tree::Node;
use rustc_hash::FxHashSet;
use std::sync::Arc;

/// What a request changes, and what that is judged with.
#[derive(Debug)]
pub struct Worlds {
    /// All other documents.
    pub loaded: Loaded,
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

/// How many of the namespaces that a selector selects are looked at, where it is enough that there are some.
const ENOUGH: usize = 4;

/// The most namespaces that are read in full for the sake of one object.
const MOST_NEIGHBOURS: usize = 8;

/// The most objects of all these namespaces.
const MOST_OF_NEIGHBOURS: usize = 512;

/// The world of the object of this key, and the object before and after it changes; `None` where it is not there.
///
/// What only one of the two refers to is there for both.
pub fn worlds(
    snapshot: &Snapshot,
    key: &Key,
    before: Option<Arc<Document>>,
    after: Option<Arc<Document>>,
) -> Worlds {
    let mut builder = Builder::new(snapshot, namespace_of(key));
    builder.seen.extend(snapshot.get(key).map(Arc::as_ptr));
    builder.own();
    for user in snapshot.found_by(&links::users(key)).iter().take(MOST_USERS) {
        builder.object(user);
    }
    for document in [&before, &after].into_iter().flatten() {
        if let Some(entry) = Entry::new(document.clone(), 0) {
            builder.follow(&entry);
            builder.look_around(&entry);
        }
    }
    match key.kind {
        Kind::NetworkPolicy => builder.clients(),
        Kind::ReferenceGrant => builder.referring(),
        _ => {}
    }
    Worlds { loaded: loaded(builder.documents, builder.coverage), before, after }
}

/// The world of a namespace as it is, with what any of its objects looks at in others.
pub fn world(snapshot: &Snapshot, namespace: &str) -> Loaded {
    let mut builder = Builder::new(snapshot, namespace);
    builder.own();
    for entry in snapshot.slice(namespace).into_iter().flat_map(|it| it.iter()) {
        builder.look_around(entry);
    }
    loaded(builder.documents, builder.coverage)
}

fn loaded(documents: Vec<Arc<Document>>, coverage: Coverage) -> Loaded {
    let mut loaded = Loaded { documents, coverage: Some(coverage), ..Loaded::default() };
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
    /// Others that are read in full.
    neighbours: Vec<Box<str>>,
    /// How many more objects of others may be read.
    room: usize,
    /// The entries that are in it, by where they lie.
    seen: FxHashSet<*const Entry>,
    documents: Vec<Arc<Document>>,
    coverage: Coverage,
}

impl<'s> Builder<'s> {
    fn new(snapshot: &'s Snapshot, namespace: &'s str) -> Builder<'s> {
        Builder {
            snapshot,
            namespace,
            neighbours: Vec::new(),
            room: MOST_OF_NEIGHBOURS,
            seen: FxHashSet::default(),
            documents: Vec::new(),
            coverage: snapshot.coverage(namespace),
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
        let snapshot = self.snapshot;
        self.object(&Key::known(Kind::Namespace, "", namespace));
        for entry in snapshot.slice(namespace).into_iter().flat_map(|it| it.iter()) {
            self.add(entry);
            self.follow(entry);
        }
        self.topic(&links::into(namespace));
        for topic in [links::scraping(namespace), links::scraping("*")] {
            let monitors = snapshot.found_by(&topic).iter().take(MOST_USERS);
            for entry in monitors.filter_map(|it| snapshot.get(it)) {
                self.add(entry);
                self.follow(entry);
            }
        }
        self.dns();
    }

    /// What answers DNS: every policy has to let its pods ask there.
    fn dns(&mut self) {
        const SYSTEM: &str = "kube-system";
        self.object(&Key::known(Kind::Namespace, "", SYSTEM));
        self.topic(links::DNS);
    }

    fn add(&mut self, entry: &'s Entry) -> bool {
        let is_new = self.seen.insert(std::ptr::from_ref(entry));
        if is_new {
            self.documents.push(entry.document.clone());
        }
        is_new
    }

    fn object(&mut self, key: &Key) {
        if let Some(entry) = self.snapshot.get(key) {
            self.add(entry);
        }
    }

    fn all(&mut self, kind: Kind, namespace: &str) {
        for entry in self.snapshot.slice(namespace).into_iter().flat_map(|it| it.of_kind(kind)) {
            self.add(entry);
        }
    }

    fn topic(&mut self, topic: &str) {
        for key in self.snapshot.found_by(topic) {
            if let Some(entry) = self.snapshot.get(key)
                && self.add(entry)
                && entry.key.kind == Kind::ClusterRoleBinding
            {
                self.follow(entry);
            }
        }
    }

    /// Adds what the rules look at for an object's sake.
    fn follow(&mut self, entry: &Entry) {
        for want in entry.links.wants() {
            match want {
                Want::Object(key) => {
                    self.object(key);
                    if self.snapshot.is_complete(key.kind) {
                        let Key { namespace, name, .. } = key;
                        self.coverage.add_object(key.kind.name(), namespace, name);
                    }
                }
                Want::One(topic) => {
                    if let Some(key) = self.snapshot.found_by(topic).first() {
                        self.object(key);
                    }
                }
                Want::Topic(topic) => self.topic(topic),
                Want::All(kind, namespace) => {
                    self.all(*kind, namespace);
                    if self.snapshot.is_complete(*kind) {
                        self.coverage.add_apart(kind.name(), namespace);
                    }
                }
                Want::Namespaces(selector) => {
                    let selector = Selector::parse(entry.document.tree.node(*selector));
                    self.namespaces(&selector, ENOUGH);
                }
                Want::Callers(topic) => self.callers(topic),
                // For the sake of the object itself, by `look_around`.
                Want::Neighbour(_) | Want::Neighbours(_) => {}
            }
        }
    }

    /// Adds the namespaces that have to be read in full to judge an object.
    fn look_around(&mut self, entry: &Entry) {
        for want in entry.links.wants() {
            match want {
                Want::Neighbour(namespace) => self.neighbour(namespace),
                Want::Neighbours(selector) => {
                    // With more of them than can be neighbours, at least one is not read, and nothing is called absent.
                    let selector = Selector::parse(entry.document.tree.node(*selector));
                    let selected = self.namespaces(&selector, 2 * MOST_NEIGHBOURS);
                    if selected.len() <= MOST_NEIGHBOURS {
                        selected.iter().for_each(|it| self.neighbour(it));
                    }
                }
                Want::Object(_)
                | Want::One(_)
                | Want::Topic(_)
                | Want::All(..)
                | Want::Callers(_)
                | Want::Namespaces(_) => {}
            }
        }
    }

    /// Adds some of those who call by trade, and what may close their egress.
    fn callers(&mut self, topic: &str) {
        let snapshot = self.snapshot;
        for key in snapshot.found_by(topic).iter().take(ENOUGH) {
            self.object(key);
            self.object(&Key::known(Kind::Namespace, "", &key.namespace));
            let slice = snapshot.slice(&key.namespace);
            for policy in slice.into_iter().flat_map(|it| it.of_kind(Kind::NetworkPolicy)) {
                self.add(policy);
                self.follow(policy);
            }
        }
    }

    /// Reads the namespaces of those who name Services of this one by their addresses: a policy may close these to them.
    fn clients(&mut self) {
        let snapshot = self.snapshot;
        let slice = snapshot.slice(self.namespace);
        for service in slice.into_iter().flat_map(|it| it.of_kind(Kind::Service)) {
            let users = snapshot.found_by(&links::users(&service.key));
            users.iter().take(MOST_USERS).for_each(|it| self.neighbour(&it.namespace));
        }
    }

    /// Adds what only a ReferenceGrant of this namespace lets refer to it.
    fn referring(&mut self) {
        for key in self.snapshot.found_by(&links::referring(self.namespace)).iter().take(MOST_USERS)
        {
            if let Some(entry) = self.snapshot.get(key) {
                self.add(entry);
                self.follow(entry);
            }
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
                let topics = values.iter().map(|value| links::label(key, value));
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
