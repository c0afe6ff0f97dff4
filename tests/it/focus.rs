//! `--focus` and `--since` where objects are rendered: whatever goes into an object is a part of it, in every world.

use crate::known::{commit, git};
use crate::worlds::{DEPLOYMENT, folder, has, has_kustomize, json, run, team};
use std::fs;
use std::path::Path;

/// The kinds of the objects that a rule finds, with a focus on a file.
fn kinds(folder: &Path, rule: &str, focus: &str) -> String {
    let report = json(folder, &["--only", rule, "--focus", focus], 0);
    let findings = report["findings"].as_array().unwrap().iter();
    let kinds = findings.map(|it| it["labels"][0]["object"]["kind"].as_str().unwrap());
    kinds.collect::<Vec<_>>().join(" ")
}

#[test]
fn a_focus_on_what_kustomize_reads_is_one_on_what_it_makes() {
    if !has_kustomize() {
        return;
    }
    let folder = team();
    let path = folder.path();
    let add = |name: &str, more: &str| {
        let text = fs::read_to_string(path.join(name)).unwrap();
        fs::write(path.join(name), format!("{text}{more}")).unwrap();
    };
    fs::write(path.join("base/job.yaml"), JOB).unwrap();
    fs::write(path.join("base/secret.env"), "PASSWORD=hunter2-hunter2\n").unwrap();
    fs::write(
        path.join("live/seconds.yaml"),
        "- {op: add, path: /spec/minReadySeconds, value: 9}\n",
    )
    .unwrap();
    fs::write(path.join("live/labels.yaml"), LABELS).unwrap();
    add("base/kustomization.yaml", "secretGenerator:\n- name: login\n  envs: [secret.env]\n");
    let text = fs::read_to_string(path.join("base/kustomization.yaml")).unwrap();
    let text = text.replace("[api.yaml]", "[api.yaml, job.yaml]");
    fs::write(path.join("base/kustomization.yaml"), text).unwrap();
    let text = fs::read_to_string(path.join("live/kustomization.yaml")).unwrap();
    let seconds = "patches:\n- {path: seconds.yaml, target: {kind: Deployment, name: api}}\n";
    fs::write(path.join("live/kustomization.yaml"), text.replace("patches:\n", seconds)).unwrap();
    add("live/kustomization.yaml", "transformers: [labels.yaml]\n");
    for (focus, expected) in [
        ("base/api.yaml", "Deployment"),
        ("base/job.yaml", "Job"),
        ("live/mode.yaml", "Deployment"),
        // The kustomization says whom a list of operations is for.
        ("live/seconds.yaml", "Deployment"),
        ("live/labels.yaml", "Deployment Job"),
        ("live/kustomization.yaml", "Deployment Job"),
        ("base/notes.txt", ""),
    ] {
        assert_eq!(kinds(path, "pod-not-isolated", focus), expected, "{focus}");
    }
    // What is generated comes from its own files alone.
    assert_eq!(kinds(path, "secret-in-repository", "base/secret.env"), "Secret");
    assert_eq!(kinds(path, "secret-in-repository", "base/notes.txt"), "");
    let report = json(path, &["--only", "secret-in-repository"], 0);
    let label = &report["findings"][0]["labels"][0];
    assert_eq!(
        (label["file"].as_str(), label["line"].as_u64()),
        (Some("base/secret.env"), Some(1))
    );
}

const JOB: &str = "apiVersion: batch/v1\nkind: Job\nmetadata: {name: migrate}\nspec:\n  template:\n    spec:\n      restartPolicy: Never\n      containers: [{name: migrate, image: 'registry.example/migrate:1'}]\n";

const LABELS: &str = "apiVersion: builtin\nkind: LabelTransformer\nmetadata: {name: cost}\nlabels: {cost: shop}\nfieldSpecs: [{path: metadata/labels, create: true}]\n";

#[test]
fn a_focus_looks_at_every_world_that_shares_a_finding() {
    if !has_kustomize() {
        return;
    }
    let folder = folder(&[
        ("base/api.yaml", DEPLOYMENT),
        ("base/kustomization.yaml", "resources: [api.yaml]\n"),
        ("a/kustomization.yaml", "resources: [../base]\n"),
        ("b/kustomization.yaml", "resources: [../base]\npatches: [{path: mode.yaml}]\n"),
        (
            "b/mode.yaml",
            "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: api}\nspec: {minReadySeconds: 5}\n",
        ),
    ]);
    let arguments = ["--only", "pod-not-isolated", "--focus", "b/mode.yaml"];
    let report = json(folder.path(), &arguments, 0);
    assert_eq!(report["findings"][0]["worlds"], serde_json::json!(["a", "b"]), "{report:#}");
}

