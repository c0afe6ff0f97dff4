//! What only a real API server can show of the contract with it: what it sends, and what becomes of the answers.

use super::cluster::{
    assert_denied, configure, create, delete, namespace, path, register, send, serve,
    wait_until_asked,
};
use super::requests::{budget, deployment};
use crate::apiserver::ApiServer;
use base64::Engine;
use kube::client::Body;
use serde_json::{Value, json};

const CONFIGURATION: &str =
    "/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations/purlin";

#[test]
fn objects_of_other_versions_collections_and_made_up_names_are_judged_alike() {
    let Some(api) = ApiServer::start() else { return };
    let program = serve(&api, "serve", &[]);
    register(&api, &program);
    namespace(&api, "shop");

    // `matchPolicy: Equivalent` brings it as `autoscaling/v2`.
    let mut workload = deployment("shop", "worker", 1);
    workload["spec"]["template"]["spec"]["containers"][0]["resources"] =
        json!({"requests": {"cpu": "1"}, "limits": {"cpu": "1"}});
    create(&api, &workload).unwrap();
    let quota = json!({
        "apiVersion": "v1", "kind": "ResourceQuota",
        "metadata": {"namespace": "shop", "name": "compute"},
        "spec": {"hard": {"requests.cpu": "3"}},
    });
    create(&api, &quota).unwrap();
    let scaler = json!({
        "apiVersion": "autoscaling/v1", "kind": "HorizontalPodAutoscaler",
        "metadata": {"namespace": "shop", "name": "worker"},
        "spec": {
            "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "worker"},
            "minReplicas": 1, "maxReplicas": 5, "targetCPUUtilizationPercentage": 70,
        },
    });
    let both = ["quota-below-hpa-max", "ResourceQuota/shop/compute", "5 of 3"];
    assert_denied(create(&api, &scaler), &both);
    delete(&api, &quota).unwrap();

    // The API server makes up the name, and it counts from then on.
    let mut unnamed = deployment("shop", "api", 2);
    unnamed["metadata"] = json!({"namespace": "shop", "generateName": "api-"});
    let made = create(&api, &unnamed).unwrap();
    let name = made["metadata"]["name"].as_str().unwrap().to_string();
    let mut guard = budget("shop", "api", 2);
    guard["metadata"] = json!({"namespace": "shop", "generateName": "guard-"});
    assert_denied(create(&api, &guard), &[&format!("Deployment/shop/{name}"), "2 − 2"]);

    // A collection is deleted object by object, each without a name in the request.
    guard["spec"]["minAvailable"] = 1.into();
    create(&api, &guard).unwrap();
    create(&api, &budget("shop", "other", 1)).unwrap();
    let scale = format!("/apis/apps/v1/namespaces/shop/deployments/{name}/scale");
    let one = json!({"spec": {"replicas": 1}});
    assert_denied(send(&api, "PATCH", &scale, &one), &["1 − 1"]);
    let options = json!({"apiVersion": "v1", "kind": "DeleteOptions"});
    send(&api, "DELETE", &path(&guard, false), &options).unwrap();
    send(&api, "PATCH", &scale, &one).unwrap();
}

#[test]
fn a_dry_run_is_judged_and_leaves_nothing_and_a_warning_reaches_the_user() {
    let Some(api) = ApiServer::start() else { return };
    let program = serve(&api, "serve", &[]);
    register(&api, &program);
    namespace(&api, "shop");
    let try_out =
        |object: &Value| send(&api, "POST", &format!("{}?dryRun=All", path(object, false)), object);
    try_out(&deployment("shop", "api", 2)).unwrap();
    create(&api, &budget("shop", "api", 2)).unwrap();
    assert_denied(try_out(&deployment("shop", "api", 2)), &["2 − 2"]);

    let mut needy = deployment("shop", "web", 3);
    needy["spec"]["template"]["spec"]["containers"][0]["envFrom"] =
        json!([{"configMapRef": {"name": "settings"}}]);
    let request = http::Request::post(path(&needy, false))
        .header("Content-Type", "application/json")
        .body(Body::from(needy.to_string().into_bytes()))
        .unwrap();
    let (runtime, client) = api.client();
    let answer = runtime.block_on(client.send(request)).unwrap();
    assert_eq!(answer.status(), 201);
    let warnings = answer.headers().get_all("warning").iter().map(|it| it.to_str().unwrap());
    let warnings: Vec<_> = warnings.collect();
    let start = "299 - \"missing-config-map: `Deployment/shop/web` needs ConfigMap `settings`";
    assert!(warnings.iter().any(|it| it.starts_with(start)), "{warnings:?}");
}

#[test]
fn nobody_answers_and_with_ignore_the_api_server_counts_what_went_through() {
    let Some(api) = ApiServer::start() else { return };
    namespace(&api, "shop");
    let program = serve(&api, "serve", &[]);
    let authority = std::fs::read(api.ca()).unwrap();
    let authority = base64::engine::general_purpose::STANDARD.encode(authority);
    configure(&api, program.reviews.port(), &authority);
    wait_until_asked(&api, &[&program]);
    drop(program);
    let mut configuration = send(&api, "GET", CONFIGURATION, &Value::Null).unwrap();
    configuration["webhooks"][0]["failurePolicy"] = "Ignore".into();
    send(&api, "PUT", CONFIGURATION, &configuration).unwrap();
    let mut count = 0;
    // The API server learns of it a moment later: until then it refuses.
    while create(&api, &deployment("shop", &format!("api-{count}"), 2)).is_err() {
        count += 1;
        assert!(count < 600, "it does not learn");
        std::thread::sleep(std::time::Duration::from_millis(100));
    }
    let (runtime, client) = api.client();
    let request = http::Request::get("/metrics").body(Vec::new()).unwrap();
    let metrics = runtime.block_on(client.request_text(request)).unwrap();
    let counter = "apiserver_admission_webhook_fail_open_count{name=\"validate.purlin.dev\"";
    assert!(metrics.lines().any(|it| it.starts_with(counter)), "it is what the alert asks for");
}
