//! What a check leaves out: findings of a baseline, and what a change does not touch.

use crate::cli::{BUDGET, DEPLOYMENT, POLICY, RULE, Run, broken, check, command, folder, purlin};
use serde_json::Value;
use std::fs;
use std::path::Path;
use std::process::Command;

const BASELINE: [&str; 2] = ["--baseline", "known.txt"];

/// Writes a baseline of what [`check`] finds.
fn write(folder: &Path, args: &[&str]) -> Run {
    check(folder, &[&BASELINE[..], &["--write-baseline"], args].concat())
}

/// A folder with as many applications, each of which breaks [`RULE`].
fn many(count: usize) -> tempfile::TempDir {
    let folder = folder(&[]);
    for at in 0..count {
        add(folder.path(), &format!("app-{at}"));
    }
    folder
}

fn add(folder: &Path, name: &str) {
    let text =
        format!("{DEPLOYMENT}---\n{BUDGET}").replace("name: api}", &format!("name: {name}}}"));
    fs::write(
        folder.join(format!("{name}.yaml")),
        text.replace("app: api", &format!("app: {name}")),
    )
    .unwrap();
}

#[test]
fn a_thousand_findings_are_adopted_in_one_command() {
    let folder = many(1000);
    assert_eq!(check(folder.path(), &[]).status, 1);
    let run = write(folder.path(), &[]);
    assert_eq!(run.err, "known.txt: 1000 entries written, 1000 of them new; 0 gone\n");
    let sum = "2000 objects: nothing to report; 1000 findings in the baseline\n";
    assert_eq!((run.status, run.out.as_str()), (0, sum));
    let run = check(folder.path(), &BASELINE);
    assert_eq!((run.status, run.out.as_str(), run.err.as_str()), (0, sum, ""));
    // One more fails, and is the only one that is told.
    add(folder.path(), "new");
    let run = check(folder.path(), &BASELINE);
    assert_eq!(run.status, 1);
    assert_eq!(run.out.matches("error[").count(), 1, "{run:?}");
    assert!(run.out.contains("─[new.yaml:"), "{run:?}");
    assert!(run.out.ends_with(": 1 error; 1000 findings in the baseline\n"), "{run:?}");
    // What is mended leaves the file when it is written again, and not before.
    for name in ["new", "app-0", "app-1"] {
        fs::remove_file(folder.path().join(format!("{name}.yaml"))).unwrap();
    }
    let run = check(folder.path(), &BASELINE);
    assert!(
        run.out.ends_with("; 998 findings in the baseline (2 more in it not found)\n"),
        "{run:?}"
    );
    let run = write(folder.path(), &[]);
    assert_eq!(run.err, "known.txt: 998 entries written, 0 of them new; 2 gone\n");
    let text = fs::read_to_string(folder.path().join("known.txt")).unwrap();
    assert!(!text.contains("/app-1 ") && text.contains("/app-2 "));
    assert_eq!(text.lines().filter(|it| !it.starts_with('#')).count(), 998);
}

#[test]
fn the_file_is_for_review() {
    let folder = many(3);
    write(folder.path(), &[]);
    let path = folder.path().join("known.txt");
    let text = fs::read_to_string(&path).unwrap();
    let lines: Vec<_> = text.lines().filter(|it| !it.starts_with('#')).collect();
    for (at, line) in lines.iter().enumerate() {
        let (fingerprint, rest) = line.split_once(' ').unwrap();
        assert_eq!(fingerprint.len(), 32);
        assert_eq!(rest, format!("{RULE} PodDisruptionBudget/default/app-{at} spec.minAvailable"));
    }
    assert_eq!(lines.len(), 3);
    // Written twice, it is the same.
    assert_eq!(
        write(folder.path(), &[]).err,
        "known.txt: 3 entries written, 0 of them new; 0 gone\n"
    );
    assert_eq!(fs::read_to_string(&path).unwrap(), text);
    // The fingerprints are those of the JSON report.
    let report = check(folder.path(), &["--format=json"]).out;
    let report: Value = serde_json::from_str(&report).unwrap();
    for finding in report["findings"].as_array().unwrap() {
        assert!(text.contains(finding["fingerprint"].as_str().unwrap()));
    }
    let report = check(folder.path(), &["--format=json", BASELINE[0], BASELINE[1]]).out;
    let report: Value = serde_json::from_str(&report).unwrap();
    assert_eq!(report["summary"]["baseline"], 3);
    assert_eq!(report["findings"], serde_json::json!([]));
}

