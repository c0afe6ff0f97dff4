//! What the webhook says of pods and the labels of their namespaces, whichever comes second.

use crate::webhook::support::{cluster, request, rules, verdict};
use serde_json::{Value, json};

const RULE: &str = "pod-rejected-by-pod-security";

fn namespace(level: Option<&str>) -> Value {
    let mut namespace =
        json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "shop"}});
    if let Some(level) = level {
        namespace["metadata"]["labels"] = json!({"pod-security.kubernetes.io/enforce": level});
    }
    namespace
}

fn deployment(spec: Value) -> Value {
    let mut spec = spec;
    spec["containers"] = json!([{"name": "web", "image": "registry.example/web:1.4.0"}]);
    json!({"apiVersion": "apps/v1", "kind": "Deployment",
        "metadata": {"name": "web", "namespace": "shop"},
        "spec": {"selector": {"matchLabels": {"app": "web"}},
            "template": {"metadata": {"labels": {"app": "web"}}, "spec": spec}}})
}

#[test]
fn a_deployment_whose_pods_are_refused_is_denied() {
    let state = cluster(&[namespace(Some("baseline"))]);
    let plain = deployment(json!({}));
    assert!(!verdict(&state, &request(None, Some(&plain))).is_denied());
    let shared = deployment(json!({"hostIPC": true}));
    let verdict = verdict(&state, &request(None, Some(&shared)));
    assert!(rules(&verdict.denials).contains(RULE), "{:?}", verdict.denials);
}

#[test]
fn a_label_that_refuses_what_runs_is_denied_and_a_lesser_one_is_not() {
    let state = cluster(&[namespace(None), deployment(json!({"hostIPC": true}))]);
    let asks = |level: &str| request(Some(&namespace(None)), Some(&namespace(Some(level))));
    let stricter = verdict(&state, &asks("baseline"));
    assert!(rules(&stricter.denials).contains(RULE), "{:?}", stricter.denials);
    assert!(!verdict(&state, &asks("privileged")).is_denied());
}

#[test]
fn what_was_refused_before_is_no_reason_to_deny() {
    let before = deployment(json!({"hostIPC": true}));
    let state = cluster(&[namespace(Some("baseline")), before.clone()]);
    let mut after = before.clone();
    after["spec"]["replicas"] = 3.into();
    let same = verdict(&state, &request(Some(&before), Some(&after)));
    assert!(!rules(&same.denials).contains(RULE), "{:?}", same.denials);
    after["spec"]["template"]["spec"]["hostPID"] = true.into();
    let worse = verdict(&state, &request(Some(&before), Some(&after)));
    assert!(rules(&worse.denials).contains(RULE), "{:?}", worse.denials);
}
