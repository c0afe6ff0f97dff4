//! Operators and release tools: what the next object of a release completes is awaited, whoever sends it, and who is
//! exempt is the policy's business.

use super::cluster::Cluster;
use super::objects::{autoscaler, budget, deployment, quota, with};
use crate::webhook::support::{request, rules};
use purlin::policy::Policy;
use purlin::policy_file;
use serde_json::{Value, json};
use std::sync::Arc;

const MANAGERS: [&str; 7] = [
    "helm",
    "helm-controller",
    "kustomize-controller",
    "argocd-controller",
    "Terraform",
    "pulumi-kubernetes",
    "kubectl-create",
];

/// The pods of a custom object come one after the other, and its budget among them.
#[test]
fn a_budget_comes_before_all_pods_of_its_operator() {
    let pod = |at: usize| {
        json!({"apiVersion": "v1", "kind": "Pod",
            "metadata": {"name": format!("db-{at}"), "namespace": "shop", "labels": {"app": "db"},
                "ownerReferences": [{"apiVersion": "db.example/v1", "kind": "Database",
                    "name": "db", "uid": "1", "controller": true}]},
            "spec": {"containers": [{"name": "db", "image": "registry.example.com/db:1"}]}})
    };
    for there in 0..3 {
        let pods: Vec<Value> = (0..there).map(pod).collect();
        let mut cluster = Cluster::of(&pods);
        let verdict = cluster.apply(&budget("db", "db", 2));
        assert!(!verdict.is_denied(), "{there}: {:#?}", verdict.denials);
        assert!(!verdict.warnings.is_empty(), "{there}");
    }
    // Once they are there, who raises the budget has nothing to wait for.
    let mut cluster = Cluster::of(&[pod(0), pod(1), budget("db", "db", 1)]);
    assert_eq!(rules(&cluster.apply(&budget("db", "db", 2)).denials), ["pdb-blocks-drain"].into());
}

fn unstated(mut deployment: Value) -> Value {
    deployment["spec"]["template"]["spec"]["containers"][0]["resources"] = json!({});
    deployment
}

#[test]
fn a_workload_comes_before_its_autoscaler() {
    for manager in MANAGERS {
        let mut api = deployment("api", 1);
        api["spec"].as_object_mut().unwrap().remove("replicas");
        let all = [api, budget("api", "api", 2), autoscaler("api", "api", 3, 9)];
        let mut cluster = Cluster::new();
        cluster.manager = manager;
        for it in &all {
            let verdict = cluster.apply(it);
            assert!(!verdict.is_denied(), "{manager}: {:#?}", verdict.denials);
        }
    }
}

#[test]
fn a_quota_comes_before_its_limit_range() {
    let limits = json!({"apiVersion": "v1", "kind": "LimitRange",
        "metadata": {"name": "defaults", "namespace": "shop"},
        "spec": {"limits": [{"type": "Container", "defaultRequest": {"cpu": "1"}}]}});
    let all = [unstated(deployment("api", 2)), quota(9), limits, autoscaler("api", "api", 2, 3)];
    for order in [[0, 1, 2, 3], [1, 0, 2, 3], [3, 0, 1, 2], [1, 3, 0, 2]] {
        let mut cluster = Cluster::new();
        for at in order {
            let verdict = cluster.apply(&all[at]);
            assert!(!verdict.is_denied(), "{order:?} {at}: {:#?}", verdict.denials);
        }
    }
    // Once all is there, who takes the requests of a workload away has nothing to wait for.
    let mut cluster = Cluster::of(&[deployment("api", 2), quota(9)]);
    let verdict = cluster.apply(&unstated(deployment("api", 2)));
    assert_eq!(rules(&verdict.denials), ["quota-rejects-pod"].into());
}

/// The examples of the documentation.
fn policy(exempt: &str) -> Policy {
    let text = format!(
        "apiVersion: purlin.dev/v1alpha1\nkind: Policy\nadmission:\n  exempt:\n  - {exempt}\n"
    );
    policy_file::read(&Arc::from(text), purlin::rules::built_in()).unwrap().value
}

#[test]
fn the_policy_exempts_by_who_asks_and_by_the_object() {
    let guard = || {
        let mut guard = with(budget("osd", "osd", 2), "labels", "app", "rook-ceph-osd");
        guard["metadata"]["ownerReferences"] = json!([{"apiVersion": "ceph.rook.io/v1",
            "kind": "CephCluster", "name": "rook-ceph", "uid": "1"}]);
        guard
    };
    let is_denied = |exempt: Option<&str>, groups: Value| {
        let mut cluster = Cluster::of(&[deployment("osd", 2)]);
        cluster.policy = exempt.map(policy).unwrap_or_default();
        cluster.user = "system:serviceaccount:rook-ceph:rook-ceph-system";
        let mut create = request(None, Some(&guard()));
        create["request"]["userInfo"]["groups"] = groups;
        let verdict = cluster.ask(&create);
        // Exempt, it still stands in metrics and reports.
        assert_eq!(verdict.is_denied(), verdict.audit.is_empty());
        verdict.is_denied()
    };
    let nobody = || json!([]);
    assert!(is_denied(None, nobody()));
    for exempt in [
        "{serviceAccounts: [rook-ceph/rook-ceph-system], reason: blocks drains for a while}",
        "{users: ['system:serviceaccount:rook-ceph:*'], reason: it}",
        "{owners: [ceph.rook.io/CephCluster], reason: it}",
        "{labels: {app: 'rook-*'}, rules: [pdb-blocks-drain], reason: it}",
    ] {
        assert!(!is_denied(Some(exempt), nobody()), "{exempt}");
    }
    let group = "{groups: ['system:serviceaccounts:rook-ceph'], reason: it}";
    assert!(!is_denied(Some(group), json!(["system:serviceaccounts:rook-ceph"])));
    for other in [
        group,
        "{serviceAccounts: [shop/rook-ceph-system], reason: it}",
        "{serviceAccounts: [rook-ceph/rook-ceph-system], rules: [pdb-overlap], reason: it}",
        "{serviceAccounts: [rook-ceph/rook-ceph-system], labels: {app: other}, reason: it}",
    ] {
        assert!(is_denied(Some(other), nobody()), "{other}");
    }
}

#[test]
fn a_label_that_comes_with_the_change_exempts_nothing() {
    let mut cluster = Cluster::of(&[deployment("osd", 2), budget("osd", "osd", 1)]);
    cluster.policy = policy("{labels: {app: rook-ceph-osd}, reason: it}");
    let labelled = with(budget("osd", "osd", 2), "labels", "app", "rook-ceph-osd");
    assert!(cluster.apply(&labelled).is_denied());
}

#[test]
fn the_documented_exemptions_are_a_policy() {
    let text = std::fs::read_to_string(crate::support::root().join("deploy/README.md")).unwrap();
    let start = text.find("```yaml\nadmission:\n  exempt:").unwrap() + "```yaml\n".len();
    let block = &text[start..start + text[start..].find("```").unwrap()];
    let text = format!("apiVersion: purlin.dev/v1alpha1\nkind: Policy\n{block}");
    let policy = policy_file::read(&Arc::from(text), purlin::rules::built_in()).unwrap().value;
    assert!(policy.admission.exempt.len() >= 5);
    for it in &policy.admission.exempt {
        assert!(!it.service_accounts.is_empty() && !it.rules.is_empty(), "{it:?}");
    }
}
