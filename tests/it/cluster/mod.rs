//! `--cluster` of `purlin check`, `reach` and `graph` on a real API server.

mod connection;
mod flows;
mod init;
mod permissions;
mod placement;
mod retries;
pub(crate) mod same;
mod versions;
mod world;

use crate::apiserver::ApiServer;
use serde_json::Value;
use std::path::Path;
use std::process::{Command, Output, Stdio};

/// The program, with this kubeconfig and nothing else of the environment.
fn purlin(kubeconfig: &Path, args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_purlin"))
        .args(args)
        .current_dir(std::env::temp_dir())
        .env_clear()
        .env("KUBECONFIG", kubeconfig)
        .stdin(Stdio::null())
        .output()
        .unwrap()
}

/// The JSON report on the cluster of this kubeconfig.
fn report(kubeconfig: &Path, args: &[&str]) -> Value {
    let all = [&["check", "--cluster", "--format", "json"], args].concat();
    let output = purlin(kubeconfig, &all);
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.code().is_some_and(|it| it < 2), "{said}");
    serde_json::from_slice(&output.stdout).unwrap_or_else(|error| panic!("{error}: {said}"))
}

/// The findings of a report, each by rule and message, in order.
fn findings(report: &Value) -> Vec<String> {
    let text = |it: &Value| it.as_str().unwrap().to_string();
    let list = report["findings"].as_array().unwrap().iter();
    list.map(|it| format!("{}: {}", text(&it["rule"]), text(&it["message"]))).collect()
}

/// What cannot be told, in order, each by rule and what is missing.
fn unknown(report: &Value) -> Vec<String> {
    let text = |it: &Value| it.as_str().unwrap().to_string();
    let list = report["unknown"].as_array().unwrap().iter();
    list.map(|it| format!("{}: {}", text(&it["rule"]), text(&it["missing"]))).collect()
}

/// Applies manifests, all of which the server has to take.
fn apply(server: &ApiServer, manifests: &str) -> Vec<crate::apiserver::Name> {
    let (names, refused) = server.apply(manifests);
    assert!(refused.is_empty(), "{refused:?}");
    names
}
