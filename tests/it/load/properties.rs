//! What holds of any input: bytes never panic, and a tree that is written and read is the same tree.

use super::{json, text};
use proptest::prelude::*;
use purlin::load::cluster::live;
use purlin::load::read::decode;
use purlin::load::{Loaded, load_texts};
use purlin::text::path::{FieldPath, Found};
use purlin::text::source::SourceId;
use purlin::text::tree::Node;
use serde_json::Value;

/// Values, scalars of any look, with keys that may need quotes.
fn tree() -> impl Strategy<Value = Value> {
    let word = prop_oneof![
        "[a-z]{1,8}",
        "[ -~]{0,12}",
        "\\PC{0,6}",
        prop::sample::select(vec![
            "yes", "null", "~", "1e3", "0644", "", "- a", "a: b", "a #b", "<<", "*", "|", "---"
        ])
        .prop_map(String::from),
        "([a-z ]{1,6}\n){1,3}",
    ];
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        (-1e9..1e9_f64).prop_map(Value::from),
        word.clone().prop_map(Value::from),
    ];
    leaf.prop_recursive(5, 64, 6, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
            prop::collection::vec((word.clone(), inner), 0..6)
                .prop_map(|it| it.into_iter().collect::<Value>()),
        ]
    })
}

/// A scalar or key: JSON is YAML, but for the escape of `/`, which serde_json does not write.
fn inline(value: &Value) -> String {
    match value {
        Value::String(it) if is_plain(it) => it.clone(),
        other => other.to_string().replace('\u{7f}', "\\x7f"),
    }
}

fn is_plain(text: &str) -> bool {
    !text.is_empty()
        && text.bytes().all(|it| it.is_ascii_lowercase())
        && !matches!(text, "y" | "n" | "yes" | "no" | "on" | "off" | "null" | "true" | "false")
}

/// The tree in YAML's block style, with block scalars where text has lines.
fn block(value: &Value, indent: usize, out: &mut String) {
    let spaces = " ".repeat(indent);
    match value {
        Value::Object(map) if !map.is_empty() => {
            for (key, value) in map {
                out.push_str(&format!("\n{spaces}{}:", inline(&key.as_str().into())));
                block(value, indent + 2, out);
            }
        }
        Value::Array(items) if !items.is_empty() => {
            for item in items {
                out.push_str(&format!("\n{spaces}-"));
                block(item, indent + 2, out);
            }
        }
        Value::String(text)
            if text.ends_with('\n')
                && text.lines().all(|it| it.starts_with(|c: char| c.is_ascii_lowercase())) =>
        {
            out.push_str(" |");
            for line in text.lines() {
                out.push_str(&format!("\n{spaces}{line}"));
            }
        }
        scalar => out.push_str(&format!(" {}", inline(scalar))),
    }
}

/// The tree in YAML's flow style, over several lines.
fn flow(value: &Value, out: &mut String) {
    match value {
        Value::Object(map) => {
            out.push_str("{\n ");
            for (key, value) in map {
                out.push_str(&format!("{} : ", inline(&key.as_str().into())));
                flow(value, out);
                out.push_str(" ,\n ");
            }
            out.push('}');
        }
        Value::Array(items) => {
            out.push('[');
            for item in items {
                flow(item, out);
                out.push_str(" , ");
            }
            out.push(']');
        }
        scalar => out.push_str(&inline(scalar)),
    }
}

/// All nodes below and at `root`, keys included.
fn nodes<'d>(root: Node<'d>) -> Vec<Node<'d>> {
    let mut found = Vec::new();
    let mut open = vec![root];
    while let Some(node) = open.pop() {
        found.push(node);
        open.extend(node.items());
        open.extend(node.entries().flat_map(|(key, value)| [key, value]));
    }
    found
}

fn same_numbers(value: &Value) -> Value {
    match value {
        // Whole floats are whole numbers to Kubernetes.
        Value::Number(it) if it.is_f64() => match it.as_f64() {
            Some(float) if float.trunc() == float && float.abs() < 1e15 => (float as i64).into(),
            _ => value.clone(),
        },
        Value::Array(items) => items.iter().map(same_numbers).collect(),
        Value::Object(map) => {
            map.iter().map(|(key, value)| (key.clone(), same_numbers(value))).collect()
        }
        other => other.clone(),
    }
}

