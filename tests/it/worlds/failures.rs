//! What cannot be rendered, and why.

use super::{DEPLOYMENT, Run, command, folder, has_kustomize, run};
use serde_json::Value;

#[test]
fn what_cannot_be_built_is_said_and_the_rest_is_judged() {
    if !has_kustomize() {
        return;
    }
    let folder = folder(&[
        ("base/api.yaml", DEPLOYMENT),
        ("base/kustomization.yaml", "resources: [api.yaml]\n"),
        ("good/kustomization.yaml", "resources: [../base]\n"),
        ("gone/kustomization.yaml", "resources:\n- ../base\n- gone.yaml\n"),
        ("far/kustomization.yaml", "resources:\n- https://example.invalid/a.yaml\n"),
        ("git/kustomization.yaml", "resources:\n- github.com/example/repository//base?ref=v1\n"),
        (
            "patch/kustomization.yaml",
            "resources: [../base]\npatches:\n- path: http://example.invalid/p.yaml\n",
        ),
        ("chart/kustomization.yaml", "helmCharts:\n- name: x\n  repo: https://example.invalid\n"),
        ("out/kustomization.yaml", "resources: [../base/api.yaml]\n"),
        ("bad/kustomization.yaml", "resources: [bad.yaml]\n"),
        ("bad/bad.yaml", "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: [}\n"),
        ("circle/a/kustomization.yaml", "resources: [../b]\n"),
        ("circle/b/kustomization.yaml", "resources: [../a]\n"),
        ("field/kustomization.yaml", "resources: [../base]\nfoo: bar\n"),
        ("names/kustomization.yaml", "resources: [../base]\n"),
        ("names/kustomization.yml", "resources: [../base]\n"),
        ("twice/a.yaml", DEPLOYMENT),
        ("twice/b.yaml", DEPLOYMENT),
        ("twice/kustomization.yaml", "resources: [a.yaml, b.yaml]\n"),
        // Nobody uses the component, so nobody but this world stands for what it includes.
        ("unused/kustomization.yaml", "kind: Component\nresources: [../lonely]\n"),
        ("lonely/kustomization.yaml", "resources: [gone.yaml]\n"),
    ]);
    let run = run(folder.path(), &["--only", "image-tag-latest,invalid-yaml", "--format", "json"]);
    assert_eq!(run.status, 2, "{run:?}");
    let report: Value = serde_json::from_str(&run.out).unwrap();
    let found: Vec<_> = report["findings"]
        .as_array()
        .unwrap()
        .iter()
        .map(|it| (it["rule"].as_str().unwrap(), it["labels"][0]["file"].as_str().unwrap()))
        .collect();
    // What the others would have been made of is read as it stands.
    let expected = [
        ("invalid-yaml", "bad/bad.yaml"),
        ("image-tag-latest", "base/api.yaml"),
        ("image-tag-latest", "twice/b.yaml"),
    ];
    assert_eq!(found, expected);
    let expected = [
        ("bad", "bad.yaml"),
        ("chart", "chart/kustomization.yaml:1: `helmCharts` is rendered by helm"),
        ("circle/a", ": it includes itself (in circle/b)"),
        ("far", "far/kustomization.yaml:2: `https://example.invalid/a.yaml` is not on this disk"),
        ("field", ": invalid Kustomization: unknown field \"foo\" (in field)"),
        ("git", "git/kustomization.yaml:2: `github.com/example/repository//base?ref=v1` is not on"),
        ("gone", "gone/kustomization.yaml:3: `gone.yaml` is not there"),
        ("lonely", "lonely/kustomization.yaml:1: `gone.yaml` is not there"),
        ("names", "names: several of kustomization.yaml, kustomization.yml and Kustomization in"),
        // kustomize's own restriction stays in force.
        ("out", "is not in or below"),
        (
            "patch",
            "patch/kustomization.yaml:3: `http://example.invalid/p.yaml` is not on this disk",
        ),
        (
            "twice",
            ": merging resources from 'b.yaml': may not add resource with an already registered",
        ),
    ];
    let lines: Vec<_> = run.err.lines().collect();
    assert_eq!(lines.len(), expected.len(), "{}", run.err);
    for (line, (world, why)) in lines.iter().zip(expected) {
        assert!(line.starts_with(&format!("error: cannot render {world}: ")), "{line}");
        assert!(line.contains(why) && !line.contains("/tmp/purlin-"), "{line}");
    }
}

#[test]
fn without_the_programs_the_plain_manifests_are_judged() {
    let folder = folder(&[
        ("k/api.yaml", DEPLOYMENT),
        ("k/kustomization.yaml", "resources: [api.yaml]\n"),
        ("c/Chart.yaml", "apiVersion: v2\nname: c\nversion: 1.0.0\n"),
        ("c/templates/api.yaml", DEPLOYMENT),
        ("plain.yaml", &DEPLOYMENT.replace("name: api\nspec", "name: plain\nspec")),
    ]);
    let mut command = command(folder.path(), &["--only", "image-tag-latest"]);
    let run = Run::of(command.env("PATH", folder.path()));
    assert_eq!(run.status, 2);
    assert!(run.out.contains("plain.yaml:13"), "{run:?}");
    assert!(run.out.contains("; 2 worlds could not be rendered"), "{run:?}");
    let expected = "error: cannot render c: `helm` is not installed; install it, or leave charts unjudged with --no-render\n\
                    error: cannot render k: neither `kustomize` nor `kubectl` is installed; install one, or leave kustomizations unjudged with --no-render\n";
    assert_eq!(run.err, expected);
    let mut command = self::command(folder.path(), &["--only", "image-tag-latest", "--no-render"]);
    let run = Run::of(command.env("PATH", folder.path()));
    assert_eq!((run.status, run.err.as_str()), (0, ""), "{run:?}");
}

#[test]
fn what_is_said_of_charts_is_refused_of_what_is_none() {
    for (key, target) in [("values", "values: [a.yaml]"), ("release", "release: shop")] {
        let policy = format!(
            "apiVersion: purlin.dev/v1alpha1\nkind: Policy\ntargets: [{{path: plain, {target}}}]\n"
        );
        let folder = folder(&[("plain/api.yaml", DEPLOYMENT), ("purlin.yaml", &policy)]);
        let run = run(folder.path(), &["--only", "invalid-yaml"]);
        assert_eq!(run.status, 2, "{key} {run:?}");
        let why =
            "cannot read plain: `values`, `set` and `release` are for a chart, and this is none";
        assert!(run.err.contains(why), "{key} {run:?}");
    }
}
