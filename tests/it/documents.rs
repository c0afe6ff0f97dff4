//! Documents of purlin's own: what their schemas say is what is read, and findings point into them.

use crate::support::{load_texts, only, run};
use purlin::check::baseline::Baseline;
use purlin::check::focus::Focus;
use purlin::check::locate::Locator;
use purlin::check::{Outcome, check};
use purlin::documents::Read;
use purlin::load::read::mistake::Mistake;
use purlin::model::Model;
use purlin::policy_file;
use purlin::report::human::{self, Extent, Style};
use purlin::report::repository::Repository;
use purlin::report::{github, json, junit, markdown, sarif};
use purlin::run::Run;
use purlin::text::source::{Source, SourceId};
use serde_json::{Value, json};
use std::path::PathBuf;
use std::sync::Arc;

const HEAD: &str = "apiVersion: purlin.dev/v1alpha1\nkind: Policy\n";

/// The messages of what is wrong with a policy file, with help.
fn mistakes(text: &str) -> Vec<String> {
    let mistakes =
        policy_file::read(&Arc::from(text), purlin::rules::built_in()).err().unwrap_or_default();
    mistakes
        .into_iter()
        .map(|it| format!("{}; {}", it.message, it.help.unwrap_or_default()))
        .collect()
}

/// Called with the fields of a mapping and what puts a text at its place.
type Visit<'v> = dyn FnMut(&serde_json::Map<String, Value>, &dyn Fn(&str) -> String) + 'v;

/// Visits every mapping of fixed fields in a schema, with a text that puts something at its place.
fn structs(schema: &Value, node: &Value, around: &dyn Fn(&str) -> String, visit: &mut Visit<'_>) {
    if let Some(name) = node["$ref"].as_str() {
        let name = name.strip_prefix("#/$defs/").unwrap();
        structs(schema, &schema["$defs"][name], around, visit);
    }
    for way in ["anyOf", "oneOf"] {
        for choice in node[way].as_array().into_iter().flatten() {
            structs(schema, choice, around, visit);
        }
    }
    if node["items"].is_object() {
        structs(schema, &node["items"], &|it| around(&format!("[{it}]")), visit);
    }
    if node["additionalProperties"].is_object() {
        let inside = |it: &str| around(&format!("{{anything: {it}}}"));
        structs(schema, &node["additionalProperties"], &inside, visit);
    }
    let Some(fields) = node["properties"].as_object() else { return };
    visit(fields, around);
    for (name, field) in fields {
        structs(schema, field, &|it| around(&format!("{{{name}: {it}}}")), visit);
    }
}

/// Holds a schema to the reader: every field of the one is a field of the other, in each mapping of fixed fields.
pub(crate) fn assert_schema_is_what_is_read(
    schema: &Value,
    kind: &str,
    structs_with_list: usize,
    mistakes: &dyn Fn(&str) -> Vec<String>,
) {
    let mut seen = 0;
    let document = |it: &str| {
        let fields = it.trim_start_matches('{').strip_suffix('}').unwrap();
        format!("{{apiVersion: purlin.dev/v1alpha1, kind: {kind}, {fields}}}")
    };
    structs(schema, schema, &document, &mut |fields, around| {
        for name in fields.keys().filter(|it| !["apiVersion", "kind"].contains(&it.as_str())) {
            let text = around(&format!("{{{name}: }}"));
            let unknown = mistakes(&text).into_iter().find(|it| it.starts_with("unknown"));
            assert_eq!(unknown, None, "{text}");
        }
        let text = around("{zzzzzz: 1}");
        let all = mistakes(&text);
        let unknown = all.iter().find(|it| it.starts_with("unknown") && it.contains("`zzzzzz`"));
        let unknown = unknown.unwrap_or_else(|| panic!("{text}: {all:?}"));
        if let Some((_, known)) = unknown.split_once("known are ") {
            let mut known: Vec<&str> = known.split(", ").collect();
            let mut said: Vec<&str> = fields.keys().map(String::as_str).collect();
            known.sort_unstable();
            said.sort_unstable();
            assert_eq!(known, said, "{text}");
            seen += 1;
        }
    });
    assert!(seen >= structs_with_list, "{seen}");
}

/// A mistake and what to do.
pub(crate) fn told(it: &Mistake) -> String {
    let help = it.help.as_ref().map(|it| format!("; {it}")).unwrap_or_default();
    format!("{}{help}", it.message)
}

#[test]
fn the_schema_of_policies_knows_the_fields_that_are_read_and_no_others() {
    assert_schema_is_what_is_read(
        &policy_file::schema(purlin::rules::built_in()),
        "Policy",
        8,
        &mistakes,
    );
}