#[test]
fn questions_are_known_too() {
    // How many nodes run a DaemonSet is nowhere in the input.
    let daemon = DEPLOYMENT.replace("kind: Deployment", "kind: DaemonSet");
    let folder = folder(&[("api.yaml", &daemon), ("budget.yaml", BUDGET)]);
    let run = |args: &[&str]| {
        purlin(folder.path(), &[&["check", "--only", RULE], &BASELINE[..], args].concat())
    };
    assert_eq!(
        run(&["--write-baseline"]).err,
        "known.txt: 1 entry written, 1 of them new; 0 gone\n"
    );
    let text = fs::read_to_string(folder.path().join("known.txt")).unwrap();
    let entry = format!(" {RULE} PodDisruptionBudget/default/api cannot tell: ");
    assert!(text.contains(&entry), "{text}");
    let known = run(&[]);
    assert!(!known.out.contains("cannot tell"), "{known:?}");
    assert!(known.out.contains("0 findings and 1 question in the baseline"), "{known:?}");
    let report: Value = serde_json::from_str(&run(&["--format=json"]).out).unwrap();
    assert_eq!(report["unknown"], serde_json::json!([]));
    assert_eq!(report["summary"]["baselineUnknown"], 1);
    // Another one is asked.
    fs::write(folder.path().join("web.yaml"), daemon.replace(": api", ": web")).unwrap();
    fs::write(folder.path().join("web-budget.yaml"), BUDGET.replace(": api", ": web")).unwrap();
    let more = run(&[]);
    assert!(more.out.contains("cannot tell: 1 question\n"), "{more:?}");
}

#[test]
fn moving_lines_and_files_changes_nothing() {
    let twice = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\ndata: {k: a, k: b}\n";
    let bad = "apiVersion: v1\nkind: Secret\nmetadata: {name: [}\n";
    let folder = folder(&[
        ("api.yaml", DEPLOYMENT),
        ("budget.yaml", BUDGET),
        ("twice.yaml", twice),
        ("bad.yaml", bad),
    ]);
    let rules = ["check", "--only=pdb-blocks-drain,duplicate-key,invalid-yaml"];
    let run = |args: &[&str]| purlin(folder.path(), &[&rules[..], &BASELINE, args].concat());
    assert!(run(&["--write-baseline"]).err.starts_with("known.txt: 3 entries written"));
    for name in ["api", "budget", "twice", "bad"] {
        let text = fs::read_to_string(folder.path().join(format!("{name}.yaml"))).unwrap();
        fs::remove_file(folder.path().join(format!("{name}.yaml"))).unwrap();
        fs::create_dir_all(folder.path().join("moved")).unwrap();
        let text = format!("# one\n\n# two\n---\n{text}");
        fs::write(folder.path().join(format!("moved/of-{name}.yaml")), text).unwrap();
    }
    let moved = run(&[]);
    assert_eq!(moved.status, 0, "{moved:?}");
    assert!(moved.out.contains("nothing to report; 3 findings in the baseline\n"), "{moved:?}");
}

#[test]
fn equal_findings_are_counted() {
    let twice = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\ndata: {k: a, k: b}\n";
    let folder = folder(&[("a.yaml", twice)]);
    let run = |args: &[&str]| {
        purlin(folder.path(), &[&["check", "--only=duplicate-key"], &BASELINE[..], args].concat())
    };
    run(&["--write-baseline"]);
    assert_eq!(run(&[]).status, 0);
    fs::write(folder.path().join("a.yaml"), twice.replace("k: b", "k: b, k: c")).unwrap();
    let more = run(&[]);
    assert_eq!(more.status, 1);
    assert!(more.out.ends_with("1 error; 1 finding in the baseline\n"), "{more:?}");
}

