//! The programs, and that each is stopped by its own id.

use std::fs::File;
use std::net::TcpListener;
use std::path::Path;
use std::process::{Child, Command, Stdio};

/// A program that is stopped when this is dropped.
pub(super) struct Process {
    child: Child,
}

impl Process {
    fn start(program: &Path, folder: &Path, args: &[String]) -> Process {
        let name = program.file_name().unwrap().to_string_lossy();
        let log = File::create(folder.join(format!("{name}.log"))).unwrap();
        let child = Command::new(program)
            .args(args)
            .current_dir(folder)
            .stdin(Stdio::null())
            .stdout(log.try_clone().unwrap())
            .stderr(log)
            .spawn()
            .unwrap_or_else(|error| panic!("cannot start {}: {error}", program.display()));
        Process { child }
    }

    /// Whether it runs.
    pub(super) fn is_running(&mut self) -> bool {
        self.child.try_wait().unwrap().is_none()
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // One that has ended by itself is only waited for.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A port of loopback that nobody listens on.
pub(super) fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

/// On sockets in a folder that only this user can enter, etcd needs neither a port nor certificates.
pub(super) fn etcd(assets: &Path, folder: &Path) -> Process {
    let at = folder.display();
    let args = [
        "--name=it".into(),
        format!("--data-dir={at}/etcd"),
        "--unsafe-no-fsync".into(),
        "--log-level=error".into(),
        format!("--listen-client-urls=unix://{at}/etcd.sock"),
        "--advertise-client-urls=http://127.0.0.1:2379".into(),
        format!("--listen-peer-urls=unix://{at}/peer.sock"),
        "--initial-cluster=it=http://127.0.0.1:2380".into(),
        "--initial-advertise-peer-urls=http://127.0.0.1:2380".into(),
    ];
    Process::start(&assets.join("etcd"), folder, &args)
}

/// The admission plugins that are off need controllers: no ServiceAccount is made here, and nobody takes the
/// finalizer off a claim.
pub(super) fn server(assets: &Path, folder: &Path, port: u16, more: &[String]) -> Process {
    let at = folder.display();
    let mut args = vec![
        "--bind-address=127.0.0.1".into(),
        format!("--secure-port={port}"),
        "--advertise-address=127.0.0.1".into(),
        "--endpoint-reconciler-type=none".into(),
        format!("--etcd-servers=unix://{at}/etcd.sock"),
        format!("--cert-dir={at}"),
        format!("--tls-cert-file={at}/server.crt"),
        format!("--tls-private-key-file={at}/server.key"),
        format!("--client-ca-file={at}/ca.crt"),
        "--anonymous-auth=false".into(),
        "--authorization-mode=RBAC".into(),
        "--service-account-issuer=https://kubernetes.default.svc".into(),
        format!("--service-account-key-file={at}/service-account.crt"),
        format!("--service-account-signing-key-file={at}/service-account.key"),
        "--service-cluster-ip-range=10.0.0.0/16".into(),
        "--allow-privileged".into(),
        "--disable-admission-plugins=ServiceAccount,StorageObjectInUseProtection".into(),
        "--profiling=false".into(),
    ];
    args.extend_from_slice(more);
    Process::start(&assets.join("kube-apiserver"), folder, &args)
}
