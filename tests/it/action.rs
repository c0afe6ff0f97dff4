//! The GitHub action: its steps are run as a runner runs them, with the program under test on the PATH.
//!
//! Releases are fetched from this machine. What is not tried is what needs GitHub itself: the upload to code scanning.
#![cfg(unix)]

use crate::cli::{BUDGET, DEPLOYMENT, POLICY, broken, folder};
use crate::support::root;
use purlin::load::read::yaml;
use purlin::load::read::yaml::Syntax;
use purlin::text::tree::Node;
use std::collections::BTreeMap;
use std::fs;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use tempfile::TempDir;

/// What a job's action did.
#[derive(Debug, Default)]
struct Job {
    /// Whether every step succeeded.
    success: bool,
    /// What the steps printed.
    log: String,
    summary: String,
    /// The action's outputs.
    outputs: BTreeMap<String, String>,
    /// What was handed to other actions.
    used: Vec<BTreeMap<String, String>>,
}

/// What expressions may name, by their dotted names.
type Context = BTreeMap<String, String>;

/// Runs the action in a folder with these inputs.
fn run(workspace: &Path, given: &[(&str, &str)]) -> Job {
    // Nothing listens there.
    run_with(workspace, "http://127.0.0.1:1", given)
}

/// The same, with releases from this server.
fn run_with(workspace: &Path, server: &str, given: &[(&str, &str)]) -> Job {
    let text: Arc<str> = fs::read_to_string(root().join("action.yml")).unwrap().into();
    let parsed = yaml::parse(&text, 0..text.len(), Syntax::Yaml).unwrap().unwrap();
    let action = parsed.tree.root();
    let mut context = Context::new();
    context.insert("github.action_repository".into(), "them/purlin".into());
    context.insert("github.action_ref".into(), "v9.9.9".into());
    for (name, input) in action.get("inputs").unwrap().pairs() {
        assert!(!input.text("description").unwrap().is_empty(), "{name}");
        context.insert(format!("inputs.{name}"), input.text("default").unwrap().to_string());
    }
    for (name, value) in given {
        let known = context.insert(format!("inputs.{name}"), (*value).to_string());
        assert!(known.is_some(), "the action has no input {name}");
    }
    let temporary = tempfile::tempdir().unwrap();
    let mut job = Job { success: true, ..Job::default() };
    let mut path = std::env::var("PATH").unwrap();
    let bin = Path::new(env!("CARGO_BIN_EXE_purlin")).parent().unwrap();
    path = format!("{}:{path}", bin.display());
    for step in action.at(&["runs", "steps"]).unwrap().items() {
        // Without a condition, a step runs if all those before it succeeded.
        if !job.success || !step.text("if").is_none_or(|it| holds(it, &context)) {
            continue;
        }
        if let Some(other) = step.text("uses") {
            let mut with = strings(step.get("with"), &context);
            with.insert("uses".into(), other.into());
            job.used.push(with);
            continue;
        }
        assert_eq!(step.text("shell"), Some("bash"));
        let file = |name: &str| temporary.path().join(name);
        for name in ["output", "path"] {
            fs::write(file(name), "").unwrap();
        }
        fs::write(file("script.sh"), step.text("run").unwrap()).unwrap();
        let folder =
            step.text("working-directory").map_or(String::new(), |it| filled(it, &context));
        let output = Command::new("bash")
            .args(["--noprofile", "--norc", "-e", "-o", "pipefail"])
            .arg(file("script.sh"))
            .current_dir(workspace.join(folder))
            .env_clear()
            .env("PATH", &path)
            .env("HOME", temporary.path())
            .env("GITHUB_ACTION_PATH", root())
            .env("GITHUB_WORKSPACE", workspace)
            .env("GITHUB_OUTPUT", file("output"))
            .env("GITHUB_PATH", file("path"))
            .env("GITHUB_STEP_SUMMARY", file("summary"))
            .env("RUNNER_TEMP", temporary.path())
            .env("GITHUB_SERVER_URL", server)
            .env("RUNNER_OS", "Linux")
            .env("RUNNER_ARCH", "X64")
            .envs(strings(step.get("env"), &context))
            .output()
            .unwrap();
        job.log.push_str(&String::from_utf8(output.stdout).unwrap());
        job.log.push_str(&String::from_utf8(output.stderr).unwrap());
        job.success = output.status.success();
        for line in fs::read_to_string(file("output")).unwrap().lines() {
            let (name, value) = line.split_once('=').unwrap();
            let step = step.text("id").unwrap();
            context.insert(format!("steps.{step}.outputs.{name}"), value.to_string());
        }
        for line in fs::read_to_string(file("path")).unwrap().lines() {
            path = format!("{line}:{path}");
        }
    }
    job.summary = fs::read_to_string(temporary.path().join("summary")).unwrap_or_default();
    for (name, output) in action.get("outputs").unwrap().pairs() {
        job.outputs.insert(name.to_string(), filled(output.text("value").unwrap(), &context));
    }
    job
}