#[test]
fn the_policy_may_name_it_and_what_was_not_run_stays() {
    let policy = format!("{POLICY}baseline: known.txt\n");
    let folder =
        folder(&[("api.yaml", DEPLOYMENT), ("budget.yaml", BUDGET), ("purlin.yaml", &policy)]);
    assert_eq!(check(folder.path(), &["--write-baseline"]).status, 0);
    assert_eq!(check(folder.path(), &[]).status, 0);
    // From elsewhere it is still the one beside the policy.
    let file = folder.path().join("purlin.yaml");
    let manifests = folder.path().to_str().unwrap();
    let elsewhere = tempfile::tempdir().unwrap();
    let run = check(elsewhere.path(), &[manifests, "--policy", file.to_str().unwrap()]);
    assert_eq!(run.status, 0, "{run:?}");
    let args = ["check", "--only=image-tag-latest", "--write-baseline"];
    assert_eq!(purlin(folder.path(), &args).status, 0);
    assert_eq!(check(folder.path(), &[]).status, 0);
}

#[test]
fn a_baseline_that_cannot_be_read_is_2() {
    let folder = broken();
    let run = check(folder.path(), &BASELINE);
    assert_eq!((run.status, run.out.as_str()), (2, ""));
    assert!(run.err.starts_with("error: cannot read the baseline known.txt: "), "{run:?}");
    assert!(run.err.ends_with("; `--write-baseline` makes it\n"), "{run:?}");
    let good = format!("# purlin baseline 1\n{} {RULE} a b\n", "0".repeat(32));
    for (text, why) in [
        ("", "known.txt:1: a baseline begins with `# purlin baseline 1`"),
        ("{}", "known.txt:1: a baseline begins with `# purlin baseline 1`"),
        ("# purlin baseline 2\n", "known.txt:1: a baseline of version 2, and this purlin reads 1"),
        (&format!("{good}<<<<<<< HEAD\n"), "known.txt:3: a merge that is not finished"),
        (&format!("{good}abc pdb-blocks-drain\n"), "known.txt:3: a line begins with a fingerprint"),
    ] {
        fs::write(folder.path().join("known.txt"), text).unwrap();
        for args in [&BASELINE[..], &["--baseline=known.txt", "--write-baseline"]] {
            let run = check(folder.path(), args);
            assert_eq!((run.status, run.out.as_str()), (2, ""), "{text}");
            let expected = format!("error: the baseline is not valid\n{why}");
            assert!(run.err.starts_with(&expected), "{run:?}");
            assert_eq!(fs::read_to_string(folder.path().join("known.txt")).unwrap(), text);
        }
    }
    fs::write(folder.path().join("known.txt"), good.replace('\n', "\r\n")).unwrap();
    let run = check(folder.path(), &BASELINE);
    assert!(
        run.out.ends_with("1 error; 0 findings in the baseline (1 more in it not found)\n"),
        "{run:?}"
    );
    let run = check(folder.path(), &["--write-baseline"]);
    assert!(run.status == 2 && run.err.contains("`--baseline FILE`"), "{run:?}");
    let run = write(folder.path(), &["gone.yaml", "api.yaml"]);
    assert!(run.status == 2 && run.err.contains("is not written: what gone.yaml holds"), "{run:?}");
}

#[test]
fn a_focus_reports_either_side_of_a_pair() {
    let folder = many(2);
    fs::create_dir(folder.path().join("one")).unwrap();
    fs::write(folder.path().join("one/api.yaml"), DEPLOYMENT).unwrap();
    fs::write(folder.path().join("budget.yaml"), BUDGET).unwrap();
    for focus in [&["one/api.yaml"][..], &["./one"], &["budget.yaml", "one/"]] {
        let run = check(folder.path(), &[&["--focus"], focus].concat());
        assert_eq!(run.status, 1);
        assert_eq!(run.out.matches("error[").count(), 1, "{run:?}");
        assert!(run.out.contains("─[budget.yaml:5:17]\n"), "{run:?}");
        assert!(run.out.ends_with("6 objects: 1 error; 2 findings outside the focus\n"), "{run:?}");
    }
    fs::write(folder.path().join("README.md"), "").unwrap();
    let run = check(folder.path(), &["--focus", "README.md"]);
    assert_eq!(run.out, "6 objects: nothing to report; 3 findings outside the focus\n");
    assert_eq!(run.status, 0);
    let run = check(folder.path(), &["--focus", "app-0.yaml", "gone.yaml"]);
    assert_eq!((run.status, run.out.as_str()), (2, ""));
    assert!(run.err.contains("`--focus` names gone.yaml, which is not there"), "{run:?}");
    let report = check(folder.path(), &["--format=json", "--focus", "app-0.yaml"]).out;
    let report: Value = serde_json::from_str(&report).unwrap();
    assert_eq!(
        (&report["summary"]["errors"], &report["summary"]["outsideFocus"]),
        (&1.into(), &2.into())
    );
}

