//! Other people's text in answers: it stands on one line, in the order in which it is read.

use super::cluster::Cluster;
use super::objects::{deployment, ingress, quota};
use serde_json::Value;
use std::process::Command;

const HOSTILE: &str = "a\nhelp: run this\u{202e}\u{2066}b\u{1b}[31m\u{7}";

/// Whether a text could move a cursor, forge a line or turn its order around.
fn is_safe(text: &str) -> bool {
    let is_hostile = |it: char| {
        it.is_control() || matches!(it, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
    };
    !text.chars().any(is_hostile)
}

#[test]
fn a_denial_and_a_warning_hold_nothing_that_a_terminal_obeys() {
    let mut theirs = ingress("theirs", "front", "front");
    theirs["spec"]["rules"][0]["http"]["paths"][0]["path"] = HOSTILE.into();
    let mut mine = ingress("shop", "front", "front");
    mine["spec"]["rules"][0]["http"]["paths"][0]["path"] = HOSTILE.into();
    let mut cluster = Cluster::of(std::slice::from_ref(&theirs));
    let verdict = cluster.apply(&mine);
    assert!(verdict.is_denied());
    let answer: Value = serde_json::from_slice(&verdict.answer("1")).unwrap();
    let message = answer["response"]["status"]["message"].as_str().unwrap();
    assert!(message.lines().all(is_safe), "{message:?}");
    assert!(!message.lines().any(|it| it.trim_start().starts_with("help: run this")), "{message}");

    let mut odd = deployment("api", 3);
    odd["spec"]["template"]["spec"]["containers"][0]["name"] = HOSTILE.into();
    odd["spec"]["template"]["spec"]["containers"][0]["resources"] = serde_json::json!({});
    let mut cluster = Cluster::of(&[quota(9)]);
    let verdict = cluster.apply(&odd);
    let answer: Value = serde_json::from_slice(&verdict.answer("1")).unwrap();
    let warnings = answer["response"]["warnings"].as_array().unwrap();
    assert!(!warnings.is_empty());
    for it in warnings {
        assert!(is_safe(it.as_str().unwrap()), "{it:?}");
    }
}

#[test]
fn no_report_holds_anything_that_a_terminal_obeys() {
    let folder = tempfile::tempdir().unwrap();
    let mut odd = deployment("api", 3);
    let container = &mut odd["spec"]["template"]["spec"]["containers"][0];
    container["name"] = HOSTILE.into();
    container["image"] = format!("registry.example.com/{HOSTILE}:latest").into();
    container["resources"] = serde_json::json!({});
    let mut paths = ingress("shop", "front", "front");
    let mut twice = paths["spec"]["rules"][0].clone();
    twice["host"] = HOSTILE.into();
    paths["spec"]["rules"] = serde_json::json!([twice.clone(), twice]);
    for (at, it) in [odd, quota(9), paths].iter().enumerate() {
        std::fs::write(folder.path().join(format!("{at}.json")), it.to_string()).unwrap();
    }
    for format in ["human", "concise", "json", "sarif", "junit", "github", "markdown"] {
        let output = Command::new(env!("CARGO_BIN_EXE_purlin"))
            .args(["check", "--format", format])
            .arg(folder.path())
            .output()
            .unwrap();
        let report = String::from_utf8(output.stdout).unwrap();
        assert!(report.contains("quota-rejects-pod"), "{format}: {report}");
        for line in report.lines() {
            assert!(is_safe(line), "{format}: {line:?}");
            assert!(!line.trim_start().starts_with("help: run this"), "{format}: {report}");
        }
    }
}

/// Whatever an object holds, it is quoted where it is shown: names, keys, values, names of files.
#[test]
fn hostile_texts_in_every_place_are_quoted_in_every_format() {
    let folder = tempfile::tempdir().unwrap();
    for (at, it) in hostile_objects().iter().enumerate() {
        std::fs::write(folder.path().join(format!("{at}.json")), it.to_string()).unwrap();
    }
    let checks = ["human", "concise", "json", "sarif", "junit", "github", "markdown"]
        .map(|it| vec!["check", "--format", it]);
    let pictures = ["mermaid", "dot"].map(|it| vec!["graph", "--format", it]);
    let hold = |args: &[&str]| {
        let output = Command::new(env!("CARGO_BIN_EXE_purlin"))
            .args(args)
            .arg(folder.path())
            .env("NO_COLOR", "1")
            .output()
            .unwrap();
        for text in [&output.stdout, &output.stderr] {
            for line in String::from_utf8_lossy(text).lines() {
                assert!(is_safe(line), "{args:?}: {line:?}");
                let is_forged =
                    ["help: run this", "::error::x"].iter().any(|it| line.trim().starts_with(it));
                assert!(!is_forged, "{args:?}: {line}");
            }
        }
        (output.status.code(), output.stdout.len())
    };
    for args in checks.iter().chain(&pictures) {
        let (status, length) = hold(args);
        assert!(matches!(status, Some(0 | 1)) && length > 0, "{args:?}: {status:?}");
    }
    // A file that does not parse, by its name.
    let name = format!("{}.yaml", HOSTILE.replace("help: run this", "::error::x"));
    std::fs::write(folder.path().join(name), "apiVersion: v1\nkind: Service\nspec: [").unwrap();
    for args in checks.iter().chain(&pictures).chain([&vec!["reach"]]) {
        hold(args);
    }
}

fn hostile_objects() -> [Value; 7] {
    let mut workload = deployment(HOSTILE, 2);
    workload["metadata"]["annotations"] =
        serde_json::json!({ format!("purlin.dev/ignore.{HOSTILE}"): HOSTILE });
    workload["metadata"]["labels"] = serde_json::json!({ HOSTILE: HOSTILE });
    let pod = &mut workload["spec"]["template"]["spec"];
    pod["serviceAccountName"] = HOSTILE.into();
    pod["containers"][0] = serde_json::json!({
        "name": HOSTILE, "image": HOSTILE, "resources": {"limits": {"cpu": HOSTILE}},
        "env": [{"name": HOSTILE, "valueFrom": {"configMapKeyRef": {"name": HOSTILE, "key": HOSTILE}}}],
        "ports": [{"name": HOSTILE, "containerPort": 80}],
    });
    let mut guard = super::objects::budget(HOSTILE, HOSTILE, 2);
    guard["spec"]["maxUnavailable"] = HOSTILE.into();
    let mut host = ingress("shop", HOSTILE, HOSTILE);
    host["spec"]["rules"][0]["host"] = HOSTILE.into();
    let policy = serde_json::json!({"apiVersion": "networking.k8s.io/v1", "kind": "NetworkPolicy",
        "metadata": {"name": HOSTILE, "namespace": "shop"},
        "spec": {"podSelector": {"matchLabels": {"app": HOSTILE}}, "policyTypes": ["Ingress"],
            "ingress": [{"ports": [{"port": HOSTILE}]}]}});
    let service = serde_json::json!({"apiVersion": "v1", "kind": "Service",
        "metadata": {"name": "front", "namespace": "shop"},
        "spec": {"selector": {HOSTILE: HOSTILE}, "ports": [{"port": 80, "targetPort": HOSTILE}]}});
    let mut limits = quota(1);
    limits["spec"]["hard"][HOSTILE] = HOSTILE.into();
    [
        workload,
        guard,
        host,
        policy,
        service,
        limits,
        super::objects::autoscaler(HOSTILE, HOSTILE, 1, 2),
    ]
}
