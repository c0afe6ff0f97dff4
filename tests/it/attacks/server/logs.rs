//! No value of an object reaches the log, whatever goes wrong with it and however much is logged.

use crate::apiserver::ApiServer;
use crate::serve::client::head;
use crate::serve::cluster::{create, namespace, register, send, serve};
use crate::serve::requests::{creation, deployment};
use serde_json::{Value, json};

/// What nobody is to see.
const VALUE: &str = "hunter2-4711-0815";

/// The same as a Secret holds it.
const ENCODED: &str = "aHVudGVyMi00NzExLTA4MTU=";

fn secret(name: &str) -> Value {
    json!({
        "apiVersion": "v1", "kind": "Secret", "metadata": {"namespace": "shop", "name": name},
        "data": {"password": ENCODED},
    })
}

#[test]
fn no_value_is_ever_logged() {
    let Some(api) = ApiServer::start() else { return };
    namespace(&api, "shop");
    // What a list shows.
    create(&api, &secret("listed")).unwrap();
    create(&api, &deployment("shop", "api", 2)).unwrap();
    let mut map = json!({
        "apiVersion": "v1", "kind": "ConfigMap", "metadata": {"namespace": "shop", "name": "policy"},
        "data": {"purlin.yaml": "apiVersion: purlin.dev/v1alpha1\nkind: Policy\nadmission: {mode: enforce}\n"},
    });
    create(&api, &map).unwrap();
    let more = ["--log=trace", "--policy-config-map=shop/policy"];
    let mut program = serve(&api, "loud", &more);
    register(&api, &program);
    // What a watch shows.
    create(&api, &secret("watched")).unwrap();
    let path = "/api/v1/namespaces/shop/secrets/listed";
    send(&api, "PATCH", path, &json!({"metadata": {"labels": {"of": "it"}}})).unwrap();
    // A policy that is not valid; and one that is read.
    map["data"]["purlin.yaml"] = format!("apiVersion: {VALUE}\n").into();
    let path = "/api/v1/namespaces/shop/configmaps/policy";
    map["data"]["other"] = VALUE.into();
    send(&api, "PATCH", path, &map).unwrap();
    // The words of a policy that is not valid name what is expected, not what is there.
    program.wait("a refusal", |it| it.metric("purlin_policy_failures_total") > 0.0);

    // What a review holds: one that is denied, and many that are none.
    let with = |value: Value| {
        let mut object = secret("reviewed");
        object["stringData"] = json!({"password": VALUE});
        let mut review = creation(&object);
        review["request"]["object"]["metadata"] = value;
        review.to_string()
    };
    let mut bodies = vec![
        with(json!({"name": "reviewed", "labels": VALUE})),
        with(json!({"name": "reviewed", "resourceVersion": {"a": VALUE}})),
        with(json!({"name": "reviewed", "creationTimestamp": [VALUE]})),
        with(json!(VALUE)),
        format!("{{\"{VALUE}"),
        format!("\"{VALUE}\""),
        creation(&json!({"kind": "Secret", "apiVersion": "v1", "metadata": VALUE})).to_string(),
    ];
    for field in ["uid", "operation", "userInfo", "resource", "dryRun", "name"] {
        let mut review = creation(&secret("reviewed"));
        review["request"][field] = json!([VALUE]);
        bodies.push(review.to_string());
    }
    for kind in ["ConfigMap", "Deployment"] {
        let mut object = deployment("shop", "leak", 2);
        object["kind"] = kind.into();
        object["spec"]["template"] = VALUE.into();
        object["data"] = json!({"password": VALUE, "deep": {VALUE: [VALUE]}});
        bodies.push(creation(&object).to_string());
    }
    for body in &bodies {
        let answer = program.connect().post("/validate?timeout=30s", body.as_bytes()).unwrap();
        assert!(!answer.body.contains(VALUE), "{answer:?}");
    }
    // One that breaks off.
    let mut broken = program.connect();
    broken.send(head("/validate?timeout=5s", 1000).as_bytes()).unwrap();
    broken.send(format!("{{\"request\": \"{VALUE}").as_bytes()).unwrap();
    drop(broken);
    program.wait("an end of it", |it| it.metric("purlin_reviews_waiting") == 0.0);
    program.signal("TERM");
    program.wait_for_end();
    let log = std::fs::read_to_string(api.folder().join("loud.log")).unwrap();
    assert!(log.contains("\"level\":\"INFO\""), "{log}");
    for line in log.lines() {
        assert!(!line.contains(VALUE) && !line.contains(ENCODED), "{line}");
    }
}
