//! A real API server: etcd and kube-apiserver on loopback, with certificates of their own, stopped when it is dropped.
//!
//! The programs are those in `KUBEBUILDER_ASSETS` (`tests/apiserver/build.sh` builds them, `setup-envtest` downloads
//! them). Without them [`ApiServer::start`] says so and gives nothing, and the test that asked returns.
//!
//! No controller runs: what is applied stays as it is, and nothing stands in for what a controller would have made.
//! Webhooks on loopback are called (`clientConfig` with `url` and `caBundle`).

pub(crate) mod certificates;
mod objects;

pub(crate) use objects::json_of;
mod process;

use crate::support::root;
use certificates::Authority;
use kube::Client;
pub(crate) use objects::Name;
use process::{Process, free_port};
use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;
use tempfile::TempDir;
use tokio::runtime::Runtime;

/// How long a server may take to become ready on a busy machine.
const READY: Duration = Duration::from_secs(180);

/// An API server and its store. The last field is dropped last.
pub(crate) struct ApiServer {
    server: Option<Process>,
    client: Client,
    runtime: Runtime,
    assets: PathBuf,
    port: u16,
    authority: Authority,
    etcd: Option<Process>,
    folder: TempDir,
}

impl ApiServer {
    /// Starts one that knows the kinds of `tests/apiserver/crds.yaml`; nothing where there are no programs to start.
    pub(crate) fn start() -> Option<ApiServer> {
        let Some(assets) = std::env::var_os("KUBEBUILDER_ASSETS").filter(|it| !it.is_empty())
        else {
            eprintln!(
                "LEFT OUT: no API server to test with; set KUBEBUILDER_ASSETS to the folder of etcd and kube-apiserver \
                 (`export KUBEBUILDER_ASSETS=$(tests/apiserver/build.sh)`)"
            );
            return None;
        };
        let server = ApiServer::new(assets);
        let crds = fs::read_to_string(root().join("tests/apiserver/crds.yaml")).unwrap();
        let (_, refused) = server.apply(&crds);
        assert!(refused.is_empty(), "{refused:?}");
        server.wait_for_custom_kinds();
        Some(server)
    }

    fn new(assets: OsString) -> ApiServer {
        let assets = PathBuf::from(assets);
        // The paths of sockets may not pass 107 characters.
        let folder = tempfile::Builder::new().prefix("purlin").tempdir_in("/tmp").unwrap();
        let authority = Authority::new(folder.path());
        authority.issue("server", "kube-apiserver", &[]);
        authority.issue("admin", "admin", &["system:masters"]);
        authority.issue("service-account", "service-account", &[]);
        let etcd = process::etcd(&assets, folder.path());
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        // The port is chosen here, so another program may take it first; then the server stops and another is tried.
        for _ in 0..5 {
            let port = free_port();
            let path = folder.path().join("kubeconfig");
            fs::write(&path, kubeconfig(folder.path(), port, "admin")).unwrap();
            let server = process::server(&assets, folder.path(), port, &[]);
            let client = objects::client(&runtime, &path);
            if let Some(server) = objects::ready(&runtime, &client, server, READY) {
                let server = Some(server);
                return ApiServer {
                    server,
                    client,
                    runtime,
                    assets,
                    port,
                    authority,
                    etcd: Some(etcd),
                    folder,
                };
            }
        }
        let log = fs::read_to_string(folder.path().join("kube-apiserver.log")).unwrap_or_default();
        let last: Vec<_> = log.lines().rev().take(20).collect();
        panic!("the API server did not become ready\n{}", last.join("\n"));
    }

    /// Where it listens.
    pub(crate) fn url(&self) -> String {
        format!("https://127.0.0.1:{}", self.port)
    }

    /// The folder of its files: `kubeconfig`, `ca.crt`, logs.
    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// A kubeconfig of somebody who may do everything; its context is `it`.
    pub(crate) fn kubeconfig(&self) -> PathBuf {
        self.folder().join("kubeconfig")
    }

    /// The certificate of its authority, and of all that its authority issues.
    pub(crate) fn ca(&self) -> PathBuf {
        self.folder().join("ca.crt")
    }

    /// A kubeconfig of a user of this name, who may do what is bound to it.
    pub(crate) fn kubeconfig_of(&self, user: &str) -> PathBuf {
        self.authority.issue(user, user, &[]);
        let path = self.folder().join(format!("{user}.kubeconfig"));
        fs::write(&path, kubeconfig(self.folder(), self.port, user)).unwrap();
        path
    }

    /// Paths of a certificate for loopback and its key, for a server that the API server is to trust.
    pub(crate) fn issue(&self, name: &str) -> (PathBuf, PathBuf) {
        self.authority.issue(name, name, &[])
    }

    /// A client that may do everything, and what to run it on.
    pub(crate) fn client(&self) -> (&Runtime, Client) {
        (&self.runtime, self.client.clone())
    }

    /// Copies the store, which is stopped for it; where the copy is.
    pub(crate) fn back_up(&mut self) -> PathBuf {
        let backup = self.folder().join("backup");
        self.replace_store(|store| copy(store, &backup));
        backup
    }

    /// Puts a copy of the store in its place, as it was, revisions included.
    pub(crate) fn restore(&mut self, backup: &Path) {
        self.replace_store(|store| {
            fs::remove_dir_all(store).unwrap();
            copy(backup, store);
        });
    }

    fn replace_store(&mut self, replace: impl Fn(&Path)) {
        self.server = None;
        self.etcd = None;
        replace(&self.folder().join("etcd"));
        for socket in ["etcd.sock", "peer.sock"] {
            // A socket that nobody listens on any more is in the way.
            let _ = fs::remove_file(self.folder().join(socket));
        }
        self.etcd = Some(process::etcd(&self.assets, self.folder.path()));
        self.restart();
    }

    /// Stops the API server as a crash would, and starts it again on the same port and store.
    pub(crate) fn restart(&mut self) {
        self.restart_with(&[]);
    }

    /// Stops it and starts it again with more arguments.
    pub(crate) fn restart_with(&mut self, more: &[String]) {
        self.server = None;
        let server = process::server(&self.assets, self.folder.path(), self.port, more);
        self.server = objects::ready(&self.runtime, &self.client, server, READY);
        assert!(self.server.is_some(), "the API server did not become ready again");
    }
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for it in fs::read_dir(from).unwrap() {
        let it = it.unwrap();
        let to = to.join(it.file_name());
        match it.file_type().unwrap().is_dir() {
            true => copy(&it.path(), &to),
            false => drop(fs::copy(it.path(), to).unwrap()),
        }
    }
}

fn kubeconfig(folder: &Path, port: u16, user: &str) -> String {
    let folder = folder.display();
    format!(
        "apiVersion: v1\nkind: Config\ncurrent-context: it\n\
         contexts: [{{name: it, context: {{cluster: it, user: {user}}}}}]\n\
         clusters:\n  - name: it\n    cluster: {{server: 'https://127.0.0.1:{port}', certificate-authority: {folder}/ca.crt}}\n\
         users:\n  - name: {user}\n    user: {{client-certificate: {folder}/{user}.crt, client-key: {folder}/{user}.key}}\n"
    )
}