/// Runs git in a folder as somebody without settings of their own.
pub(crate) fn git(folder: &Path, args: &[&str]) {
    let mut git = Command::new("git");
    git.args(["-c", "user.name=a", "-c", "user.email=a@example", "-c", "commit.gpgsign=false"]);
    git.args(args).current_dir(folder).env("GIT_CONFIG_GLOBAL", "/dev/null");
    let output = git.env_remove("GIT_DIR").env_remove("GIT_INDEX_FILE").output().unwrap();
    assert!(output.status.success(), "{output:?}");
}

pub(crate) fn commit(folder: &Path) {
    git(folder, &["add", "--all"]);
    git(folder, &["commit", "--quiet", "--message", "it"]);
}

/// A repository with two applications that break [`RULE`], committed.
fn repository() -> tempfile::TempDir {
    let folder = many(2);
    git(folder.path(), &["init", "--quiet"]);
    commit(folder.path());
    folder
}

/// A check with git within reach.
fn since(folder: &Path, args: &[&str]) -> Run {
    let args = [&["check", "--since"], args].concat();
    command(folder, &args).env("PATH", std::env::var_os("PATH").unwrap()).output().unwrap().into()
}

const ONE_RULE: &str = "--only=pdb-blocks-drain";

#[test]
fn since_reports_what_the_change_touches() {
    let folder = repository();
    let path = folder.path();
    let nothing = "4 objects: nothing to report; 2 findings outside the focus\n";
    let run = since(path, &["HEAD", ONE_RULE]);
    assert_eq!((run.status, run.out.as_str(), run.err.as_str()), (0, nothing, ""));
    // Files that move and lines that only look different are no change.
    let text = fs::read_to_string(path.join("app-0.yaml")).unwrap();
    fs::remove_file(path.join("app-0.yaml")).unwrap();
    fs::create_dir(path.join("apps")).unwrap();
    fs::write(path.join("apps/zero.yaml"), format!("# moved\n---\n{text}")).unwrap();
    assert_eq!(since(path, &["HEAD", ONE_RULE]).out, nothing);
    // A change of one side reports the pair, though it was broken before.
    fs::write(path.join("apps/zero.yaml"), text.replace("1.4.2", "1.4.3")).unwrap();
    let run = since(path, &["HEAD", ONE_RULE]);
    assert_eq!(run.status, 1);
    assert!(run.out.contains("─[apps/zero.yaml:"), "{run:?}");
    assert!(run.out.ends_with("4 objects: 1 error; 1 finding outside the focus\n"), "{run:?}");
    // Committed or not makes no difference; from below the top it is the same.
    commit(path);
    for (folder, args) in [(path, ["HEAD~1", "."]), (&path.join("apps"), ["HEAD~1", ".."])] {
        let run = since(folder, &[args[0], args[1], ONE_RULE]);
        assert!(run.out.ends_with("4 objects: 1 error; 1 finding outside the focus\n"), "{run:?}");
    }
    // The working tree and the index are as they were.
    let status =
        Command::new("git").args(["status", "--short"]).current_dir(path).output().unwrap();
    assert_eq!(String::from_utf8(status.stdout).unwrap(), "");
}

#[test]
fn since_judges_what_was_by_the_nodes_of_then() {
    let pod = "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: large, namespace: shop}\n\
        spec: {selector: {matchLabels: {app: a}}, template: {metadata: {labels: {app: a}}, spec: {containers: \
        [{name: a, image: 'a:1', resources: {requests: {cpu: 3}}}]}}}\n";
    let nodes = |cpu: u32| {
        format!(
            "nodes: {{one: {{count: 2, allocatable: {{cpu: {cpu}, memory: 8Gi, pods: 110}}}}}}\n"
        )
    };
    let folder = folder(&[("large.yaml", pod), ("nodes.yml", &nodes(2))]);
    let path = folder.path();
    git(path, &["init", "--quiet"]);
    commit(path);
    let args = ["HEAD", "--only=pod-fits-no-node", "--nodes=nodes.yml", "large.yaml"];
    // It fitted no better before.
    let run = since(path, &args);
    assert_eq!((run.status, run.err.as_str()), (0, ""), "{run:?}");
    fs::write(path.join("nodes.yml"), nodes(4)).unwrap();
    commit(path);
    assert_eq!(since(path, &args).status, 0);
    // What the nodes of today no longer hold is new.
    fs::write(path.join("nodes.yml"), nodes(2)).unwrap();
    let run = since(path, &args);
    assert_eq!(run.status, 1, "{run:?}");
}

