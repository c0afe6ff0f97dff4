//! Clusters that cannot be read: each gets its reason, and status 2.

use super::purlin;
use crate::apiserver::ApiServer;
use std::fs;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::Command;

/// A kubeconfig of a cluster at this address.
fn kubeconfig(folder: &Path, server: &str, more: &str) -> PathBuf {
    let path = folder.join("kubeconfig");
    let text = format!(
        "apiVersion: v1\nkind: Config\ncurrent-context: one\n\
         contexts: [{{name: one, context: {{cluster: it, user: it}}}}, {{name: two, context: {{cluster: it, user: it}}}}]\n\
         clusters: [{{name: it, cluster: {{server: '{server}'{more}}}}}]\nusers: [{{name: it, user: {{}}}}]\n"
    );
    fs::write(&path, text).unwrap();
    path
}

/// Fails, and says why.
fn refused(kubeconfig: &Path, args: &[&str], why: &str) {
    let output = purlin(kubeconfig, &[&["check", "--cluster"], args].concat());
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(2), "{said}");
    assert!(said.contains(why), "{said}");
    assert_eq!(output.stdout, b"");
}

#[test]
fn what_is_wrong_with_a_kubeconfig_is_said() {
    let folder = tempfile::tempdir().unwrap();
    let output = Command::new(env!("CARGO_BIN_EXE_purlin"))
        .args(["check", "--cluster"])
        .env_clear()
        .env("HOME", folder.path())
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(2));
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(said.starts_with("error: no kubeconfig: KUBECONFIG is not set"), "{said}");

    let missing = folder.path().join("missing");
    refused(&missing, &[], "error: cannot read the kubeconfig ");
    fs::write(&missing, "a: [").unwrap();
    refused(&missing, &[], "error: the kubeconfig is not valid: ");
    let path = kubeconfig(folder.path(), "https://127.0.0.1:1", "");
    refused(
        &path,
        &["--context", "tow"],
        "error: no context `tow` in the kubeconfig; it has `one`, `two`",
    );
}

#[test]
fn a_cluster_that_does_not_answer_is_an_error() {
    let folder = tempfile::tempdir().unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let silent = kubeconfig(folder.path(), &format!("http://127.0.0.1:{port}"), "");
    refused(&silent, &["--request-timeout", "1"], "no answer in time");
    drop(listener);
    refused(
        &silent,
        &[],
        &format!("cannot read the cluster at http://127.0.0.1:{port}: connection refused"),
    );
}

#[test]
fn a_certificate_of_somebody_else_is_refused() {
    let Some(server) = ApiServer::start() else { return };
    let folder = tempfile::tempdir().unwrap();
    let other = server.folder().join("admin.crt");
    let more = format!(", certificate-authority: {}", other.display());
    let path = kubeconfig(folder.path(), &server.url(), &more);
    refused(&path, &[], "its certificate is not trusted");
    let more = format!(", certificate-authority: {}", server.ca().display());
    let path = kubeconfig(folder.path(), &server.url(), &more);
    refused(&path, &[], "the login of the kubeconfig is not accepted (401 Unauthorized)");
}
