//! The same on a real API server that fails closed.

use super::objects::{autoscaler, budget, deployment};
use crate::apiserver::ApiServer;
use crate::serve::cluster::{
    assert_denied, create, delete, namespace, path, register, send, serve,
};
use serde_json::{Value, json};

fn scale(api: &ApiServer, replicas: u64) -> Result<Value, String> {
    let path = format!("{}/scale", path(&deployment("api", 1), true));
    send(api, "PATCH", &path, &json!({"spec": {"replicas": replicas}}))
}

/// How often each attack is tried.
const TRIES: usize = 10;

#[test]
fn a_post_of_what_is_there_shifts_no_verdict() {
    let Some(api) = ApiServer::start() else { return };
    let program = serve(&api, "serve", &[]);
    register(&api, &program);
    namespace(&api, "shop");
    create(&api, &deployment("api", 5)).unwrap();
    create(&api, &budget("api", "api", 2)).unwrap();
    for at in 0..TRIES {
        // As if the budget were looser than it is.
        let conflict = create(&api, &budget("api", "api", 1)).unwrap_err();
        assert!(conflict.contains("already exists"), "{conflict}");
        assert_denied(scale(&api, 2), &["PodDisruptionBudget/shop/api", "2 − 2"]);
        // As if it were stricter.
        let conflict = create(&api, &budget("api", "api", 4)).unwrap_err();
        assert!(conflict.contains("already exists"), "{conflict}");
        scale(&api, 4).unwrap_or_else(|why| panic!("try {at}: {why}"));
        scale(&api, 5).unwrap();
    }
    // What never was is no hindrance for longer than a read takes to say so.
    let mut ghost = deployment("ghost", 1);
    ghost["spec"]["selector"]["matchLabels"]["app"] = "other".into();
    assert!(create(&api, &ghost).unwrap_err().contains("does not match template"));
    create(&api, &budget("ghost", "ghost", 1)).unwrap();
}

#[test]
fn what_is_broken_already_is_switched_off_and_on_and_put_back() {
    let Some(api) = ApiServer::start() else { return };
    namespace(&api, "shop");
    // The world is broken before anybody looks.
    create(&api, &deployment("api", 2)).unwrap();
    create(&api, &budget("api", "api", 2)).unwrap();
    let past = json!({"apiVersion": "v1", "kind": "ConfigMap",
        "metadata": {"namespace": "default", "name": "past"}});
    create(&api, &past).unwrap();
    let more = ["--past-config-map=default/past"];
    let mut program = serve(&api, "serve", &more);
    register(&api, &program);
    let stored = |api: &ApiServer| {
        let map = send(api, "GET", &path(&past, true), &Value::Null).unwrap();
        map["data"]["gone.json"].as_str().unwrap_or_default().to_string()
    };
    scale(&api, 0).unwrap();
    program.wait("what is remembered", |_| stored(&api).contains("\"scaled\""));
    assert_denied(scale(&api, 1), &["2 is more than there are"]);
    scale(&api, 2).unwrap();

    // `kubectl replace --force`: one after the other, before any watch can tell.
    for _ in 0..TRIES {
        delete(&api, &budget("api", "api", 2)).unwrap();
        create(&api, &budget("api", "api", 2)).unwrap();
    }
    delete(&api, &budget("api", "api", 2)).unwrap();
    assert_denied(create(&api, &budget("api", "api", 3)), &["3 is more than there are"]);
    program.wait("what is remembered", |_| stored(&api).contains("PodDisruptionBudget"));

    // Another replica, which was not there to see it.
    drop(program);
    let mut program = serve(&api, "again", &more);
    let address = program.reviews.port();
    let configuration =
        "/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations/purlin";
    let url = json!([{"op": "replace", "path": "/webhooks/0/clientConfig/url",
        "value": format!("https://127.0.0.1:{address}/validate")}]);
    json_patch(&api, configuration, &url);
    program
        .wait("what the first one remembered", |_| create(&api, &budget("api", "api", 2)).is_ok());
    // An autoscaler that takes nothing away.
    create(&api, &autoscaler("api", "api", 2, 9)).unwrap();
}

fn json_patch(api: &ApiServer, path: &str, patch: &Value) {
    let (runtime, client) = api.client();
    let request = http::Request::patch(path)
        .header("Content-Type", "application/json-patch+json")
        .body(patch.to_string().into_bytes())
        .unwrap();
    runtime.block_on(client.request::<Value>(request)).unwrap();
}

#[test]
fn a_release_comes_in_the_order_of_its_tool() {
    let Some(api) = ApiServer::start() else { return };
    let program = serve(&api, "serve", &[]);
    register(&api, &program);
    namespace(&api, "shop");
    // By plain requests: a workload without replicas, its budget, its autoscaler.
    let mut first = deployment("first", 1);
    first["spec"].as_object_mut().unwrap().remove("replicas");
    create(&api, &first).unwrap();
    create(&api, &budget("first", "first", 2)).unwrap();
    create(&api, &autoscaler("first", "first", 3, 9)).unwrap();
    // A new name, and the old one goes last.
    create(&api, &budget("renamed", "first", 2)).unwrap();
    delete(&api, &budget("first", "first", 2)).unwrap();
    create(&api, &autoscaler("renamed", "first", 3, 9)).unwrap();
    delete(&api, &autoscaler("first", "first", 3, 9)).unwrap();

    // A release that raises both, as Helm does it: budgets first.
    let released = |mut it: Value| {
        it["metadata"]["annotations"] = json!({"meta.helm.sh/release-name": "shop"});
        it
    };
    create(&api, &released(deployment("api", 2))).unwrap();
    create(&api, &released(budget("api", "api", 1))).unwrap();
    let patch = |object: &Value, spec: Value, manager: &str| {
        let path = format!("{}?fieldManager={manager}", path(object, true));
        send(&api, "PATCH", &path, &json!({"spec": spec}))
    };
    let raised = json!({"minAvailable": 3});
    let budget = budget("api", "api", 1);
    assert_denied(patch(&budget, raised.clone(), "kubectl-edit"), &["3 is more than there are"]);
    patch(&budget, raised, "helm").unwrap();
    patch(&deployment("api", 2), json!({"replicas": 4}), "helm").unwrap();
}
