//! The program as its users run it: arguments, output, exit status.

use crate::support::{fixture, root};
use serde_json::Value;
use std::fs;
use std::io::Write;
use std::path::Path;
use std::process::{Command, Output, Stdio};
use tempfile::TempDir;

pub(crate) const DEPLOYMENT: &str = "\
apiVersion: apps/v1
kind: Deployment
metadata: {name: api}
spec:
  replicas: 2
  selector: {matchLabels: {app: api}}
  template:
    metadata: {labels: {app: api}}
    spec:
      containers: [{name: api, image: registry.example/api:1.4.2}]
";

pub(crate) const BUDGET: &str = "\
apiVersion: policy/v1
kind: PodDisruptionBudget
metadata: {name: api}
spec:
  minAvailable: 2
  selector: {matchLabels: {app: api}}
";

pub(crate) const POLICY: &str = "apiVersion: purlin.dev/v1alpha1\nkind: Policy\n";

/// The rule that the deployment and the budget break together.
pub(crate) const RULE: &str = "pdb-blocks-drain";

/// A folder with these files.
pub(crate) fn folder(files: &[(&str, &str)]) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (name, text) in files {
        let path = folder.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    folder
}

/// A folder whose manifests break [`RULE`] and no other one run here.
pub(crate) fn broken() -> TempDir {
    folder(&[("api.yaml", DEPLOYMENT), ("budget.yaml", BUDGET)])
}

pub(crate) fn command(folder: &Path, args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_purlin"));
    command.args(args).current_dir(folder).env_clear().stdin(Stdio::null());
    command
}