fn strings(node: Option<Node<'_>>, context: &Context) -> BTreeMap<String, String> {
    let pairs = node.into_iter().flat_map(Node::pairs);
    pairs.map(|(key, value)| (key.into(), filled(value.str().unwrap(), context))).collect()
}

/// A text with its `${{ … }}` replaced; what is not there is empty.
fn filled(text: &str, context: &Context) -> String {
    let mut parts = text.split("${{");
    let mut out = parts.next().unwrap().to_string();
    for part in parts {
        let (name, rest) = part.split_once("}}").unwrap();
        out.push_str(context.get(name.trim()).map_or("", String::as_str));
        out.push_str(rest);
    }
    out
}

/// The conditions that the action uses: comparisons with texts, joined by `&&`.
fn holds(condition: &str, context: &Context) -> bool {
    condition.split(" && ").all(|it| {
        let (name, text, equal) = match it.split_once(" == ") {
            Some((name, text)) => (name, text, true),
            None => it.split_once(" != ").map(|(name, text)| (name, text, false)).unwrap(),
        };
        let text = text.strip_prefix('\'').unwrap().strip_suffix('\'').unwrap();
        (context.get(name).map_or("", String::as_str) == text) == equal
    })
}

const INSTALLED: (&str, &str) = ("version", "installed");
const ONE_RULE: (&str, &str) = ("args", "--only\npdb-blocks-drain");

#[test]
fn findings_are_annotated_summed_up_and_fail_the_job() {
    let folder = broken();
    let job =
        run(folder.path(), &[INSTALLED, ONE_RULE, ("sarif", "out.sarif"), ("junit", "out.xml")]);
    assert!(!job.success, "{job:?}");
    // The runner takes no commands from the report for people, whatever names stand in it.
    let (_, log) = job.log.split_once("::stop-commands::").unwrap();
    let (token, log) = log.split_once('\n').unwrap();
    let (report, _) = log.split_once(&format!("\n::{token}::\n")).unwrap();
    assert!(report.contains("error[pdb-blocks-drain]\n") && token.len() == 32, "{}", job.log);
    assert!(job.log.contains("\n::error file=budget.yaml,line=5,"), "{}", job.log);
    assert!(job.log.contains("\n::notice file=api.yaml,line=5,"), "{}", job.log);
    assert!(job.summary.starts_with("## purlin\n\n1 error, "), "{}", job.summary);
    assert_eq!((job.outputs["status"].as_str(), job.outputs["errors"].as_str()), ("1", "1"));
    assert_eq!(job.outputs["warnings"], "0");
    let sarif = fs::read_to_string(&job.outputs["sarif"]).unwrap();
    let sarif: serde_json::Value = serde_json::from_str(&sarif).unwrap();
    assert_eq!(sarif["runs"][0]["results"].as_array().unwrap().len(), 1);
    assert!(fs::read_to_string(folder.path().join("out.xml")).unwrap().contains("failures=\"1\""));
    assert!(job.used.is_empty());
}

#[test]
fn nothing_found_is_success_and_findings_can_be_only_told() {
    let folder = broken();
    let job = run(folder.path(), &[INSTALLED, ONE_RULE, ("paths", "api.yaml\n")]);
    assert!(job.success, "{job:?}");
    assert_eq!(job.outputs["status"], "0");
    assert!(!job.log.contains("::error"), "{}", job.log);
    let told =
        [INSTALLED, ONE_RULE, ("fail-on", "never"), ("annotations", "false"), ("summary", "false")];
    let job = run(folder.path(), &told);
    assert!(job.success && job.summary.is_empty() && !job.log.contains("::error"), "{job:?}");
    assert_eq!((job.outputs["status"].as_str(), job.outputs["errors"].as_str()), ("0", "1"));
}

#[test]
fn code_scanning_is_given_the_report_from_below_the_top_as_well() {
    let (api, budget) = ("team a/api.yaml", "team a/b, c.yaml");
    let folder = folder(&[(".git/HEAD", ""), (api, DEPLOYMENT), (budget, BUDGET)]);
    let inputs = [
        INSTALLED,
        ONE_RULE,
        ("working-directory", "team a"),
        ("paths", "api.yaml\nb, c.yaml"),
        ("upload-sarif", "true"),
    ];
    let job = run(folder.path(), &inputs);
    assert!(!job.success);
    assert!(job.log.contains("\n::error file=team a/b%2C c.yaml,line=5,"), "{}", job.log);
    assert_eq!(job.used.len(), 1, "{job:?}");
    assert!(job.used[0]["uses"].starts_with("github/codeql-action/upload-sarif@"));
    assert_eq!(job.used[0]["sarif_file"], job.outputs["sarif"]);
}