#[test]
fn every_field_of_a_policy_has_a_description() {
    let schema = policy_file::schema(purlin::rules::built_in());
    structs(&schema, &schema, &|it| it.into(), &mut |fields, _| {
        for (name, field) in
            fields.iter().filter(|(it, _)| !["apiVersion", "kind"].contains(&it.as_str()))
        {
            let is_mode = field["anyOf"].is_array() || field["$ref"].is_string();
            assert!(field["description"].is_string() || is_mode, "{name}: {field}");
        }
    });
}

/// YAML as a validator of JSON sees it.
fn as_json(text: &str) -> Value {
    let Read { tree, .. } = policy_file::read(&Arc::from(text), purlin::rules::built_in()).unwrap();
    to_json(tree.root())
}

fn to_json(node: purlin::text::tree::Node<'_>) -> Value {
    use purlin::text::tree::{Number, Value as Tree};
    match node.value() {
        Tree::Null => Value::Null,
        Tree::Bool(it) => it.into(),
        Tree::Number(Number::Int(it)) => it.into(),
        Tree::Number(Number::Float(it)) => it.into(),
        Tree::Str(it) => it.into(),
        Tree::Seq => node.items().map(to_json).collect(),
        Tree::Map => {
            let entries = node.entries();
            let entries =
                entries.map(|(key, it)| (key.scalar().unwrap().into_owned(), to_json(it)));
            Value::Object(entries.collect())
        }
    }
}

#[test]
fn what_is_read_satisfies_the_schema() {
    let validator =
        jsonschema::validator_for(&policy_file::schema(purlin::rules::built_in())).unwrap();
    for body in [
        "",
        "rules:\nmetadata: {name: shop}\n",
        "rules: {pdb-missing: off, pdb-blocks-drain: warning, image-tag-latest: {severity: note, tags: [main, 1]}, single-replica: 'off'}\n",
        "targets: [{path: a, name: b, namespace: c, release: d, values: [e]}, {path: f}]\nallowRemote: true\n",
        "external: [Secret/*, ConfigMap/shop/flags]\ncomplete: [shop, 7]\nbaseline: known.txt\n",
        "exceptions: [{rule: '*', object: Pod/a, reason: b, expires: 2027-03-31}]\n",
        "network: {plugin: ovn-kubernetes, podCIDRs: [10.244.0.0/16]}\n",
        "admission: {mode: warn, grace: 1h30m, rules: {pdb-missing: audit, pdb-blocks-drain: {mode: enforce, grace: 10m}}, namespaces: {prod: enforce, '*': audit}}\n",
        "flows: [{from: a, to: b}, {from: internet, to: api, ports: [443, 53/UDP, 8000-8080]}]\n",
    ] {
        let document = as_json(&format!("{HEAD}{body}"));
        let errors: Vec<_> = validator.iter_errors(&document).map(|it| it.to_string()).collect();
        assert_eq!(errors, [""; 0], "{body}");
    }
}

#[test]
fn what_is_refused_does_not_satisfy_the_schema() {
    let validator =
        jsonschema::validator_for(&policy_file::schema(purlin::rules::built_in())).unwrap();
    let head = json!({"apiVersion": "purlin.dev/v1alpha1", "kind": "Policy"});
    for (field, value) in [
        ("rulez", json!({})),
        ("extends", json!("strickt")),
        ("rules", json!({"pdb-block-drain": "error"})),
        ("rules", json!({"pdb-blocks-drain": "fatal"})),
        ("rules", json!({"image-tag-latest": {"tag": ["main"]}})),
        ("targets", json!([{"name": "a"}])),
        ("targets", json!([{"path": "a", "architectures": "b"}])),
        ("exceptions", json!([{"rule": "*", "object": "Pod", "reason": "b"}])),
        ("exceptions", json!([{"rule": "nothing", "object": "Pod/a", "reason": "b"}])),
        ("network", json!({"plugin": "flannel"})),
        ("admission", json!({"mode": "deny"})),
        ("admission", json!({"rules": {"pdb-missing": {"mod": "warn"}}})),
        ("flows", json!([{"from": "a"}])),
        ("flows", json!([{"from": "a", "to": "b", "ports": [0]}])),
    ] {
        let mut document = head.clone();
        document[field] = value;
        assert!(!validator.is_valid(&document), "{document}");
        assert_ne!(mistakes(&document.to_string()), [""; 0], "{document}");
    }
    assert!(validator.is_valid(&head));
    assert!(!validator.is_valid(&json!({"kind": "Policy"})));
}

