//! The form of answers, and bodies that are no questions.

use super::support::{cluster, request, review, verdict};
use purlin::webhook::review::Review;
use serde_json::{Value, json};

fn config_map() -> Value {
    json!({"apiVersion": "v1", "kind": "ConfigMap",
        "metadata": {"name": "settings", "namespace": "shop"}, "data": {}})
}

#[test]
fn what_is_no_question_is_malformed() {
    let with = |path: &str, value: Value| {
        let mut body = request(None, Some(&config_map()));
        *body.pointer_mut(path).unwrap() = value;
        body.to_string()
    };
    let deep = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
    let cases = [
        (String::new(), "does not parse"),
        ("{".into(), "does not parse"),
        (deep, "does not parse"),
        ("{}".into(), "is no `admission.k8s.io/v1` AdmissionReview"),
        ("[]".into(), "is no `admission.k8s.io/v1` AdmissionReview"),
        ("null".into(), "does not parse"),
        (with("/apiVersion", "admission.k8s.io/v1beta1".into()), "is no `admission.k8s.io/v1`"),
        (with("/kind", "Review".into()), "is no `admission.k8s.io/v1` AdmissionReview"),
        (with("/request", Value::Null), "`request` is missing"),
        (with("/request/uid", "".into()), "`request.uid` is missing"),
        (with("/request/operation", "PATCH".into()), "`request.operation` is none that there is"),
        (with("/request/object", Value::Null), "`request.object` is missing"),
        (with("/request/resource", Value::Null), "`request.resource.resource` is missing"),
        (with("/request/operation", "UPDATE".into()), "`request.oldObject` is missing"),
        (with("/request/operation", "DELETE".into()), "`request.oldObject` is missing"),
    ];
    for (body, expected) in cases {
        let found = Review::parse(body.as_bytes()).unwrap_err().to_string();
        assert!(found.contains(expected), "{found}");
    }
    assert!(Review::parse(b"\xff\xfe").is_err());
}

#[test]
fn of_a_namespace_the_request_names_itself() {
    let namespace = json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "shop", "labels": {}}});
    let mut body = request(None, Some(&namespace));
    body["request"]["namespace"] = "shop".into();
    assert_eq!(review(&body).key.to_string(), "Namespace/shop");
}

#[test]
fn objects_as_large_as_the_api_server_takes_are_read() {
    let mut large = config_map();
    large["data"] = json!({"a": "x".repeat(3 << 20)});
    let body = request(Some(&large), Some(&large)).to_string();
    assert!(body.len() > 6 << 20);
    let review = Review::parse(body.as_bytes()).unwrap();
    assert!(!verdict(&cluster(&[]), &request(Some(&large), Some(&large))).is_denied());
    assert_eq!(review.key.to_string(), "ConfigMap/shop/settings");
}

#[test]
fn answers_keep_to_what_the_api_server_takes() {
    let objects: Vec<Value> = (0..200).map(budgeted).collect();
    let limit = json!({"apiVersion": "v1", "kind": "LimitRange",
        "metadata": {"name": "limits", "namespace": "shop"},
        "spec": {"limits": [{"type": "Container", "max": {"cpu": "1m"}}]}});
    let body = request(None, Some(&limit));
    let state = cluster(&objects);
    let review = review(&body);
    let verdict = verdict(&state, &body);
    assert_eq!(verdict.denials.len(), 200);
    let answer: Value = serde_json::from_slice(&verdict.answer(&review.uid)).unwrap();
    let response = &answer["response"];
    assert_eq!(answer["kind"], "AdmissionReview");
    assert_eq!(answer["apiVersion"], "admission.k8s.io/v1");
    assert_eq!(response["uid"], body["request"]["uid"]);
    assert_eq!(response["allowed"], false);
    assert_eq!(response["status"]["code"], 403);
    assert_eq!(response["status"]["reason"], "Forbidden");
    let message = response["status"]["message"].as_str().unwrap();
    assert!(message.len() <= 4096, "{}", message.len());
    let (_, more) = message.rsplit_once("\n\nand ").unwrap();
    let told = message.matches("limit-range-violation: ").count();
    assert_eq!(more, format!("{} more", 200 - told));
    // A validating webhook that patches has failed, even with nothing.
    assert!(response.get("patch").is_none() && response.get("patchType").is_none());
}

fn budgeted(at: usize) -> Value {
    json!({"apiVersion": "apps/v1", "kind": "Deployment",
        "metadata": {"name": format!("app-{at}-ü"), "namespace": "shop"},
        "spec": {"selector": {"matchLabels": {"app": at.to_string()}},
            "template": {"metadata": {"labels": {"app": at.to_string()}},
                "spec": {"containers": [{"name": "app", "image": "registry.example.com/app:1",
                    "resources": {"requests": {"cpu": "1"}, "limits": {"cpu": "1"}}}]}}}})
}

#[test]
fn warnings_are_lines_of_some_length_and_not_too_many() {
    let maps: Vec<Value> = (0..300)
        .map(|it| json!({"configMapRef": {"name": format!("settings-{it}-{}", "x".repeat(150))}}))
        .collect();
    let mut needy = budgeted(0);
    needy["spec"]["template"]["spec"]["containers"][0]["envFrom"] = maps.into();
    let body = request(None, Some(&needy));
    let verdict = verdict(&cluster(&[]), &body);
    assert!(verdict.warnings.len() >= 300);
    let answer: Value = serde_json::from_slice(&verdict.answer(&review(&body).uid)).unwrap();
    assert_eq!(answer["response"]["allowed"], true);
    assert!(answer["response"].get("status").is_none());
    let warnings: Vec<&str> = answer["response"]["warnings"]
        .as_array()
        .unwrap()
        .iter()
        .map(|it| it.as_str().unwrap())
        .collect();
    assert!(warnings.iter().all(|it| it.chars().count() <= 256 && !it.contains('\n')));
    assert!(warnings.iter().map(|it| it.chars().count()).sum::<usize>() <= 3700);
    assert!(warnings.last().unwrap().ends_with("more warnings of purlin"));
}

#[test]
fn no_answer_holds_a_value_of_a_secret() {
    let secret = json!({"apiVersion": "v1", "kind": "Secret",
        "metadata": {"name": "token", "namespace": "shop",
            "annotations": {"kubectl.kubernetes.io/last-applied-configuration": "hunter2hunter2"}},
        "data": {"token": "aHVudGVyMmh1bnRlcjI="}, "stringData": {"password": "hunter2hunter2"}});
    let body = request(None, Some(&secret));
    let review = review(&body);
    let held = format!("{:?}", review.object);
    assert!(held.contains("password"), "{held}");
    assert!(!held.contains("hunter2") && !held.contains("aHVudGVyMm"), "{held}");
    let verdict = verdict(&cluster(&[]), &body);
    let answer = String::from_utf8(verdict.answer(&review.uid)).unwrap();
    assert!(!answer.contains("hunter2") && !answer.contains("aHVudGVyMm"), "{answer}");
}