#[test]
fn a_baseline_and_a_policy_are_handed_on() {
    let folder = broken();
    fs::write(
        folder.path().join("other.yaml"),
        format!("{POLICY}rules: {{pdb-blocks-drain: warning}}\n"),
    )
    .unwrap();
    let job = run(folder.path(), &[INSTALLED, ONE_RULE, ("policy", "other.yaml")]);
    assert!(job.success && job.outputs["warnings"] == "1", "{job:?}");
    let write = ["check", "--only=pdb-blocks-drain", "--baseline=known.txt", "--write-baseline"];
    assert_eq!(crate::cli::purlin(folder.path(), &write).status, 0);
    let job = run(folder.path(), &[INSTALLED, ONE_RULE, ("baseline", "known.txt")]);
    assert!(job.success && job.summary.contains("1 finding in the baseline"), "{job:?}");
    let job = run(folder.path(), &[INSTALLED, ONE_RULE, ("since", "no-such-branch")]);
    assert!(!job.success, "{job:?}");
}

#[test]
fn what_purlin_cannot_do_is_an_error_and_uploads_nothing() {
    let empty: TempDir = tempfile::tempdir().unwrap();
    let job = run(empty.path(), &[INSTALLED, ("upload-sarif", "true")]);
    assert!(!job.success && job.used.is_empty(), "{job:?}");
    assert_eq!(job.outputs["status"], "2");
    assert!(job.log.contains("nothing to check"), "{}", job.log);
    assert!(job.log.contains("::error title=purlin::"), "{}", job.log);
    // A release that cannot be had is no reason to check nothing and succeed.
    let hostile = [("version", "v0.0.0'; touch x; '"), ("paths", "$(touch y)")];
    let job = run(empty.path(), &hostile);
    assert!(!job.success, "{job:?}");
    assert_eq!(fs::read_dir(empty.path()).unwrap().count(), 0);
}

/// Serves files by their paths until it is dropped.
struct Releases {
    address: std::net::SocketAddr,
    is_over: Arc<std::sync::atomic::AtomicBool>,
}

impl Releases {
    fn serve(files: BTreeMap<String, Vec<u8>>) -> Releases {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let is_over = Arc::new(std::sync::atomic::AtomicBool::new(false));
        let over = Arc::clone(&is_over);
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                if over.load(std::sync::atomic::Ordering::Relaxed) {
                    return;
                }
                let _ = answer(stream.unwrap(), &files);
            }
        });
        Releases { address, is_over }
    }
}

impl Drop for Releases {
    fn drop(&mut self) {
        self.is_over.store(true, std::sync::atomic::Ordering::Relaxed);
        let _ = std::net::TcpStream::connect(self.address);
    }
}

fn answer(mut stream: TcpStream, files: &BTreeMap<String, Vec<u8>>) -> std::io::Result<()> {
    let mut request = Vec::new();
    let mut byte = [0];
    while !request.ends_with(b"\r\n\r\n") && stream.read(&mut byte)? == 1 {
        request.push(byte[0]);
    }
    let request = String::from_utf8_lossy(&request).into_owned();
    let (status, body) = match files.get(request.split(' ').nth(1).unwrap_or("")) {
        Some(body) => ("200 OK", body.as_slice()),
        None => ("404 Not Found", &[][..]),
    };
    let head =
        format!("HTTP/1.1 {status}\r\ncontent-length: {}\r\nconnection: close\r\n\r\n", body.len());
    stream.write_all(head.as_bytes())?;
    stream.write_all(body)
}

#[test]
fn a_release_is_fetched_and_must_be_what_its_checksum_says() {
    let folder =
        folder(&[("in/purlin", "#!/bin/sh\necho this is the release\nexit 2\n"), ("w/x", "")]);
    let pack = "chmod +x in/purlin && tar -czf p.tar.gz -C in purlin && sha256sum p.tar.gz | cut -d' ' -f1";
    let packed =
        Command::new("sh").args(["-ec", pack]).current_dir(folder.path()).output().unwrap();
    let sum = String::from_utf8(packed.stdout).unwrap();
    let name = "purlin-v9.9.9-x86_64-unknown-linux-gnu.tar.gz";
    for (sum, word) in
        [(sum.trim(), "this is the release\n"), (&"0".repeat(64), "is not what its checksum says")]
    {
        let at = "/them/purlin/releases/download/v9.9.9";
        let archive = fs::read(folder.path().join("p.tar.gz")).unwrap();
        let files = [
            (
                format!("{at}/SHA256SUMS"),
                format!("{}  other\n{sum}  {name}\n", "1".repeat(64)).into_bytes(),
            ),
            (format!("{at}/{name}"), archive),
        ];
        let server = Releases::serve(files.into());
        let url = format!("http://{}", server.address);
        for version in ["", "v9.9.9"] {
            let job = run_with(&folder.path().join("w"), &url, &[("version", version)]);
            assert!(!job.success && job.log.contains(word), "{job:?}");
        }
    }
}
