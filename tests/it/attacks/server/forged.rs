//! Reviews that the API server never sent, of anybody who reaches the port without a certificate: they hold up nobody, let
//! nothing through and read nothing out.

use crate::apiserver::ApiServer;
use crate::serve::cluster::{assert_denied, create, namespace, path, register, send, serve};
use crate::serve::program::Program;
use crate::serve::requests::{budget, creation, deployment};
use serde_json::{Value, json};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

/// How long a request may be held up on a machine that is busy with other tests.
const SOON: Duration = Duration::from_secs(8);

/// What selects the pods of `api`.
fn guard(name: &str, min_available: u32) -> Value {
    let mut guard = budget("shop", "api", min_available);
    guard["metadata"]["name"] = name.into();
    guard
}

fn scale(api: &ApiServer, replicas: u32) -> Result<Value, String> {
    let path = format!("{}/scale", path(&deployment("shop", "api", 1), true));
    send(api, "PATCH", &path, &json!({"spec": {"replicas": replicas}}))
}

/// Waits until something was allowed that never comes about.
fn program_is_fooled(program: &Program) {
    for _ in 0..600 {
        if program.metric("purlin_overlay_entries") >= 2.0 {
            return;
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    panic!("nothing forged is expected");
}

/// The same review as of a deletion.
fn deletion(object: &Value) -> Value {
    let mut review = creation(object);
    let request = &mut review["request"];
    request["operation"] = "DELETE".into();
    request["oldObject"] = request["object"].take();
    review
}

#[test]
fn writes_that_never_happen_shift_no_verdict_and_hold_nobody_up_for_long() {
    let Some(api) = ApiServer::start() else { return };
    namespace(&api, "shop");
    create(&api, &deployment("shop", "api", 5)).unwrap();
    let mut program = serve(&api, "serve", &[]);
    register(&api, &program);
    let is_over = AtomicBool::new(false);
    let sent = std::thread::scope(|scope| {
        let forging = scope.spawn(|| {
            let mut connection = program.connect();
            let mut sent = 0;
            while !is_over.load(Ordering::Relaxed) {
                // The same one again and again, and others beside it.
                for object in [guard("forged", 3), deployment("shop", &format!("more-{sent}"), 9)] {
                    let review = creation(&object).to_string();
                    connection.post("/validate?timeout=30s", review.as_bytes()).unwrap();
                    sent += 1;
                }
                std::thread::sleep(Duration::from_millis(5));
            }
            sent
        });
        program_is_fooled(&program);
        // With the forged budget two of these would contradict.
        for replicas in [3, 5, 2, 5] {
            let since = Instant::now();
            scale(&api, replicas).unwrap();
            assert!(since.elapsed() < SOON, "{:?}", since.elapsed());
        }
        is_over.store(true, Ordering::Relaxed);
        forging.join().unwrap()
    });
    assert!(sent > 4, "{sent}");
    assert!(program.metric("purlin_overlay_entries") <= 600.0, "they are bounded");

    // What is there is not gone because somebody says so.
    create(&api, &guard("api", 2)).unwrap();
    for _ in 0..5 {
        assert_eq!(program.review(&deletion(&guard("api", 2))).status, 200);
        assert_denied(scale(&api, 2), &["PodDisruptionBudget/shop/api", "2 − 2"]);
    }
    program.wait("an end of what never happened", |it| it.metric("purlin_overlay_entries") == 0.0);
}

/// Lets a user do something.
fn grant(api: &ApiServer, user: &str, group: &str, resource: &str, verb: &str) {
    let role = json!({
        "apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRole",
        "metadata": {"name": user},
        "rules": [{"apiGroups": [group], "resources": [resource], "verbs": [verb]}],
    });
    let binding = json!({
        "apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRoleBinding",
        "metadata": {"name": user},
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": user},
        "subjects": [{"apiGroup": "rbac.authorization.k8s.io", "kind": "User",
            "name": user.trim_end_matches("-may-ask")}],
    });
    for object in [role, binding] {
        create(api, &object).unwrap();
    }
}

/// The answer to a dry run of this user.
fn tried_by(program: &Program, user: &str, object: &Value) -> Value {
    let mut review = creation(object);
    review["request"]["dryRun"] = true.into();
    review["request"]["userInfo"]["username"] = user.into();
    program.review(&review).json()["response"].take()
}

#[test]
fn an_answer_names_nothing_that_its_user_could_not_read() {
    let Some(api) = ApiServer::start() else { return };
    namespace(&api, "shop");
    let mut secret = deployment("shop", "secret-project", 7);
    secret["spec"]["template"]["metadata"]["labels"] = json!({"app": "secret-project", "x": "y"});
    create(&api, &secret).unwrap();
    grant(&api, "reader", "apps", "deployments", "get");
    grant(&api, "purlin-may-ask", "authorization.k8s.io", "subjectaccessreviews", "create");
    let mut program = serve(&api, "serve", &[]);
    let mut contradiction = guard("guess", 7);
    contradiction["spec"]["selector"] = json!({"matchLabels": {"x": "y"}});
    let mut warned = guard("guess", 6);
    warned["spec"]["selector"] = json!({"matchLabels": {"x": "y"}});
    // As soon as purlin's own role is known to the API server.
    program.wait("the right to ask", |it| {
        !tried_by(it, "mallory", &contradiction).to_string().contains("secret-project")
    });
    for (object, is_allowed) in [(&contradiction, false), (&warned, true)] {
        let hidden = tried_by(&program, "mallory", object);
        assert_eq!(hidden["allowed"], is_allowed, "{hidden:#}");
        let text = hidden.to_string();
        for word in ["secret-project", "7 −", "7 replicas"] {
            assert!(!text.contains(word), "{word}: {text}");
        }
        let told = tried_by(&program, "reader", object);
        assert_eq!(told["allowed"], is_allowed, "{told:#}");
        if !is_allowed {
            assert!(text.contains("PodDisruptionBudget/shop/guess"), "{text}");
            let told = told.to_string();
            assert!(told.contains("Deployment/shop/secret-project"), "{told}");
        }
    }
    // The operator reads all of it in the log.
    program.wait_for_log(|it| {
        it["user"] == "mallory"
            && it["objects"].to_string().contains("Deployment/shop/secret-project")
    });
}
