//! `purlin serve` as a program on loopback, stopped by its own id.

use super::client::{self, Answer, Connection};
use rustls::ClientConfig;
use serde_json::Value;
use std::fs::File;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// How long to wait for what has to come on a busy machine.
pub(crate) const PATIENCE: Duration = Duration::from_secs(120);

/// A server.
pub(crate) struct Program {
    child: Child,
    log: PathBuf,
    /// Where reviews go.
    pub(crate) reviews: SocketAddr,
    /// Where health and metrics are.
    pub(crate) operations: SocketAddr,
    pub(crate) tls: Arc<ClientConfig>,
}

/// What a server is started with.
pub(crate) struct Start<'s> {
    /// Where its log goes; the name of the file.
    pub(crate) log: PathBuf,
    pub(crate) kubeconfig: &'s Path,
    /// The certificate and its key, where it does not make them itself.
    pub(crate) certificate: Option<(&'s Path, &'s Path)>,
    pub(crate) authority: &'s Path,
    pub(crate) more: &'s [&'s str],
}

impl Program {
    /// Starts one and waits until it listens.
    pub(crate) fn start(start: &Start<'_>) -> Program {
        let mut command = Command::new(env!("CARGO_BIN_EXE_purlin"));
        command
            .args(["serve", "--listen=127.0.0.1:0", "--operations=127.0.0.1:0", "--kubeconfig"])
            .arg(start.kubeconfig)
            .args(start.more)
            .env_clear();
        if let Some((certificate, key)) = start.certificate {
            command.arg("--certificate").arg(certificate).arg("--key").arg(key);
        }
        Program::begin(command, &start.log, start.authority)
    }

    /// Starts a program that serves as `purlin serve` does, and waits until it listens.
    pub(crate) fn begin(mut command: Command, log: &Path, authority: &Path) -> Program {
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(File::create(log).unwrap());
        let nowhere = SocketAddr::from(([127, 0, 0, 1], 0));
        let mut program = Program {
            child: command.spawn().unwrap(),
            log: log.into(),
            reviews: nowhere,
            operations: nowhere,
            tls: client::trusting(authority, None),
        };
        for what in ["reviews", "operations"] {
            let line =
                program.wait_for_log(|it| it["message"] == "listening" && it["what"] == what);
            let address = line["address"].as_str().unwrap().parse().unwrap();
            match what {
                "reviews" => program.reviews = address,
                _ => program.operations = address,
            }
        }
        program
    }

    /// The lines of its log so far.
    pub(crate) fn log(&self) -> Vec<Value> {
        let text = std::fs::read_to_string(&self.log).unwrap();
        text.lines().filter_map(|it| serde_json::from_str(it).ok()).collect()
    }

    /// Waits for a line of its log.
    pub(crate) fn wait_for_log(&mut self, fits: impl Fn(&Value) -> bool) -> Value {
        let mut found = None;
        self.wait("a line of the log", |it| {
            found = it.log().into_iter().find(|it| fits(it));
            found.is_some()
        });
        found.unwrap()
    }

    /// Waits until something is so.
    pub(crate) fn wait(&mut self, what: &str, mut is_so: impl FnMut(&Program) -> bool) {
        let end = Instant::now() + PATIENCE;
        while !is_so(self) {
            let ended = self.child.try_wait().unwrap();
            let log = || std::fs::read_to_string(&self.log).unwrap();
            assert!(ended.is_none(), "{ended:?} before {what}\n{}", log());
            assert!(Instant::now() < end, "no {what}\n{}", log());
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// Waits until it is ready.
    pub(crate) fn wait_until_ready(&mut self) {
        self.wait("readiness", |it| it.get("/readyz").status == 200);
    }

    /// Asks where there is no TLS.
    pub(crate) fn get(&self, path: &str) -> Answer {
        client::get(self.operations, path).unwrap()
    }

    /// A metric, by its line up to the value; 0 where there is none.
    pub(crate) fn metric(&self, line: &str) -> f64 {
        let metrics = self.get("/metrics").body;
        let value = metrics.lines().find_map(|it| it.strip_prefix(line)?.strip_prefix(' '));
        value.map_or(0.0, |it| it.parse().unwrap())
    }

    /// A connection for reviews.
    pub(crate) fn connect(&self) -> Connection {
        Connection::open(self.reviews, &self.tls).unwrap()
    }

    /// One review on a connection of its own.
    pub(crate) fn review(&self, review: &Value) -> Answer {
        self.connect().post("/validate?timeout=30s", review.to_string().as_bytes()).unwrap()
    }

    /// Sends a signal (`TERM`).
    pub(crate) fn signal(&self, name: &str) {
        let id = self.child.id().to_string();
        let sent = Command::new("kill").args([&format!("-{name}"), &id]).status().unwrap();
        assert!(sent.success());
    }

    /// The bytes of memory that it holds; nothing where there is no `/proc`.
    pub(crate) fn resident(&self) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id()));
        let status = status.unwrap_or_default();
        let line = status.lines().find_map(|it| it.strip_prefix("VmRSS:"));
        let kilobytes = line.and_then(|it| it.split_whitespace().next()?.parse::<u64>().ok());
        kilobytes.unwrap_or(0) * 1024
    }

    /// Waits until it ends by itself.
    pub(crate) fn wait_for_end(&mut self) -> ExitStatus {
        let end = Instant::now() + PATIENCE;
        loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                return status;
            }
            assert!(Instant::now() < end, "it does not end");
            std::thread::sleep(Duration::from_millis(20));
        }
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
