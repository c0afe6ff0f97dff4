//! An architecture document beside the policy: requests are held to it on both sides, by the modes of its sections.

use super::cluster::{assert_denied, create, delete, namespace, path, register, send, serve};
use super::program::Program;
use super::requests::{creation, deployment};
use super::setup::Setup;
use crate::apiserver::ApiServer;
use serde_json::{Value, json};
use std::fs;
use std::path::{Path, PathBuf};

const POLICY: &str = "apiVersion: purlin.dev/v1alpha1
kind: Policy
architecture: architecture.yaml
admission: {mode: audit, recreate: 0s}
";

/// What is promised of a shop, with the modes of its sections.
fn document(modes: &str) -> String {
    format!(
        "apiVersion: purlin.dev/v1alpha1
kind: Architecture
metadata: {{name: shop}}
namespaces:
  shop: {{quota: {{requests.cpu: \"10\"}}}}
components:
  api:
    workload: Deployment/shop/api
    replicas: 2
    security: {{image: {{pinned: tag}}}}
  web: {{workload: Deployment/shop/web}}
mode: {modes}
"
    )
}

/// Both in a folder, and where the policy is.
fn write(folder: &Path, modes: &str) -> PathBuf {
    fs::write(folder.join("architecture.yaml"), document(modes)).unwrap();
    let policy = folder.join("purlin.yaml");
    fs::write(&policy, POLICY).unwrap();
    policy
}

fn quota(cpu: &str) -> Value {
    json!({
        "apiVersion": "v1", "kind": "ResourceQuota",
        "metadata": {"namespace": "shop", "name": "all"},
        "spec": {"hard": {"requests.cpu": cpu}},
    })
}

#[test]
fn requests_are_held_to_the_document_by_section() {
    let Some(api) = ApiServer::start() else { return };
    let folder = tempfile::tempdir().unwrap();
    let policy = write(folder.path(), "{components: enforce, namespaces: shadow}");
    let mut program = serve(&api, "serve", &["--policy", policy.to_str().unwrap()]);
    register(&api, &program);
    namespace(&api, "shop");
    let differs = ["component-differs", "Deployment/shop/api", "Architecture/shop", "2 promised"];

    // What is as promised is taken, what is not is denied, whatever it is that changes.
    assert_denied(create(&api, &deployment("shop", "api", 3)), &differs);
    create(&api, &deployment("shop", "api", 2)).unwrap();
    let own = path(&deployment("shop", "api", 2), true);
    let replicas = |count: u32| json!({"spec": {"replicas": count}});
    assert_denied(send(&api, "PATCH", &own, &replicas(4)), &differs);
    assert_denied(send(&api, "PATCH", &format!("{own}/scale"), &replicas(4)), &differs);
    let image = json!({"spec": {"template": {"spec": {"containers": [
        {"name": "it", "image": "registry.example/it:latest"}]}}}});
    assert_denied(
        send(&api, "PATCH", &own, &image),
        &["component-differs", "security.image.pinned"],
    );

    // A section in the shadow is only reported, and one without a mode has that of the policy.
    create(&api, &quota("20")).unwrap();
    let told = program.wait_for_log(|it| it["rule"] == "quota-differs");
    assert_eq!(told["verdict"], "audit", "{told}");

    // What another document lets pass is there; from then on only what is worse is denied.
    write(folder.path(), "{components: shadow, namespaces: enforce}");
    program.wait("the other modes", |_| send(&api, "PATCH", &own, &replicas(4)).is_ok());
    write(folder.path(), "{components: enforce, namespaces: enforce}");
    let latest = |_: &Program| send(&api, "PATCH", &format!("{own}?dryRun=All"), &image).is_err();
    program.wait("the first modes", latest);
    let label = json!({"metadata": {"labels": {"team": "red"}}});
    send(&api, "PATCH", &own, &label).unwrap();
    send(&api, "PATCH", &own, &replicas(2)).unwrap();
    delete(&api, &quota("20")).unwrap();
    assert_denied(
        create(&api, &quota("20")),
        &["quota-differs", "10 promised", "Architecture/shop"],
    );
    create(&api, &quota("10")).unwrap();
    delete(&api, &deployment("shop", "api", 2)).unwrap();
}

#[test]
fn a_document_that_is_not_valid_changes_nothing() {
    let setup = Setup::new(Vec::new());
    let folder = tempfile::tempdir().unwrap();
    let policy = write(folder.path(), "{components: enforce}");
    let mut program = setup.serve(&["--policy", policy.to_str().unwrap()]);
    let is_allowed = |program: &Program, replicas: u32| {
        let mut review = creation(&deployment("shop", "api", replicas));
        review["request"]["dryRun"] = true.into();
        program.review(&review).json()["response"]["allowed"] == true
    };
    assert!(is_allowed(&program, 2));
    assert!(!is_allowed(&program, 3));
    fs::write(folder.path().join("architecture.yaml"), document("{component: shadow}")).unwrap();
    program.wait("a refusal", |it| it.metric("purlin_policy_failures_total") == 1.0);
    let told = program.wait_for_log(|it| it["level"] == "ERROR");
    let why = told["why"].as_str().unwrap();
    assert!(why.contains("architecture.yaml:12:8: unknown field `component`"), "{why}");
    assert!(!is_allowed(&program, 3));

    // Flows in both are a mistake, too.
    write(folder.path(), "{components: shadow}");
    program.wait("the other mode", |it| is_allowed(it, 3));
    let flows = document("{}").replace("mode: {}", "flows: {web: [{to: api}]}");
    fs::write(folder.path().join("architecture.yaml"), flows).unwrap();
    let both = format!("{POLICY}flows: [{{from: Deployment/shop/web, to: Deployment/shop/api}}]\n");
    fs::write(&policy, both).unwrap();
    program.wait("a refusal", |it| {
        let is_it =
            |it: &Value| it["why"].as_str().is_some_and(|it| it.contains("`flows` stands in"));
        it.log().iter().any(is_it)
    });
}
