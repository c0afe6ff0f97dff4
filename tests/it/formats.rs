//! Reports that other programs read, held to what these document. `tests/formats/run` hands them to the programs
//! themselves.

use crate::cli::{BUDGET, DEPLOYMENT, RULE, folder, purlin};
use crate::support::{fixture, load_paths, with_loaded};
use purlin::check::Selection;
use purlin::policy::Policy;
use purlin::report::repository::Repository;
use purlin::report::sarif;
use serde_json::Value;
use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use tempfile::TempDir;

fn read(path: &Path) -> Value {
    serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap()
}

fn schema() -> jsonschema::Validator {
    jsonschema::validator_for(&read(&fixture("formats/sarif-2.1.0.schema.json"))).unwrap()
}

fn assert_valid(validator: &jsonschema::Validator, report: &Value) {
    let errors: Vec<_> =
        validator.iter_errors(report).map(|it| format!("{}: {it}", it.instance_path())).collect();
    assert_eq!(errors, [""; 0]);
}

#[test]
fn sarif_of_all_fixtures_is_valid() {
    let validator = schema();
    assert!(!validator.is_valid(&serde_json::json!({"version": "2.1.0"})));
    for parent in ["rules", "systems"] {
        for entry in fs::read_dir(fixture(parent)).unwrap() {
            let loaded = load_paths(&[entry.unwrap().path()]);
            let (policy, selection) = (Policy::default(), Selection::default());
            let text = with_loaded(&loaded, &policy, &selection, |model, outcome| {
                sarif::render(model, outcome, &Repository::default())
            });
            assert_valid(&validator, &serde_json::from_str(&text).unwrap());
        }
    }
}

/// A repository whose files and objects have names that need escaping, checked from a folder below its top.
fn awkward() -> TempDir {
    let name = "a%0A, ü|`<b>&\\\\[x](y): ::error::";
    let api = DEPLOYMENT.replace("name: api}", &format!("name: \"{name}\"}}"));
    folder(&[
        (".git/HEAD", ""),
        ("team one/apps/ä, 100%:a.yaml", &api),
        ("team one/budget.yaml", BUDGET),
        (
            "other.yaml",
            &DEPLOYMENT.replace("{name: api}", "{name: x, namespace: \"n\\r\\n::error::x\"}"),
        ),
        (
            "other-budget.yaml",
            &BUDGET.replace("{name: api}", "{name: x, namespace: \"n\\r\\n::error::x\"}"),
        ),
    ])
}

fn report(folder: &TempDir, format: &str) -> String {
    let args =
        ["check", "--only", RULE, "--format", format, ".", "../other.yaml", "../other-budget.yaml"];
    let run = purlin(&folder.path().join("team one"), &args);
    assert_eq!((run.status, run.err.as_str()), (1, ""));
    run.out
}

/// RFC 3986, section 2.1.
fn decoded(uri: &str) -> String {
    let mut bytes = Vec::new();
    let mut rest = uri.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        if *first == b'%' {
            bytes.push(u8::from_str_radix(std::str::from_utf8(&after[..2]).unwrap(), 16).unwrap());
            rest = &after[2..];
        } else {
            assert!(first.is_ascii_graphic(), "{uri}");
            bytes.push(*first);
            rest = after;
        }
    }
    String::from_utf8(bytes).unwrap()
}

#[test]
fn sarif_locations_are_where_they_say() {
    let folder = awkward();
    let report: Value = serde_json::from_str(&report(&folder, "sarif")).unwrap();
    assert_valid(&schema(), &report);
    let run = &report["runs"][0];
    assert_eq!(run["columnKind"], "unicodeCodePoints");
    let results = run["results"].as_array().unwrap();
    assert_eq!(results.len(), 2);
    let mut seen = Vec::new();
    for result in results {
        let rule = &run["tool"]["driver"]["rules"][result["ruleIndex"].as_u64().unwrap() as usize];
        assert_eq!(rule["id"], result["ruleId"]);
        assert_eq!(result["level"], "error");
        assert!(rule["help"]["markdown"].as_str().unwrap().contains("## Why"));
        let print = result["partialFingerprints"]["purlin/v1"].as_str().unwrap();
        assert_eq!(print.len(), 32);
        let related = result["relatedLocations"].as_array().unwrap();
        assert_eq!(related.len(), 1);
        // The message links to it, or code scanning would not show it.
        let id = related[0]["id"].as_u64().unwrap();
        assert!(result["message"]["text"].as_str().unwrap().contains(&format!("]({id})")));
        for location in result["locations"].as_array().unwrap().iter().chain(related) {
            let place = &location["physicalLocation"];
            let file = decoded(place["artifactLocation"]["uri"].as_str().unwrap());
            let text = fs::read_to_string(folder.path().join(&file)).unwrap();
            let at = |key: &str| place["region"][key].as_u64().unwrap() as usize;
            assert_eq!(at("startLine"), at("endLine"));
            let line: Vec<char> = text.lines().nth(at("startLine") - 1).unwrap().chars().collect();
            let value: String = line[at("startColumn") - 1..at("endColumn") - 1].iter().collect();
            seen.push(format!("{file} {value}"));
        }
    }
    seen.sort();
    assert_eq!(
        seen,
        [
            "other-budget.yaml 2",
            "other.yaml 2",
            "team one/apps/ä, 100%:a.yaml 2",
            "team one/budget.yaml 2"
        ]
    );
}

