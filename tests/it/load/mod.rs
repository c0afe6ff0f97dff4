//! Load: what is read, what is refused and with which words, against kubectl and against hostile input.

mod abuse;
mod folders;
mod kubectl;
mod live;
mod mistakes;
mod properties;

use purlin::load::{Loaded, load_texts};
use purlin::text::tree::{Node, Number, Value};

/// Loads one text under a name.
fn text(name: &str, text: impl Into<String>) -> Loaded {
    load_texts(vec![(name.into(), text.into().into())])
}

/// A fixture of this area.
fn fixture(name: &str) -> Vec<u8> {
    let path = format!("{}/fixtures/load/{name}", env!("CARGO_MANIFEST_DIR"));
    std::fs::read(&path).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// The node as JSON, the way kubectl would send it.
pub(crate) fn json(node: Node<'_>) -> serde_json::Value {
    match node.value() {
        Value::Null => serde_json::Value::Null,
        Value::Bool(it) => it.into(),
        Value::Number(Number::Int(it)) => it.into(),
        Value::Number(Number::Float(it)) => it.into(),
        Value::Str(it) => it.into(),
        Value::Seq => node.items().map(json).collect(),
        Value::Map => node
            .entries()
            .map(|(key, value)| (key.str().expect("a key").to_string(), json(value)))
            .collect(),
    }
}
