//! What several worlds have in common is read, judged and told once.

use super::{folder, has_kustomize, options};
use purlin::check::Selection;
use purlin::check::worlds;
use purlin::load::Loaded;
use purlin::load::worlds::{Chart, Target, load};
use purlin::policy::Policy;
use purlin::run::Run;
use std::path::Path;
use std::sync::Arc;

const WORKLOAD: &str = "apiVersion: apps/v1
kind: Deployment
metadata: {name: api}
spec:
  replicas: 3
  selector: {matchLabels: {app: api}}
  template:
    metadata: {labels: {app: api}}
    spec: {containers: [{name: api, image: 'api:latest'}]}
";

fn targets(paths: &[(&str, &str, Option<&str>)], root: &Path) -> Loaded {
    let targets: Vec<_> = paths
        .iter()
        .map(|(name, path, namespace)| Target {
            path: root.join(path),
            name: Some((*name).into()),
            namespace: namespace.map(String::from),
            ..Target::default()
        })
        .collect();
    load(&targets, &options(), &|_| {})
}

#[test]
fn a_file_of_many_targets_is_read_and_judged_once() {
    let folder = folder(&[("a.yaml", WORKLOAD), ("b.yaml", "a: [")]);
    let names: Vec<String> = (0..160).map(|it| format!("t{it:03}")).collect();
    let all: Vec<_> = names.iter().map(|it| (it.as_str(), "a.yaml", None)).collect();
    let loaded = targets(&all, folder.path());
    assert_eq!((loaded.worlds.len(), loaded.documents.len()), (160, 160));
    assert!(loaded.documents.iter().all(|it| Arc::ptr_eq(it, &loaded.documents[0])));
    let one = targets(&all[..1], folder.path());
    let check = |loaded: &Loaded| {
        let (model, outcome) = worlds::check(
            loaded,
            "default",
            &Policy::default(),
            &Run::default(),
            &Selection::default(),
        );
        assert_eq!(model.len(), loaded.documents.len());
        outcome
    };
    let (many, one) = (check(&loaded), check(&one));
    let told = |it: &purlin::check::Outcome| -> Vec<_> {
        it.findings.iter().map(|it| (it.rule, it.message.clone(), it.fingerprint.clone())).collect()
    };
    assert!(!one.findings.is_empty());
    assert_eq!(told(&many), told(&one));
    assert!(many.findings.iter().all(|it| it.worlds == (0..160).collect::<Vec<_>>()));
    assert_eq!(many.unknown.len(), one.unknown.len());
    assert!(many.unknown.iter().all(|it| it.worlds.len() == 160));
}

/// What differs is only the namespace, or a prefix.
#[test]
fn a_place_of_many_worlds_is_told_once() {
    let folder = folder(&[("a.yaml", WORKLOAD)]);
    let names: Vec<String> = (0..30).map(|it| format!("t{it:02}")).collect();
    let all: Vec<_> = names.iter().map(|it| (it.as_str(), "a.yaml", Some(it.as_str()))).collect();
    let loaded = targets(&all, folder.path());
    let outcome = worlds::check(
        &loaded,
        "default",
        &Policy::default(),
        &Run::default(),
        &Selection::default(),
    )
    .1;
    let one = targets(&all[..1], folder.path());
    let one =
        worlds::check(&one, "default", &Policy::default(), &Run::default(), &Selection::default())
            .1;
    let rules =
        |it: &purlin::check::Outcome| -> Vec<_> { it.findings.iter().map(|it| it.rule).collect() };
    assert_eq!(rules(&outcome), rules(&one));
    for finding in &outcome.findings {
        assert_eq!(finding.worlds.len(), 30, "{}", finding.rule);
        let mut known: Vec<_> = finding.fingerprints().collect();
        known.sort();
        known.dedup();
        assert_eq!(known.len(), 30, "{}", finding.rule);
    }
}

#[test]
fn overlays_of_one_base_tell_of_it_once() {
    if !has_kustomize() {
        return;
    }
    let mut files = vec![
        ("base/a.yaml".to_string(), WORKLOAD.to_string()),
        ("base/kustomization.yaml".into(), "resources: [a.yaml]\n".into()),
    ];
    for at in 0..12 {
        files.push((
            format!("overlays/{at:02}/kustomization.yaml"),
            format!("namespace: team-{at}\nnamePrefix: t{at}-\nresources: [../../base]\n"),
        ));
    }
    let files: Vec<_> = files.iter().map(|(name, text)| (name.as_str(), text.as_str())).collect();
    let folder = folder(&files);
    let loaded = super::read(folder.path());
    let outcome = worlds::check(
        &loaded,
        "default",
        &Policy::default(),
        &Run::default(),
        &Selection::default(),
    )
    .1;
    assert_eq!(outcome.worlds.len(), 12);
    let latest: Vec<_> =
        outcome.findings.iter().filter(|it| it.rule == "image-tag-latest").collect();
    assert_eq!(latest.len(), 1, "{latest:?}");
    assert_eq!(latest[0].worlds.len(), 12);
}

/// The program would wait for somebody to write into it.
#[cfg(unix)]
#[test]
fn what_is_no_file_is_not_rendered() {
    let folder = folder(&[
        (
            "k/kustomization.yaml",
            "resources: [a.yaml]\nconfigMapGenerator: [{name: c, files: [pipe]}]\n",
        ),
        ("k/a.yaml", WORKLOAD),
        ("chart/Chart.yaml", "apiVersion: v2\nname: chart\nversion: 0.1.0\n"),
        ("chart/templates/a.yaml", WORKLOAD),
        ("loop/Chart.yaml", "apiVersion: v2\nname: loop\nversion: 0.1.0\n"),
    ]);
    let pipe = |name: &str| {
        let path = folder.path().join(name);
        assert!(std::process::Command::new("mkfifo").arg(path).status().unwrap().success());
    };
    pipe("k/pipe");
    pipe("chart/templates/pipe.yaml");
    pipe("values.yaml");
    std::os::unix::fs::symlink("/", folder.path().join("loop/root")).unwrap();
    let why = |name: &str, values: &[&str]| {
        let target = Target {
            path: folder.path().join(name),
            chart: Chart {
                values: values.iter().map(|it| folder.path().join(it)).collect(),
                ..Chart::default()
            },
            ..Target::default()
        };
        let loaded = load(&[target], &options(), &|_| {});
        loaded.failures.iter().map(|it| it.why.clone()).collect::<Vec<_>>().join("; ")
    };
    assert!(why("k", &[]).contains("`pipe` is a named pipe and no file"), "{}", why("k", &[]));
    let chart = why("chart", &[]);
    assert!(chart.contains("pipe.yaml` is a named pipe and no file"), "{chart}");
    let values = why("chart", &["values.yaml"]);
    assert!(values.contains("a file of values, is a named pipe and no file"), "{values}");
    let all = why("loop", &[]);
    assert!(all.contains("more than 20000 files"), "{all}");
}
