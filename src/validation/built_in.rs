//! Objects of Kubernetes' own kinds beside the definitions of one version: what strict decoding refuses, required fields
//! and enumerated words.

use super::{Fault, format, is_filled_in_later};
use crate::api::quantity::Quantity;
use crate::api::schema::{Definition, Field, Schemas, Type};
use crate::text::tree::{Node, Value};

/// What is wrong with an object that is defined so, in the order of its text.
pub fn faults<'d>(root: Node<'d>, definition: &Definition, schemas: &Schemas) -> Vec<Fault<'d>> {
    let mut walk = Walk { schemas, faults: Vec::new(), open: vec![(root, definition)] };
    while let Some((node, definition)) = walk.open.pop() {
        walk.object(node, definition);
    }
    walk.faults.sort_by_key(|it| it.node.index());
    walk.faults
}

/// The same of an object's metadata alone, by the definition of any kind.
pub fn metadata_faults<'d>(
    root: Node<'d>,
    definition: &Definition,
    schemas: &Schemas,
) -> Vec<Fault<'d>> {
    let Some(field) = definition.field("metadata") else { return Vec::new() };
    let Some(metadata) = root.get("metadata") else { return Vec::new() };
    match (&field.of, scalar(metadata, &field.of)) {
        (_, Some(fault)) => vec![fault],
        (Type::Object(id), None) => faults(metadata, schemas.definition(*id), schemas),
        _ => Vec::new(),
    }
}

struct Walk<'s, 'd> {
    schemas: &'s Schemas,
    faults: Vec<Fault<'d>>,
    open: Vec<(Node<'d>, &'s Definition)>,
}

impl<'s, 'd> Walk<'s, 'd> {
    fn object(&mut self, node: Node<'d>, definition: &'s Definition) {
        for field in definition.fields.iter().filter(|it| it.is_required) {
            // What is empty is missing: the API server reads either as the type's zero value.
            let is_empty = |it: Node<'_>| it.str() == Some("") || it.is_seq() && it.count() == 0;
            if node.get(field.name).is_none_or(is_empty) {
                self.faults.push(Fault::missing(node, field.name));
            }
        }
        for (key, value) in node.entries() {
            let Some(name) = key.str() else { continue };
            match definition.field(name) {
                Some(field) => self.value(value, &field.of, field),
                None if is_filled_in_later(name) => {}
                None => {
                    let known = definition.fields.iter().map(|it| it.name);
                    self.faults.push(Fault::unknown(value, name, known));
                }
            }
        }
    }

    /// An item that is `null` is read as one without any field.
    fn empty_items(&mut self, list: Node<'d>, item: &Type) {
        let Type::Object(id) = item else { return };
        let required = self.schemas.definition(*id).fields.iter().filter(|it| it.is_required);
        let Some(first) = required.map(|it| it.name).next() else { return };
        let empty = list.items().filter(|it| it.is_null());
        self.faults.extend(empty.map(|it| Fault::missing(it, first)));
    }

    fn value(&mut self, value: Node<'d>, of: &'s Type, field: &'s Field) {
        let mut open = vec![(value, of)];
        while let Some((value, of)) = open.pop() {
            if value.is_null() {
                continue;
            }
            if let Some(fault) = scalar(value, of) {
                self.faults.push(fault);
                continue;
            }
            match of {
                Type::Object(id) if value.is_map() => {
                    self.open.push((value, self.schemas.definition(*id)));
                }
                Type::List(item, _) => {
                    self.empty_items(value, item);
                    open.extend(value.items().map(|it| (it, &**item)));
                }
                // What a workload, a quota or a claim asks for, `invalid-quantity` judges.
                Type::Map(item) if matches!(**item, Type::Quantity) && is_asked_for(field.name) => {
                }
                Type::Map(item) => open.extend(value.entries().map(|(_, it)| (it, &**item))),
                Type::Str => self.faults.extend(word(value, field)),
                _ => {}
            }
        }
    }
}

/// Lists of amounts that have a rule of their own.
fn is_asked_for(name: &str) -> bool {
    const NAMES: [&str; 8] = [
        "default",
        "defaultRequest",
        "hard",
        "limits",
        "max",
        "maxLimitRequestRatio",
        "min",
        "requests",
    ];
    NAMES.contains(&name)
}

/// What is wrong with a value by its type alone: what `encoding/json` does not read into the field.
fn scalar<'d>(node: Node<'d>, due: &Type) -> Option<Fault<'d>> {
    let is_held = match (due, node.value()) {
        (Type::Any, _)
        | (
            Type::Str | Type::IntOrString | Type::Quantity | Type::Time | Type::Bytes,
            Value::Str(_),
        )
        | (Type::Number | Type::Quantity, Value::Number(_))
        | (Type::Bool, Value::Bool(_))
        | (Type::List(..), Value::Seq)
        | (Type::Map(_) | Type::Object(_), Value::Map) => true,
        (Type::Int32 | Type::Int64 | Type::IntOrString, Value::Number(_)) => node.int().is_some(),
        // A list of numbers is one of bytes (`encoding/json`).
        (Type::Bytes, Value::Seq) => {
            node.items().all(|it| it.int().is_some_and(|it| u8::try_from(it).is_ok()))
        }
        _ => false,
    };
    if node.str().is_some_and(is_filled_in_later) {
        return None;
    }
    if !is_held {
        return Some(Fault::of_type(node, due.describe()));
    }
    match (due, node.int(), node.str()) {
        (Type::Int32 | Type::IntOrString, Some(number), _) if i32::try_from(number).is_err() => {
            let says = format!("is {number}, and has to fit into 32 bits");
            let help = format!("write a number from {} to {}", i32::MIN, i32::MAX);
            Some(Fault::new(node, says, "out of range", help))
        }
        (Type::Time, _, Some(text)) if !format::is_time(text) => {
            let says = "is no time as RFC 3339 writes it";
            Some(Fault::new(node, says, "no such time", "write it as `2027-03-31T12:00:00Z`"))
        }
        (Type::Quantity, _, Some(text)) if Quantity::parse(text).is_err() => {
            let says = "is no quantity";
            Some(Fault::new(
                node,
                says,
                "no quantity",
                "write a number, perhaps with a unit: `500Mi`",
            ))
        }
        (Type::Bytes, _, Some(text)) if !format::is_base64(text) => {
            let says = "is not in base64";
            Some(Fault::new(node, says, "not in base64", "encode it: `base64 -w0`"))
        }
        _ => None,
    }
}

fn word<'d>(node: Node<'d>, field: &Field) -> Option<Fault<'d>> {
    // Nothing stands for the default.
    let word = node.str().filter(|it| !it.is_empty() && !is_filled_in_later(it))?;
    let is_known = field.words.is_empty() || field.words.contains(&word);
    (!is_known).then(|| Fault::word(node, word, field.words.iter().copied()))
}
