//! Reports in the cluster, where the kind of report is installed.

use super::cluster::{create, delete, namespace, send, serve};
use super::requests::{budget, deployment};
use crate::apiserver::ApiServer;
use serde_json::{Value, json};

fn definition(group: &str, version: &str, kind: &str, plural: &str) -> Value {
    let schema = json!({"type": "object", "x-kubernetes-preserve-unknown-fields": true});
    json!({
        "apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition",
        "metadata": {"name": format!("{plural}.{group}")},
        "spec": {
            "group": group, "scope": "Namespaced",
            "names": {"kind": kind, "plural": plural, "singular": kind.to_ascii_lowercase()},
            "versions": [{"name": version, "served": true, "storage": true,
                          "schema": {"openAPIV3Schema": schema}}],
        },
    })
}

#[test]
fn what_is_wrong_is_reported_and_the_report_goes_with_it() {
    let Some(api) = ApiServer::start() else { return };
    let formats = [
        ("openreports.io", "v1alpha1", "Report", "reports", "subjects"),
        ("wgpolicyk8s.io", "v1alpha2", "PolicyReport", "policyreports", "resources"),
    ];
    for (group, version, kind, plural, _) in formats {
        let path = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions";
        send(&api, "POST", path, &definition(group, version, kind, plural)).unwrap();
    }
    let mut program = serve(&api, "serve", &[]);
    namespace(&api, "shop");
    namespace(&api, "idle");
    create(&api, &deployment("shop", "api", 2)).unwrap();
    create(&api, &budget("shop", "api", 2)).unwrap();
    let report = |namespace: &str,
                  (group, version, _, plural, _): (&str, &str, &str, &str, &str)| {
        let path = format!("/apis/{group}/{version}/namespaces/{namespace}/{plural}/purlin");
        send(&api, "GET", &path, &Value::Null).ok()
    };
    let drains = |report: Option<Value>| {
        let results = report.map_or(Vec::new(), |it| it["results"].as_array().unwrap().clone());
        results.into_iter().filter(|it| it["rule"] == "pdb-blocks-drain").collect::<Vec<_>>()
    };
    let mut first = Vec::new();
    for format in formats {
        program.wait("a report", |_| !drains(report("shop", format)).is_empty());
        let written = report("shop", format).unwrap();
        first.push(written["metadata"]["uid"].clone());
        let found = &drains(Some(written))[0];
        assert_eq!(found["result"], "fail");
        let subjects = found[format.4].as_array().unwrap();
        assert_eq!(subjects.len(), 2, "{found:#}");
        assert!(found["message"].as_str().unwrap().contains("2 − 2"));
        assert_eq!(report("idle", format), None, "nothing is wrong there");
    }
    // What is new goes into the same report.
    create(&api, &deployment("shop", "web", 1)).unwrap();
    create(&api, &budget("shop", "web", 1)).unwrap();
    for (format, uid) in formats.into_iter().zip(first) {
        program.wait("another finding", |_| drains(report("shop", format)).len() == 2);
        assert_eq!(report("shop", format).unwrap()["metadata"]["uid"], uid);
    }
    for (name, number) in [("api", 2), ("web", 1)] {
        delete(&api, &budget("shop", name, number)).unwrap();
        delete(&api, &deployment("shop", name, number)).unwrap();
    }
    for format in formats {
        program.wait("an end of the report", |_| report("shop", format).is_none());
    }
}
