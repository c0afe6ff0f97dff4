//! What `purlin.yaml` says of one world: how it is rendered, and what counts in it alone.

use super::{DEPLOYMENT, folder, has, has_kustomize, json, run};
use serde_json::{Value, json as value};
use tempfile::TempDir;

const HEAD: &str = "apiVersion: purlin.dev/v1alpha1\nkind: Policy\n";

/// Two worlds of the same deployment, and what a policy says of them.
fn two_worlds(policy: &str) -> TempDir {
    let policy = format!(
        "{HEAD}targets:\n  - {{name: local, path: a.yaml}}\n  - {{name: live/europe, path: b.yaml}}\n{policy}"
    );
    let latest = DEPLOYMENT.replace(":1.0.0", ":latest");
    folder(&[("a.yaml", &latest), ("b.yaml", &latest), ("purlin.yaml", &policy)])
}

/// The severities of the findings of a rule, with their worlds.
fn found(report: &Value, rule: &str) -> Vec<Value> {
    let findings = report["findings"].as_array().unwrap();
    let findings = findings.iter().filter(|it| it["rule"] == rule);
    findings.map(|it| value!([it["severity"], it["worlds"]])).collect()
}

const LATEST: &str = "image-tag-latest";

#[test]
fn a_severity_may_be_that_of_some_worlds() {
    let of = |rules: &str| {
        let folder = two_worlds(&format!("rules: {{image-tag-latest: {rules}}}\n"));
        let report = json(folder.path(), &["--fail-on", "never"], 0);
        found(&report, LATEST)
    };
    let both = of("warning");
    assert_eq!(both, [value!(["warning", ["local"]]), value!(["warning", ["live/europe"]])]);
    assert_eq!(
        of("{severity: error, worlds: {local: off, 'live/*': note}}"),
        [value!(["note", ["live/europe"]])]
    );
    assert_eq!(
        of("{severity: off, worlds: {'live/*': error}}"),
        [value!(["error", ["live/europe"]])]
    );
}

#[test]
fn an_exception_may_be_for_some_worlds() {
    let of = |exceptions: &str| {
        let folder = two_worlds(&format!("exceptions: [{exceptions}]\n"));
        json(folder.path(), &["--only", "image-tag-latest,unused-exception"], 0)
    };
    let report = of(
        "{rule: image-tag-latest, object: Deployment/api, world: local, reason: nobody depends on it}",
    );
    assert_eq!(found(&report, LATEST), [value!(["warning", ["live/europe"]])]);
    assert_eq!(found(&report, "unused-exception"), [] as [Value; 0], "{report:#}");
    // Of a world that was not looked at nothing can be said.
    let report = of(
        "{rule: image-tag-latest, object: Deployment/api, world: live/asia, reason: not there yet}",
    );
    assert_eq!(found(&report, LATEST).len(), 2);
    assert_eq!(found(&report, "unused-exception"), [] as [Value; 0], "{report:#}");
}

#[test]
fn worlds_of_one_content_are_told_apart_where_the_policy_does() {
    let policy = format!(
        "{HEAD}targets:\n  - {{name: one, path: a.yaml}}\n  - {{name: two, path: a.yaml}}\nrules: {{image-tag-latest: {{worlds: {{one: off}}}}}}\n"
    );
    let latest = DEPLOYMENT.replace(":1.0.0", ":latest");
    let folder = folder(&[("a.yaml", &latest), ("purlin.yaml", &policy)]);
    // So it is where the rule alone is asked for.
    for only in [&["--only", LATEST][..], &[]] {
        let report = json(folder.path(), only, 0);
        assert_eq!(found(&report, LATEST), [value!(["warning", ["two"]])]);
    }
}