#[test]
fn since_reports_what_a_deletion_causes() {
    let ingress = "apiVersion: networking.k8s.io/v1\nkind: Ingress\nmetadata: {name: web, namespace: shop}\n\
        spec: {defaultBackend: {service: {name: web, port: {number: 80}}}}\n";
    let service = "apiVersion: v1\nkind: Service\nmetadata: {name: web, namespace: shop}\n\
        spec: {type: ExternalName, externalName: web.example, ports: [{port: 80}]}\n";
    let namespace = "apiVersion: v1\nkind: Namespace\nmetadata: {name: shop}\n";
    // Where the namespace is not known to be complete, it is the deletion that tells.
    for more in [namespace, ""] {
        let folder = folder(&[("i.yaml", ingress), ("s.yaml", service), ("n.yaml", more)]);
        git(folder.path(), &["init", "--quiet"]);
        commit(folder.path());
        let rule = "--only=dangling-ingress";
        let run = since(folder.path(), &["HEAD", rule]);
        assert_eq!((run.status, run.err.as_str()), (0, ""), "{run:?}");
        fs::remove_file(folder.path().join("s.yaml")).unwrap();
        let run = since(folder.path(), &["HEAD", rule]);
        assert_eq!(run.status, 1, "{run:?}");
        assert!(run.out.contains("─[i.yaml:"), "{run:?}");
        commit(folder.path());
        assert_eq!(since(folder.path(), &["HEAD", rule]).status, 0);
        assert_eq!(since(folder.path(), &["HEAD~1", rule]).status, 1);
    }
}

#[test]
fn since_looks_at_the_policy_of_then() {
    let folder = repository();
    let policy = format!("{POLICY}rules: {{{RULE}: off}}\n");
    fs::write(folder.path().join("purlin.yaml"), policy).unwrap();
    commit(folder.path());
    fs::remove_file(folder.path().join("purlin.yaml")).unwrap();
    let run = since(folder.path(), &["HEAD", "--skip=pdb-missing,single-replica"]);
    assert!(run.out.contains("objects: 2 errors;"), "{run:?}");
    // New texts that do not parse are told, old ones are not.
    fs::write(folder.path().join("bad.yaml"), "apiVersion: v1\nkind: [\n").unwrap();
    let args = ["HEAD", "--only=invalid-yaml"];
    assert_eq!(since(folder.path(), &args).status, 1);
    commit(folder.path());
    assert_eq!(since(folder.path(), &args).status, 0);
}

#[test]
fn since_says_what_it_cannot_compare_with() {
    let folder = repository();
    for reference in ["no/such", "--all", "", "HEAD:app-0.yaml"] {
        let reference = format!("--since={reference}");
        let mut check = command(folder.path(), &["check", &reference]);
        let run: Run =
            check.env("PATH", std::env::var_os("PATH").unwrap()).output().unwrap().into();
        assert_eq!((run.status, run.out.as_str()), (2, ""), "{reference}");
        assert!(run.err.starts_with("error: git knows no commit `"), "{run:?}");
    }
    let elsewhere = broken();
    let run = since(elsewhere.path(), &["HEAD"]);
    assert_eq!((run.status, run.out.as_str()), (2, ""));
    assert!(run.err.contains("not a git repository"), "{run:?}");
    let run = since(folder.path(), &["HEAD", elsewhere.path().to_str().unwrap()]);
    assert!(run.status == 2 && run.err.contains("is not in the git repository"), "{run:?}");
    let run = since(folder.path(), &["HEAD", "-", "app-0.yaml"]);
    assert!(run.status == 2 && run.err.contains("standard input"), "{run:?}");
    // Without git there is a sentence too.
    let mut check = command(folder.path(), &["check", "--since=HEAD"]);
    let run: Run = check.env("PATH", "/nowhere").output().unwrap().into();
    assert!(run.status == 2 && run.err.contains("git does not run"), "{run:?}");
    let run = since(folder.path(), &["HEAD", "--focus", "."]);
    assert!(run.status == 2 && run.err.contains("--focus"), "{run:?}");
}
