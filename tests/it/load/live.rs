//! Objects of a cluster: what is kept of them, and that reports name them without inventing lines.

use crate::support::{only, with_loaded};
use purlin::load::Loaded;
use purlin::load::cluster::live;
use purlin::policy::Policy;
use purlin::report::human::{self, Extent, Style};
use purlin::report::repository::Repository;
use purlin::report::{github, json, junit, markdown, sarif};
use purlin::text::source::Source;
use purlin::text::tree::Tree;
use serde_json::{Value, json};
use std::sync::Arc;

fn tree(object: Value) -> Tree {
    let mut loaded = Loaded::default();
    let source = loaded.sources.add(Source::cluster("it".into()));
    live::document(source, &object, "v1", "Thing").tree
}

#[test]
fn bookkeeping_is_dropped_and_the_rest_is_kept() {
    let tree = tree(json!({
        "metadata": {
            "name": "a", "uid": "u", "resourceVersion": "7", "managedFields": [{"manager": "m"}],
            "annotations": {"kubectl.kubernetes.io/last-applied-configuration": "{}", "a": "b"},
        },
        "spec": {"count": 3, "half": 0.5, "whole": 1.0, "yes": true, "no": null, "a": ["a", "a", ""]},
        "status": {"count": 2},
    }));
    let root = tree.root();
    assert_eq!(root.text("apiVersion"), Some("v1"));
    assert_eq!(root.text("kind"), Some("Thing"));
    let keys = |it: purlin::text::tree::Node<'_>| {
        it.entries().map(|(key, _)| key.str().unwrap().to_string()).collect::<Vec<_>>().join(" ")
    };
    assert_eq!(keys(root), "apiVersion kind metadata spec");
    assert_eq!(keys(root.get("metadata").unwrap()), "name uid annotations");
    assert_eq!(keys(root.at(&["metadata", "annotations"]).unwrap()), "a");
    let spec = root.get("spec").unwrap();
    assert_eq!(spec.get("count").unwrap().int(), Some(3));
    assert_eq!(spec.get("half").unwrap().scalar().as_deref(), Some("0.5"));
    assert_eq!(spec.get("whole").unwrap().int(), Some(1));
    assert_eq!(spec.get("yes").unwrap().bool(), Some(true));
    assert!(spec.get("no").is_none() && spec.entry("no").is_some());
    assert_eq!(spec.list("a").map(|it| it.str().unwrap()).collect::<Vec<_>>(), ["a", "a", ""]);
}

#[test]
fn the_values_of_secrets_are_not_kept() {
    let tree = tree(json!({"kind": "Secret", "data": {"password": "aHVudGVyMg=="}}));
    assert_eq!(tree.root().at(&["data", "password"]).and_then(|it| it.str()), Some(""));
    assert!(!format!("{tree:?}").contains("aHVudGVyMg"));
}

#[test]
fn one_replica_that_nobody_asked_for_is_not_kept() {
    let applied = |spec: Value| {
        let text = json!({"kind": "Deployment", "spec": spec}).to_string();
        json!({"kubectl.kubernetes.io/last-applied-configuration": text})
    };
    let helm = json!({"meta.helm.sh/release-name": "shop"});
    let fields = |manager: &str, operation: &str, fields: Value| json!({"manager": manager, "operation": operation, "fieldsV1": fields});
    let replicas = json!({"f:spec": {"f:replicas": {}}});
    let made = json!({"f:spec": {"f:replicas": {}, "f:selector": {}, "f:template": {}}});
    let scale_again = fields("kubectl", "Update", replicas.clone());
    let by_kubectl = json!({
        "f:metadata": {"f:annotations": {"f:kubectl.kubernetes.io/last-applied-configuration": {}}},
        "f:spec": {"f:replicas": {}},
    });
    let kubectl = fields("kubectl-client-side-apply", "Update", by_kubectl);
    let scale = fields("kubectl", "Update", replicas.clone());
    let server = |it: Value| fields("kubectl", "Apply", it);
    let cases = [
        // kubectl says what it sent, and the API server adds to its fields what it filled in.
        (applied(json!({})), json!([kubectl.clone()]), 1, false),
        (applied(json!({"replicas": 1})), json!([kubectl.clone()]), 1, true),
        (applied(json!({})), json!([kubectl.clone()]), 2, true),
        (applied(json!({})), json!([scale, kubectl]), 1, true),
        // What the server applies belongs to whoever sent it, and what is filled in to nobody.
        (json!({}), json!([server(json!({"f:spec": {"f:template": {}}}))]), 1, false),
        (json!({}), json!([server(replicas.clone())]), 1, true),
        // Helm does not tell.
        (helm.clone(), json!([fields("helm", "Update", replicas.clone())]), 1, false),
        (helm, json!([fields("kubectl-edit", "Update", replicas.clone())]), 1, true),
        // Nor does whoever made the object as a whole.
        (json!({}), json!([fields("kubectl-create", "Update", made.clone())]), 1, false),
        (json!({}), json!([fields("helm-controller", "Update", made.clone())]), 1, false),
        (json!({}), json!([fields("Terraform", "Update", made.clone()), scale_again]), 1, true),
        (json!({}), json!([server(made)]), 1, true),
        // Who owns the number alone has set it.
        (json!({}), json!([fields("it", "Update", replicas)]), 1, true),
        (json!({}), json!([]), 1, true),
        // What tells nothing takes nothing with it.
        (json!({}), json!([{"manager": null, "fieldsV1": null}]), 1, true),
        (
            json!({}),
            json!([fields("it", "Update", json!({"f:spec": null, "f:metadata": null}))]),
            1,
            true,
        ),
    ];
    for (annotations, managed, count, is_kept) in cases {
        let object = json!({
            "kind": "Deployment", "metadata": {"annotations": annotations, "managedFields": managed},
            "spec": {"replicas": count},
        });
        let kept = tree(object.clone()).root().at(&["spec", "replicas"]).is_some();
        assert_eq!(kept, is_kept, "{object:#}");
        let daemon = json!({"kind": "Scaler", "spec": {"replicas": count}});
        assert!(tree(daemon).root().at(&["spec", "replicas"]).is_some());
    }
}