const POD: &str = "apiVersion: v1\nkind: Pod\nmetadata: {name: a}\n";

const ONE: &str =
    "  - rule: pdb-missing\n    object: Pod/b\n    reason: why\n    expires: 2026-01-01\n";
const OTHER: &str =
    "  - rule: single-replica\n    object: Pod/c\n    reason: why\n    expires: 2026-01-01\n";

/// What a check says with a policy of this name and text.
fn judged<T>(name: &str, policy: &str, then: impl FnOnce(&Model<'_>, &mut Outcome) -> T) -> T {
    let mut loaded = load_texts(&[("a.yaml", POD)]);
    let text: Arc<str> = policy.into();
    let Read { value, tree } = policy_file::read(&text, purlin::rules::built_in()).unwrap();
    let document = loaded.add_own(Source::new(name.into(), text), tree);
    let model = Model::new(&loaded, "default");
    let run = Run { policy: Some(document), ..run() };
    let mut outcome = check(&model, &value, &run, &only("expired-exception"));
    then(&model, &mut outcome)
}

#[test]
fn findings_point_into_a_policy_by_field_path() {
    let policy = format!("{HEAD}metadata: {{name: shop}}\nexceptions:\n{ONE}");
    judged("conf/purlin.yaml", &policy, |model, outcome| {
        let report: Value = serde_json::from_str(&json::render(model, outcome)).unwrap();
        let label = &report["findings"][0]["labels"][0];
        assert_eq!(label["object"]["kind"], "Policy");
        assert_eq!(label["object"]["apiVersion"], "purlin.dev/v1alpha1");
        assert_eq!(label["object"]["name"], "shop");
        assert_eq!(label["path"], "exceptions[0].rule");
        assert_eq!((&label["file"], &label["line"]), (&json!("conf/purlin.yaml"), &json!(5)));
        let repository = Repository::new(PathBuf::from("/r"), PathBuf::from("/r"));
        for text in [
            sarif::render(model, outcome, &repository),
            junit::render(model, outcome),
            github::render(model, outcome, &repository),
            markdown::render(model, outcome),
            human::render(model, outcome, Style::detect(false, Extent::Full)),
        ] {
            assert!(text.contains("conf/purlin.yaml"), "{text}");
            assert!(text.contains("expired-exception"), "{text}");
        }
        let mut baseline = Baseline::default();
        baseline.record(&Locator::new(model), outcome);
        assert!(baseline.to_string().contains(" Policy/shop exceptions[0].rule\n"), "{baseline}");
    });
}

#[test]
fn a_policy_without_a_name_is_called_by_its_kind() {
    let policy = format!("{HEAD}exceptions:\n{ONE}");
    judged("purlin.yaml", &policy, |model, outcome| {
        let name = Locator::new(model).name(&outcome.findings[0].labels[0].place);
        assert_eq!(name, "Policy exceptions[0].rule");
    });
}

#[test]
fn findings_in_a_policy_are_known_again_wherever_they_move() {
    let fingerprints = |name: &str, body: &str| {
        judged(name, &format!("{HEAD}{body}"), |_, outcome| {
            let mut all: Vec<_> =
                outcome.findings.iter().map(|it| it.fingerprint.clone()).collect();
            all.sort();
            all
        })
    };
    let first = fingerprints("purlin.yaml", &format!("exceptions:\n{ONE}{OTHER}"));
    assert_eq!(first.len(), 2);
    assert_ne!(first[0], first[1]);
    for (name, body) in [
        ("conf/policy.yaml", format!("exceptions:\n{ONE}{OTHER}")),
        ("purlin.yaml", format!("# a comment\ncomplete: [shop]\nexceptions:\n{OTHER}{ONE}")),
        ("purlin.yaml", format!("exceptions:\n{ONE}{OTHER}").replace("2026-01-01", "2026-02-02")),
    ] {
        assert_eq!(fingerprints(name, &body), first, "{body}");
    }
    let other =
        fingerprints("purlin.yaml", &format!("exceptions:\n{ONE}").replace("Pod/b", "Pod/d"));
    assert!(!first.contains(&other[0]));
}

#[test]
fn a_focus_on_a_policy_keeps_what_points_into_it() {
    let policy = format!("{HEAD}exceptions:\n{ONE}");
    for (source, left) in [(1, 1), (0, 0)] {
        judged("purlin.yaml", &policy, |model, outcome| {
            let focus = Focus::on(model, [SourceId(source)].into_iter().collect());
            focus.apply(model, outcome);
            assert_eq!(outcome.findings.len(), left, "{source}");
        });
    }
}
