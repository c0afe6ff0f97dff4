//! The manifests agree with the rules and with what the server does.

use crate::support::{root, snapshot};
use purlin::api::kind::Kind;
use purlin::policy_file;
use purlin::rules::built_in;
use purlin::webhook::rulebook::Rulebook;
use purlin::webhook::subscriptions::{is_subscribed, subscriptions};
use std::collections::BTreeSet;
use std::process::Command;
use std::sync::Arc;

/// A file below `deploy/`.
pub(super) fn file(name: &str) -> String {
    std::fs::read_to_string(root().join("deploy").join(name)).unwrap()
}

/// Holds what follows the last `rules:` of a file to this, or writes it there.
fn hold_rules(name: &str, rules: &str) {
    let text = file(name);
    let at = text.rfind("rules:").unwrap();
    snapshot(&root().join("deploy").join(name), &format!("{}rules:\n{rules}", &text[..at]));
}

/// What the program prints.
pub(super) fn purlin(args: &[&str]) -> String {
    let output =
        Command::new(env!("CARGO_BIN_EXE_purlin")).args(args).env_clear().output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

fn list(items: impl IntoIterator<Item = String>, indent: &str) -> String {
    items.into_iter().map(|it| format!("{indent}- {it}\n")).collect()
}

fn quoted(group: &str) -> &str {
    if group.is_empty() { "\"\"" } else { group }
}

#[test]
fn the_api_server_asks_about_what_the_rules_need() {
    let book = Rulebook::new(built_in());
    let rules: String = subscriptions(&book)
        .into_iter()
        .map(|it| {
            let (indent, version) =
                ("          ", if it.version == "*" { "\"*\"" } else { it.version });
            format!(
                "      - apiGroups: [{}]\n        apiVersions: [{version}]\n        \
                 operations: [CREATE, UPDATE, DELETE]\n        resources:\n{}",
                quoted(it.group),
                list(it.resources, indent)
            )
        })
        .collect();
    hold_rules("base/webhook.yaml", &rules);
    // Whoever cannot write these cannot repair anything.
    for never in [Kind::Node, Kind::Pod, Kind::ValidatingWebhookConfiguration] {
        assert!(!is_subscribed(&book, never), "{}", never.name());
    }
    for always in [Kind::Deployment, Kind::PodDisruptionBudget, Kind::ResourceQuota] {
        assert!(is_subscribed(&book, always), "{}", always.name());
    }
}

#[test]
fn the_webhook_may_read_what_the_rules_need() {
    let role = purlin(&["rbac"]);
    let (_, rules) = role.split_once("\nrules:\n").unwrap();
    // What is in Secrets is not for a program that talks to the whole cluster.
    assert!(rules.contains("      - secrets\n"));
    hold_rules("base/cluster-role.yaml", &rules.replace("      - secrets\n", ""));
}

#[test]
fn the_server_knows_its_arguments() {
    let text = file("base/deployment.yaml");
    let (_, args) = text.split_once("          args:\n").unwrap();
    let args = args.lines().map_while(|it| it.strip_prefix("            - "));
    let args: Vec<&str> = args.chain(["--help"]).collect();
    assert_eq!(args[0], "serve");
    purlin(&args);
}

/// The names of metrics in a text.
fn metrics(text: &str) -> BTreeSet<&str> {
    let is_part = |it: char| it.is_ascii_alphanumeric() || it == '_';
    text.split(|it| !is_part(it)).filter(|it| it.starts_with("purlin_")).collect()
}

#[test]
fn alerts_and_dashboard_ask_for_metrics_that_there_are() {
    let source = std::fs::read_to_string(root().join("src/serve/metrics.rs")).unwrap();
    let registered: BTreeSet<String> = source
        .split("register(")
        .filter_map(|it| it.trim_start().strip_prefix('"')?.split('"').next())
        .flat_map(|it| ["", "_total", "_bucket"].map(|end| format!("purlin_{it}{end}")))
        .collect();
    for name in ["monitoring/alerts.yaml", "monitoring/dashboard.json"] {
        let text = file(name);
        let asked = metrics(&text);
        assert!(asked.len() > 5, "{name}: {asked:?}");
        let unknown: Vec<_> = asked.iter().filter(|it| !registered.contains(**it)).collect();
        assert!(unknown.is_empty(), "{name}: {unknown:?}");
    }
}

#[test]
fn the_policy_is_valid() {
    let text = file("base/policy.yaml");
    let (_, policy) = text.split_once("purlin.yaml: |\n").unwrap();
    let policy: String =
        policy.lines().map(|it| format!("{}\n", it.trim_start_matches("    "))).collect();
    let policy = policy_file::read(&Arc::from(policy), purlin::rules::built_in()).unwrap().value;
    assert_eq!(policy.admission.mode.name(), "audit");
}

/// As files, and as the kustomizations make of them where a program renders these.
#[test]
fn they_are_clean() {
    let mut files = Vec::new();
    for folder in ["base", "monitoring"] {
        for it in std::fs::read_dir(root().join("deploy").join(folder)).unwrap() {
            let path = it.unwrap().path();
            if !path.ends_with("kustomization.yaml") {
                files.push(path.to_string_lossy().into_owned());
            }
        }
    }
    let mut inputs = vec![files];
    if crate::worlds::has_kustomize() {
        inputs.push(vec!["deploy".into()]);
    }
    for input in inputs {
        let output = Command::new(env!("CARGO_BIN_EXE_purlin"))
            .args(["check", "--fail-on", "warning"])
            .args(&input)
            .current_dir(root())
            .output()
            .unwrap();
        let report = String::from_utf8_lossy(&output.stdout);
        let is_clean = output.status.success() && report.contains("nothing to report");
        assert!(is_clean, "{report}{}", String::from_utf8_lossy(&output.stderr));
    }
}

#[test]
fn the_image_is_of_this_version() {
    let image = format!("image: purlin:{}\n", env!("CARGO_PKG_VERSION"));
    assert!(file("base/deployment.yaml").contains(&image), "{image}");
}