/// A workflow command, read as the runner does (`actions/runner`, ActionCommand.cs): `::name key=value,…::data`.
fn workflow_command(line: &str) -> (String, BTreeMap<String, String>, String) {
    let (head, data) = line.strip_prefix("::").unwrap().split_once("::").unwrap();
    let (name, properties) = head.split_once(' ').unwrap();
    let unescaped = |text: &str| {
        text.replace("%0D", "\r").replace("%0A", "\n").replace("%3A", ":").replace("%2C", ",")
    };
    let properties = properties.split(',').map(|it| {
        let (key, value) = it.split_once('=').unwrap();
        (key.to_string(), unescaped(value).replace("%25", "%"))
    });
    // In data, colons and commas are not escaped.
    let data = data.replace("%0D", "\r").replace("%0A", "\n").replace("%25", "%");
    (name.to_string(), properties.collect(), data)
}

#[test]
fn annotations_stand_at_both_places_and_are_escaped() {
    let folder = awkward();
    let text = report(&folder, "github");
    let commands: Vec<_> = text.lines().map(workflow_command).collect();
    let places: Vec<_> = commands
        .iter()
        .map(|(name, it, _)| {
            (name.as_str(), it["file"].as_str(), it["line"].as_str(), it["title"].as_str())
        })
        .collect();
    assert_eq!(
        places,
        [
            ("error", "other-budget.yaml", "5", RULE),
            ("notice", "other.yaml", "5", RULE),
            ("error", "team one/budget.yaml", "5", RULE),
            ("notice", "team one/apps/ä, 100%:a.yaml", "5", RULE),
        ]
    );
    for (_, properties, _) in &commands {
        let keys: Vec<_> = properties.keys().map(String::as_str).collect();
        assert_eq!(keys, ["col", "endColumn", "endLine", "file", "line", "title"]);
        assert!(folder.path().join(&properties["file"]).is_file(), "{properties:?}");
    }
    let (_, _, data) = &commands[2];
    assert!(data.contains("a%0A, ü|`<b>&\\[x](y): ::error::"), "{data}");
    assert!(data.contains("\nhelp: "), "{data}");
    // A line break in a name cannot start another command, and controls cannot reach the log.
    assert!(commands[0].2.contains("n␍␊::error::x"), "{}", commands[0].2);
    assert!(!text.contains('\r'));
}

#[test]
fn annotations_of_a_finding_are_as_many_as_github_shows() {
    let budgets = (0..20).map(|it| BUDGET.replace("name: api", &format!("name: b{it}")));
    let budgets: Vec<String> = budgets.collect();
    let folder = folder(&[("d.yaml", DEPLOYMENT), ("b.yaml", &budgets.join("---\n"))]);
    let args = ["check", "--only=pdb-overlap", "--format", "github"];
    let text = purlin(folder.path(), &args).out;
    assert_eq!(text.lines().filter(|it| it.starts_with("::notice ")).count(), 10, "{text}");
    assert!(text.contains("%0Amore: 10 other places are not annotated"), "{text}");
}

