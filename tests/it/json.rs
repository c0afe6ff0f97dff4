//! The JSON report: its schema, its order, and what a finding is known by.

use crate::support::{fixture, load_paths, only, with_loaded, with_texts};
use purlin::check::Selection;
use purlin::policy::Policy;
use purlin::report::json;
use serde_json::{Value, json};
use std::fs;

#[test]
fn the_schema_describes_the_reports_of_all_fixtures() {
    let schema: Value = serde_json::from_str(json::SCHEMA).unwrap();
    let validator = jsonschema::validator_for(&schema).unwrap();
    let mut seen = 0;
    for folder in ["rules", "systems"] {
        for entry in fs::read_dir(fixture(folder)).unwrap() {
            let loaded = load_paths(&[entry.unwrap().path()]);
            let text = with_loaded(
                &loaded,
                &Policy::default(),
                &Selection::default(),
                |model, outcome| {
                    seen += outcome.findings.len() + outcome.unknown.len();
                    json::render(model, outcome)
                },
            );
            let report: Value = serde_json::from_str(&text).unwrap();
            let errors: Vec<_> = validator.iter_errors(&report).map(|it| it.to_string()).collect();
            assert_eq!(errors, [""; 0]);
        }
    }
    assert!(seen > 20, "{seen}");
}

#[test]
fn the_fields_stand_in_the_order_of_the_contract() {
    let text = with_texts(&[("a.yaml", WORLD)], &only(RULE), json::render);
    assert!(text.ends_with("}\n") && text.lines().count() == 1, "{text}");
    let report: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(keys(&report), "version findings unknown summary");
    let finding = &report["findings"][0];
    let expected = "rule severity message labels notes help fixes fingerprint";
    assert_eq!(keys(finding), expected);
    let label = &finding["labels"][0];
    let expected = "primary text object path file line column endLine endColumn";
    assert_eq!(keys(label), expected);
    assert_eq!(keys(&label["object"]), "apiVersion kind namespace name");
    let expected = "objects rulesRun errors warnings notes unknown";
    assert_eq!(keys(&report["summary"]), expected);

    assert_eq!(report["version"], 1);
    assert_eq!(finding["rule"], RULE);
    assert_eq!(finding["severity"], "error");
    assert_eq!(finding["fixes"], json!([]));
    let object = json!({"apiVersion": "policy/v1", "kind": "PodDisruptionBudget", "namespace": "shop", "name": "api"});
    assert_eq!(label["object"], object);
    assert_eq!(label["path"], "spec.minAvailable");
    let place = ["file", "line", "column", "endLine", "endColumn"].map(|it| label[it].clone());
    assert_eq!(json!(place), json!(["a.yaml", 4, 22, 4, 23]));
    let primary: Vec<_> =
        finding["labels"].as_array().unwrap().iter().map(|it| it["primary"].clone()).collect();
    assert_eq!(json!(primary), json!([true, false]));
    let summary =
        json!({"objects": 2, "rulesRun": 1, "errors": 1, "warnings": 0, "notes": 0, "unknown": 0});
    assert_eq!(report["summary"], summary);
}

#[test]
fn what_is_no_object_is_a_file_and_what_cannot_be_told_an_object() {
    let text = "apiVersion: v1\nkind: Secret\nmetadata: {name: [}\n";
    let text = with_texts(&[("a.yaml", text)], &only("invalid-yaml"), json::render);
    let report: Value = serde_json::from_str(&text).unwrap();
    let label = &report["findings"][0]["labels"][0];
    assert_eq!(keys(label), "primary text file line column endLine endColumn");
    // How many nodes run a DaemonSet is nowhere in the input.
    let world = WORLD.replace("kind: Deployment", "kind: DaemonSet");
    let text = with_texts(&[("a.yaml", &world)], &only(RULE), json::render);
    let report: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(report["summary"]["unknown"], 1);
    let unknown = &report["unknown"][0];
    assert_eq!(keys(unknown), "rule object missing file line column endLine endColumn fingerprint");
    assert_eq!((&unknown["file"], &unknown["line"]), (&json!("a.yaml"), &json!(3)));
    assert_eq!(keys(&unknown["object"]), "apiVersion kind namespace name");
    assert_eq!(unknown["rule"], RULE);
}

fn keys(value: &Value) -> String {
    value.as_object().unwrap().keys().cloned().collect::<Vec<_>>().join(" ")
}

#[test]
fn a_finding_is_known_by_its_rule_and_fields() {
    let (budget, deployment) = WORLD.split_once("---\n").unwrap();
    let print = |texts: &[(&str, &str)]| {
        let text = with_texts(texts, &only(RULE), json::render);
        let report: Value = serde_json::from_str(&text).unwrap();
        let findings = report["findings"].as_array().unwrap().iter();
        findings.map(|it| it["fingerprint"].as_str().unwrap().to_string()).collect::<Vec<_>>()
    };
    let first = print(&[("a.yaml", WORLD)]);
    assert_eq!(first.len(), 1);
    let reordered = format!("{deployment}---\n# a comment\n\n{budget}");
    assert_eq!(print(&[("a.yaml", &reordered)]), first);
    assert_eq!(print(&[("b.yaml", deployment), ("c.yaml", budget)]), first);
    let other_numbers = WORLD.replace("minAvailable: 2", "minAvailable: 3");
    assert_eq!(print(&[("a.yaml", &other_numbers)]), first);
    let other_name = WORLD.replace("{name: api, namespace: shop}", "{name: web, namespace: shop}");
    assert_ne!(print(&[("a.yaml", &other_name)]), first);
    let twice = "a: 1\na: 2\na: 3\n";
    let twice = format!("apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: a}}\ndata:\n  {twice}");
    let twice = twice.replace("\na:", "\n  a:");
    let text = with_texts(&[("a.yaml", &twice)], &only("duplicate-key"), json::render);
    let report: Value = serde_json::from_str(&text).unwrap();
    let findings = report["findings"].as_array().unwrap();
    assert!(!findings.is_empty());
    for (at, finding) in findings.iter().enumerate() {
        for other in &findings[at + 1..] {
            assert_ne!(finding["fingerprint"], other["fingerprint"]);
        }
    }
}

const RULE: &str = "pdb-blocks-drain";

const WORLD: &str = "\
apiVersion: policy/v1
kind: PodDisruptionBudget
metadata: {name: api, namespace: shop}
spec: {minAvailable: 2, selector: {matchLabels: {app: api}}}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: api, namespace: shop}
spec:
  replicas: 2
  selector: {matchLabels: {app: api}}
  template:
    metadata: {labels: {app: api}}
    spec: {containers: [{name: api, image: registry.example/api:1.4.2}]}
";
