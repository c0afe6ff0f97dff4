//! Objects that are nested deeper than a parser goes, which the API server takes.

use crate::apiserver::ApiServer;
use crate::serve::cluster::{assert_denied, create, namespace, path, put, register, send, serve};
use crate::serve::requests::{budget, deployment};
use crate::serve::setup::Setup;
use serde_json::{Value, json};
use std::process::Command;

/// Far deeper than the 128 levels that the parser reads.
const DEPTH: usize = 400;

fn nested(key: &str) -> Value {
    (0..DEPTH).fold(json!({}), |inner, _| {
        let mut outer = serde_json::Map::new();
        outer.insert(key.into(), inner);
        Value::Object(outer)
    })
}

/// An object with the name of whoever wrote its fields.
fn managed(mut object: Value) -> Value {
    object["metadata"]["managedFields"] = json!([{
        "manager": "it", "operation": "Update", "apiVersion": object["apiVersion"],
        "time": "2026-01-01T00:00:00Z", "fieldsType": "FieldsV1", "fieldsV1": nested("f:a"),
    }]);
    object
}

/// Sends one as text: what is so deep no client builds.
fn write(api: &ApiServer, object: &Value) {
    create(api, object).unwrap();
    let path = path(object, true);
    let stored = send(api, "GET", &path, &Value::Null).unwrap();
    let mut changed = managed(object.clone());
    changed["metadata"]["resourceVersion"] = stored["metadata"]["resourceVersion"].clone();
    let (runtime, client) = api.client();
    let request = http::Request::put(&path)
        .header("Content-Type", "application/json")
        .body(changed.to_string().into_bytes())
        .unwrap();
    // The answer is as deep, and this client does not read it.
    let text = runtime.block_on(client.request_text(request)).unwrap();
    assert!(text.contains("f:a"), "{text}");
}

fn config_map(name: &str) -> Value {
    json!({
        "apiVersion": "v1", "kind": "ConfigMap", "metadata": {"namespace": "shop", "name": name},
        "data": {"key": "value"},
    })
}

#[test]
fn what_is_nested_deep_blinds_nobody() {
    let Some(api) = ApiServer::start() else { return };
    namespace(&api, "shop");
    create(&api, &deployment("shop", "api", 2)).unwrap();
    let mut program = serve(&api, "before", &[]);
    register(&api, &program);
    // What a user may write: fields of its own making, and a custom object that is deep itself.
    write(&api, &config_map("deep"));
    write(&api, &deployment("shop", "deep", 3));
    let rollout = json!({
        "apiVersion": "argoproj.io/v1alpha1", "kind": "Rollout",
        "metadata": {"namespace": "shop", "name": "deep"}, "spec": {"strategy": nested("a")},
    });
    let all = "/apis/argoproj.io/v1alpha1/namespaces/shop/rollouts";
    let (runtime, client) = api.client();
    let request = http::Request::post(all)
        .header("Content-Type", "application/json")
        .body(rollout.to_string().into_bytes())
        .unwrap();
    runtime.block_on(client.request_text(request)).unwrap();

    // Another server lists all of it; both know what comes after it.
    let other = serve(&api, "after", &[]);
    create(&api, &deployment("shop", "late", 2)).unwrap();
    for program in [&mut program, &mut { other }] {
        program.wait("the late one", |it| {
            let mut review = crate::serve::requests::creation(&budget("shop", "late", 2));
            review["request"]["dryRun"] = true.into();
            it.review(&review).json()["response"]["allowed"] == false
        });
        for kind in ["ConfigMap", "Deployment", "Rollout"] {
            let of = |name: &str| program.metric(&format!("{name}{{kind=\"{kind}\"}}"));
            assert_eq!(of("purlin_watch_staleness_seconds"), 0.0, "{kind}");
            assert_eq!(of("purlin_watch_failures_total"), 0.0, "{kind}");
        }
    }
    assert_denied(create(&api, &budget("shop", "api", 2)), &["Deployment/shop/api"]);
    // The deep one is known as well as any.
    assert_denied(create(&api, &budget("shop", "deep", 3)), &["Deployment/shop/deep"]);
    put(&api, &path(&budget("shop", "deep", 1), false), &budget("shop", "deep", 1)).unwrap();

    let output = Command::new(env!("CARGO_BIN_EXE_purlin"))
        .args(["check", "--cluster", "--namespace", "shop"])
        .env("KUBECONFIG", api.kubeconfig())
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(matches!(output.status.code(), Some(0 | 1)), "{said}");
    assert!(!said.contains("cannot"), "{said}");
}

#[test]
fn a_watch_that_does_not_work_grows_stale() {
    let setup = Setup::new(vec![deployment("shop", "api", 2)]);
    let mut program = setup.serve(&["--stale-after=3"]);
    setup.pretence.garble("/apis/apps/v1/deployments", Some("{\"type\":\"ADDED\",\"object\":"));
    let staleness = "purlin_watch_staleness_seconds{kind=\"Deployment\"}";
    program.wait("staleness", |it| it.metric(staleness) > 4.0);
    let told = program.wait_for_log(|it| it["message"] == "a watch broke off");
    assert!(!told["why"].as_str().unwrap().is_empty(), "{told}");
    let review = crate::serve::requests::creation(&budget("shop", "api", 1));
    assert_eq!(program.review(&review).status, 503);
    setup.pretence.garble("", None);
    program.wait("fresh knowledge", |it| it.metric(staleness) == 0.0);
    assert_eq!(program.review(&review).status, 200);
}

#[test]
fn one_object_that_cannot_be_read_is_one_that_is_unknown() {
    let mut odd = deployment("shop", "odd", 2);
    odd["metadata"]["creationTimestamp"] = json!({"at": "some time"});
    let setup = Setup::new(vec![odd.clone(), deployment("shop", "api", 2)]);
    let mut program = setup.serve(&[]);
    let told = program.wait_for_log(|it| it["message"] == "an object cannot be read");
    assert_eq!(told["key"], "Deployment/shop/odd", "{told}");
    let unreadable = "purlin_unreadable_objects{kind=\"Deployment\"}";
    program.wait("a count of it", |it| it.metric(unreadable) == 1.0);
    assert_eq!(program.metric("purlin_watch_staleness_seconds{kind=\"Deployment\"}"), 0.0);
    // The others are as known as ever, and nobody is told that it is not there.
    let answer = |name: &str, keeps: u32| {
        let mut review = crate::serve::requests::creation(&budget("shop", name, keeps));
        review["request"]["dryRun"] = true.into();
        program.review(&review).json()["response"].clone()
    };
    assert_eq!(answer("api", 2)["allowed"], false);
    let unknown = answer("odd", 1).to_string();
    assert!(!unknown.contains("pdb-selects-nothing"), "{unknown}");
    setup.pretence.show(deployment("shop", "odd", 2), 9);
    program.wait("a read of it", |it| it.metric(unreadable) == 0.0);
}
