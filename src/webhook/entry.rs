//! One object of a cluster as it is known.

use super::cross_namespace::{Links, is_outward};
use super::key::Key;
use crate::api::kind::Kind;
use crate::load::Document;
use crate::model::Head;
use crate::text::tree;
use crate::text::tree::{Node, Number};
use serde_json::Value;
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

/// Kinds with a number of replicas that people and autoscalers set.
pub(super) const SCALED: [Kind; 5] = [
    Kind::Deployment,
    Kind::ReplicaSet,
    Kind::ReplicationController,
    Kind::Rollout,
    Kind::StatefulSet,
];

/// The replicas that an object asks for; one where it says nothing, as the API server has it.
pub(super) fn replicas(entry: &Entry) -> Option<i64> {
    let replicas = || entry.document.tree.root().at(&["spec", "replicas"])?.int();
    SCALED.contains(&entry.key.kind).then(|| replicas().unwrap_or(1))
}

/// What a node holds. Objects of a cluster are read from JSON of no more than 128 levels, so this recurses no deeper.
pub(super) fn json(node: Node<'_>) -> Value {
    match node.value() {
        tree::Value::Null => Value::Null,
        tree::Value::Bool(it) => it.into(),
        tree::Value::Number(Number::Int(it)) => it.into(),
        tree::Value::Number(Number::Float(it)) => it.into(),
        tree::Value::Str(it) => it.into(),
        tree::Value::Seq => node.items().map(json).collect(),
        tree::Value::Map => {
            let entries = node.entries();
            entries
                .map(|(key, value)| (key.str().unwrap_or_default().to_string(), json(value)))
                .collect()
        }
    }
}
