//! Configurations of other linters as policies: what the program prints is read as a policy, and says what is expected.

use crate::support::fixture;
use purlin::policy::{Level, Policy};
use purlin::policy_file;
use purlin::rule::Severity;
use purlin::rules::{LEFT_OUT, built_in};
use std::process::{Command, Output};
use std::sync::Arc;

fn run(arguments: &[&str]) -> Output {
    let purlin = Command::new(env!("CARGO_BIN_EXE_purlin"));
    let mut purlin = purlin;
    purlin.arg("migrate").args(arguments).output().unwrap()
}

/// What is printed as a policy, with its text and what is said beside it.
fn policy(arguments: &[&str]) -> (Policy, String, String) {
    let output = run(arguments);
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(output.status.success(), "{said}");
    let text = String::from_utf8(output.stdout).unwrap();
    let read = policy_file::read(&Arc::from(text.as_str()), built_in());
    (read.unwrap_or_else(|it| panic!("{it:?} in\n{text}")).value, text, said)
}

fn file(name: &str) -> String {
    fixture(&format!("migrate/{name}")).display().to_string()
}

#[test]
fn a_configuration_of_kube_linter_becomes_rules_parameters_and_exclusions() {
    let (policy, text, said) = policy(&["kube-linter", &file("kube-linter.yaml")]);
    assert_eq!(policy.exclude, ["/vendor/**"]);
    assert_eq!(policy.level("image-tag-latest"), Some(Level::Off), "{text}");
    // It covers `minimum-three-replicas`, which is not left out, and a check of one's own sets how many.
    assert_eq!(policy.parameter("single-replica", "minimum"), Some(&vec!["4".to_string()]));
    assert_eq!(
        policy.parameter("exposed-node-port", "types"),
        Some(&vec!["NodePort".to_string(), "LoadBalancer".to_string()])
    );
    let required = policy.demands("metadata-missing", "required");
    assert_eq!(required.len(), 2, "{text}");
    assert!(required[0].is_for("Deployment") && !required[0].is_for("Service"));
    assert_eq!(required[0].key(), ("label", "owner"));
    let pattern = required[1].matches.as_ref().unwrap();
    assert!(pattern.is_match("shop@shop.example") && !pattern.is_match("nobody"));
    for unequal in ["`no-node-affinity`", "`sees-cel`", "`not-a-check`", "`~/elsewhere`"] {
        assert!(said.contains(unequal), "{unequal} is not in {said}");
        assert!(text.contains(&format!("# - {unequal}")) || text.contains(unequal), "{text}");
    }
}

#[test]
fn a_configuration_of_kube_linter_may_ask_for_what_it_names_alone() {
    let (policy, text, _) = policy(&["kube-linter", &file("kube-linter-alone.yaml")]);
    assert!(text.contains("extends: [invariants]"), "{text}");
    assert!(policy.is_configured("access-to-secrets"), "{text}");
    assert_eq!(policy.level("access-to-secrets"), None, "the rule's own severities");
}

#[test]
fn a_configuration_of_polaris_becomes_severities_and_exceptions() {
    let (policy, text, said) = policy(&["polaris", &file("polaris.yaml")]);
    let on = |severity| Some(Level::On(severity));
    assert_eq!(policy.level("image-tag-latest"), on(Severity::Error));
    assert_eq!(policy.level("pdb-missing"), Some(Level::Off), "{text}");
    // Of two checks that one rule covers the stricter counts, and the one that is on.
    assert_eq!(policy.level("access-as-cluster-admin"), on(Severity::Error));
    assert!(said.contains("`rolebindingClusterAdminRole` off"), "{said}");
    let excepted: Vec<_> = policy.exceptions.iter().map(|it| it.rule.as_str()).collect();
    assert_eq!(excepted, ["image-tag-latest", "*"], "{text}");
    for unequal in ["`metadataAndInstanceMismatched`", "`ownCheck`", "`mutations`"] {
        assert!(said.contains(unequal), "{unequal} is not in {said}");
    }
}

#[test]
fn flags_of_kube_score_become_rules() {
    let flags = [
        "kube-score",
        "--",
        "--ignore-test",
        "pod-networkpolicy,container-image-tag",
        "--kubernetes-version=v1.30",
        "--min-replicas-deployment",
        "3",
        "-o",
        "ci",
        "--disable-ignore-checks-annotations",
        "--threshold",
        "5",
        "manifests/*.yaml",
    ];
    let (policy, text, said) = policy(&flags);
    assert_eq!(policy.level("pod-not-isolated"), Some(Level::Off));
    assert_eq!(policy.level("image-tag-latest"), Some(Level::Off));
    assert_eq!(policy.parameter("single-replica", "minimum"), Some(&vec!["3".to_string()]));
    assert!(text.contains("kubernetesVersion: \"1.30\""), "{text}");
    assert!(said.contains("--disable-ignore-checks-annotations") && said.contains("--threshold"));
    assert!(!said.contains("`-o`") && !said.contains("--output"), "{said}");
}

#[test]
fn what_is_no_configuration_is_refused_with_its_place() {
    let output = run(&["polaris", &file("no-mapping.yaml")]);
    assert_eq!(output.status.code(), Some(2));
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(said.contains("no-mapping.yaml:1:1: not a configuration"), "{said}");
    assert_eq!(run(&["kube-linter", "not-there.yaml"]).status.code(), Some(2));
}

#[test]
fn no_check_is_both_covered_and_left_out() {
    for it in LEFT_OUT {
        for check in it.checks {
            let like = format!("{}:{check}", it.tool);
            let covering = built_in().iter().find(|rule| rule.like.contains(&like.as_str()));
            assert!(covering.is_none(), "{like} is covered by {}", covering.unwrap().id);
        }
    }
}
