//! Architecture documents as CALM and back, by the binary.

use crate::cli::{folder, purlin};
use crate::load::json;
use crate::support::{fixture, load_texts};
use purlin::architecture::gather;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::fs;

const SYSTEMS: [&str; 5] =
    ["driveline", "feastflow", "healthcare-cloud", "healthcare-onprem", "yt-video-creator"];

/// All that a document says.
fn said(text: &str) -> Value {
    let mut loaded = load_texts(&[("architecture.yaml", text)]);
    let gathered = gather(&mut loaded);
    let mistakes: Vec<_> = gathered.mistakes.iter().map(|it| &it.1.message).collect();
    assert_eq!(mistakes, [""; 0], "{text}");
    assert_eq!(gathered.promises.len(), 1, "{text}");
    let mut all = json(gathered.promises[0].root());
    // Sizes are read as Kubernetes reads them, as text or as a number.
    as_text(&mut all);
    all
}

fn as_text(it: &mut Value) {
    match it {
        Value::Array(items) => items.iter_mut().for_each(as_text),
        Value::Object(fields) => fields.values_mut().for_each(as_text),
        Value::Number(number) => *it = number.to_string().into(),
        _ => {}
    }
}

#[test]
fn the_five_systems_say_the_same_after_a_round_trip() {
    let schema = fs::read_to_string(fixture("architecture/calm.schema.json")).unwrap();
    let schema: Value = serde_json::from_str(&schema).unwrap();
    let validator = jsonschema::validator_for(&schema).unwrap();
    for system in SYSTEMS {
        for which in ["as-documented", "repaired"] {
            let path = fixture(&format!("systems/{system}/architecture/{which}.yaml"));
            let text = fs::read_to_string(&path).unwrap();
            let folder = folder(&[("architecture.yaml", &text)]);
            let run = purlin(folder.path(), &["architecture", "--to", "calm.json"]);
            // Two values for one thing are in no graph.
            if which == "as-documented" && run.status != 0 {
                continue;
            }
            assert_eq!((run.status, run.err.as_str()), (0, ""), "{system} {which}");
            let calm = fs::read_to_string(folder.path().join("calm.json")).unwrap();
            let calm: Value = serde_json::from_str(&calm).unwrap();
            let errors: Vec<_> = validator.iter_errors(&calm).map(|it| it.to_string()).collect();
            assert_eq!(errors, [""; 0], "{system} {which}");
            holds_together(&calm);
            let run = purlin(folder.path(), &["architecture", "--from", "calm.json"]);
            assert_eq!((run.status, run.err.as_str()), (0, ""), "{system} {which}");
            assert_eq!(said(&run.out), said(&text), "{system} {which}\n{}", run.out);
        }
    }
}

/// Ids are unique, and whatever is named is there, which no schema says.
fn holds_together(calm: &Value) {
    let nodes = calm["nodes"].as_array().unwrap();
    let id = |it: &Value| it["unique-id"].as_str().unwrap().to_string();
    let ids: BTreeSet<String> = nodes.iter().map(id).collect();
    assert_eq!(ids.len(), nodes.len());
    let interfaces = nodes.iter().flat_map(|it| it["interfaces"].as_array().into_iter().flatten());
    let interfaces: Vec<String> = interfaces.map(id).collect();
    let known: BTreeSet<&String> = interfaces.iter().collect();
    assert_eq!(known.len(), interfaces.len());
    let relationships = calm["relationships"].as_array().unwrap();
    assert_eq!(relationships.iter().map(id).collect::<BTreeSet<_>>().len(), relationships.len());
    for it in relationships {
        let kind = &it["relationship-type"];
        for end in ["source", "destination"].map(|it| &kind["connects"][it]) {
            let called = end["interfaces"].as_array().into_iter().flatten();
            for interface in called {
                assert!(known.contains(&interface.as_str().unwrap().to_string()), "{it}");
            }
            assert!(end.is_null() || ids.contains(end["node"].as_str().unwrap()), "{it}");
        }
        let deployed = kind["deployed-in"]["nodes"].as_array().into_iter().flatten();
        deployed.for_each(|node| assert!(ids.contains(node.as_str().unwrap()), "{it}"));
    }
}

