//! Input that means harm, or is only large: no panic, no hang, and an answer with a place.
//!
//! Nothing here looks at a clock. Each case is of a size at which anything but linear time would take minutes.

use super::{json, text};
use purlin::load::read::decode;
use purlin::load::{Loaded, load_texts};

const HEAD: &str = "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: a\n";

fn with(data: &str) -> Loaded {
    text("a.yaml", format!("{HEAD}{data}"))
}

/// Loads bytes as a file would be.
fn bytes(bytes: impl Into<Vec<u8>>) -> Loaded {
    load_texts(vec![("a.yaml".into(), decode::decode(bytes.into()).expect("text"))])
}

#[track_caller]
fn one(loaded: &Loaded) {
    assert!(loaded.broken.is_empty(), "{:?}", loaded.broken);
    assert_eq!(loaded.documents.len(), 1);
}

#[track_caller]
fn refused(loaded: &Loaded, message: &str) {
    assert!(loaded.documents.is_empty());
    assert_eq!(loaded.broken.len(), 1);
    assert!(loaded.broken[0].message.contains(message), "{}", loaded.broken[0].message);
}

#[test]
fn nesting_is_read_as_deep_as_kubectl_does() {
    let flow = |depth: usize| with(&format!("data: {}{}", "[".repeat(depth), "]".repeat(depth)));
    let braces =
        |depth: usize| with(&format!("data: {}{}", "{a: ".repeat(depth), "}".repeat(depth)));
    let dashes = |depth: usize| with(&format!("data:\n  {}x\n", "- ".repeat(depth)));
    let block = |depth: usize| {
        let lines: String = (0..depth).map(|it| format!("{}a:\n", " ".repeat(it + 1))).collect();
        with(&format!("data:\n{lines}"))
    };
    let json = |depth: usize| {
        let head = r#"{"apiVersion":"v1","kind":"ConfigMap","data":"#;
        text("a.json", format!("{head}{}{}}}", "[".repeat(depth), "]".repeat(depth)))
    };
    let shapes: [&dyn Fn(usize) -> Loaded; 4] = [&flow, &braces, &dashes, &json];
    for shape in shapes {
        one(&shape(1000));
        one(&shape(9900));
        refused(&shape(10_001), "nested deeper than 10000 levels");
    }
    // Its text grows with the square of the depth.
    one(&block(1000));
    refused(&block(10_001), "nested deeper than 10000 levels");
    refused(&with(&format!("data: {}", "[".repeat(1_000_000))), "nested deeper");
}

#[test]
fn a_walk_over_a_deep_tree_does_not_recurse() {
    let depth = 9900;
    let loaded = with(&format!("data: {}x{}", "[".repeat(depth), "]".repeat(depth)));
    let root = loaded.documents[0].tree.root();
    let mut here = root.get("data").unwrap();
    while let Some(item) = here.items().next() {
        here = item;
    }
    let path = purlin::text::path::FieldPath::between(root, here);
    assert_eq!(path.steps().len(), depth + 1);
    assert_eq!(path.resolve(root).1.index(), here.index());
    assert!(root.same(root));
}

#[test]
fn aliases_cannot_multiply_a_document() {
    let bomb: String = (1..30)
        .map(|it| format!("x{it}: &x{it} [{}]\n", vec![format!("*x{}", it - 1); 9].join(",")))
        .collect();
    refused(&with(&format!("x0: &x0 [lol, lol, lol]\n{bomb}")), "aliases multiply");
    let chain: String = (1..10_000).map(|it| format!("x{it}: &x{it} [*x{}]\n", it - 1)).collect();
    refused(&with(&format!("x0: &x0 lol\n{chain}")), "aliases multiply");
    let plain: String = (1..50_000).map(|it| format!("x{it}: &x{it} a\ny{it}: *x{it}\n")).collect();
    one(&with(&plain));
    refused(&with("data: &d {a: [*d]}\n"), "an alias to a value that contains it");
    // Each level of these holds an anchor: copies of them all would be quadratic.
    let open: String = (0..9900).map(|it| format!("&a{it} [")).collect();
    one(&with(&format!("data: {open}{}", "]".repeat(9900))));
}

