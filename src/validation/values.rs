//! What schemas say of values beside their types: words, patterns, bounds, and what may stand once.

use super::{Fault, format};
use crate::text::tree::{Node, Number, Value};
use regex::Regex;
use rustc_hash::FxHashMap;
use std::fmt::Write;
use std::sync::{Arc, LazyLock, Mutex, PoisonError};

/// The validations of a schema, without the types of what is below it.
#[derive(Clone, Copy)]
pub(super) struct Limits<'s> {
    schema: Node<'s>,
}

impl<'s> Limits<'s> {
    pub(super) fn of(schema: Node<'s>) -> Limits<'s> {
        Limits { schema }
    }

    /// What is wrong with a value whose type is right.
    pub(super) fn faults<'d>(self, node: Node<'d>) -> Vec<Fault<'d>> {
        let mut faults = Vec::new();
        faults.extend(self.word(node));
        match node.value() {
            Value::Str(text) => faults.extend(self.text(node, text)),
            Value::Number(number) => faults.extend(self.number(node, number)),
            Value::Seq => {
                faults.extend(self.count(node, "minItems", "maxItems", "items", node.count()));
                if self.schema.get("uniqueItems").and_then(Node::bool) == Some(true) {
                    faults.extend(twice(node, |it| Some(json(it))));
                }
            }
            Value::Map => {
                let count = node.count();
                faults.extend(self.count(node, "minProperties", "maxProperties", "fields", count));
            }
            _ => {}
        }
        if faults.is_empty() {
            faults.extend(self.combined(node));
        }
        faults
    }

    fn word<'d>(self, node: Node<'d>) -> Option<Fault<'d>> {
        let words = self.schema.get("enum")?;
        let is = json(node);
        if words.items().any(|it| json(it) == is) {
            return None;
        }
        let texts: Vec<&str> = words.items().filter_map(Node::str).collect();
        Some(match node.str() {
            Some(word) if !texts.is_empty() => Fault::word(node, word, texts.iter().copied()),
            _ => {
                let all: Vec<_> = words.items().map(json).collect();
                let says = format!("is {is}, and has to be one of {}", all.join(", "));
                Fault::new(node, says, "none of the values that it may be", "write one of them")
            }
        })
    }

    fn text<'d>(self, node: Node<'d>, text: &str) -> Option<Fault<'d>> {
        let length = text.chars().count();
        if let Some(fault) = self.count(node, "minLength", "maxLength", "characters", length) {
            return Some(fault);
        }
        if let Some(pattern) = self.schema.text("pattern")
            && let Some(compiled) = compiled(pattern)
            && !compiled.is_match(text)
        {
            let says = format!("is `{text}`, which `{pattern}` does not match");
            return Some(Fault::new(node, says, "not of this form", "write it in this form"));
        }
        let name = self.schema.text("format")?;
        let says = || format!("is `{text}`, which is no {name}");
        (!format::has(name, text))
            .then(|| Fault::new(node, says(), "not of this form", format!("write an {name}")))
    }

    fn number<'d>(self, node: Node<'d>, number: Number) -> Option<Fault<'d>> {
        let value = float(number);
        let bound = |key: &str| match self.schema.get(key)?.value() {
            Value::Number(it) => Some(float(it)),
            _ => None,
        };
        let is_exclusive = |key: &str| self.schema.get(key).and_then(Node::bool) == Some(true);
        let low = bound("minimum")
            .filter(|low| value < *low || is_exclusive("exclusiveMinimum") && value <= *low);
        if let Some(low) = low {
            let says = format!("is {value}, and has to be {low} at least");
            return Some(Fault::new(node, says, "too small", format!("write {low} or more")));
        }
        let high = bound("maximum")
            .filter(|high| value > *high || is_exclusive("exclusiveMaximum") && value >= *high);
        if let Some(high) = high {
            let says = format!("is {value}, and has to be {high} at most");
            return Some(Fault::new(node, says, "too large", format!("write {high} or less")));
        }
        let is_int32 = self.schema.text("format") == Some("int32");
        let fits = (f64::from(i32::MIN)..=f64::from(i32::MAX)).contains(&value);
        (is_int32 && !fits).then(|| {
            let says = format!("is {value}, and has to fit into 32 bits");
            Fault::new(node, says, "out of range", "write a smaller number")
        })
    }

    fn count<'d>(
        self,
        node: Node<'d>,
        least: &str,
        most: &str,
        of: &str,
        count: usize,
    ) -> Option<Fault<'d>> {
        let bound = |key: &str| self.schema.get(key).and_then(Node::int);
        let count = count as i64;
        let (says, help) = match (bound(least), bound(most)) {
            (Some(least), _) if count < least => (
                format!("has {count} {of}, and has to have {least} at least"),
                "add what is missing",
            ),
            (_, Some(most)) if count > most => {
                (format!("has {count} {of}, and may have {most} at most"), "shorten it")
            }
            _ => return None,
        };
        Some(Fault::new(node, says, format!("{count} {of}"), help))
    }

    /// `allOf`, `anyOf`, `oneOf` and `not`, which in a structural schema hold validations alone.
    fn combined<'d>(self, node: Node<'d>) -> Option<Fault<'d>> {
        let all = |key: &str| self.schema.list(key).filter(|it| it.is_map()).collect::<Vec<_>>();
        let accepts = |schema: &Node<'_>| accepts(*schema, node);
        let refused = |says: &str| {
            Some(Fault::new(node, says, "not as the definition has it", "see the definition"))
        };
        let any = all("anyOf");
        if !any.is_empty() && !any.iter().any(accepts) {
            return refused("is none of what its definition allows (`anyOf`)");
        }
        let one = all("oneOf");
        if !one.is_empty() && one.iter().filter(|it| accepts(it)).count() != 1 {
            return refused("is not exactly one of what its definition allows (`oneOf`)");
        }
        if !all("allOf").iter().all(accepts) {
            return refused("is not all of what its definition asks for (`allOf`)");
        }
        let not = self.schema.get("not").filter(|it| it.is_map());
        if not.as_ref().is_some_and(accepts) {
            return refused("is what its definition rules out (`not`)");
        }
        None
    }
}

