//! On a real API server, which is told of the webhook by a loopback address and asks it about everything.

use super::program::{Program, Start};
use super::requests::{budget, deployment};
use crate::apiserver::ApiServer;
use base64::Engine;
use serde_json::{Value, json};
use std::path::PathBuf;

/// Registers a server for what budgets and their workloads are about, and waits until it is asked.
pub(crate) fn register(api: &ApiServer, program: &Program) {
    let authority = std::fs::read(api.ca()).unwrap();
    let authority = base64::engine::general_purpose::STANDARD.encode(authority);
    configure(api, program.reviews.port(), &authority);
    wait_until_asked(api, &[program]);
}

/// Tells the API server of a webhook at a port of loopback.
pub(crate) fn configure(api: &ApiServer, port: u16, authority: &str) {
    let rule = |group: &str, version: &str, resources: &[&str]| {
        json!({"apiGroups": [group], "apiVersions": [version], "resources": resources,
               "operations": ["CREATE", "UPDATE", "DELETE"], "scope": "*"})
    };
    let configuration = json!({
        "apiVersion": "admissionregistration.k8s.io/v1",
        "kind": "ValidatingWebhookConfiguration",
        "metadata": {"name": "purlin"},
        "webhooks": [{
            "name": "validate.purlin.dev",
            "clientConfig": {
                "url": format!("https://127.0.0.1:{port}/validate"),
                "caBundle": authority,
            },
            "rules": [
                rule("apps", "v1", &["deployments", "deployments/scale", "statefulsets"]),
                rule("policy", "v1", &["poddisruptionbudgets"]),
                rule("autoscaling", "v2", &["horizontalpodautoscalers"]),
                rule("", "v1", &["services", "configmaps", "resourcequotas"]),
            ],
            "namespaceSelector": {"matchExpressions": [{
                "key": "kubernetes.io/metadata.name", "operator": "NotIn", "values": ["kube-system"],
            }]},
            "failurePolicy": "Fail", "matchPolicy": "Equivalent", "sideEffects": "None",
            "timeoutSeconds": 30, "admissionReviewVersions": ["v1"],
        }],
    });
    put(
        api,
        "/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations",
        &configuration,
    )
    .unwrap();
}

/// The API server learns of a webhook a moment later: until then it lets everything pass.
pub(crate) fn wait_until_asked(api: &ApiServer, programs: &[&Program]) {
    let probe = budget("default", "probe", 1);
    let asked = || programs.iter().any(|it| it.metric("purlin_review_seconds_count") > 0.0);
    for _ in 0..600 {
        let _ = send(api, "POST", &format!("{}?dryRun=All", path(&probe, false)), &probe);
        if asked() {
            return;
        }
        std::thread::sleep(std::time::Duration::from_millis(100));
    }
    panic!("the API server does not ask");
}

pub(crate) fn serve(api: &ApiServer, log: &str, more: &[&str]) -> Program {
    let (certificate, key) = api.issue("webhook");
    let mut program = Program::start(&Start {
        log: api.folder().join(format!("{log}.log")),
        // What the webhook writes itself is never denied, so it has to be somebody else.
        kubeconfig: &kubeconfig(api),
        certificate: Some((&certificate, &key)),
        authority: &api.ca(),
        more,
    });
    program.wait_until_ready();
    program
}

/// A kubeconfig of a user who may do what a webhook has to.
pub(crate) fn kubeconfig(api: &ApiServer) -> PathBuf {
    let path = api.kubeconfig_of("purlin");
    let role = json!({
        "apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRole",
        "metadata": {"name": "purlin"},
        "rules": [
            {"apiGroups": ["*"], "resources": ["*"], "verbs": ["get", "list", "watch"]},
            {"apiGroups": [""], "resources": ["events"], "verbs": ["create"]},
            {"apiGroups": ["", "coordination.k8s.io"], "resources": ["configmaps", "secrets", "leases"],
             "verbs": ["create", "update"]},
            {"apiGroups": ["admissionregistration.k8s.io"], "verbs": ["patch"],
             "resources": ["validatingwebhookconfigurations"]},
            {"apiGroups": ["openreports.io", "wgpolicyk8s.io"], "resources": ["*"], "verbs": ["*"]},
        ],
    });
    let binding = json!({
        "apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRoleBinding",
        "metadata": {"name": "purlin"},
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "purlin"},
        "subjects": [{"apiGroup": "rbac.authorization.k8s.io", "kind": "User", "name": "purlin"}],
    });
    for object in [role, binding] {
        // A second replica finds them there.
        let _ = create(api, &object);
    }
    path
}

