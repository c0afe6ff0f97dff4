//! Kustomizations and charts, rendered by the real programs; where one is not installed, its tests say that they were
//! left out.

mod failures;
mod places;
mod rendering;
mod shared;
mod targets;

use crate::support::fixture;
use purlin::check::locate::Locator;
use purlin::check::worlds;
use purlin::check::{Outcome, Selection};
use purlin::load::Loaded;
use purlin::load::worlds::{Options, Target, load};
use purlin::model::{Model, Place};
use purlin::policy::Policy;
use purlin::text::path::FieldPath;
use serde_json::Value;
use std::fs;
use std::path::Path;
use std::process::Command;
use tempfile::TempDir;

/// Whether one of these programs is on the search path; says so where none is.
pub(crate) fn has(programs: &[&str]) -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let is_there = |it: &&str| std::env::split_paths(&path).any(|at| at.join(it).is_file());
    let has_one = programs.iter().any(is_there);
    if !has_one {
        println!("left out: {} is not installed", programs.join(" or "));
    }
    has_one
}

pub(crate) fn has_kustomize() -> bool {
    has(&["kustomize", "kubectl"])
}

/// A folder with these files, under its real path.
pub(crate) fn folder(files: &[(&str, &str)]) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (name, text) in files {
        let path = folder.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    folder
}

fn options() -> Options {
    Options { namespace: "default".into(), ..Options::default() }
}

fn read(path: &Path) -> Loaded {
    let target = Target { path: path.to_path_buf(), ..Target::default() };
    load(&[target], &options(), &|_| {})
}

/// The names of the worlds, from a folder.
fn names(loaded: &Loaded, root: &Path) -> Vec<String> {
    let names = loaded.worlds.iter().map(|it| Path::new(&it.name));
    names.map(|it| it.strip_prefix(root).unwrap_or(it).display().to_string()).collect()
}

fn check(loaded: &Loaded) -> (Model<'_>, Outcome) {
    worlds::check(
        loaded,
        "default",
        &Policy::default(),
        &purlin::run::Run::default(),
        &Selection::default(),
    )
}

/// `file:line: text` of the place of a field, from a folder; the file alone where no line is known.
fn place(model: &Model<'_>, root: &Path, object: &str, path: &str) -> String {
    let object = model.objects().find(|it| it.to_string() == object);
    let object = object.unwrap_or_else(|| {
        panic!("{:?}", model.objects().map(|it| it.to_string()).collect::<Vec<_>>())
    });
    let at = Locator::new(model)
        .locate(&Place::Field { object: object.id, path: FieldPath::parse(path) });
    let source = model.loaded.sources.get(at.source);
    let name = Path::new(&source.name);
    let name = name.strip_prefix(root).unwrap_or(name).display().to_string();
    if !source.has_lines() {
        return name;
    }
    format!("{name}:{}: {}", source.position(at.span.start).line, &source.text[at.span.range()])
}

const CLOUD: &str = "systems/healthcare-cloud/as-documented/devops/kubernetes";

#[test]
fn overlays_are_worlds_and_equal_what_was_rendered_by_hand() {
    if !has_kustomize() {
        return;
    }
    for state in ["as-documented", "repaired"] {
        let root = fixture(&format!("systems/healthcare-cloud/{state}/devops/kubernetes"));
        let loaded = read(&root);
        assert_eq!(loaded.failures, []);
        let overlays = ["overlays/local", "overlays/production", "overlays/staging"];
        assert_eq!(names(&loaded, &root), overlays);
        for (world, overlay) in loaded.worlds.iter().zip(overlays) {
            let name = overlay.trim_start_matches("overlays/");
            let by_hand = fixture(&format!("systems/healthcare-cloud/{state}.rendered/{name}"));
            let by_hand = purlin::load::load(&[by_hand]);
            let by_hand = Model::new(&by_hand, "default");
            let model = Model::of_world(&loaded, world, "default");
            assert_eq!(model.len(), by_hand.len(), "{state} {overlay}");
            for object in by_hand.objects() {
                let same = model.objects().find(|it| it.to_string() == object.to_string()).unwrap();
                assert!(same.root.same(object.root), "{state} {overlay}: {object}");
            }
        }
    }
}