/// Whether a schema of validations alone accepts a value and all below it.
fn accepts(schema: Node<'_>, node: Node<'_>) -> bool {
    let mut open = vec![(schema, node)];
    while let Some((schema, node)) = open.pop() {
        if !has_type(schema, node) || !Limits::of(schema).faults(node).is_empty() {
            return false;
        }
        let is_missing = |name: Node<'_>| {
            name.str().is_some_and(|name| node.is_map() && node.entry(name).is_none())
        };
        if schema.list("required").any(is_missing) {
            return false;
        }
        let below = schema.get("properties").into_iter().flat_map(Node::pairs);
        open.extend(below.filter_map(|(name, schema)| Some((schema, node.entry(name)?.1))));
        if let Some(items) = schema.get("items").filter(|it| it.is_map()) {
            open.extend(node.items().map(|it| (items, it)));
        }
    }
    true
}

/// Types stand in such a schema only for what may be a number or a string.
fn has_type(schema: Node<'_>, node: Node<'_>) -> bool {
    match schema.text("type") {
        Some("integer") => matches!(node.value(), Value::Number(it) if float(it).fract() == 0.0),
        Some("number") => matches!(node.value(), Value::Number(_)),
        Some("string") => node.str().is_some(),
        Some("boolean") => node.bool().is_some(),
        Some("array") => node.is_seq(),
        Some("object") => node.is_map(),
        _ => true,
    }
}

fn float(number: Number) -> f64 {
    match number {
        Number::Int(it) => it as f64,
        Number::Float(it) => it,
    }
}

/// The items of a list whose key an earlier one has.
pub(super) fn twice<'d>(
    list: Node<'d>,
    key: impl Fn(Node<'d>) -> Option<String>,
) -> Vec<Fault<'d>> {
    let mut seen = FxHashMap::default();
    let mut faults = Vec::new();
    for (number, item) in list.items().enumerate() {
        let Some(key) = key(item) else { continue };
        match seen.get(&key) {
            Some(first) => {
                let says = format!("is the same entry as number {first} of the list");
                faults.push(Fault::new(item, says, "the same once more", "keep one of them"));
            }
            None => {
                seen.insert(key, number);
            }
        }
    }
    faults
}

/// A value as JSON, the keys of mappings in order, so that equal values are equal texts.
pub(super) fn json(node: Node<'_>) -> String {
    /// What is still to be written: a value, or text after it.
    enum Next<'d> {
        Value(Node<'d>),
        Text(String),
    }
    let mut text = String::new();
    let mut open = vec![Next::Value(node)];
    while let Some(next) = open.pop() {
        let node = match next {
            Next::Text(it) => {
                text.push_str(&it);
                continue;
            }
            Next::Value(it) => it,
        };
        match node.value() {
            Value::Null => text.push_str("null"),
            Value::Bool(it) => text.push_str(if it { "true" } else { "false" }),
            Value::Number(it) => write!(text, "{}", float(it)).expect("a text takes more text"),
            Value::Str(it) => write!(text, "{it:?}").expect("a text takes more text"),
            Value::Seq => {
                text.push('[');
                open.push(Next::Text("]".into()));
                let items: Vec<_> = node.items().collect();
                for item in items.into_iter().rev() {
                    open.push(Next::Text(",".into()));
                    open.push(Next::Value(item));
                }
            }
            Value::Map => {
                text.push('{');
                open.push(Next::Text("}".into()));
                let mut entries: Vec<_> = node
                    .entries()
                    .map(|(key, value)| (key.str().unwrap_or_default(), value))
                    .collect();
                entries.sort_by(|a, b| b.0.cmp(a.0));
                for (key, value) in entries {
                    open.push(Next::Text(",".into()));
                    open.push(Next::Value(value));
                    open.push(Next::Text(format!("{key:?}:")));
                }
            }
        }
    }
    text
}

/// Patterns by their text; `None` for those that we cannot read, which are not judged.
type Patterns = FxHashMap<Box<str>, Option<Arc<Regex>>>;

/// A pattern, compiled once: a definition has few, and its objects may be many.
fn compiled(pattern: &str) -> Option<Arc<Regex>> {
    static PATTERNS: LazyLock<Mutex<Patterns>> = LazyLock::new(Mutex::default);
    let mut patterns = PATTERNS.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(known) = patterns.get(pattern) {
        return known.clone();
    }
    let new = Regex::new(pattern).ok().map(Arc::new);
    patterns.insert(pattern.into(), new.clone());
    new
}
