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
apiVersion: apps/v1
kind: DaemonSet
metadata: {name: agent, namespace: shop}
spec:
  selector: {matchLabels: {app: agent}}
  template:
    metadata: {labels: {app: agent}}
    spec: {serviceAccountName: agent, hostNetwork: true, containers: [{name: agent, image: registry.example/agent}]}
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
    // What a part that cannot be rendered may hold is missing nowhere.
    fs::write(folder.path().join("team/live/kustomization.yaml"), "resources: [gone]\n").unwrap();
    let run = run(folder.path(), &["--only", ABSENCES]);
    assert_eq!(run.status, 2, "{run:?}");
    assert!(run.out.contains("world `shop` could not be rendered, and may hold"), "{run:?}");
    assert!(!run.out.contains("selects no pods"), "{run:?}");
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

const CONFIGURED: &str = "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: web, namespace: shop}\n\
spec:\n  selector: {matchLabels: {app: web}}\n  template:\n    metadata: {labels: {app: web}}\n\
\x20   spec: {containers: [{name: web, image: registry.example/web, envFrom: [{configMapRef: {name: web}}]}]}\n";

const NAMESPACE: &str = "apiVersion: v1\nkind: Namespace\nmetadata: {name: shop}\n";

const CONFIG: &str = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: web, namespace: shop}\n";

/// How many findings and questions `missing-config-map` has in a folder.
fn configured(files: &[(&str, &str)], status: i32) -> (usize, usize, String) {
    let folder = folder(files);
    let arguments = ["--only", "missing-config-map", "--format", "json", "--no-cache"];
    let run = run(folder.path(), &arguments);
    assert_eq!(run.status, status, "{run:?}");
    let report: serde_json::Value = serde_json::from_str(&run.out).unwrap();
    let count = |field: &str| report[field].as_array().unwrap().len();
    (count("findings"), count("unknown"), report["unknown"][0]["missing"].to_string())
}

#[test]
fn what_is_shared_by_a_component_makes_no_alternatives() {
    if !has_kustomize() {
        return;
    }
    let files = [
        ("common/kustomization.yaml", "kind: Component\nresources: [namespace.yaml]\n"),
        ("common/namespace.yaml", NAMESPACE),
        ("web/kustomization.yaml", "resources: [web.yaml]\ncomponents: [../common]\n"),
        ("web/web.yaml", CONFIGURED),
        ("settings/kustomization.yaml", "resources: [config.yaml]\ncomponents: [../common]\n"),
        ("settings/config.yaml", CONFIG),
    ];
    let (findings, questions, why) = configured(&files, 0);
    assert_eq!((findings, questions), (0, 1));
    assert!(why.contains("in world `settings`"), "{why}");
    // Two overlays of one base run the same.
    let overlays = [
        ("base/kustomization.yaml", "resources: [namespace.yaml, web.yaml]\n"),
        ("base/namespace.yaml", NAMESPACE),
        ("base/web.yaml", CONFIGURED),
        ("dev/kustomization.yaml", "resources: [../base, config.yaml]\n"),
        ("dev/config.yaml", CONFIG),
        ("live/kustomization.yaml", "resources: [../base]\n"),
    ];
    assert_eq!(configured(&overlays, 1).0, 1);
}

#[test]
fn files_beside_a_kustomization_are_its_neighbours() {
    if !has_kustomize() {
        return;
    }
    let files = [
        ("app/kustomization.yaml", "resources: [namespace.yaml, web.yaml]\n"),
        ("app/namespace.yaml", NAMESPACE),
        ("app/web.yaml", CONFIGURED),
        ("app/web-small.yaml", CONFIGURED),
        ("app/config.yaml", CONFIG),
    ];
    let (findings, questions, _) = configured(&files, 0);
    assert_eq!((findings, questions), (0, 1));
    // Elsewhere they are another way to deploy the same.
    let mut apart = files;
    apart[3].0 = "plain/web.yaml";
    apart[4].0 = "plain/config.yaml";
    assert_eq!(configured(&apart, 1).0, 1);
}

#[test]
fn what_could_not_be_rendered_may_hold_what_is_missing() {
    if !has_kustomize() {
        return;
    }
    let web = format!("{NAMESPACE}---\n{CONFIGURED}");
    let broken = "resources: [https://example.invalid/base.yaml]\n";
    let (findings, questions, why) =
        configured(&[("web.yaml", &web), ("settings/kustomization.yaml", broken)], 2);
    assert_eq!((findings, questions), (0, 1));
    assert!(why.contains("world `settings` could not be rendered"), "{why}");
    // All of its objects would be in another namespace.
    let apart = format!("namespace: other\n{broken}");
    let files = [("web.yaml", web.as_str()), ("settings/kustomization.yaml", &apart)];
    assert_eq!(configured(&files, 2).0, 1);
    // An overlay of the same base would not be there beside this one.
    let overlays = [
        ("base/kustomization.yaml", "resources: [web.yaml]\n"),
        ("base/web.yaml", &web),
        ("dev/kustomization.yaml", "resources: [../base, gone.yaml]\n"),
        ("live/kustomization.yaml", "resources: [../base]\n"),
    ];
    assert_eq!(configured(&overlays, 2).0, 1);
}