#[test]
fn what_is_new_in_one_world_is_new_though_another_had_it() {
    if !has_kustomize() {
        return;
    }
    let account = "apiVersion: v1\nkind: ServiceAccount\nmetadata: {name: api}\n";
    let user = DEPLOYMENT.replace("    spec:\n", "    spec:\n      serviceAccountName: api\n");
    let namespace = "apiVersion: v1\nkind: Namespace\nmetadata: {name: default}\n";
    let folder = folder(&[
        ("base/api.yaml", &user),
        ("base/kustomization.yaml", "resources: [api.yaml, namespace.yaml]\n"),
        ("base/namespace.yaml", namespace),
        ("a/kustomization.yaml", "resources: [../base]\n"),
        ("b/kustomization.yaml", "resources: [../base, account.yaml]\n"),
        ("b/account.yaml", account),
    ]);
    let path = folder.path();
    git(path, &["init", "--quiet"]);
    commit(path);
    let since = ["--only", "missing-service-account", "--since", "HEAD"];
    let report = json(path, &since, 0);
    assert_eq!(report["findings"], serde_json::json!([]), "{report:#}");
    // The object that is deleted leaves nothing behind to be touched.
    fs::write(path.join("b/kustomization.yaml"), "resources: [../base]\n").unwrap();
    fs::remove_file(path.join("b/account.yaml")).unwrap();
    let report = json(path, &since, 1);
    assert_eq!(report["findings"][0]["worlds"], serde_json::json!(["a", "b"]), "{report:#}");
}

#[test]
fn a_focus_on_values_is_one_on_the_chart() {
    if !has(&["helm"]) {
        return;
    }
    let folder = folder(&[
        ("chart/Chart.yaml", "apiVersion: v2\nname: shop\nversion: 1.0.0\n"),
        ("chart/values.yaml", "replicas: 1\n"),
        ("chart/values-test.yaml", "replicas: 2\n"),
        ("chart/README.md", "A chart.\n"),
        ("chart/templates/_names.tpl", "{{- define \"name\" -}}x{{- end }}\n"),
        ("chart/templates/api.yaml", DEPLOYMENT),
        ("chart/templates/job.yaml", JOB),
        ("chart/charts/sub/Chart.yaml", "apiVersion: v2\nname: sub\nversion: 1.0.0\n"),
        ("chart/charts/sub/values.yaml", "on: true\n"),
        ("values/test.yaml", "replicas: 2\n"),
    ]);
    let path = folder.path();
    let all = "Deployment Job";
    for (focus, expected) in [
        ("chart/templates/job.yaml", "Job"),
        ("chart/values.yaml", all),
        ("chart/templates/_names.tpl", all),
        ("chart/charts/sub/values.yaml", all),
        // Nobody asked for these.
        ("chart/values-test.yaml", ""),
        ("chart/README.md", ""),
        ("values/test.yaml", ""),
    ] {
        assert_eq!(kinds(path, "pod-not-isolated", focus), expected, "{focus}");
    }
    let policy = "apiVersion: purlin.dev/v1alpha1\nkind: Policy\ntargets:\n\
                  - {name: test, path: chart, values: [values/test.yaml]}\n";
    fs::write(path.join("purlin.yaml"), policy).unwrap();
    assert_eq!(kinds(path, "pod-not-isolated", "values/test.yaml"), all);
}

#[test]
fn a_commit_that_could_not_be_rendered_is_told_of() {
    if !has_kustomize() {
        return;
    }
    let folder = folder(&[
        ("app/api.yaml", DEPLOYMENT),
        ("app/kustomization.yaml", "resources: [api.yaml, gone.yaml]\n"),
    ]);
    let path = folder.path();
    git(path, &["init", "--quiet"]);
    commit(path);
    fs::write(path.join("app/kustomization.yaml"), "resources: [api.yaml]\n").unwrap();
    let run = run(path, &["--only", "image-tag-latest", "--since", "HEAD"]);
    assert_eq!(run.status, 0, "{run:?}");
    assert!(run.out.contains("1 object: 1 warning\n"), "{run:?}");
    let note = "note: app could not be rendered then, so all of it counts as new\n";
    assert_eq!(run.err, note);
}

#[test]
fn a_baseline_knows_what_is_generated_by_its_plain_name() {
    if !has_kustomize() {
        return;
    }
    let user = DEPLOYMENT.replace(
        "          env:\n",
        "          env:\n            - {name: A, valueFrom: {configMapKeyRef: {name: settings, key: gone}}}\n",
    );
    let generator = "resources: [api.yaml]\nconfigMapGenerator:\n- name: settings\n  literals:\n";
    let folder =
        folder(&[("api.yaml", &user), ("kustomization.yaml", &format!("{generator}  - a=1\n"))]);
    let baseline = ["--only", "missing-config-key", "--baseline", "known.txt"];
    let written = run(folder.path(), &[&baseline[..], &["--write-baseline"]].concat());
    assert!(written.err.starts_with("known.txt: 1 entry written"), "{written:?}");
    fs::write(folder.path().join("kustomization.yaml"), format!("{generator}  - a=2\n")).unwrap();
    let again = run(folder.path(), &baseline);
    assert!(again.status == 0 && again.out.contains("1 finding in the baseline\n"), "{again:?}");
}