/// What a run gave: exit status, standard output, standard error.
#[derive(Debug)]
pub(crate) struct Run {
    pub(crate) status: i32,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl From<Output> for Run {
    fn from(it: Output) -> Run {
        Run {
            status: it.status.code().unwrap(),
            out: String::from_utf8(it.stdout).unwrap(),
            err: String::from_utf8(it.stderr).unwrap(),
        }
    }
}

pub(crate) fn purlin(folder: &Path, args: &[&str]) -> Run {
    command(folder, args).output().unwrap().into()
}

/// A check of one rule alone, so that new rules leave these tests as they are.
pub(crate) fn check(folder: &Path, args: &[&str]) -> Run {
    purlin(folder, &[&["check", "--only", RULE], args].concat())
}

#[test]
fn findings_are_1_nothing_is_0() {
    let folder = broken();
    let run = check(folder.path(), &["."]);
    assert_eq!((run.status, run.err.as_str()), (1, ""));
    assert!(run.out.starts_with("error[pdb-blocks-drain]\n"), "{run:?}");
    assert!(run.out.contains("─[budget.yaml:5:17]\n"), "{run:?}");
    assert!(run.out.contains("─[api.yaml:5:13]\n"), "{run:?}");
    assert!(run.out.ends_with("\n2 objects: 1 error\n"), "{run:?}");
    let run = check(folder.path(), &["api.yaml"]);
    assert_eq!((run.status, run.err.as_str()), (0, ""));
    assert_eq!(run.out, "1 object: nothing to report\n");
}

#[test]
fn fail_on_draws_the_line() {
    let policy = format!("{POLICY}rules: {{{RULE}: warning}}\n");
    let folder =
        folder(&[("api.yaml", DEPLOYMENT), ("budget.yaml", BUDGET), ("purlin.yaml", &policy)]);
    for (args, status) in [
        (&["--fail-on", "error"][..], 0),
        (&[], 0),
        (&["--fail-on", "warning"], 1),
        (&["--fail-on", "never"], 0),
        (&["--fail-on=warning", "--policy=purlin.yaml"], 1),
    ] {
        let run = check(folder.path(), args);
        assert_eq!(run.status, status, "{args:?}: {run:?}");
        assert!(run.out.starts_with("warning[pdb-blocks-drain]\n"), "{run:?}");
        // The policy itself is not skipped.
        assert!(run.out.ends_with("\n2 objects: 1 warning\n"), "{run:?}");
    }
}

#[test]
fn only_and_skip_take_rules_and_groups() {
    let folder = broken();
    let check = |args: &[&str]| purlin(folder.path(), &[&["check"], args].concat());
    assert_eq!(check(&["--only", "disruption"]).status, 1);
    assert_eq!(check(&["--only", "duplicate-key"]).status, 0);
    assert_eq!(check(&["--only", "duplicate-key,pdb-blocks-drain"]).status, 1);
    assert_eq!(check(&["--only", "disruption", "--skip", RULE, "--only", "input"]).status, 0);
    let run = check(&["--only", RULE, "--skip", "disruption"]);
    assert_eq!((run.status, run.out.as_str()), (2, ""));
    assert_eq!(run.err, "error: nothing to check: no rule is left to run\n");
}

#[test]
fn a_mistyped_rule_is_2_and_a_question() {
    let folder = broken();
    for args in [["check", "--only=pdb-block-drain"], ["check", "--skip=pdb-block-drain"]] {
        let run = purlin(folder.path(), &args);
        assert_eq!((run.status, run.out.as_str()), (2, ""));
        let question = "error: unknown rule `pdb-block-drain`; did you mean `pdb-blocks-drain`?\n";
        assert_eq!(run.err, question);
    }
    let run = purlin(folder.path(), &["explain", "nothing-of-the-kind"]);
    assert_eq!((run.status, run.out.as_str()), (2, ""));
    assert_eq!(run.err, "error: unknown rule `nothing-of-the-kind`; `purlin rules` lists them\n");
}

#[test]
fn nothing_to_check_is_2_and_says_why() {
    let values = "replicas: 2\n";
    let cases: [(&[(&str, &str)], &str); 4] = [
        (&[], "no Kubernetes object in the input"),
        (&[("api.yaml", "# nothing\n")], "no Kubernetes object in the input"),
        (
            &[("values.yaml", values)],
            "no Kubernetes object in the input; skipped: 1 document without a Kubernetes object",
        ),
        (
            &[("chart/Chart.yaml", "name: x\n"), ("chart/templates/a.yaml", BUDGET)],
            "no Kubernetes object in the input; skipped: 1 document without a Kubernetes object, 1 Helm template not rendered",
        ),
    ];
    for (files, why) in cases {
        let is_chart = files.len() == 2;
        let run = check(folder(files).path(), if is_chart { &["--no-render"] } else { &[] });
        assert_eq!((run.status, run.out.as_str()), (2, ""), "{files:?}");
        assert_eq!(run.err, format!("error: nothing to check: {why}\n"));
    }
}

#[test]
fn what_cannot_be_read_is_2_and_the_rest_is_reported() {
    let folder = broken();
    let run = check(folder.path(), &["api.yaml", "budget.yaml", "gone\u{1b}[2J.yaml"]);
    assert_eq!(run.status, 2);
    assert!(run.out.starts_with("error[pdb-blocks-drain]\n"), "{run:?}");
    assert!(run.out.ends_with("2 objects: 1 error; 1 file could not be read\n"), "{run:?}");
    assert_eq!(run.err, "error: cannot read gone␛[2J.yaml: no such file or directory\n");
    let run = check(folder.path(), &["gone.yaml"]);
    assert_eq!((run.status, run.out.as_str()), (2, ""));
    assert_eq!(run.err, "error: cannot read gone.yaml: no such file or directory\n");
}

#[test]
fn yaml_that_does_not_parse_is_a_finding() {
    let folder = folder(&[("a.yaml", "apiVersion: v1\nkind: Secret\nmetadata: {name: [}\n")]);
    let run = purlin(folder.path(), &["check"]);
    assert_eq!((run.status, run.err.as_str()), (1, ""));
    assert!(run.out.starts_with("error[invalid-yaml]\n"), "{run:?}");
}

#[test]
fn a_policy_that_is_not_valid_is_2_with_each_mistake_and_its_place() {
    let policy = format!("{POLICY}rules:\n  pdb-block-drain: off\n  {RULE}: loud\n");
    let folder = folder(&[("api.yaml", DEPLOYMENT), ("purlin.yaml", &policy)]);
    let run = check(folder.path(), &["api.yaml"]);
    assert_eq!((run.status, run.out.as_str()), (2, ""));
    let lines: Vec<_> = run.err.lines().collect();
    assert_eq!(lines[0], "error: the policy is not valid");
    assert!(lines[1].starts_with("purlin.yaml:4:3: unknown rule `pdb-block-drain`"), "{run:?}");
    assert!(lines[1].contains("did you mean `pdb-blocks-drain`"), "{run:?}");
    assert!(lines[2].starts_with("purlin.yaml:5:21: "), "{run:?}");
    let run = check(folder.path(), &["--policy", "gone.yaml", "api.yaml"]);
    assert_eq!((run.status, run.out.as_str()), (2, ""));
    assert_eq!(run.err, "error: cannot read gone.yaml: no such file or directory\n");
}

#[test]
fn without_paths_the_targets_of_the_policy_are_checked() {
    let policy = format!("{POLICY}targets: [{{name: production, path: live}}]\n");
    let folder = folder(&[
        ("old/api.yaml", DEPLOYMENT),
        ("old/budget.yaml", BUDGET),
        ("live/api.yaml", DEPLOYMENT),
        ("purlin.yaml", &policy),
    ]);
    assert_eq!(check(folder.path(), &[]).out, "1 object: nothing to report\n");
    assert_eq!(check(folder.path(), &["old"]).status, 1);
    // From elsewhere the targets are still those beside the policy.
    let elsewhere = tempfile::tempdir().unwrap();
    let file = folder.path().join("purlin.yaml");
    let run = check(elsewhere.path(), &["--policy", file.to_str().unwrap()]);
    assert_eq!(run.out, "1 object: nothing to report\n", "{run:?}");
}

#[test]
fn accepted_findings_are_counted() {
    let exception = format!("{{rule: {RULE}, object: PodDisruptionBudget/api, reason: known}}");
    let policy = format!("{POLICY}exceptions: [{exception}]\n");
    let folder =
        folder(&[("api.yaml", DEPLOYMENT), ("budget.yaml", BUDGET), ("purlin.yaml", &policy)]);
    let run = check(folder.path(), &["api.yaml", "budget.yaml"]);
    assert_eq!(run.status, 0);
    assert_eq!(run.out, "2 objects: nothing to report; 1 finding accepted\n");
}

#[test]
fn objects_without_a_namespace_go_where_the_option_says() {
    let named = BUDGET.replace("{name: api}", "{name: api, namespace: shop}");
    let folder = folder(&[("api.yaml", DEPLOYMENT), ("budget.yaml", &named)]);
    let run = check(folder.path(), &["--namespace=shop", "--format=json"]);
    assert!(run.out.contains(r#""kind":"Deployment","namespace":"shop","name":"api""#), "{run:?}");
    assert_eq!(check(folder.path(), &["-n", "shop"]).status, 1);
    assert_eq!(check(folder.path(), &[]).status, 0);
}

#[test]
fn a_dash_is_standard_input() {
    let folder = folder(&[("api.yaml", DEPLOYMENT)]);
    let mut child = command(folder.path(), &["check", "--only", RULE, "api.yaml", "-"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(BUDGET.as_bytes()).unwrap();
    let run = Run::from(child.wait_with_output().unwrap());
    assert_eq!((run.status, run.err.as_str()), (1, ""));
    assert!(run.out.contains("─[<stdin>:5:17]\n"), "{run:?}");
}

#[test]
fn a_reader_that_has_heard_enough_is_no_failure() {
    let folder = broken();
    for args in [&["check", "--only=duplicate-key"][..], &["rules"], &["completions", "bash"]] {
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        let run = Run::from(command(folder.path(), args).stdout(writer).output().unwrap());
        assert_eq!((run.status, run.err.as_str()), (0, ""), "{args:?}");
    }
}

#[cfg(target_os = "linux")]
#[test]
fn output_that_cannot_be_written_is_2() {
    let folder = broken();
    let full = fs::File::options().write(true).open("/dev/full").unwrap();
    let run = Run::from(command(folder.path(), &["check"]).stdout(full).output().unwrap());
    assert_eq!(run.status, 2);
    assert!(run.err.starts_with("error: cannot write the output: "), "{run:?}");
    let run = check(folder.path(), &["--output", "gone/report"]);
    assert_eq!((run.status, run.out.as_str()), (2, ""));
    assert!(run.err.starts_with("error: cannot write gone/report: "), "{run:?}");
}

#[test]
fn output_goes_to_a_file_and_keeps_the_status() {
    let folder = broken();
    let run = check(folder.path(), &["--format=json", "--output=report.json", "api.yaml"]);
    assert_eq!((run.status, run.out.as_str(), run.err.as_str()), (0, "", ""));
    let report = fs::read_to_string(folder.path().join("report.json")).unwrap();
    assert_eq!(serde_json::from_str::<Value>(&report).unwrap()["summary"]["objects"], 1);
    let run = check(folder.path(), &["--output=report.txt"]);
    assert_eq!((run.status, run.out.as_str(), run.err.as_str()), (1, "", ""));
    let report = fs::read_to_string(folder.path().join("report.txt")).unwrap();
    assert!(report.starts_with("error[pdb-blocks-drain]\n"), "{report}");
}

#[test]
fn arguments_that_are_not_understood_are_2() {
    let folder = broken();
    for args in [
        &[][..],
        &["chekc"],
        &["check", "--format=xml"],
        &["check", "--fail-on=note"],
        &["check", "--no-such-option"],
        &["schema", "nothing"],
    ] {
        let run = purlin(folder.path(), args);
        assert_eq!((run.status, run.out.as_str()), (2, ""), "{args:?}");
        assert!(run.err.contains("--help"), "{run:?}");
    }
    for args in [&["--help"][..], &["--version"], &["check", "-h"], &["help", "rules"]] {
        let run = purlin(folder.path(), args);
        assert_eq!((run.status, run.err.as_str()), (0, ""), "{args:?}");
    }
}

#[test]
fn what_goes_to_a_pipe_has_no_colours() {
    let folder = broken();
    for (name, value) in [("TERM", "xterm-256color"), ("CLICOLOR_FORCE", "1")] {
        let mut command = command(folder.path(), &["check"]);
        let run = Run::from(command.env(name, value).output().unwrap());
        assert_eq!(run.status, 1);
        assert!(!run.out.contains('\u{1b}'), "{run:?}");
    }
}

#[test]
fn two_runs_print_the_same_bytes() {
    let folder = fixture("systems");
    for format in ["human", "json", "sarif", "junit", "github", "markdown"] {
        let args = ["check", "--format", format, "yt-video-creator/as-documented", "driveline"];
        let first = purlin(&folder, &args);
        assert_eq!(first.status, 1, "{format}");
        assert_eq!(first.out, purlin(&folder, &args).out, "{format}");
    }
}

#[test]
fn every_rule_is_listed_and_explained() {
    let rules = purlin(root(), &["rules", "--format", "json"]);
    let list: Value = serde_json::from_str(&rules.out).unwrap();
    let listed = purlin(root(), &["rules"]).out;
    for rule in list.as_array().unwrap() {
        let id = rule["id"].as_str().unwrap();
        assert!(listed.contains(&format!("\n  {id} ")), "{id}");
        let page = purlin(root(), &["explain", id]);
        assert_eq!((page.status, page.err.as_str()), (0, ""));
        assert!(page.out.starts_with(&format!("# {id} (")), "{page:?}");
    }
    assert!(list.as_array().unwrap().iter().any(|it| it["id"] == RULE));
}

#[test]
fn completions_know_the_subcommands() {
    for shell in ["bash", "elvish", "fish", "powershell", "zsh"] {
        let run = purlin(root(), &["completions", shell]);
        assert_eq!((run.status, run.err.as_str()), (0, ""));
        for word in ["check", "explain", "rules", "fail-on"] {
            assert!(run.out.contains(word), "{shell}: {word}");
        }
    }
}