#[test]
fn a_graph_of_somebody_else_is_read_and_what_is_left_out_is_said() {
    let calm = json!({
        "$schema": "https://calm.finos.org/release/1.2/meta/calm.json",
        "nodes": [
            {"unique-id": "trader", "node-type": "actor", "name": "Trader", "description": "Trades."},
            {"unique-id": "cluster", "node-type": "network", "name": "Cluster", "description": "Kubernetes."},
            {"unique-id": "bank", "node-type": "system", "name": "Bank", "description": "Elsewhere."},
            {"unique-id": "trades", "node-type": "service", "name": "Trades", "description": "The API.",
             "interfaces": [{"unique-id": "trades-web", "hostname": "localhost", "port": 8080},
                            {"unique-id": "trades-admin", "port": "{{ PORT }}"}]},
            {"unique-id": "store", "node-type": "database", "name": "Store", "description": "Keeps them.",
             "interfaces": [{"unique-id": "store-sql", "definition-url": "https://calm.finos.org/x",
                             "config": {"host": "store", "port": 5432}}],
             "controls": {"security": {"description": "x", "requirements": []}}},
        ],
        "relationships": [
            {"unique-id": "a", "relationship-type": {"interacts": {"actor": "trader", "nodes": ["trades"]}}},
            {"unique-id": "b", "protocol": "JDBC", "relationship-type": {"connects": {
                "source": {"node": "trades"},
                "destination": {"node": "store", "interfaces": ["store-sql"]}}}},
            {"unique-id": "c", "relationship-type": {"connects": {
                "source": {"node": "trades"}, "destination": {"node": "bank"}}}},
            {"unique-id": "d", "relationship-type": {"deployed-in": {
                "container": "cluster", "nodes": ["trades", "store"]}}},
        ],
        "flows": [],
    });
    let folder = folder(&[("trades.json", &calm.to_string())]);
    let run = purlin(folder.path(), &["architecture", "--from", "trades.json", "-o", "it.yaml"]);
    assert_eq!(run.status, 0, "{run:?}");
    let mut left_out: Vec<&str> = run.err.lines().collect();
    left_out.sort_unstable();
    assert_eq!(
        left_out,
        [
            "note: left out: `flows` of the document",
            "note: left out: node `trader`, which is of type `actor`",
            "note: left out: relationship `a` of type `interacts`",
            "note: left out: the controls of node `store`",
        ]
    );
    let text = fs::read_to_string(folder.path().join("it.yaml")).unwrap();
    let expected = "\
apiVersion: purlin.dev/v1alpha1
kind: Architecture
metadata: {name: trades}
namespaces:
  cluster: {}
components:
  bank: {external: true}
  trades:
    kind: Deployment
    ports: [8080]
    namespace: cluster
  store:
    kind: StatefulSet
    ports: [5432]
    namespace: cluster
flows:
  trades:
    - {to: store, ports: [5432]}
    - {to: bank}
";
    let sorted = |text: &str| text.lines().map(str::to_string).collect::<BTreeSet<_>>();
    assert_eq!(sorted(&text), sorted(expected), "{text}");
    said(&text);
}

#[test]
fn what_is_no_graph_is_refused() {
    for (text, why) in [
        ("{", "EOF while parsing"),
        (r#"{"nodes": [{"name": "a"}]}"#, "missing field `unique-id` at line 1"),
        (
            r#"{"nodes": [{"unique-id": "a", "node-type": "service"}, {"unique-id": "a", "node-type": "service"}]}"#,
            "two nodes have the `unique-id` `a`",
        ),
        (
            r#"{"nodes": [{"unique-id": "a", "node-type": "service"}], "relationships": [{"unique-id": "r",
                "relationship-type": {"connects": {"source": {"node": "a"}, "destination": {"node": "b"}}}}]}"#,
            "relationship `r` names node `b`, which there is not",
        ),
    ] {
        let folder = folder(&[("calm.json", text)]);
        let run = purlin(folder.path(), &["architecture", "--from", "calm.json"]);
        assert_eq!(run.status, 2, "{run:?}");
        assert!(run.err.contains(why), "{run:?}");
    }
    let folder = folder(&[]);
    let run = purlin(folder.path(), &["architecture"]);
    assert_eq!(run.status, 2, "{run:?}");
}