#[test]
fn a_chart_sees_the_values_the_version_and_the_apis_of_its_target() {
    if !has(&["helm"]) {
        return;
    }
    let template = "\
apiVersion: v1
kind: ConfigMap
metadata:
  name: seen
data:
  tag: {{ .Values.tag | quote }}
  minor: {{ .Capabilities.KubeVersion.Minor | quote }}
  has: {{ .Capabilities.APIVersions.Has \"queue.example/v1\" | quote }}
";
    let policy = format!(
        "{HEAD}targets:\n  - {{name: live, path: chart, set: [tag=v2], kubeVersion: '1.31', apiVersions: [queue.example/v1]}}\n"
    );
    let folder = folder(&[
        ("chart/Chart.yaml", "apiVersion: v2\nname: shop\nversion: 1.0.0\n"),
        ("chart/values.yaml", "tag: v1\n"),
        ("chart/templates/seen.yaml", template),
        ("purlin.yaml", &policy),
    ]);
    let loaded = super::load(
        &[super::Target {
            path: folder.path().join("chart"),
            chart: purlin::load::worlds::Chart {
                set: vec!["tag=v2".into()],
                kube_version: Some("1.31".into()),
                api_versions: vec!["queue.example/v1".into()],
                ..Default::default()
            },
            ..Default::default()
        }],
        &super::options(),
        &|_| {},
    );
    assert_eq!(loaded.failures, []);
    let model = super::Model::new(&loaded, "default");
    let seen = model.objects().next().unwrap();
    let data = |key| seen.field(&["data", key]).and_then(|it| it.str()).unwrap_or_default();
    assert_eq!((data("tag"), data("minor"), data("has")), ("v2", "31", "true"));
    // The program takes the same from the policy.
    let run = run(folder.path(), &[]);
    assert_eq!((run.status, run.err.as_str()), (0, ""), "{run:?}");
}

#[test]
fn charts_of_a_kustomization_are_rendered_where_the_target_allows_it() {
    if !has(&["helm"]) || !has_kustomize() {
        return;
    }
    let files = |helm: &str| {
        folder(&[
            (
                "live/kustomization.yaml",
                "helmGlobals: {chartHome: charts}\nhelmCharts: [{name: shop, releaseName: one}]\n",
            ),
            ("live/charts/shop/Chart.yaml", "apiVersion: v2\nname: shop\nversion: 1.0.0\n"),
            ("live/charts/shop/values.yaml", "{}\n"),
            ("live/charts/shop/templates/api.yaml", &DEPLOYMENT.replace(":1.0.0", ":latest")),
            ("purlin.yaml", &format!("{HEAD}targets: [{{name: live, path: live{helm}}}]\n")),
        ])
    };
    let allowed = files(", helm: true");
    let report = json(allowed.path(), &["--only", LATEST], 0);
    assert_eq!(found(&report, LATEST).len(), 1, "{report:#}");
    let plain = files("");
    let refused = run(plain.path(), &["--only", LATEST]);
    assert_eq!(refused.status, 2, "{refused:?}");
    assert!(refused.err.contains("helm: true"), "{refused:?}");
}

/// What a document says of the world that names it, and of no other.
#[test]
fn an_architecture_may_be_that_of_one_world() {
    let document = "apiVersion: purlin.dev/v1alpha1\nkind: Architecture\nmetadata: {name: live}\ncomponents:\n  \
        api: {workload: Deployment/default/api, replicas: 7}\n  web: {workload: Deployment/default/web}\n";
    let policy = format!(
        "{HEAD}targets:\n  - {{name: local, path: a.yaml}}\n  \
         - {{name: live, path: b.yaml, architecture: docs/live.yaml}}\n"
    );
    let folder = folder(&[
        ("a.yaml", DEPLOYMENT),
        ("b.yaml", DEPLOYMENT),
        ("purlin.yaml", &policy),
        ("docs/live.yaml", document),
    ]);
    let report = json(folder.path(), &["--fail-on", "never"], 0);
    let of_live = [value!(["error", ["live"]])];
    assert_eq!(found(&report, "component-differs"), of_live);
    assert_eq!(found(&report, "component-missing"), of_live);
}

/// What both say would be said twice; the program stops, and tells of both places.
#[test]
fn flows_and_networks_stand_in_the_document_alone() {
    let workloads = "components: {api: {workload: Deployment/default/api}, web: {workload: Deployment/default/web}}\n";
    for (field, of_policy, of_document) in [
        (
            "flows",
            "flows: [{from: Deployment/default/web, to: Deployment/default/api}]",
            "flows: {web: [{to: api}]}",
        ),
        ("network", "network: {plugin: calico}", "cluster: {network: {plugin: cilium}}"),
    ] {
        let head = "apiVersion: purlin.dev/v1alpha1\nkind: Architecture\n";
        let folder = folder(&[
            ("a.yaml", DEPLOYMENT),
            ("purlin.yaml", &format!("{HEAD}architecture: architecture.yaml\n{of_policy}\n")),
            ("architecture.yaml", &format!("{head}{workloads}{of_document}\n")),
        ]);
        let run = |arguments: &[&str]| super::run(folder.path(), arguments);
        let refused = run(&["a.yaml"]);
        assert_eq!((refused.status, refused.out.as_str()), (2, ""));
        let column = if field == "flows" { 8 } else { 20 };
        let expected = format!(
            "error: `{field}` stands in the policy (purlin.yaml:4:1) and in the architecture \
             (architecture.yaml:4:{column}): leave it out of the policy\n"
        );
        assert_eq!(refused.err, expected);
        // Either alone is fine.
        let alone = format!("{HEAD}architecture: architecture.yaml\n");
        std::fs::write(folder.path().join("purlin.yaml"), alone).unwrap();
        assert_eq!(run(&["a.yaml", "--fail-on", "never"]).status, 0);
    }
}
