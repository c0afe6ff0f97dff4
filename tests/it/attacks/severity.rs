//! Denials are for what will break or cannot hold: a rule of a risk warns, unless the policy raises it.

use super::cluster::Cluster;
use super::objects::deployment;
use crate::webhook::support::rules;
use purlin::policy::Policy;
use purlin::policy_file;
use purlin::rule::{Admission, Severity};
use purlin::rules::built_in;
use serde_json::Value;
use std::sync::Arc;

fn latest() -> Value {
    let mut it = deployment("api", 2);
    it["spec"]["template"]["spec"]["containers"][0]["image"] =
        "registry.example.com/app:latest".into();
    it
}

fn policy(text: &str) -> Policy {
    let text = format!("apiVersion: purlin.dev/v1alpha1\nkind: Policy\n{text}\n");
    policy_file::read(&Arc::from(text), purlin::rules::built_in()).unwrap().value
}

#[test]
fn a_risk_is_warned_of_unless_the_policy_raises_it() {
    let rule = "image-tag-latest";
    let found = built_in().iter().find(|it| it.id == rule).unwrap();
    assert_eq!((found.severity, found.admission), (Severity::Warning, Admission::Deny));
    let mut cluster = Cluster::new();
    let verdict = cluster.apply(&latest());
    assert!(!verdict.is_denied() && rules(&verdict.warnings).contains(rule));
    for raised in
        ["rules: {image-tag-latest: error}", "admission: {rules: {image-tag-latest: enforce}}"]
    {
        let mut cluster = Cluster::new();
        cluster.policy = policy(raised);
        assert_eq!(rules(&cluster.apply(&latest()).denials), [rule].into(), "{raised}");
    }
}

#[test]
fn what_the_policy_lowers_warns() {
    let mut cluster = Cluster::of(&[deployment("api", 2)]);
    cluster.policy = policy("rules: {pdb-blocks-drain: warning}");
    let verdict = cluster.apply(&super::objects::budget("api", "api", 2));
    assert!(!verdict.is_denied() && rules(&verdict.warnings).contains("pdb-blocks-drain"));
}