pub(crate) fn path(object: &Value, is_named: bool) -> String {
    let text = |it: &Value| it.as_str().unwrap_or_default().to_string();
    let version = text(&object["apiVersion"]);
    let root = if version.contains('/') { "apis" } else { "api" };
    let plural = format!("{}s", text(&object["kind"]).to_ascii_lowercase());
    let namespace = text(&object["metadata"]["namespace"]);
    let within =
        if namespace.is_empty() { String::new() } else { format!("namespaces/{namespace}/") };
    let all = format!("/{root}/{version}/{within}{plural}");
    if is_named { format!("{all}/{}", text(&object["metadata"]["name"])) } else { all }
}

/// Sends a request; the words of the API server where it refuses.
pub(crate) fn send(
    api: &ApiServer,
    method: &str,
    path: &str,
    body: &Value,
) -> Result<Value, String> {
    let (runtime, client) = api.client();
    let kind = match method {
        "PATCH" => "application/merge-patch+json",
        _ => "application/json",
    };
    let request = http::Request::builder()
        .method(method)
        .uri(path)
        .header("Content-Type", kind)
        .body(body.to_string().into_bytes())
        .unwrap();
    runtime.block_on(client.request::<Value>(request)).map_err(|why| match why {
        kube::Error::Api(status) => status.message,
        why => panic!("{method} {path}: {why}"),
    })
}

pub(crate) fn put(api: &ApiServer, path: &str, object: &Value) -> Result<Value, String> {
    send(api, "POST", path, object)
}

pub(crate) fn create(api: &ApiServer, object: &Value) -> Result<Value, String> {
    put(api, &path(object, false), object)
}

pub(crate) fn delete(api: &ApiServer, object: &Value) -> Result<Value, String> {
    send(api, "DELETE", &path(object, true), &json!({"kind": "DeleteOptions", "apiVersion": "v1"}))
}

pub(crate) fn namespace(api: &ApiServer, name: &str) {
    let object = json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}});
    put(api, "/api/v1/namespaces", &object).unwrap();
}

/// It is denied by the webhook, and the message says all this.
pub(crate) fn assert_denied(answer: Result<Value, String>, parts: &[&str]) {
    let message = answer.expect_err("it was taken");
    let start = "admission webhook \"validate.purlin.dev\" denied the request: ";
    assert!(message.starts_with(start), "{message}");
    for part in parts {
        assert!(message.contains(part), "{part}: {message}");
    }
}

#[test]
fn what_contradicts_is_denied_in_whichever_order_it_comes() {
    let Some(api) = ApiServer::start() else { return };
    let program = serve(&api, "serve", &[]);
    register(&api, &program);
    let both = ["PodDisruptionBudget/shop/api", "Deployment/shop/api", "2 − 2", "help: "];
    namespace(&api, "shop");

    // The budget last.
    create(&api, &deployment("shop", "api", 2)).unwrap();
    assert_denied(create(&api, &budget("shop", "api", 2)), &both);
    create(&api, &budget("shop", "api", 1)).unwrap();

    // The budget changes, the workload shrinks, by itself and through its scale.
    let tighter = json!({"spec": {"minAvailable": 2}});
    let budget_path = path(&budget("shop", "api", 1), true);
    assert_denied(send(&api, "PATCH", &budget_path, &tighter), &both);
    let deployment_path = path(&deployment("shop", "api", 2), true);
    let one = json!({"spec": {"replicas": 1}});
    let sum = ["PodDisruptionBudget/shop/api", "Deployment/shop/api", "1 − 1"];
    assert_denied(send(&api, "PATCH", &deployment_path, &one), &sum);
    assert_denied(send(&api, "PATCH", &format!("{deployment_path}/scale"), &one), &sum);

    // Repaired, it is taken.
    send(&api, "PATCH", &format!("{deployment_path}/scale"), &json!({"spec": {"replicas": 3}}))
        .unwrap();
    send(&api, "PATCH", &budget_path, &tighter).unwrap();

    // The workload last.
    namespace(&api, "store");
    create(&api, &budget("store", "api", 2)).unwrap();
    assert_denied(
        create(&api, &deployment("store", "api", 2)),
        &["PodDisruptionBudget/store/api", "Deployment/store/api", "2 − 2"],
    );
    create(&api, &deployment("store", "api", 3)).unwrap();

    // What is deleted is never denied.
    delete(&api, &budget("store", "api", 2)).unwrap();
    delete(&api, &deployment("shop", "api", 2)).unwrap();
}

