//! A policy that is cut off while it is written, and one that says nothing of admission.

use crate::apiserver::ApiServer;
use crate::serve::cluster::{create, namespace, send, serve};
use crate::serve::program::Program;
use crate::serve::requests::{budget, creation, deployment};
use crate::serve::setup::Setup;
use serde_json::{Value, json};
use std::fs;

const HEAD: &str = "apiVersion: purlin.dev/v1alpha1\nkind: Policy\n";

fn is_allowed(program: &Program) -> bool {
    let mut review = creation(&budget("shop", "api", 2));
    review["request"]["dryRun"] = true.into();
    program.review(&review).json()["response"]["allowed"] == true
}

#[test]
fn what_cannot_be_a_policy_leaves_the_old_one() {
    let setup = Setup::new(vec![deployment("shop", "api", 2)]);
    let path = setup.folder().join("purlin.yaml");
    fs::write(&path, format!("{HEAD}admission: {{mode: warn}}\n")).unwrap();
    let mut program = setup.serve(&["--policy", path.to_str().unwrap()]);
    assert!(is_allowed(&program));
    for (at, text) in ["", "# nothing but a comment\n"].iter().enumerate() {
        fs::write(&path, text).unwrap();
        let refused = (at + 1) as f64;
        program.wait("a refusal", |it| it.metric("purlin_policy_failures_total") == refused);
        assert!(is_allowed(&program), "{text:?}");
        fs::write(&path, format!("{HEAD}admission: {{mode: warn}}\n# {at}\n")).unwrap();
        program.wait("the policy", |it| it.metric("purlin_policy_reloads_total") == refused);
    }
}

#[test]
fn a_policy_that_names_no_mode_has_that_of_the_server() {
    for (more, allowed) in [(&[][..], true), (&["--mode=enforce"][..], false)] {
        for admission in ["", "admission:\n", "admission: {}\n", "admission: {grace: 1h}\n"] {
            let setup = Setup::new(vec![deployment("shop", "api", 2)]);
            let path = setup.folder().join("purlin.yaml");
            fs::write(&path, format!("{HEAD}{admission}")).unwrap();
            let program = setup.serve(&[&["--policy", path.to_str().unwrap()], more].concat());
            assert_eq!(is_allowed(&program), allowed, "{admission:?} {more:?}");
        }
    }
}

#[test]
fn from_audit_to_enforce_is_told() {
    let Some(api) = ApiServer::start() else { return };
    namespace(&api, "shop");
    let map = |text: String| {
        json!({
            "apiVersion": "v1", "kind": "ConfigMap",
            "metadata": {"namespace": "default", "name": "policy"}, "data": {"purlin.yaml": text},
        })
    };
    create(&api, &map(HEAD.into())).unwrap();
    create(&api, &deployment("shop", "api", 2)).unwrap();
    let mut program = serve(&api, "serve", &["--policy-config-map=default/policy"]);
    assert!(is_allowed(&program), "nobody has asked for denials");
    let path = "/api/v1/namespaces/default/configmaps/policy";
    send(&api, "PATCH", path, &map(String::new())).unwrap();
    program.wait("a refusal", |it| it.metric("purlin_policy_failures_total") == 1.0);
    assert!(is_allowed(&program), "an empty policy is no policy");
    send(&api, "PATCH", path, &map(format!("{HEAD}admission: {{mode: enforce}}\n"))).unwrap();
    program.wait("a denial", |it| !is_allowed(it));
    let is_told =
        |it: &Value| it["level"] == "WARN" && it["message"].as_str().unwrap().contains("`enforce`");
    program.wait_for_log(is_told);
    program.wait("an event", |_| {
        let events = send(&api, "GET", "/api/v1/namespaces/default/events", &Value::Null).unwrap();
        let is_it = |it: &Value| {
            it["reason"] == "PolicyEnforces" && it["involvedObject"]["name"] == "policy"
        };
        events["items"].as_array().unwrap().iter().any(is_it)
    });
}
