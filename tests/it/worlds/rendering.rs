//! How kustomizations and charts are rendered: with which values, from the cache, and before whose eyes.

use super::{AUTOSCALER, DEPLOYMENT, Run, command, folder, has, has_kustomize, json, run, team};
use serde_json::Value;
use sha2::{Digest, Sha256};
use std::fmt::Write as _;
use std::fs;
use std::process::Command;

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