#[test]
fn what_a_quota_refuses_after_all_is_not_held_against_anybody() {
    let Some(api) = ApiServer::start() else { return };
    let mut program = serve(&api, "serve", &[]);
    register(&api, &program);
    namespace(&api, "shop");
    let quota = json!({
        "apiVersion": "v1", "kind": "ResourceQuota",
        "metadata": {"namespace": "shop", "name": "some"},
        "spec": {"hard": {"count/deployments.apps": "10"}},
    });
    create(&api, &quota).unwrap();
    // The quota is asked after the webhook has allowed, and goes by what a controller has counted.
    let all = json!({"count/deployments.apps": "10"});
    let status = json!({"status": {"hard": all, "used": all}});
    send(&api, "PATCH", &format!("{}/status", path(&quota, true)), &status).unwrap();
    let mut refused = String::new();
    program.wait("a refusal by the quota", |_| {
        let _ = delete(&api, &deployment("shop", "api", 2));
        refused = create(&api, &deployment("shop", "api", 2)).err().unwrap_or_default();
        refused.contains("exceeded quota")
    });
    let since = std::time::Instant::now();
    program.wait("a budget", |_| create(&api, &budget("shop", "api", 2)).is_ok());
    eprintln!("what was refused after all counted for {:.0?}", since.elapsed());
}

#[test]
fn of_two_that_exclude_each_other_one_replica_admits_one() {
    let Some(api) = ApiServer::start() else { return };
    let program = serve(&api, "serve", &[]);
    register(&api, &program);
    namespace(&api, "shop");
    let tries: usize = 1000;
    let mut denied = 0;
    for at in 0..tries {
        let name = format!("api-{at}");
        let objects = [deployment("shop", &name, 2), budget("shop", &name, 2)];
        let taken = at_once(&api, &objects);
        assert!(taken.iter().any(|it| it.is_ok()), "{name}: both were refused: {taken:?}");
        for (object, answer) in objects.iter().zip(taken) {
            match answer {
                // What was taken goes, so that the world of the next try is as small.
                Ok(_) => drop(delete(&api, object).unwrap()),
                Err(message) => {
                    assert!(message.contains("pdb-blocks-drain"), "{message}");
                    denied += 1;
                }
            }
        }
    }
    assert_eq!(denied, tries, "each time one of the two");
    assert_eq!(program.metric("purlin_race_admitted_total{rule=\"pdb-blocks-drain\"}"), 0.0);
}

/// Creates objects at the same time.
pub(crate) fn at_once(api: &ApiServer, objects: &[Value]) -> Vec<Result<Value, String>> {
    let (runtime, client) = api.client();
    let creations = objects.iter().map(|object| {
        let request = http::Request::post(path(object, false))
            .header("Content-Type", "application/json")
            .body(object.to_string().into_bytes())
            .unwrap();
        let client = client.clone();
        async move {
            client.request::<Value>(request).await.map_err(|why| match why {
                kube::Error::Api(status) => status.message,
                why => panic!("{why}"),
            })
        }
    });
    runtime.block_on(futures_util::future::join_all(creations))
}