#[test]
fn what_cannot_be_rendered_is_read_as_it_stands_and_its_patches_are_not() {
    if !has_kustomize() {
        return;
    }
    let image = CONFIGURED.replace("registry.example/web", "registry.example/web:latest");
    let patch = "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: web, namespace: shop}\n\
                 spec: {replicas: 5}\n";
    let kustomizations = [
        "resources: [web.yaml, gone.yaml]\npatches: [{path: larger.yaml}]\n",
        // One that does not parse says nothing of what its files are.
        "resources: [web.yaml]\npatches: [{path: larger.yaml}\n",
    ];
    for kustomization in kustomizations {
        let folder = folder(&[
            ("app/kustomization.yaml", kustomization),
            ("app/web.yaml", &image),
            ("app/larger.yaml", patch),
        ]);
        let rules = "image-tag-latest,duplicate-object";
        let run = run(folder.path(), &["--only", rules, "--format", "json", "--no-cache"]);
        assert_eq!(run.status, 2, "{run:?}");
        let report: serde_json::Value = serde_json::from_str(&run.out).unwrap();
        let findings = report["findings"].as_array().unwrap();
        assert_eq!(findings.len(), 1, "{report:#}");
        assert_eq!(findings[0]["labels"][0]["file"], "app/web.yaml");
        assert!(findings[0]["notes"].to_string().contains("read as it stands"), "{report:#}");
    }
}

#[test]
fn what_terraform_makes_is_a_question() {
    let web = format!("{NAMESPACE}---\n{CONFIGURED}");
    let made = |name: &str| {
        format!(
            "resource \"kubernetes_config_map\" \"web\" {{\n  metadata {{\n    name = \"{name}\"\n  }}\n}}\n"
        )
    };
    let (findings, questions, why) =
        configured(&[("web.yaml", &web), ("main.tf", &made("web"))], 0);
    assert_eq!((findings, questions), (0, 1));
    assert!(why.contains("whether Terraform makes ConfigMap `web` (`main.tf`, line 1)"), "{why}");
    assert_eq!(configured(&[("web.yaml", &web), ("main.tf", &made("other"))], 1).0, 1);
}

#[test]
fn files_and_folders_with_the_same_objects_are_one_warning() {
    let release =
        |version: &str| format!("{NAMESPACE}---\n{CONFIG}data: {{version: '{version}'}}\n");
    let (one, two, three) = (release("1"), release("2"), release("3"));
    let count = |files: &[(&str, &str)], severity: &str| {
        let folder = folder(files);
        let arguments = ["--only", "duplicate-object", "--format", "json"];
        let run = run(folder.path(), &arguments);
        let report: serde_json::Value = serde_json::from_str(&run.out).unwrap();
        let findings = report["findings"].as_array().unwrap().iter();
        findings.filter(|it| it["severity"] == severity).count()
    };
    let files = [("a.yaml", one.as_str()), ("b.yaml", &two), ("c.yaml", &three)];
    assert_eq!((count(&files, "warning"), count(&files, "error")), (1, 0));
    let folders = [
        ("aws/namespace.yaml", NAMESPACE),
        ("aws/config.yaml", &one),
        ("gcp/namespace.yaml", NAMESPACE),
        ("gcp/config.yaml", &two),
    ];
    assert_eq!((count(&folders, "warning"), count(&folders, "error")), (1, 0));
    // One object of several, twice, is a mistake.
    let more = format!("{two}---\n{CONFIGURED}---\n{}", CONFIG.replace("name: web", "name: more"));
    let other =
        format!("{CONFIG}data: {{version: '0'}}\n---\n{}", CONFIG.replace("name: web", "name: x"));
    let files = [("a.yaml", more.as_str()), ("b.yaml", &other)];
    assert_eq!((count(&files, "warning"), count(&files, "error")), (0, 1));
    // A part of an installation, and the whole of it.
    let whole = format!("{two}---\n{CONFIGURED}---\n{}", NAMESPACE.replace("shop", "more"));
    let files = [("part.yaml", one.as_str()), ("whole.yaml", &whole)];
    assert_eq!((count(&files, "warning"), count(&files, "error")), (1, 0));
    // Examples, each of something else beside.
    let example = |name: &str| {
        let own = CONFIG.replace("name: web", &format!("name: {name}"));
        format!("{CONFIG}data: {{of: {name}}}\n---\n{own}---\n{}", own.replace(name, "b-own"))
            .replace("b-own", &format!("{name}-own"))
    };
    let (a, b, c) = (example("first"), example("second"), example("third"));
    let files = [("a.yaml", a.as_str()), ("b.yaml", &b), ("c.yaml", &c)];
    assert_eq!((count(&files, "warning"), count(&files, "error")), (1, 0));
    assert_eq!((count(&files[..2], "warning"), count(&files[..2], "error")), (0, 1));
}