#[test]
fn merges_cost_what_they_hold() {
    let maps: String = (0..10_000).map(|it| format!("{{k{it}: v, k{}: w}},", it + 1)).collect();
    let loaded = with(&format!("data:\n  <<: [{maps}]\n"));
    one(&loaded);
    let data = loaded.documents[0].tree.root().get("data").unwrap();
    assert_eq!((data.count(), data.entries().count()), (10_001, 10_001));
    // Earlier mappings of a list win.
    assert_eq!(data.text("k1"), Some("w"));
    let deep = |depth: usize| {
        with(&format!(
            "data: {}{}",
            "{<<: ".repeat(depth),
            "{a: b}".to_string() + &"}".repeat(depth)
        ))
    };
    let loaded = deep(90);
    one(&loaded);
    assert_eq!(
        loaded.documents[0].tree.root().at(&["data", "a"]).and_then(|it| it.str()),
        Some("b")
    );
    refused(&deep(5000), "`<<` within `<<`");
    refused(&with("data:\n  <<: text\n"), "`<<` merges mappings");
    let many = with(&format!("x: &x {{a: b}}\ndata: [{}]\n", "{<<: *x},".repeat(100_000)));
    one(&many);
    assert!(many.documents[0].tree.root().list("data").all(|it| it.text("a") == Some("b")));
}

