//! Worlds beside each other: what is missing in one and is in another, and targets that are one world.

use crate::worlds::{AUTOSCALER, DEPLOYMENT, folder, has_kustomize, json, run};
use std::fs;
use tempfile::TempDir;

/// A platform that defines a namespace, and what the team of the namespace deploys into it.
fn platform() -> TempDir {
    let platform = "\
apiVersion: v1
kind: Namespace
metadata: {name: shop}
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: default-deny, namespace: shop}
spec: {podSelector: {matchLabels: {app: api}}, policyTypes: [Ingress, Egress]}
---
apiVersion: policy/v1
kind: PodDisruptionBudget
metadata: {name: api, namespace: shop}
spec: {maxUnavailable: 1, selector: {matchLabels: {app: api}}}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: {name: api, namespace: shop}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: Role, name: api}
subjects: [{kind: ServiceAccount, name: default, namespace: shop}]
---
apiVersion: v1
kind: Service
metadata: {name: typo, namespace: shop}
spec: {selector: {app: apy}, ports: [{port: 80}]}
---
";
    let role =
        "apiVersion: rbac.authorization.k8s.io/v1\nkind: Role\nmetadata: {name: api}\nrules: []\n";
    let autoscaler = AUTOSCALER.replace("name: api}\nspec", "name: api, namespace: shop}\nspec");
    folder(&[
        ("platform/all.yaml", &format!("{platform}{autoscaler}")),
        ("team/base/api.yaml", &DEPLOYMENT.replace("replicas: 1", "replicas: 3")),
        ("team/base/role.yaml", role),
        ("team/base/kustomization.yaml", "namespace: shop\nresources: [api.yaml, role.yaml]\n"),
        ("team/live/kustomization.yaml", "resources: [../base]\n"),
    ])
}

const ABSENCES: &str = "hpa-target-missing,dangling-role-binding,dangling-service,pdb-missing,\
                        pdb-selects-nothing,pod-not-isolated,policy-selects-nothing";

#[test]
fn what_another_world_has_cannot_be_told_to_be_missing() {
    if !has_kustomize() {
        return;
    }
    let folder = platform();
    let report = json(folder.path(), &["--only", ABSENCES], 1);
    // What none of them has is missing.
    let findings = report["findings"].as_array().unwrap();
    let found: Vec<_> = findings.iter().map(|it| it["message"].as_str().unwrap()).collect();
    assert_eq!(found, ["`Service/shop/typo` selects no pods"], "{report:#}");
    let asked: Vec<_> = report["unknown"].as_array().unwrap().iter().collect();
    let asked = asked.iter().map(|it| {
        let (thing, why) = it["missing"].as_str().unwrap().split_once(": ").unwrap();
        assert!(why.contains("targets of one name"), "{why}");
        (it["rule"].as_str().unwrap(), thing)
    });
    let team = "in world `team/live`";
    let expected = [
        ("dangling-role-binding", format!("Role `api` of namespace `shop`, {team}")),
        ("hpa-target-missing", format!("Deployment `api` of namespace `shop`, {team}")),
        ("pdb-missing", "the disruption budget of `api`, in world `plain manifests`".into()),
        ("pdb-selects-nothing", format!("the pods `app=api` of namespace `shop`, {team}")),
        (
            "pod-not-isolated",
            "a NetworkPolicy of namespace `shop`, in world `plain manifests`".into(),
        ),
        ("policy-selects-nothing", format!("the pods `app=api` of namespace `shop`, {team}")),
    ];
    let expected: Vec<_> = expected.iter().map(|(rule, it)| (*rule, it.as_str())).collect();
    assert_eq!(asked.collect::<Vec<_>>(), expected, "{report:#}");
}

#[test]
fn targets_of_one_name_are_one_world() {
    if !has_kustomize() {
        return;
    }
    let folder = platform();
    let policy = "apiVersion: purlin.dev/v1alpha1\nkind: Policy\ntargets:\n\
                  - {name: shop, path: platform}\n- {name: shop, path: team/live}\n";
    fs::write(folder.path().join("purlin.yaml"), policy).unwrap();
    let report = json(folder.path(), &["--only", ABSENCES], 1);
    assert_eq!(report["findings"].as_array().unwrap().len(), 1, "{report:#}");
    assert_eq!(report["unknown"], serde_json::json!([]), "{report:#}");
    // And what contradicts between them is found.
    let report = json(folder.path(), &["--only", "hpa-fights-replicas"], 0);
    let labels = report["findings"][0]["labels"].as_array().unwrap().iter();
    let files: Vec<_> = labels.map(|it| it["file"].as_str().unwrap()).collect();
    assert_eq!(files, ["team/base/api.yaml", "platform/all.yaml"], "{report:#}");
    // A part that cannot be rendered leaves nothing to judge, as what it holds would look missing.
    fs::write(folder.path().join("team/live/kustomization.yaml"), "resources: [gone]\n").unwrap();
    let run = run(folder.path(), &["--only", ABSENCES]);
    assert_eq!((run.status, run.out.as_str()), (2, ""), "{run:?}");
    assert!(run.err.contains("cannot render shop: team/live/kustomization.yaml:1"), "{run:?}");
}

#[test]
fn overlays_of_one_base_do_not_excuse_each_other() {
    if !has_kustomize() {
        return;
    }
    let policy = "apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: {name: deny}\n\
                  spec: {podSelector: {}, policyTypes: [Ingress, Egress]}\n";
    let folder = folder(&[
        ("base/api.yaml", DEPLOYMENT),
        ("base/kustomization.yaml", "resources: [api.yaml]\n"),
        ("a/kustomization.yaml", "resources: [../base, deny.yaml]\n"),
        ("a/deny.yaml", policy),
        ("b/kustomization.yaml", "namePrefix: b-\nresources: [../base]\n"),
    ]);
    let report = json(folder.path(), &["--only", "pod-not-isolated"], 0);
    assert_eq!(report["findings"].as_array().unwrap().len(), 1, "{report:#}");
    assert_eq!(report["findings"][0]["worlds"], serde_json::json!(["b"]));
    assert_eq!(report["unknown"], serde_json::json!([]));
}