#[test]
fn what_is_read_to_some_point_has_the_worst_first() {
    let latest = "apiVersion: v1\nkind: Pod\nmetadata: {name: a}\nspec: {containers: [{name: a, image: a}]}\n";
    let folder = folder(&[("a.yaml", latest), ("b.yaml", DEPLOYMENT), ("budget.yaml", BUDGET)]);
    let run = |format: &str| {
        let only = format!("--only={RULE},image-tag-latest");
        purlin(folder.path(), &["check", &only, "--format", format]).out
    };
    let words = |text: &str, words: &[&str]| -> Vec<String> {
        let first = text.lines().filter_map(|it| it.split(' ').find(|it| words.contains(it)));
        first.map(str::to_string).collect()
    };
    assert_eq!(words(&run("github"), &["::error", "::warning"]), ["::error", "::warning"]);
    let table = run("markdown");
    let (_, table) = table.split_once("| --- |").unwrap();
    assert_eq!(words(table, &["error", "warning"]), ["error", "warning"]);
}

#[test]
fn a_line_a_finding() {
    let folder = awkward();
    let lines = report(&folder, "concise");
    let lines: Vec<_> = lines.lines().collect();
    let head =
        "../other-budget.yaml:5:17: error[pdb-blocks-drain] `PodDisruptionBudget/n␍␊::error::x/x`";
    assert_eq!(lines.len(), 2, "{lines:?}");
    assert!(lines.iter().any(|it| it.starts_with(head)), "{lines:?}");
}

#[test]
fn questions_have_a_place_and_a_rule_in_sarif() {
    // How many nodes run a DaemonSet is nowhere in the input.
    let daemon = DEPLOYMENT.replace("kind: Deployment", "kind: DaemonSet");
    let folder = folder(&[("api.yaml", &daemon), ("budget.yaml", BUDGET)]);
    let run = purlin(folder.path(), &["check", "--only", RULE, "--format", "sarif"]);
    assert_eq!(run.status, 0, "{run:?}");
    let report: Value = serde_json::from_str(&run.out).unwrap();
    assert_valid(&schema(), &report);
    let run = &report["runs"][0];
    assert_eq!(run["results"], serde_json::json!([]));
    let invocation = &run["invocations"][0];
    assert_eq!(invocation["executionSuccessful"], true);
    let question = &invocation["toolExecutionNotifications"][0];
    assert_eq!(
        (&question["level"], &question["associatedRule"]["id"]),
        (&"note".into(), &RULE.into())
    );
    let place = &question["locations"][0]["physicalLocation"];
    assert_eq!(place["artifactLocation"]["uri"], "budget.yaml");
    assert!(place["region"]["startLine"].is_u64(), "{place}");
    assert_eq!(question["properties"]["fingerprint"].as_str().unwrap().len(), 32);
}

/// The program is run: a finding in a document names its field wherever a format has a place for it.
#[test]
fn fields_of_documents_are_named() {
    let document = "apiVersion: purlin.dev/v1alpha1\nkind: Architecture\nmetadata: {name: shop}\n\
        components:\n  api: {workload: Deployment/shop/api, replicas: 3, disruption: {minAvailable: 3}}\n";
    let folder = folder(&[("architecture.yaml", document)]);
    let run = |format: &str| {
        purlin(folder.path(), &["check", "--only", RULE, "--format", format, "."]).out
    };
    let report: Value = serde_json::from_str(&run("sarif")).unwrap();
    assert_valid(&schema(), &report);
    let location = &report["runs"][0]["results"][0]["locations"][0];
    let field = "Architecture/shop components.api.disruption.minAvailable";
    assert_eq!(location["logicalLocations"][0]["fullyQualifiedName"], field);
    assert_eq!(location["physicalLocation"]["region"]["startLine"], 5);
    let junit = run("junit");
    let place = junit.find("architecture.yaml:5:").expect("it names the place");
    let rest = junit[place..].lines().next().unwrap();
    assert!(rest.contains(&format!(" ({field}): ")), "{junit}");
    // Manifests have theirs, too, beside each place.
    let report: Value = serde_json::from_str(&report_of_two("sarif")).unwrap();
    let result = &report["runs"][0]["results"][0];
    let names = |it: &Value| it["logicalLocations"][0]["fullyQualifiedName"].clone();
    assert_eq!(names(&result["locations"][0]), "PodDisruptionBudget/default/api spec.minAvailable");
    assert_eq!(names(&result["relatedLocations"][0]), "Deployment/default/api spec.replicas");
}

fn report_of_two(format: &str) -> String {
    purlin(crate::cli::broken().path(), &["check", "--only", RULE, "--format", format, "."]).out
}
