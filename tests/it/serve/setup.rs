//! A server before an API server in name only.

use super::pretence::Pretence;
use super::program::{Program, Start};
use super::relay::Relay;
use crate::apiserver::certificates::Authority;
use serde_json::Value;
use std::path::{Path, PathBuf};
use tempfile::TempDir;

/// A folder with certificates, and an API server in name only. The last field is dropped last.
pub(crate) struct Setup {
    pub(crate) pretence: Pretence,
    pub(crate) authority: Authority,
    kubeconfig: PathBuf,
    certificate: (PathBuf, PathBuf),
    folder: TempDir,
}

impl Setup {
    /// With a cluster of these objects.
    pub(crate) fn new(objects: Vec<Value>) -> Setup {
        let folder = tempfile::tempdir().unwrap();
        let authority = Authority::new(folder.path());
        let certificate = authority.issue("webhook", "webhook", &[]);
        let pretence = Pretence::start(objects);
        let kubeconfig = pretence.kubeconfig(folder.path());
        Setup { pretence, authority, kubeconfig, certificate, folder }
    }

    /// The same cluster, seen through a relay.
    pub(crate) fn through(self, relay: &Relay) -> Setup {
        let config = std::fs::read_to_string(&self.kubeconfig).unwrap();
        let (direct, way) = (self.pretence.address().port(), relay.port());
        let config = config.replace(&format!("127.0.0.1:{direct}"), &format!("127.0.0.1:{way}"));
        std::fs::write(&self.kubeconfig, config).unwrap();
        self
    }

    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    pub(crate) fn ca(&self) -> PathBuf {
        self.folder().join("ca.crt")
    }

    /// A server that is ready.
    pub(crate) fn serve(&self, more: &[&str]) -> Program {
        let mut program = self.begin("serve", more);
        program.wait_until_ready();
        program
    }

    /// A server that listens; its log has this name.
    pub(crate) fn begin(&self, log: &str, more: &[&str]) -> Program {
        let certificate = (self.certificate.0.as_path(), self.certificate.1.as_path());
        self.begin_with(certificate, log, more)
    }

    /// The same with another certificate and key.
    pub(crate) fn begin_with(
        &self,
        certificate: (&Path, &Path),
        log: &str,
        more: &[&str],
    ) -> Program {
        Program::start(&Start {
            log: self.folder().join(format!("{log}.log")),
            kubeconfig: &self.kubeconfig,
            certificate: Some(certificate),
            authority: &self.ca(),
            more,
        })
    }
}