fn check(loaded: &Loaded, data: &Value) -> Result<(), TestCaseError> {
    prop_assert!(loaded.broken.is_empty(), "{:?}", loaded.broken);
    prop_assert_eq!(loaded.documents.len(), 1);
    let document = &loaded.documents[0];
    let root = document.tree.root();
    let (_, read) = root.entry("data").expect("it was written");
    prop_assert_eq!(json(read), same_numbers(data));
    let source = &loaded.sources.get(document.source).text;
    for node in nodes(root) {
        let path = FieldPath::between(root, node);
        let (key, value, found) = path.resolve(root);
        prop_assert_eq!(found, Found::Wholly);
        prop_assert!(
            value.index() == node.index() || key.is_some_and(|it| it.index() == node.index())
        );
        let written = &source[node.span().range()];
        if let Some(text) = node.str().filter(|it| is_plain(it)) {
            prop_assert!(
                written == text || written == format!("\"{text}\""),
                "{} at {}",
                text,
                written
            );
        }
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_tree_is_read_as_it_was_written_in_blocks(data in tree()) {
        let mut out = String::from("apiVersion: v1\nkind: A\ndata:");
        block(&data, 2, &mut out);
        out.push('\n');
        check(&text("a.yaml", out), &data)?;
    }

    #[test]
    fn a_tree_is_read_as_it_was_written_in_braces(data in tree()) {
        let mut out = String::from("apiVersion: v1\nkind: A\ndata: ");
        flow(&data, &mut out);
        out.push('\n');
        check(&text("a.yaml", out), &data)?;
    }

    #[test]
    fn a_tree_is_read_as_it_was_written_in_json(data in tree()) {
        let object = serde_json::json!({"apiVersion": "v1", "kind": "A", "data": data});
        check(&text("a.json", object.to_string()), &data)?;
        check(&text("a.json", serde_json::to_string_pretty(&object).expect("JSON")), &data)?;
    }

    /// Keys of two letters have lengths, ends and middles in common, by which a lookup passes most keys over.
    #[test]
    fn a_key_is_found_by_all_of_its_letters(
        keys in prop::collection::btree_set("[ab]{1,6}", 0..12),
        others in prop::collection::btree_set("[ab]{0,6}", 0..12),
    ) {
        let data: Value = keys.iter().map(|it| (it.clone(), format!("of {it}"))).collect();
        let object = serde_json::json!({"apiVersion": "v1", "kind": "A", "data": data});
        let mut plain = String::from("apiVersion: v1\nkind: A\ndata:");
        block(&data, 2, &mut plain);
        let loaded = [text("a.yaml", plain), text("a.json", object.to_string())];
        let live = live::document(SourceId(0), &object, "", "");
        let documents = loaded.iter().map(|it| &*it.documents[0]).chain([&live]);
        for document in documents {
            let (_, read) = document.tree.root().entry("data").expect("it was written");
            for key in keys.union(&others) {
                prop_assert_eq!(read.get(key).map(json), data.get(key).cloned(), "{}", key);
            }
        }
    }

    #[test]
    fn any_bytes_are_read_or_refused_with_a_place(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        let Ok(decoded) = decode::decode(bytes) else { return Ok(()) };
        places_hold(&load_texts(vec![("a.yaml".into(), decoded)]))?;
    }

    #[test]
    fn any_marks_are_read_or_refused_with_a_place(marks in "([-:?,\\[\\]{}#&*!|>'\"%@` \t\r\n\u{e9}\u{feff}a01<.\\\\~=]|---\n|\n  |a: ){0,60}") {
        places_hold(&text("a.yaml", format!("apiVersion: v1\nkind: A\n{marks}")))?;
        places_hold(&text("a.json", marks))?;
    }
}

fn places_hold(loaded: &Loaded) -> Result<(), TestCaseError> {
    for broken in &loaded.broken {
        let text = &loaded.sources.get(broken.source).text;
        prop_assert!(text.get(broken.span.range()).is_some(), "{:?} in {:?}", broken, text);
    }
    for document in &loaded.documents {
        let text = &loaded.sources.get(document.source).text;
        let root = document.tree.root();
        for node in nodes(root) {
            prop_assert!(text.get(node.span().range()).is_some(), "{:?} in {:?}", node, text);
            let path = FieldPath::between(root, node);
            prop_assert_eq!(path.resolve(root).2, Found::Wholly, "{} in {:?}", path, text);
        }
    }
    Ok(())
}
