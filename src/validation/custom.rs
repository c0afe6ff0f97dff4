//! Custom objects beside the structural schema of their CustomResourceDefinition
//! (`apiextensions-apiserver/pkg/apiserver/schema`). Rules in CEL (`x-kubernetes-validations`) are not judged.

use super::values::{self, Limits};
use super::{Fault, is_filled_in_later};
use crate::text::tree::{Node, Number, Value};

/// What is wrong with an object beside the schema of its version, in the order of its text.
pub fn faults<'d>(root: Node<'d>, schema: Node<'_>, keeps_unknown: bool) -> Vec<Fault<'d>> {
    let mut walk = Walk { keeps_unknown, faults: Vec::new(), open: Vec::new() };
    walk.open.push(Visit { node: root, schema, is_object: true });
    while let Some(visit) = walk.open.pop() {
        walk.visit(&visit);
    }
    walk.faults.sort_by_key(|it| it.node.index());
    walk.faults
}

struct Walk<'s, 'd> {
    /// Whether the definition keeps fields that it does not know (`preserveUnknownFields`).
    keeps_unknown: bool,
    faults: Vec<Fault<'d>>,
    open: Vec<Visit<'s, 'd>>,
}

struct Visit<'s, 'd> {
    node: Node<'d>,
    schema: Node<'s>,
    /// Whether it is a whole object with `apiVersion`, `kind` and `metadata`, which have schemas of their own.
    is_object: bool,
}

impl<'s, 'd> Walk<'s, 'd> {
    fn visit(&mut self, visit: &Visit<'s, 'd>) {
        let (node, schema) = (visit.node, visit.schema);
        if node.str().is_some_and(is_filled_in_later) {
            return;
        }
        let may_be_null = is(schema, "nullable") || schema.get("default").is_some();
        if node.is_null() && (may_be_null || due(schema).is_none()) {
            return;
        }
        if let Some(due) = due(schema)
            && !holds(schema, node)
        {
            self.faults.push(Fault::of_type(node, due));
            return;
        }
        self.faults.extend(Limits::of(schema).faults(node));
        match node.value() {
            Value::Map => self.map(visit),
            Value::Seq => self.list(node, schema),
            _ => {}
        }
    }

    fn map(&mut self, visit: &Visit<'s, 'd>) {
        let (node, schema) = (visit.node, visit.schema);
        let properties = schema.get("properties");
        let of = |name: &str| properties.and_then(|it| it.get(name));
        for name in schema.list("required").filter_map(Node::str) {
            let has_default = of(name).is_some_and(|it| it.get("default").is_some());
            // Of null a default is set as well, and what may be null is there.
            let is_there = node.entry(name).is_some_and(|(_, it)| !it.is_null())
                || of(name).is_some_and(|it| is(it, "nullable")) && node.entry(name).is_some();
            if !is_there && !has_default {
                self.faults.push(Fault::missing(node, name));
            }
        }
        let is_object = visit.is_object || is(schema, "x-kubernetes-embedded-resource");
        let others = schema.get("additionalProperties");
        let keeps = self.keeps_unknown || is(schema, "x-kubernetes-preserve-unknown-fields");
        for (key, value) in node.entries() {
            let Some(name) = key.str() else { continue };
            if is_object && matches!(name, "apiVersion" | "kind" | "metadata") {
                continue;
            }
            // What only controllers write is not judged.
            if visit.is_object && name == "status" {
                continue;
            }
            match of(name).or(others.filter(|it| it.is_map())) {
                Some(schema) => self.open.push(Visit { node: value, schema, is_object: false }),
                None if keeps || others.is_some_and(|it| it.bool() == Some(true)) => {}
                None if is_filled_in_later(name) => {}
                None => {
                    let known = properties.into_iter().flat_map(Node::pairs).map(|(it, _)| it);
                    self.faults.push(Fault::unknown(value, name, known));
                }
            }
        }
    }

    fn list(&mut self, node: Node<'d>, schema: Node<'s>) {
        if let Some(schema) = schema.get("items").filter(|it| it.is_map()) {
            let visits = node.items().map(|node| Visit { node, schema, is_object: false });
            self.open.extend(visits);
        }
        match schema.text("x-kubernetes-list-type") {
            Some("set") => self.faults.extend(values::twice(node, |it| Some(values::json(it)))),
            Some("map") => {
                let items = schema.get("items");
                let keys: Vec<_> = schema.list("x-kubernetes-list-map-keys").collect();
                self.faults.extend(values::twice(node, |it| key_of(it, &keys, items)));
            }
            _ => {}
        }
    }
}

/// The values of an item's keys, defaults filled in.
fn key_of(item: Node<'_>, keys: &[Node<'_>], schema: Option<Node<'_>>) -> Option<String> {
    item.is_map().then_some(())?;
    let properties = schema.and_then(|it| it.get("properties"));
    let values = keys.iter().filter_map(|it| it.str()).map(|key| {
        let default = || properties?.at(&[key, "default"]);
        item.get(key).map(values::json).or_else(|| default().map(values::json)).unwrap_or_default()
    });
    Some(values.collect::<Vec<_>>().join(" "))
}

fn is(schema: Node<'_>, flag: &str) -> bool {
    schema.get(flag).and_then(Node::bool) == Some(true)
}

/// What a value of this schema is called; `None` where it may be anything.
fn due(schema: Node<'_>) -> Option<&'static str> {
    if is(schema, "x-kubernetes-int-or-string") {
        return Some("a whole number or a string");
    }
    Some(match schema.text("type")? {
        "string" => "a string",
        "integer" => "a whole number",
        "number" => "a number",
        "boolean" => "`true` or `false`",
        "array" => "a list",
        "object" => "a mapping",
        _ => return None,
    })
}

fn holds(schema: Node<'_>, node: Node<'_>) -> bool {
    let is_whole = |it: Number| match it {
        Number::Int(_) => true,
        Number::Float(it) => it.fract() == 0.0,
    };
    if is(schema, "x-kubernetes-int-or-string") {
        return match node.value() {
            Value::Str(_) => true,
            Value::Number(it) => is_whole(it),
            _ => false,
        };
    }
    match (schema.text("type"), node.value()) {
        (Some("string"), Value::Str(_))
        | (Some("number"), Value::Number(_))
        | (Some("boolean"), Value::Bool(_))
        | (Some("array"), Value::Seq)
        | (Some("object"), Value::Map)
        | (None, _) => true,
        (Some("integer"), Value::Number(it)) => is_whole(it),
        _ => false,
    }
}
