//! Documents that kubectl refuses: the place and the words, all in `fixtures/load/mistakes.out`; `UPDATE=1` writes it.

use super::{fixture, json, text};
use purlin::load::read::decode;
use std::fmt::Write;
use std::path::PathBuf;

fn folder(name: &str) -> Vec<(String, String)> {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("fixtures/load").join(name);
    let mut names: Vec<String> = folder
        .read_dir()
        .expect("a folder")
        .map(|it| it.expect("a file").file_name().display().to_string())
        .collect();
    names.sort();
    let read = |file: String| {
        let bytes = fixture(&format!("{name}/{file}"));
        (file, decode::decode(bytes).expect("text").to_string())
    };
    names.into_iter().map(read).collect()
}

#[test]
fn each_says_where_and_what_and_what_to_do() {
    let mut out = String::new();
    for (name, content) in folder("mistakes") {
        let loaded = text(&name, content);
        let [broken] = loaded.broken.as_slice() else { panic!("{name}: {:?}", loaded.broken) };
        let source = loaded.sources.get(broken.source);
        let (start, end) = (source.position(broken.span.start), source.position(broken.span.end));
        writeln!(out, "{name}:{start}-{end}: {}", broken.message).unwrap();
        if let Some(help) = &broken.help {
            writeln!(out, "    {help}").unwrap();
        }
        for words in [Some(&broken.message), broken.help.as_ref()].into_iter().flatten() {
            assert!(
                !words.ends_with('.') && !words.starts_with(char::is_uppercase),
                "{name}: {words}"
            );
            assert!(
                !words.contains("while parsing") && !words.contains("expected"),
                "{name}: {words}"
            );
        }
        assert!(loaded.documents.is_empty(), "{name} was read all the same");
    }
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("fixtures/load/mistakes.out");
    if std::env::var_os("UPDATE").is_some() {
        std::fs::write(&path, &out).unwrap();
    }
    assert_eq!(out, std::fs::read_to_string(&path).unwrap_or_default(), "UPDATE=1 accepts this");
}

#[test]
fn a_mistake_costs_no_other_document() {
    for (name, content) in folder("mistakes") {
        let object =
            |name: &str| format!("apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: {name}}}\n");
        let ending = if content.ends_with('\n') { "" } else { "\n" };
        let loaded = text(
            &name,
            format!("{}---\n{content}{ending}---\n{}", object("before"), object("after")),
        );
        assert_eq!(loaded.documents.len(), 2, "{name}");
        assert_eq!(loaded.broken.len(), 1, "{name}");
    }
}

#[test]
fn what_only_lacks_a_space_is_read() {
    // YAML 1.2 wants these spaces, kubectl does not.
    let expected = [
        ("comment-after-bar.yaml", r#"{"a":"b\n"}"#),
        ("comment-after-quote.yaml", r#"{"a":"b"}"#),
        ("comment-in-brackets.yaml", r#"["a","b"]"#),
        ("quote-in-list.yaml", r#"[{"a":"b c"}]"#),
        ("quote-over-lines.yaml", r#"{"a":"b c"}"#),
        ("tabs-in-braces.yaml", r#"{"b":"c"}"#),
    ];
    let files = folder("lenient");
    assert_eq!(files.len(), expected.len());
    for ((name, content), (expected_name, data)) in files.into_iter().zip(expected) {
        let loaded = text(&name, content.clone());
        assert!(loaded.broken.is_empty(), "{name}: {:?}", loaded.broken);
        let root = loaded.documents[0].tree.root();
        assert_eq!(
            (name.as_str(), json(root.get("data").unwrap()).to_string().as_str()),
            (expected_name, data)
        );
        let (key, _) = root.entry("data").unwrap();
        assert_eq!(&content[key.span().range()], "data", "{name}: places are those of the file");
    }
}

#[test]
fn text_that_does_not_say_what_it_is_is_skipped() {
    let skipped = |name: &str, content: &str| {
        let loaded = text(name, content.to_string());
        assert!(loaded.documents.is_empty() && loaded.broken.is_empty(), "{content}");
        loaded.skipped.other_documents
    };
    assert_eq!(skipped("a.yaml", "hello: [\n"), 1);
    // The schemas of a description have both words, where nobody asks what the document is.
    let description = "openapi: 3.1.0\ninfo: {title: a: b}\ncomponents:\n  schemas:\n    Pod:\n      \
                       properties:\n        apiVersion: {type: string}\n        kind: {type: string}\n";
    assert_eq!(skipped("openapi.yaml", description), 1);
    assert_eq!(skipped("half.yaml", "kind: Pod\nspec: [\n"), 1);
    assert_eq!(text("roles/x/tasks/main.yaml", "- debug: {{ foo }}\n").skipped.other_documents, 1);
    assert_eq!(
        text("tsconfig.json", "{\n  // comment\n  \"a\": 1,\n}\n").skipped.other_documents,
        1
    );
}

#[test]
fn a_place_is_made_of_whole_characters() {
    // Found by fuzzing.
    for content in [
        "data:\n  ? \u{e9} : b\n  : c\n",
        "data:\n  \u{e9}: {\u{e9}: [}\n",
        "data: \u{e9}\n\u{e9}\n",
    ] {
        let loaded = text("a.yaml", format!("apiVersion: v1\nkind: A\n{content}"));
        let span = loaded.broken[0].span;
        let place = loaded.sources.get(loaded.broken[0].source).text.get(span.range());
        assert!(place.is_some_and(|it| !it.is_empty()), "{content}: {span:?}");
    }
}
