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
    for format in ["human", "json", "sarif", "junit", "github", "markdown"] {
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