#[test]
fn merges_are_those_of_kubectl() {
    // Recorded from kubectl 1.32.
    for (text, data) in [
        ("x: &x {a: 1}\ndata: {a: own, <<: *x}\n", r#"{"a":1}"#),
        ("x: &x {a: 1}\ndata: {<<: *x, a: own}\n", r#"{"a":"own"}"#),
        ("x: &x {a: 1}\ny: &y {a: 2}\ndata: {<<: *x, <<: *y}\n", r#"{"a":2}"#),
        ("data: {<<: [{a: 1, a: 2}, {a: 3, b: 4}]}\n", r#"{"a":2,"b":4}"#),
        ("data: {<<: {<<: {a: 1}, b: 2}}\n", r#"{"a":1,"b":2}"#),
        ("data: {\"<<\": {a: 1}}\n", r#"{"<<":{"a":1}}"#),
        ("data: {<<: []}\n", "{}"),
        ("x: {<<: &x {a: 1}, a: own}\ndata: *x\n", r#"{"a":1}"#),
        ("x: {a: &x {b: 1}, a: own}\ndata: *x\n", r#"{"b":1}"#),
    ] {
        let loaded = with(text);
        one(&loaded);
        assert_eq!(
            json(loaded.documents[0].tree.root().get("data").unwrap()).to_string(),
            data,
            "{text}"
        );
    }
}

#[test]
fn keys_without_end() {
    let keys: String = (0..200_000).map(|it| format!("  k{it}: v\n")).collect();
    let loaded = with(&format!("data:\n{keys}"));
    one(&loaded);
    let root = loaded.documents[0].tree.root();
    let data = root.get("data").unwrap();
    assert_eq!(data.count(), 200_000);
    let (key, value) = data.entry("k199999").unwrap();
    for node in [key, value] {
        let path = purlin::text::path::FieldPath::between(root, node);
        assert_eq!(path.to_string(), "data.k199999");
    }

    let loaded = with(&format!("data:\n{}  k: last\n", "  k: v\n".repeat(10_000)));
    one(&loaded);
    assert_eq!(loaded.documents[0].duplicate_keys.len(), 10_000);
    assert_eq!(
        loaded.documents[0].tree.root().at(&["data", "k"]).and_then(|it| it.str()),
        Some("last")
    );

    // The same key twice at each of many levels.
    let deep = format!("data: {}x{}", "{a: 1, a: ".repeat(9900), "}".repeat(9900));
    let loaded = with(&deep);
    one(&loaded);
    assert_eq!(loaded.documents[0].duplicate_keys.len(), 9900);
}

#[test]
fn lines_and_documents_without_end() {
    one(&with(&format!("data: {{k: \"{}\"}}\n", "x".repeat(50_000_000))));
    one(&with(&format!("data: [{}]\n", "a, ".repeat(1_000_000))));
    one(&with(&format!("data:\n  k: |\n{}", "    a b c\n".repeat(1_000_000))));
    let documents: String = (0..100_000)
        .map(|it| format!("---\nkind: A\napiVersion: v1\nmetadata: {{name: a{it}}}\n"))
        .collect();
    let loaded = text("a.yaml", documents);
    assert_eq!((loaded.documents.len(), loaded.broken.len()), (100_000, 0));
    let broken = text("a.yaml", "---\napiVersion: v1\nkind: A\na: [\n".repeat(20_000));
    assert_eq!((broken.documents.len(), broken.broken.len()), (0, 20_000));
    let json = text("a.json", "{\"apiVersion\":\"v1\",\"kind\":\"A\"}\n".repeat(20_000));
    assert_eq!((json.documents.len(), json.broken.len()), (20_000, 0));
    let nothing = text("a.yaml", "---\n# nothing\n\n".repeat(200_000));
    assert_eq!((nothing.documents.len(), nothing.broken.len()), (0, 0));
    // A space would mend each of these lines, and each costs one more reading.
    let loaded = with(&format!("data:\n{}", "  - \"a\"#b\n".repeat(20_000)));
    refused(&loaded, "comment");
}

#[test]
fn bytes_that_are_no_text() {
    for start in
        [&b"\x7fELF\x02\x01\x01\x00\x00"[..], b"PK\x03\x04\x00\x00", b"\x89PNG\r\n\x1a\n\0\0"]
    {
        let loaded = bytes([start, &[7; 5000]].concat());
        assert!(loaded.documents.is_empty() && loaded.broken.is_empty());
        assert_eq!(loaded.skipped.other_documents, 1);
    }
    refused(&bytes("kind: A\napiVersion: v1\na: \"b\0c\"\n"), "a NUL byte: this is a binary file");
    let late = format!("{HEAD}data: {{a: \"{}\0\"}}\n", "x".repeat(100_000));
    assert!(bytes(late).documents.is_empty());
    let locked = decode::decode(b"\0GITCRYPT\0\x01\x02\x03".to_vec());
    assert_eq!(locked, Err("encrypted by git-crypt; run `git-crypt unlock` first".into()));
}

#[test]
fn text_in_other_encodings() {
    let content = format!("{HEAD}data: {{k: \"caf\u{e9} \u{1F600}\"}}\n");
    let little: Vec<u8> = content.encode_utf16().flat_map(u16::to_le_bytes).collect();
    let big: Vec<u8> = content.encode_utf16().flat_map(u16::to_be_bytes).collect();
    let encodings = [
        content.clone().into_bytes(),
        [b"\xef\xbb\xbf", content.as_bytes()].concat(),
        [b"\xff\xfe", little.as_slice()].concat(),
        [b"\xfe\xff", big.as_slice()].concat(),
        content.replace('\n', "\r\n").into_bytes(),
        content.replace('\n', "\r").into_bytes(),
    ];
    for encoded in encodings {
        let loaded = bytes(encoded);
        one(&loaded);
        let root = loaded.documents[0].tree.root();
        assert_eq!(root.at(&["data", "k"]).and_then(|it| it.str()), Some("caf\u{e9} \u{1F600}"));
        let source = loaded.sources.get(loaded.documents[0].source);
        assert_eq!(&source.text[root.entry("kind").unwrap().0.span().range()], "kind");
    }
    // What is no UTF-8 is replaced, as by kubectl; a UTF-16 file may end in the middle of a character.
    one(&bytes([HEAD.as_bytes(), b"data: {k: \"caf\xe9\"}\n"].concat()));
    assert_eq!(bytes([b"\xff\xfe", &little[..], b"\n"].concat()).broken.len(), 1);
    assert_eq!(
        bytes([b"\xff\xfe", &little[..little.len() - 10], b"\x3d\xd8"].concat()).broken.len(),
        1
    );
}

#[test]
fn control_characters_survive_as_escapes_and_are_refused_raw() {
    let loaded = with(r#"data: {k: "\x1b[31m\x07\0\r\n\t\x7f\u202e"}"#);
    one(&loaded);
    let value = loaded.documents[0].tree.root().at(&["data", "k"]).and_then(|it| it.str());
    assert_eq!(value, Some("\u{1b}[31m\u{7}\0\r\n\t\u{7f}\u{202e}"));
    refused(&with("data: {k: \"\u{1b}[31m\"}\n"), "a control character, U+001B");
}
