//! Kustomizations and charts, rendered by the real programs; where one is not installed, its tests say that they were
//! left out.

use crate::support::fixture;
use purlin::check::{Outcome, Selection};
use purlin::load::Loaded;
use purlin::load::worlds::{Options, Target, load};
use purlin::locate::Locator;
use purlin::model::{Model, Place};
use purlin::path::FieldPath;
use purlin::policy::Policy;
use purlin::tree::Node;
use purlin::worlds;
use serde_json::Value;
use sha2::{Digest, Sha256};
use std::fmt::Write as _;
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

fn read(path: &Path) -> Loaded {
    let target = Target { path: path.to_path_buf(), ..Target::default() };
    let options = Options { namespace: "default".into(), ..Options::default() };
    load(&[target], &options, &|_| {})
}

/// The names of the worlds, from a folder.
fn names(loaded: &Loaded, root: &Path) -> Vec<String> {
    let names = loaded.worlds.iter().map(|it| Path::new(&it.name));
    names.map(|it| it.strip_prefix(root).unwrap_or(it).display().to_string()).collect()
}

fn check(loaded: &Loaded) -> (Model<'_>, Outcome) {
    worlds::check(loaded, "default", &Policy::default(), &Selection::default())
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
fn the_readme_shows_what_is_printed() {
    if !has_kustomize() {
        return;
    }
    let readme = fs::read_to_string(crate::support::root().join("README.md")).unwrap();
    let (_, shown) = readme.split_once("```text\n$ purlin check ").unwrap();
    let (arguments, shown) = shown.split_once('\n').unwrap();
    let shown = shown.split("```").next().unwrap();
    let arguments: Vec<_> = arguments.split(' ').chain(["--no-cache"]).collect();
    let run = run(crate::support::root(), &arguments);
    assert!(run.out.starts_with(shown), "{}", run.out);
}

#[test]
fn a_field_is_shown_where_it_was_set_last() {
    if !has_kustomize() {
        return;
    }
    let folder = team();
    let root = folder.path().canonicalize().unwrap();
    let loaded = read(&root);
    assert_eq!(loaded.failures, []);
    assert_eq!(names(&loaded, &root), ["live"]);
    let (model, _) = check(&loaded);
    let object = "Deployment/shop/eu-api";
    let container = |name: &str| {
        let object = model.objects().find(|it| it.to_string() == object).unwrap();
        let list = object.field(&["spec", "template", "spec", "containers"]).unwrap();
        list.items().position(|it| it.text("name") == Some(name)).unwrap()
    };
    let api = format!("spec.template.spec.containers[{}]", container("api"));
    let sidecar = format!("spec.template.spec.containers[{}]", container("sidecar"));
    let variable = |name: &str| {
        let object = model.objects().find(|it| it.to_string() == object).unwrap();
        let list = FieldPath::parse(&format!("{api}.env")).resolve(object.root).1;
        let at = list.items().position(|it| it.text("name") == Some(name)).unwrap();
        format!("{api}.env[{at}].value")
    };
    let rows = [
        ("metadata.name", "base/api.yaml:4: api"),
        ("metadata.namespace", "live/kustomization.yaml:1: shop"),
        ("metadata.labels.team", "live/kustomization.yaml:21: blue"),
        ("spec.replicas", "part/kustomization.yaml:5: 3"),
        ("spec.selector", "base/api.yaml:7: selector"),
        ("spec.strategy", "base/api.yaml:5: spec"),
        ("spec.minReadySeconds", "live/kustomization.yaml:14: 7"),
        (&format!("{api}.image"), "live/kustomization.yaml:7: \"1.4\""),
        (&format!("{api}.resources.limits"), "base/api.yaml:12: name"),
        (&format!("{api}.args[0]"), "base/api.yaml:14: \"serve\""),
        (&format!("{sidecar}.image"), "live/mode.yaml:9: registry.example/sidecar:2"),
        (&variable("MODE"), "live/mode.yaml:11: live"),
        (&variable("LEVEL"), "live/kustomization.yaml:19: debug"),
        (
            &variable("HOST"),
            "live/kustomization.yaml:27: spec.template.spec.containers.[name=api].env.[name=HOST].value",
        ),
    ];
    let found: Vec<_> = rows.iter().map(|(path, _)| place(&model, &root, object, path)).collect();
    assert_eq!(found, rows.map(|(_, expected)| expected.to_string()));
    let settings = model.objects().find(|it| it.kind_name == "ConfigMap").unwrap().to_string();
    for (path, expected) in [
        ("metadata.name", "base/kustomization.yaml:3: settings"),
        ("data.COLOUR", "base/kustomization.yaml:5: COLOUR=blue"),
        ("data['notes.txt']", "base/kustomization.yaml:6: notes.txt"),
    ] {
        assert_eq!(place(&model, &root, &settings, path), expected);
    }
}

/// Names that are parts of others are common, and a line of somebody else is worse than none.
#[test]
fn a_name_that_is_a_part_of_another_is_another() {
    if !has_kustomize() {
        return;
    }
    let worker = DEPLOYMENT.replace("name: api\n", "name: api-worker\n");
    let worker = worker.replace("replicas: 1", "replicas: 5");
    let main = DEPLOYMENT.replace("name: api\n", "name: x-api\n");
    let settings = |name: &str| format!("- name: {name}\n  literals: [a={name}]\n");
    let generators = format!("configMapGenerator:\n{}{}", settings("set"), settings("set-b"));
    let folder = folder(&[
        ("base/all.yaml", &format!("{DEPLOYMENT}---\n{worker}---\n{main}")),
        (
            "base/kustomization.yaml",
            &format!("nameSuffix: -v1\nresources: [all.yaml]\n{generators}"),
        ),
        (
            "live/kustomization.yaml",
            "namePrefix: x-\nresources: [../base]\nreplicas: [{name: api, count: 5}]\npatches:\n- path: ready.yaml\n",
        ),
        (
            "live/ready.yaml",
            "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: api-v1}\nspec: {minReadySeconds: 7}\n",
        ),
    ]);
    let root = folder.path().canonicalize().unwrap();
    let loaded = read(&root);
    assert_eq!(loaded.failures, []);
    let (model, _) = check(&loaded);
    for (object, path, expected) in [
        ("x-api-v1", "metadata.name", "base/all.yaml:4: api"),
        ("x-api-v1", "spec.replicas", "live/kustomization.yaml:3: 5"),
        ("x-api-v1", "spec.minReadySeconds", "live/ready.yaml:4: 7"),
        ("x-api-worker-v1", "metadata.name", "base/all.yaml:23: api-worker"),
        ("x-api-worker-v1", "spec.replicas", "base/all.yaml:25: 5"),
        ("x-x-api-v1", "metadata.name", "base/all.yaml:42: x-api"),
        ("x-x-api-v1", "spec.replicas", "base/all.yaml:44: 1"),
    ] {
        let object = format!("Deployment/default/{object}");
        assert_eq!(place(&model, &root, &object, path), expected, "{object} {path}");
    }
    for object in model.objects().filter(|it| it.kind_name == "ConfigMap") {
        let name = object.field(&["data", "a"]).unwrap().str().unwrap();
        let line = if name == "set" { 5 } else { 7 };
        let expected = format!("base/kustomization.yaml:{line}: a={name}");
        assert_eq!(place(&model, &root, &object.to_string(), "data.a"), expected);
    }
}

/// Every value that is shown in a file stands there: never a made-up line.
#[test]
fn what_is_shown_stands_there() {
    if !has_kustomize() {
        return;
    }
    let team = team();
    for root in [fixture(CLOUD), team.path().canonicalize().unwrap()] {
        let loaded = read(&root);
        let (model, _) = check(&loaded);
        let locator = Locator::new(&model);
        let (mut placed, mut all) = (0, 0);
        for object in model.objects() {
            let mut open: Vec<Node<'_>> = vec![object.root];
            while let Some(node) = open.pop() {
                open.extend(node.items().chain(node.entries().map(|(_, value)| value)));
                let Some(rendered) = node.scalar() else { continue };
                all += 1;
                let at = locator.locate(&object.place(node));
                let source = loaded.sources.get(at.source);
                if !source.has_lines() {
                    continue;
                }
                placed += 1;
                let text = &source.text[at.span.range()];
                let plain = text.trim_matches(['"', '\'']);
                let is_value = rendered.contains(plain);
                // A block of text begins at its `|`, a generator's entry holds more, and a replacement names the field.
                let is_other = text.starts_with(['|', '>'])
                    || source.name.ends_with("kustomization.yaml")
                    || rendered.contains('\n')
                    || text.contains('\\')
                    || text.contains('\n');
                assert!(is_value || is_other, "{object}: {rendered:?} is shown at {text:?}");
            }
        }
        assert!(placed * 10 > all * 9, "{placed} of {all} in {}", root.display());
    }
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
    assert_eq!(found, [("invalid-yaml", "bad/bad.yaml"), ("image-tag-latest", "base/api.yaml")]);
    let expected = [
        ("bad", "bad.yaml"),
        ("chart", "chart/kustomization.yaml:1: `helmCharts` is a plugin"),
        ("circle/a", ": it includes itself (in circle/b)"),
        ("far", "far/kustomization.yaml:2: `https://example.invalid/a.yaml` is not on this disk"),
        ("field", ": invalid Kustomization: json: unknown field \"foo\" (in field)"),
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

/// `script` gives the program a terminal.
#[cfg(target_os = "linux")]
#[test]
fn a_terminal_is_shown_what_is_rendered() {
    if !has_kustomize() || !has(&["script"]) {
        return;
    }
    let folder = team();
    let purlin = |more: &str| {
        let purlin = env!("CARGO_BIN_EXE_purlin");
        let line = format!("'{purlin}' check --only image-tag-latest {more}");
        let mut script = Command::new("script");
        script.args(["--quiet", "--return", "--command", &line, "/dev/null"]);
        script.current_dir(folder.path()).env("TERM", "xterm").env("XDG_CACHE_HOME", "none");
        Run::of(script.stdin(std::process::Stdio::null()))
    };
    let shown = "\r\x1b[Krendering 1 of 1: live\r\x1b[K";
    let run = purlin("--no-cache");
    assert_eq!((run.status, run.out.starts_with(shown)), (0, true), "{run:?}");
    // Nobody watches.
    let run = purlin("--no-cache 2> errors > report");
    assert_eq!(run.out, "");
    assert_eq!(fs::read_to_string(folder.path().join("errors")).unwrap(), "");
    // Nothing takes long.
    let run = purlin("--no-render base/api.yaml");
    assert!(!run.out.contains("\x1b[K"), "{run:?}");
}

#[test]
fn an_object_that_is_called_a_kustomization_is_a_manifest() {
    let flux = "apiVersion: kustomize.toolkit.fluxcd.io/v1\nkind: Kustomization\nmetadata: {name: apps, namespace: flux-system}\n";
    let folder = folder(&[("kustomization.yaml", flux), ("api.yaml", DEPLOYMENT)]);
    let report = json(folder.path(), &["--only", "image-tag-latest"], 0);
    assert_eq!(report["summary"]["objects"], 2);
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
fn the_cache_answers_for_the_same_files_only() {
    if !has_kustomize() {
        return;
    }
    let folder = team();
    let cache = folder.path().join("cache/purlin");
    let entries = || {
        let list = fs::read_dir(&cache).map(|it| it.count());
        list.unwrap_or(0)
    };
    let replicas = |arguments: &[&str]| {
        let mut command = command(
            folder.path(),
            &[
                &["live", "--only", "single-replica,replicas-not-spread", "--format", "json"],
                arguments,
            ]
            .concat(),
        );
        let run = Run::of(command.env("XDG_CACHE_HOME", folder.path().join("cache")));
        assert_eq!(run.err, "");
        serde_json::from_str::<Value>(&run.out).unwrap()["summary"]["objects"].as_u64().unwrap()
    };
    assert_eq!((replicas(&["--no-cache"]), entries()), (2, 0));
    assert_eq!((replicas(&[]), entries()), (2, 1));
    assert_eq!((replicas(&[]), entries()), (2, 1));
    // The same files elsewhere are the same question, and findings point to where they are now.
    let copy = team();
    let arguments = ["live", "--only", "pod-not-isolated", "--format", "json"];
    let mut elsewhere = command(copy.path(), &arguments);
    let run = Run::of(elsewhere.env("XDG_CACHE_HOME", folder.path().join("cache")));
    assert_eq!(entries(), 1);
    let report: Value = serde_json::from_str(&run.out).unwrap();
    assert_eq!(report["findings"][0]["labels"][0]["file"], "base/api.yaml", "{report:#}");
    // It is used: what is put into it is what comes out.
    let entry = fs::read_dir(&cache).unwrap().next().unwrap().unwrap().path();
    let text = fs::read_to_string(&entry).unwrap();
    let (_, text) = text.split_once('\n').unwrap();
    let forged = format!("{text}---\napiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: forged\n");
    let sum = Sha256::digest(&forged).iter().fold(String::new(), |mut hex, byte| {
        write!(hex, "{byte:02x}").unwrap();
        hex
    });
    fs::write(&entry, format!("{sum}\n{forged}")).unwrap();
    assert_eq!(replicas(&[]), 3);
    // What is not whole is not.
    fs::write(&entry, format!("{sum}\n{}", &forged[..forged.len() - 20])).unwrap();
    assert_eq!((replicas(&[]), entries()), (2, 1));
    // Any file that goes in makes it another question.
    for file in ["live/mode.yaml", "base/notes.txt", "part/kustomization.yaml"] {
        let path = folder.path().join(file);
        let text = fs::read_to_string(&path).unwrap();
        let before = entries();
        fs::write(&path, format!("{text}# more\n")).unwrap();
        assert_eq!((replicas(&[]), entries()), (2, before + 1), "{file}");
    }
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

#[test]
fn what_was_rendered_is_not_taken_for_live() {
    if !has_kustomize() {
        return;
    }
    let folder = folder(&[
        ("api.yaml", DEPLOYMENT),
        ("autoscaler.yaml", AUTOSCALER),
        ("kustomization.yaml", "resources: [api.yaml, autoscaler.yaml]\n"),
    ]);
    let report = json(folder.path(), &["--only", "hpa-fights-replicas"], 0);
    assert_eq!(report["findings"][0]["labels"][0]["line"], 6, "{report:#}");
}

#[test]
fn charts_are_rendered_with_the_values_of_their_target() {
    if !has(&["helm"]) {
        return;
    }
    let template = DEPLOYMENT.replace("replicas: 1", "replicas: {{ .Values.replicas }}").replace(
        "name: api\nspec",
        "name: {{ .Release.Name }}-api\n  namespace: {{ .Release.Namespace }}\nspec",
    );
    let policy = "apiVersion: purlin.dev/v1alpha1\nkind: Policy\ntargets:\n\
                  - {name: small, path: chart, release: one, namespace: shop}\n\
                  - {name: large, path: chart, release: one, namespace: shop, values: [large.yaml]}\n";
    let folder = folder(&[
        ("chart/Chart.yaml", "apiVersion: v2\nname: shop\nversion: 1.0.0\n"),
        ("chart/values.yaml", "replicas: 1\n"),
        ("chart/templates/api.yaml", &template),
        (
            "chart/templates/service.yaml",
            "apiVersion: v1\nkind: Service\nmetadata:\n  name: one\n  namespace: shop\nspec:\n  selector: {app: api}\n  ports: [{port: 80}]\n",
        ),
        ("chart/templates/NOTES.txt", "Thanks for installing.\n"),
        ("large.yaml", "replicas: 5\n"),
        ("purlin.yaml", policy),
    ]);
    let report = json(folder.path(), &["--only", "single-replica"], 0);
    let findings = report["findings"].as_array().unwrap();
    assert_eq!(findings.len(), 1, "{report:#}");
    assert_eq!(findings[0]["worlds"], serde_json::json!(["small"]));
    let labels = findings[0]["labels"].as_array().unwrap();
    // What a template computes has no line; what it writes out has.
    let of = |kind: &str| labels.iter().find(|it| it["object"]["kind"] == kind).unwrap();
    let computed = of("Deployment");
    assert_eq!(computed["file"], "chart/templates/api.yaml");
    assert_eq!((&computed["rendered"], &computed["line"]), (&Value::Bool(true), &Value::Null));
    assert_eq!(of("Service")["line"], 4, "{report:#}");
    // Who shows the first line for want of another says so.
    let mark = "rendered: Deployment/shop/one-api spec.replicas, on no line of this file";
    for (format, found) in [("github", 1), ("sarif", 2)] {
        let run = run(folder.path(), &["--only", "single-replica", "--format", format]);
        assert_eq!(run.out.matches(mark).count(), found, "{format}: {}", run.out);
        assert!(run.out.contains("world: small"), "{format}: {}", run.out);
    }
}

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
