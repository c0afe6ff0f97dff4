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
    let drains = |report: &Value| {
        let results = report["results"].as_array().unwrap().clone();
        results.into_iter().find(|it| it["rule"] == "pdb-blocks-drain")
    };
    for format in formats {
        let mut found = None;
        program.wait("a report", |_| {
            found = report("shop", format).and_then(|it| drains(&it));
            found.is_some()
        });
        let found = found.unwrap();
        assert_eq!(found["result"], "fail");
        let subjects = found[format.4].as_array().unwrap();
        assert_eq!(subjects.len(), 2, "{found:#}");
        assert!(found["message"].as_str().unwrap().contains("2 − 2"));
        assert_eq!(report("idle", format), None, "nothing is wrong there");
    }
    delete(&api, &budget("shop", "api", 2)).unwrap();
    delete(&api, &deployment("shop", "api", 2)).unwrap();
    for format in formats {
        program.wait("an end of the report", |_| {
            report("shop", format).is_none_or(|it| drains(&it).is_none())
        });
    }
}