#[test]
fn what_is_over_keeps_its_status() {
    let pod = tree(json!({"kind": "Pod", "status": {"phase": "Succeeded", "podIP": "10.0.0.1"}}));
    let status = pod.root().get("status").unwrap();
    assert_eq!((status.count(), status.text("phase")), (1, Some("Succeeded")));
}

/// A budget that blocks every drain of its workload, both of them live.
fn blocked(then: impl FnOnce(&purlin::model::Model<'_>, &purlin::check::Outcome)) {
    let mut loaded = Loaded::default();
    let source = loaded.sources.add(Source::cluster("it".into()));
    let labels = json!({"app": "api"});
    let workload = json!({
        "metadata": {"name": "api", "namespace": "shop"},
        "spec": {
            "replicas": 2,
            "selector": {"matchLabels": labels},
            "template": {"metadata": {"labels": labels}, "spec": {"containers": [{"name": "api"}]}},
        },
    });
    let budget = json!({
        "metadata": {"name": "api", "namespace": "shop"},
        "spec": {"minAvailable": 2, "selector": {"matchLabels": labels}},
    });
    let documents = [
        live::document(source, &workload, "apps/v1", "Deployment"),
        live::document(source, &budget, "policy/v1", "PodDisruptionBudget"),
    ];
    loaded.documents = documents.map(Arc::new).into();
    with_loaded(&loaded, &Policy::default(), &only("pdb-blocks-drain"), |model, outcome| {
        assert_eq!(outcome.findings.len(), 1);
        then(model, outcome);
    });
}

#[test]
fn reports_name_objects_and_fields_and_no_lines() {
    blocked(|model, outcome| {
        let text = human::render(
            model,
            outcome,
            Style { width: 100, colour: false, extent: Extent::Full },
        );
        let place = "\n  live: `spec.minAvailable: 2` of `PodDisruptionBudget/shop/api`: ";
        assert!(text.contains(place), "{text}");
        assert!(!text.contains("╭─"), "{text}");
    });
}

#[test]
fn reports_for_machines_have_no_lines_either() {
    blocked(|model, outcome| {
        let place = "PodDisruptionBudget/shop/api spec.minAvailable";
        let report: Value = serde_json::from_str(&json::render(model, outcome)).unwrap();
        let schema: Value = serde_json::from_str(json::SCHEMA).unwrap();
        assert!(jsonschema::validator_for(&schema).unwrap().is_valid(&report), "{report}");
        let label = &report["findings"][0]["labels"][0];
        assert_eq!(label["path"], "spec.minAvailable");
        assert_eq!(label["object"]["name"], "api");
        for key in ["file", "line", "column", "endLine", "endColumn"] {
            assert_eq!(label.get(key), None);
        }

        let report: Value =
            serde_json::from_str(&sarif::render(model, outcome, &Repository::default())).unwrap();
        let location = &report["runs"][0]["results"][0]["locations"][0];
        assert_eq!(location["logicalLocations"][0]["fullyQualifiedName"], place);
        assert_eq!(location.get("physicalLocation"), None);

        let text = github::render(model, outcome, &Repository::default());
        assert!(text.starts_with(&format!("::error title=pdb-blocks-drain::{place}: ")), "{text}");
        assert!(!text.contains("line="), "{text}");
        let text = junit::render(model, outcome);
        assert!(text.contains(&format!("{place}: ")), "{text}");
        let text = markdown::render(model, outcome);
        assert!(text.contains(place), "{text}");
    });
}
