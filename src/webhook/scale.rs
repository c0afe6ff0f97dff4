//! What a request writes: its object, or for the `scale` subresource the workload with other replicas.

use super::review::{CLUSTER, Review};
use super::snapshot::Snapshot;
use crate::load::Document;
use crate::load::cluster::live;
use crate::text::tree;
use crate::text::tree::{Node, Number};
use serde_json::Value;
use std::sync::Arc;

/// The object as the request would leave it; `None` where it would leave none or says nothing of one.
pub(super) fn written(snapshot: &Snapshot, review: &Review) -> Option<Arc<Document>> {
    let object = review.object.clone()?;
    match review.subresource.as_str() {
        // `pods/resize` and `pods/ephemeralcontainers` carry the pod.
        "" | "resize" | "ephemeralcontainers" => Some(object),
        "scale" => {
            let replicas = object.tree.root().at(&["spec", "replicas"]).and_then(Node::int);
            let workload = snapshot.get(&review.key)?;
            Some(scaled(&workload.document, replicas.unwrap_or(0)))
        }
        _ => None,
    }
}

/// A workload with this many replicas.
fn scaled(workload: &Document, replicas: i64) -> Arc<Document> {
    let mut object = json(workload.tree.root());
    object["spec"]["replicas"] = replicas.into();
    Arc::new(live::document(CLUSTER, &object, "", ""))
}

/// What a node holds. Objects of a cluster are read from JSON of no more than 128 levels, so this recurses no deeper.
fn json(node: Node<'_>) -> Value {
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
