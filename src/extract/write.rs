//! YAML, written so that people like to read it.

use std::fmt::Write as _;

/// A value.
#[derive(Clone, Debug)]
pub(super) enum Value {
    /// One line of text.
    Scalar(String),
    /// That something is so.
    True,
    /// Scalars, on one line.
    Items(Vec<String>),
    /// A mapping on one line.
    Flow(Map),
    /// A mapping on lines of its own.
    Block(Map),
    /// Mappings, each on a line.
    List(Vec<Map>),
}

/// A mapping.
#[derive(Clone, Debug, Default)]
pub(super) struct Map {
    entries: Vec<(String, Value)>,
}

/// One line of text.
pub(super) fn scalar(text: &str) -> Value {
    Value::Scalar(text.to_string())
}

impl Map {
    pub(super) fn add(&mut self, key: &str, value: Value) {
        self.entries.push((key.to_string(), value));
    }

    /// Adds a mapping, unless it is empty.
    pub(super) fn add_filled(&mut self, key: &str, map: Map) {
        if !map.entries.is_empty() {
            self.add(key, Value::Block(map));
        }
    }

    /// The same on one line.
    pub(super) fn add_filled_flow(&mut self, key: &str, map: Map) {
        if !map.entries.is_empty() {
            self.add(key, map.flow());
        }
    }

    /// Adds mappings, unless there are none.
    pub(super) fn add_list(&mut self, key: &str, list: Vec<Map>) {
        if !list.is_empty() {
            self.add(key, Value::List(list));
        }
    }

    pub(super) fn flow(self) -> Value {
        Value::Flow(self)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// The lines of a document.
    pub(super) fn render(&self) -> String {
        let mut text = String::new();
        self.lines(0, &mut text);
        text
    }

    fn lines(&self, depth: usize, text: &mut String) {
        for (key, value) in &self.entries {
            let _ = write!(text, "{}{}:", "  ".repeat(depth), quoted(key));
            match value {
                Value::Block(map) if !map.is_empty() => {
                    text.push('\n');
                    map.lines(depth + 1, text);
                }
                Value::List(list) => {
                    text.push('\n');
                    for item in list {
                        let _ =
                            writeln!(text, "{}- {}", "  ".repeat(depth + 1), item.on_one_line());
                    }
                }
                value => {
                    let _ = writeln!(text, " {}", value.on_one_line());
                }
            }
        }
    }

    fn on_one_line(&self) -> String {
        let entries = self.entries.iter();
        let entries: Vec<_> =
            entries.map(|(key, it)| format!("{}: {}", quoted(key), it.on_one_line())).collect();
        format!("{{{}}}", entries.join(", "))
    }
}

impl Value {
    fn on_one_line(&self) -> String {
        match self {
            Value::Scalar(text) => quoted(text),
            Value::True => "true".into(),
            Value::Items(items) => {
                let items: Vec<_> = items.iter().map(|it| quoted(it)).collect();
                format!("[{}]", items.join(", "))
            }
            Value::Flow(map) | Value::Block(map) => map.on_one_line(),
            Value::List(list) => {
                let items: Vec<_> = list.iter().map(Map::on_one_line).collect();
                format!("[{}]", items.join(", "))
            }
        }
    }
}

/// Text as YAML reads it back as the same: plain where it is a name or an amount, in quotes otherwise.
fn quoted(text: &str) -> String {
    let is_word =
        |it: char| it.is_ascii_alphanumeric() || matches!(it, '-' | '_' | '.' | '/' | '%');
    let begins_well = text.starts_with(|it: char| it.is_ascii_alphanumeric() || it == '/');
    let is_special = matches!(
        text.to_ascii_lowercase().as_str(),
        "true" | "false" | "null" | "yes" | "no" | "on" | "off" | "y" | "n" | "~"
    );
    // `1e3` and `0x10` are numbers.
    let looks_like_number = text.starts_with(|it: char| it.is_ascii_digit())
        && (text.contains('e') || text.contains('E') || text.contains('x') || text.contains('_'))
        && !text.ends_with("Ei");
    let is_plain = begins_well && text.chars().all(is_word) && !is_special && !looks_like_number;
    if is_plain { text.to_string() } else { format!("{text:?}") }
}

/// A document that is there as JSON: its sections and what they name on lines of their own.
pub(super) fn document(document: &Json) -> String {
    let mut text = String::new();
    lines_of(document, 0, &mut text);
    text
}

type Json = serde_json::Map<String, serde_json::Value>;

fn lines_of(map: &Json, depth: usize, text: &mut String) {
    use serde_json::Value as Of;
    let has_parts = |it: &Json| it.values().any(|it| it.is_object() || it.is_array());
    for (key, value) in map {
        let _ = write!(text, "{}{}:", "  ".repeat(depth), text_of(key));
        match value {
            Of::Object(below) if depth < 2 && has_parts(below) => {
                text.push('\n');
                lines_of(below, depth + 1, text);
            }
            Of::Array(items) if depth < 2 && items.iter().any(Of::is_object) => {
                text.push('\n');
                for item in items {
                    let _ = writeln!(text, "{}- {}", "  ".repeat(depth + 1), in_line(item));
                }
            }
            value => {
                let _ = writeln!(text, " {}", in_line(value));
            }
        }
    }
}

fn in_line(value: &serde_json::Value) -> String {
    use serde_json::Value as Of;
    match value {
        Of::Object(map) => {
            let all = map.iter().map(|(key, it)| format!("{}: {}", text_of(key), in_line(it)));
            format!("{{{}}}", all.collect::<Vec<_>>().join(", "))
        }
        Of::Array(items) => {
            format!("[{}]", items.iter().map(in_line).collect::<Vec<_>>().join(", "))
        }
        Of::String(text) => text_of(text),
        other => other.to_string(),
    }
}

/// Text that YAML reads back as text: what looks like a number is in quotes.
fn text_of(text: &str) -> String {
    let is_letter = |it: char| it.is_ascii_alphabetic() || it == '/';
    if text.starts_with(is_letter) { quoted(text) } else { format!("{text:?}") }
}