#[test]
fn each_overlay_has_its_own_verdict() {
    if !has_kustomize() {
        return;
    }
    let root = fixture(CLOUD);
    let loaded = read(&root);
    let (model, outcome) = check(&loaded);
    let found = |world: usize, rule: &str, object: &str| {
        outcome.findings.iter().any(|it| {
            let Place::Field { object: id, .. } = &it.labels[0].place else { return false };
            it.rule == rule
                && it.worlds.contains(&(world as u32))
                && model.object(*id).to_string() == object
        })
    };
    let budget = "PodDisruptionBudget/healthcare-backend/healthcare-api";
    let verdicts = [0, 1, 2].map(|it| found(it, "pdb-blocks-drain", budget));
    assert_eq!(verdicts, [true, false, false], "{:?}", outcome.worlds);
    // The base alone would be blamed for its image; the overlays name one.
    assert!(!found(0, "image-tag-latest", "Deployment/healthcare-backend/healthcare-api"));
}

pub(crate) const DEPLOYMENT: &str = "\
apiVersion: apps/v1
kind: Deployment
metadata:
  name: api
spec:
  replicas: 1
  selector: {matchLabels: {app: api}}
  template:
    metadata: {labels: {app: api}}
    spec:
      containers:
        - name: api
          image: registry.example/api
          args: [\"serve\"]
          env:
            - {name: MODE, value: base}
            - {name: LEVEL, value: info}
            - {name: HOST, value: unset}
";

/// A base, a component and an overlay, in which everything sets something.
pub(crate) fn team() -> TempDir {
    folder(&[
        ("base/api.yaml", DEPLOYMENT),
        (
            "base/kustomization.yaml",
            "resources: [api.yaml]\n\
             configMapGenerator:\n- name: settings\n  literals:\n  - COLOUR=blue\n  files: [notes.txt]\n",
        ),
        ("base/notes.txt", "a note\n"),
        (
            "part/kustomization.yaml",
            "apiVersion: kustomize.config.k8s.io/v1alpha1\nkind: Component\n\
             replicas:\n- name: api\n  count: 3\n",
        ),
        (
            "live/kustomization.yaml",
            "namespace: shop\nnamePrefix: eu-\nresources: [../base]\ncomponents: [../part]\n\
             images:\n- name: registry.example/api\n  newTag: \"1.4\"\n\
             patches:\n\
             - path: mode.yaml\n\
             - target: {kind: Deployment, name: api}\n  patch: |-\n    - op: add\n      path: /spec/minReadySeconds\n      value: 7\n\
             - target: {kind: Deployment, name: .*}\n  patch: |-\n    - op: replace\n      path: /spec/template/spec/containers/1/env/1/value\n      value: debug\n\
             labels:\n- pairs: {team: blue}\n\
             replacements:\n- source: {kind: Deployment, name: api, fieldPath: metadata.name}\n  targets:\n  - select: {kind: Deployment}\n    fieldPaths:\n    - spec.template.spec.containers.[name=api].env.[name=HOST].value\n",
        ),
        (
            "live/mode.yaml",
            "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: api}\nspec:\n  template:\n    spec:\n      containers:\n        - name: sidecar\n          image: registry.example/sidecar:2\n        - name: api\n          env: [{name: MODE, value: live}]\n",
        ),
    ])
}

#[test]
fn the_documentation_shows_what_is_printed() {
    if !has_kustomize() {
        return;
    }
    let page = fs::read_to_string(crate::support::root().join("docs/checking.md")).unwrap();
    let (_, shown) = page.split_once("```text\n$ purlin check ").unwrap();
    let (arguments, shown) = shown.split_once('\n').unwrap();
    let shown = shown.split("```").next().unwrap();
    let arguments: Vec<_> = arguments.split(' ').chain(["--no-cache"]).collect();
    let run = run(crate::support::root(), &arguments);
    assert!(run.out.starts_with(shown), "{}", run.out);
}

#[test]
fn what_several_worlds_share_is_told_once() {
    if !has_kustomize() {
        return;
    }
    let latest = DEPLOYMENT.replace("registry.example/api", "registry.example/api:latest");
    let folder = folder(&[
        ("base/api.yaml", &latest),
        ("base/kustomization.yaml", "resources: [api.yaml]\n"),
        ("a/kustomization.yaml", "resources: [../base]\n"),
        ("b/kustomization.yaml", "resources: [../base]\n"),
        (
            "c/kustomization.yaml",
            "resources: [../base]\nimages: [{name: registry.example/api, newTag: v1}]\n",
        ),
        ("plain.yaml", "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n"),
    ]);
    let report = json(folder.path(), &["--only", "image-tag-latest"], 0);
    let findings = report["findings"].as_array().unwrap();
    assert_eq!(findings.len(), 1, "{report:#}");
    assert_eq!(findings[0]["worlds"], serde_json::json!(["a", "b"]));
    assert_eq!(findings[0]["labels"][0]["file"], "base/api.yaml");
    assert_eq!(report["summary"]["worlds"], 4);
    assert_eq!(report["summary"]["objects"], 4);
    let schema: Value = serde_json::from_str(purlin::report::json::SCHEMA).unwrap();
    let errors: Vec<_> = jsonschema::validator_for(&schema)
        .unwrap()
        .iter_errors(&report)
        .map(|it| it.to_string())
        .collect();
    assert_eq!(errors, [""; 0]);
}

#[test]
fn an_annotation_of_a_base_is_used_if_one_world_uses_it() {
    if !has_kustomize() {
        return;
    }
    let annotated = DEPLOYMENT.replace(
        "  name: api\nspec",
        "  name: api\n  annotations:\n    purlin.dev/ignore.image-tag-latest: known\nspec",
    );
    let files = [
        ("base/api.yaml", annotated.as_str()),
        ("base/kustomization.yaml", "resources: [api.yaml]\n"),
        ("a/kustomization.yaml", "resources: [../base]\n"),
        (
            "b/kustomization.yaml",
            "resources: [../base]\nimages: [{name: registry.example/api, newTag: v1}]\n",
        ),
    ];
    let rules = ["--only", "image-tag-latest,unused-exception"];
    let report = json(folder(&files).path(), &rules, 0);
    assert_eq!(report["findings"], serde_json::json!([]), "{report:#}");
    // Where no world uses it, it is idle.
    let only_b = folder(&[files[0], files[1], files[3], ("c/kustomization.yaml", files[3].1)]);
    let report = json(only_b.path(), &rules, 0);
    assert_eq!(report["findings"][0]["rule"], "unused-exception", "{report:#}");
    assert_eq!(report["findings"][0]["worlds"], serde_json::json!(["b", "c"]));
    assert_eq!(report["findings"].as_array().unwrap().len(), 1);
}

#[test]
fn an_object_that_is_called_a_kustomization_is_a_manifest() {
    let flux = "apiVersion: kustomize.toolkit.fluxcd.io/v1\nkind: Kustomization\nmetadata: {name: apps, namespace: flux-system}\n";
    let folder = folder(&[("kustomization.yaml", flux), ("api.yaml", DEPLOYMENT)]);
    let report = json(folder.path(), &["--only", "image-tag-latest"], 0);
    assert_eq!(report["summary"]["objects"], 2);
}

#[test]
fn targets_name_their_worlds() {
    if !has_kustomize() {
        return;
    }
    let policy = "apiVersion: purlin.dev/v1alpha1\nkind: Policy\ntargets:\n\
                  - {name: europe, path: live}\n- {name: tools, path: tools, namespace: ops}\n";
    let folder = team();
    fs::write(folder.path().join("purlin.yaml"), policy).unwrap();
    fs::create_dir(folder.path().join("tools")).unwrap();
    fs::write(folder.path().join("tools/api.yaml"), DEPLOYMENT).unwrap();
    let report = json(folder.path(), &["--only", "image-tag-latest"], 0);
    let finding = &report["findings"][0];
    assert_eq!(finding["worlds"], serde_json::json!(["tools"]), "{report:#}");
    assert_eq!(finding["labels"][0]["object"]["namespace"], "ops");
    assert_eq!(report["summary"]["worlds"], 2);
}

pub(crate) const AUTOSCALER: &str = "\
apiVersion: autoscaling/v2
kind: HorizontalPodAutoscaler
metadata: {name: api}
spec:
  scaleTargetRef: {apiVersion: apps/v1, kind: Deployment, name: api}
  minReplicas: 2
  maxReplicas: 4
";

pub(crate) fn json(folder: &Path, arguments: &[&str], status: i32) -> Value {
    let run = run(folder, &[arguments, &["--format", "json", "--no-cache"]].concat());
    assert_eq!((run.status, run.err.as_str()), (status, ""), "{run:?}");
    serde_json::from_str(&run.out).unwrap()
}

#[derive(Debug)]
pub(crate) struct Run {
    pub(crate) status: i32,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl Run {
    fn of(command: &mut Command) -> Run {
        let it = command.output().unwrap();
        Run {
            status: it.status.code().unwrap(),
            out: String::from_utf8(it.stdout).unwrap(),
            err: String::from_utf8(it.stderr).unwrap(),
        }
    }
}

/// `purlin check` in a folder, without a cache.
pub(crate) fn command(folder: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_purlin"));
    // Not absolute, so that there is no cache unless a test names one.
    command.arg("check").args(arguments).current_dir(folder).env("XDG_CACHE_HOME", "none");
    command.env_remove("HOME").env_remove("LOCALAPPDATA");
    command
}

pub(crate) fn run(folder: &Path, arguments: &[&str]) -> Run {
    Run::of(&mut command(folder, arguments))
}
