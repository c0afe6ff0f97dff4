//! kubectl 1.32's own reading of scalars and documents, recorded in `fixtures/load/kubectl`, is ours.

use super::{fixture, json, text};
use purlin::load::read::decode;
use purlin::load::{Loaded, Lost};
use serde_json::Value;

/// The two are the same JSON; numbers are compared as JSON has them, without kinds.
fn same(ours: &Value, theirs: &Value) -> bool {
    match (ours, theirs) {
        (Value::Number(a), Value::Number(b)) => {
            a == b || (!a.is_i64() || !b.is_i64()) && a.as_f64() == b.as_f64()
        }
        (Value::Array(a), Value::Array(b)) => {
            a.len() == b.len() && a.iter().zip(b).all(|(a, b)| same(a, b))
        }
        (Value::Object(a), Value::Object(b)) => {
            a.len() == b.len() && a.iter().all(|(key, a)| b.get(key).is_some_and(|b| same(a, b)))
        }
        // The recording turned no-break spaces into spaces.
        (Value::String(a), Value::String(b)) => a.replace('\u{a0}', " ") == *b,
        (a, b) => a == b,
    }
}

#[test]
fn every_scalar_is_what_it_is_to_kubectl() {
    let recorded: serde_json::Map<String, Value> =
        serde_json::from_slice(&fixture("kubectl/kubectl-scalars.json")).unwrap();
    assert_eq!(recorded.len(), 86);
    let mut wrong = Vec::new();
    for (scalar, theirs) in recorded {
        let theirs = theirs.as_str().unwrap();
        let loaded = text(
            "a.yaml",
            format!(
                "apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: a}}\ndata:\n  k: {scalar}\n"
            ),
        );
        let ours = match loaded.documents.first() {
            Some(it) => json(it.tree.root().get("data").unwrap())["k"].clone(),
            None => Value::String(format!("ERR {}", loaded.broken[0].message)),
        };
        let agree = match serde_json::from_str(theirs) {
            Ok(theirs) => loaded.broken.is_empty() && same(&ours, &theirs),
            Err(_) => loaded.documents.is_empty(),
        };
        if !agree {
            wrong.push(format!("{scalar}: kubectl reads {theirs}, purlin {ours}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// The `.data` of every object, those of lists included.
fn data(loaded: &Loaded) -> Vec<Value> {
    let objects =
        loaded.documents.iter().map(|it| json(it.tree.root())).flat_map(|it| match &it["items"] {
            Value::Array(items) => items.clone(),
            _ => vec![it],
        });
    objects.map(|it| it["data"].clone()).collect()
}

fn load(name: &str) -> Loaded {
    let bytes = fixture(&format!("kubectl/documents/{name}.yaml"));
    let decoded = decode::decode(bytes).expect("text");
    text(&format!("{name}.yaml"), decoded.to_string())
}

#[test]
fn every_document_is_what_it_is_to_kubectl() {
    let recorded: serde_json::Map<String, Value> =
        serde_json::from_slice(&fixture("kubectl/kubectl-documents.json")).unwrap();
    assert_eq!(recorded.len(), 51);
    let mut wrong = Vec::new();
    for (name, outcome) in recorded {
        let loaded = load(&name);
        let ours = data(&loaded);
        // That is one on purpose: see below.
        let refused = !loaded.broken.is_empty() && name != "dots_no_dashes";
        let agree = match outcome["first"].as_str() {
            None => refused,
            Some("OK ") => !refused && ours.is_empty(),
            Some(theirs) => match theirs
                .split(" | ")
                .map(serde_json::from_str)
                .collect::<Result<Vec<Value>, _>>()
            {
                Ok(theirs) => !refused && same(&Value::Array(ours.clone()), &Value::Array(theirs)),
                // The recording was cut off.
                Err(_) => !refused && ours[0].to_string().starts_with(&theirs.replace(' ', "")),
            },
        };
        if !agree {
            wrong.push(format!("{name}: kubectl {outcome}, purlin {ours:?} {:?}", loaded.broken));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn a_key_that_stands_twice_is_read_as_kubectl_does_and_reported() {
    for (name, key, places) in [
        ("dup_key", "k", ["5:3", "6:3"]),
        ("dup_key_top", "data", ["4:1", "5:1"]),
        ("json_dup", "k", ["1:71", "1:79"]),
    ] {
        let loaded = load(name);
        let [duplicate] = loaded.documents[0].duplicate_keys.as_slice() else {
            panic!("{name}: not one duplicate")
        };
        let source = loaded.sources.get(loaded.documents[0].source);
        let found =
            [duplicate.first, duplicate.last].map(|it| source.position(it.start).to_string());
        assert_eq!((duplicate.key.as_str(), found), (key, places.map(String::from)), "{name}");
    }
}

#[test]
fn what_kubectl_drops_after_dots_is_reported() {
    let loaded = load("dots_no_dashes");
    let [broken] = loaded.broken.as_slice() else { panic!("not one report") };
    assert_eq!(broken.lost, Lost::Nothing);
    assert_eq!(loaded.sources.get(broken.source).position(broken.span.start).to_string(), "5:1");
    assert_eq!(broken.message, "everything after this `...` is dropped: no `---` follows it");
}

#[test]
fn after_a_broken_document_the_others_of_the_file_are_still_read() {
    // kubectl stops at the first.
    let object =
        |name: &str| format!("apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: {name}}}\n");
    let loaded = text(
        "a.yaml",
        format!("{}---\napiVersion: v1\nkind: Pod\na: [\n---\n{}", object("one"), object("two")),
    );
    let names: Vec<_> = loaded
        .documents
        .iter()
        .map(|it| it.tree.root().at(&["metadata", "name"]).unwrap())
        .collect();
    assert_eq!(names.iter().filter_map(|it| it.str()).collect::<Vec<_>>(), ["one", "two"]);
    assert_eq!(loaded.broken.len(), 1);
    assert_eq!(loaded.broken[0].lost, Lost::Kind("Pod".into()));
    assert_eq!(data(&load("anchor_across_docs")).len(), 1);
}

/// As `kubectl label --local -f FILE -o json --dry-run=client x=y` of kubectl 1.32 prints them.
#[test]
fn lines_end_where_go_yaml_ends_them() {
    for mark in ["\u{85}", "\u{2028}", "\u{2029}"] {
        let lines = "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: a # é\ndata:\n  k: v\n  q: \"x\n    y\"\n";
        let loaded = text("a.yaml", lines.replace('\n', mark));
        assert!(loaded.broken.is_empty(), "{:?}", loaded.broken);
        assert_eq!(data(&loaded)[0]["k"], "v");
        // Places are those of the file as it is.
        let root = loaded.documents[0].tree.root();
        let value = root.at(&["data", "k"]).unwrap().span();
        let source = loaded.sources.get(loaded.documents[0].source);
        assert_eq!(&source.text[value.range()], "v");
    }
    let loaded = text(
        "a.yaml",
        "kind: ConfigMap\napiVersion: v1\ndata:\u{85}  t: |\u{85}    x\u{85}    y\u{85}  f: \"a\u{85}    b\"\n",
    );
    assert_eq!(data(&loaded)[0]["t"], "x\ny\n");
    assert_eq!(data(&loaded)[0]["f"], "a b");
    // kubectl cuts documents at line feeds alone.
    let loaded =
        text("a.yaml", "apiVersion: v1\nkind: ConfigMap\n---\u{85}apiVersion: v1\nkind: Secret\n");
    assert_eq!(loaded.documents.len(), 1);
    assert_eq!(loaded.broken.len(), 1);
    // In JSON they are letters.
    let loaded = text(
        "a.json",
        "{\"apiVersion\":\"v1\",\"kind\":\"ConfigMap\",\"data\":{\"k\":\"a\u{85}b\u{2028}c\"}}",
    );
    assert_eq!(data(&loaded)[0]["k"], "a\u{85}b\u{2028}c");
}
