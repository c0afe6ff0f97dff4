//! One object of a cluster to a document: what an API server sends, without what only it and its clients keep.
//!
//! A cluster holds many objects and most repeat a few words, so each tree lies over a text of its own in which every
//! string stands once, and what no rule reads is left out: `managedFields`, the last applied configuration, most of
//! `status`, the schemas of custom kinds, every value of a Secret, and replicas that nobody asked for.

use super::{Document, replicas};
use crate::source::{SourceId, Span};
use crate::tree::builder::{Builder, Written};
use crate::tree::{Number, Tree};
use rustc_hash::FxHashMap;
use serde_json::{Map, Value};
use std::sync::Arc;

/// What `metadata` holds for the API server and its clients alone. The `uid` stays: by it rules know a live object.
const BOOKKEEPING: &[&str] =
    &["creationTimestamp", "generation", "managedFields", "resourceVersion", "selfLink"];

/// `kubectl apply` keeps all that it sent here, the values of Secrets included.
pub(super) const LAST_APPLIED: &str = "kubectl.kubernetes.io/last-applied-configuration";

/// The document of an object. `api_version` and `kind` stand in where it does not say them: items of a list do not.
///
/// `source` is that of the cluster ([`crate::source::Source::cluster`]).
pub fn document(source: SourceId, mut object: Value, api_version: &str, kind: &str) -> Document {
    if let Value::Object(fields) = &mut object {
        fields.entry("apiVersion").or_insert_with(|| api_version.into());
        fields.entry("kind").or_insert_with(|| kind.into());
        prune(fields);
    }
    Document { source, tree: tree(&object), duplicate_keys: Vec::new(), origin: None }
}

fn prune(fields: &mut Map<String, Value>) {
    if replicas::are_filled_in(fields)
        && let Some(Value::Object(spec)) = fields.get_mut("spec")
    {
        spec.shift_remove("replicas");
    }
    if let Some(Value::Object(metadata)) = fields.get_mut("metadata") {
        metadata.retain(|key, _| !BOOKKEEPING.contains(&key.as_str()));
        if let Some(Value::Object(annotations)) = metadata.get_mut("annotations") {
            annotations.shift_remove(LAST_APPLIED);
        }
    }
    let kind = fields.get("kind").and_then(Value::as_str).unwrap_or_default();
    let status: &[&str] = match kind {
        // What is over counts no more, and nodes say only here what they offer.
        "Job" => &["conditions"],
        "Node" => &["allocatable", "capacity"],
        "Pod" => &["phase"],
        _ => &[],
    };
    match kind {
        "CustomResourceDefinition" => drop_schemas(fields),
        "Pod" => drop_template(fields),
        "Secret" => conceal(fields),
        _ => {}
    }
    if let Some(Value::Object(it)) = fields.get_mut("status") {
        it.retain(|key, _| status.contains(&key.as_str()));
    }
    if fields.get("status").and_then(Value::as_object).is_none_or(Map::is_empty) {
        fields.shift_remove("status");
    }
}

/// Rules ask which keys a Secret has; its values are nobody's business.
fn conceal(fields: &mut Map<String, Value>) {
    for field in ["data", "stringData"] {
        if let Some(Value::Object(entries)) = fields.get_mut(field) {
            entries.values_mut().for_each(|it| *it = "".into());
        }
    }
}

/// Pods that a controller made say no more than its template does, but for where they run and what they are labelled.
fn drop_template(fields: &mut Map<String, Value>) {
    let owners = fields.get("metadata").and_then(|it| it.get("ownerReferences"));
    let mut owners = owners.and_then(Value::as_array).into_iter().flatten();
    if !owners.any(|it| it["controller"] == Value::Bool(true)) {
        return;
    }
    if let Some(Value::Object(spec)) = fields.get_mut("spec") {
        spec.retain(|key, _| key == "nodeName");
    }
}

fn drop_schemas(fields: &mut Map<String, Value>) {
    let versions = fields.get_mut("spec").and_then(|it| it.get_mut("versions"));
    for version in versions.and_then(Value::as_array_mut).into_iter().flatten() {
        if let Value::Object(version) = version {
            version.shift_remove("schema");
        }
    }
}

fn tree(object: &Value) -> Tree {
    let mut strings = Strings::default();
    strings.collect(object);
    let Strings { text, places } = strings;
    let text: Arc<str> = Arc::from(text);
    let mut builder = Builder::new(text.clone(), text.len());
    add(&mut builder, &places, object);
    builder.finish()
}

/// Each string of an object once, one after the other.
#[derive(Default)]
struct Strings<'v> {
    text: String,
    places: FxHashMap<&'v str, Span>,
}

impl<'v> Strings<'v> {
    fn collect(&mut self, value: &'v Value) {
        match value {
            Value::String(it) => self.add(it),
            Value::Array(items) => items.iter().for_each(|it| self.collect(it)),
            Value::Object(entries) => {
                for (key, value) in entries {
                    self.add(key);
                    self.collect(value);
                }
            }
            Value::Null | Value::Bool(_) | Value::Number(_) => {}
        }
    }

    fn add(&mut self, string: &'v str) {
        let text = &mut self.text;
        self.places.entry(string).or_insert_with(|| {
            let start = text.len();
            text.push_str(string);
            Span::new(start, text.len())
        });
    }
}

/// serde_json reads no more than 128 levels, so neither does this recurse deeper.
fn add(builder: &mut Builder, places: &FxHashMap<&str, Span>, value: &Value) {
    let nowhere = Span::default();
    match value {
        Value::Null => builder.null(nowhere),
        Value::Bool(it) => builder.bool(*it, nowhere),
        Value::Number(it) => builder.number(number(it), nowhere),
        Value::String(it) => builder.str(Written::Plain, places[it.as_str()]),
        Value::Array(items) => {
            builder.open_seq(nowhere);
            items.iter().for_each(|it| add(builder, places, it));
            builder.close(items.len() as u32, 0);
        }
        Value::Object(entries) => {
            builder.open_map(nowhere);
            for (key, value) in entries {
                builder.str(Written::Plain, places[key.as_str()]);
                add(builder, places, value);
            }
            builder.close(entries.len() as u32, 0);
        }
    }
}

/// Whole numbers are whole however they are written (`1.0`), as in manifests.
fn number(number: &serde_json::Number) -> Number {
    if let Some(it) = number.as_i64() {
        return Number::Int(it);
    }
    let float = number.as_f64().unwrap_or_default();
    let is_whole = float.fract() == 0.0 && float.abs() < 9.0e15;
    if is_whole { Number::Int(float as i64) } else { Number::Float(float) }
}
