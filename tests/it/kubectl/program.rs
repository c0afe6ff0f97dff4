//! `kubectl` as a program, and what it printed.

use crate::apiserver::ApiServer;
use serde_json::{Value, json};
use std::io::Write;
use std::path::PathBuf;
use std::process::{Command, Stdio};

/// What the API server says before the words of the webhook.
const DENIED: &str = "admission webhook \"validate.purlin.dev\" denied the request: ";

/// The program, for one API server.
pub(super) struct Kubectl {
    kubeconfig: PathBuf,
    folder: PathBuf,
}

/// What it printed of one command.
#[derive(Debug, Default)]
pub(super) struct Said {
    /// Warnings, each in a line.
    pub(super) warnings: Vec<String>,
    /// Why the webhook denied something, finding by finding.
    pub(super) denials: Vec<String>,
    /// What the API server, or kubectl itself, refused by its own rules.
    pub(super) refusals: Vec<String>,
    /// What was done.
    pub(super) done: String,
}

/// Whether there is a kubectl; where there is none, that is said.
pub(super) fn is_there() -> bool {
    let version = Command::new("kubectl").args(["version", "--client"]).output();
    let is_there = version.is_ok_and(|it| it.status.success());
    if !is_there {
        eprintln!("LEFT OUT: no kubectl on the PATH to test with");
    }
    is_there
}

impl Kubectl {
    /// It keeps what it knows of a server in the server's own folder.
    pub(super) fn new(api: &ApiServer) -> Kubectl {
        Kubectl { kubeconfig: api.kubeconfig(), folder: api.folder().to_path_buf() }
    }

    /// Runs a command on objects.
    pub(super) fn on(&self, objects: &[&Value], args: &[&str]) -> Said {
        let list = json!({"apiVersion": "v1", "kind": "List", "items": objects});
        self.run(&[args, &["-f", "-"]].concat(), &list.to_string())
    }

    /// Runs a command.
    pub(super) fn run(&self, args: &[&str], input: &str) -> Said {
        let mut child = Command::new("kubectl")
            .args(args)
            .env_clear()
            .env("KUBECONFIG", &self.kubeconfig)
            .env("HOME", &self.folder)
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
        let output = child.wait_with_output().unwrap();
        let said = Said::read(
            String::from_utf8(output.stdout).unwrap(),
            &String::from_utf8(output.stderr).unwrap(),
        );
        assert_eq!(output.status.success(), said.is_done(), "{args:?}: {said:#?}");
        said
    }
}

impl Said {
    fn read(done: String, errors: &str) -> Said {
        let mut said = Said { done, ..Said::default() };
        for text in parts(errors) {
            if let Some(warning) = text.strip_prefix("Warning: ") {
                said.warnings.push(warning.into());
            } else if let Some((_, words)) = text.split_once(DENIED) {
                said.denials.extend(words.split("\n\n").map(String::from));
            } else {
                said.refusals.push(text);
            }
        }
        said
    }

    /// Whether nothing was refused.
    pub(super) fn is_done(&self) -> bool {
        self.denials.is_empty() && self.refusals.is_empty()
    }

    /// Adds what another command printed.
    pub(super) fn and(&mut self, other: Said) {
        self.warnings.extend(other.warnings);
        self.denials.extend(other.denials);
        self.refusals.extend(other.refusals);
        self.done.push_str(&other.done);
    }
}

/// The warnings and errors of kubectl; one has as many lines as it needs.
fn parts(errors: &str) -> Vec<String> {
    const STARTS: [&str; 4] = ["Warning: ", "Error from server", "error: ", "The "];
    let mut parts: Vec<String> = Vec::new();
    for line in errors.lines() {
        match parts.last_mut() {
            Some(part) if !STARTS.iter().any(|it| line.starts_with(it)) => {
                part.push('\n');
                part.push_str(line);
            }
            _ => parts.push(line.into()),
        }
    }
    parts
}
