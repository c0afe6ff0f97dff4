//! The webhook beside a handler of the same stack that answers without a look at the request, in the same run:
//! time at 500 requests a second, requests in a second, and memory by object.
//!
//! `cargo bench --bench webhook [-- OBJECTS...]`. Servers have one core of their own where `taskset` can give it.

#![allow(clippy::unwrap_used, reason = "a measurement that cannot go on says so by a panic")]

#[path = "../tests/it/serve/client.rs"]
#[allow(dead_code, reason = "the tests use the rest")]
mod client;
#[path = "webhook/nothing.rs"]
mod nothing;
#[path = "../tests/it/serve/pretence.rs"]
#[allow(dead_code, reason = "the tests use the rest")]
mod pretence;
#[path = "../tests/it/serve/requests.rs"]
#[allow(dead_code, reason = "the tests use the rest")]
mod requests;

use client::Connection;
use pretence::Pretence;
use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use rustls::ClientConfig;
use serde_json::Value;
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Objects in a namespace: Deployments with their budget, Service and ConfigMap.
const NAMESPACE: usize = 20;

/// Requests in a second, and for how many seconds.
const PACE: (u32, u32) = (500, 20);

fn main() {
    let args: Vec<String> = std::env::args().skip(1).filter(|it| it != "--bench").collect();
    if args.first().is_some_and(|it| it == "nothing") {
        return nothing::serve(Path::new(&args[1]));
    }
    let sizes: Vec<usize> = args.iter().filter_map(|it| it.parse().ok()).collect();
    let sizes = if sizes.is_empty() { vec![1_000, 10_000, 60_000] } else { sizes };
    let folder = tempfile::tempdir().expect("a folder for certificates");
    certificates(folder.path());
    let tls = client::trusting(&folder.path().join("ca.crt"), None);

    println!("| server | objects | p50 | p99 | requests a second | resident |");
    println!("| --- | --- | --- | --- | --- | --- |");
    let program = std::env::current_exe().expect("this program has a path");
    let idle = start(&program, folder.path(), &["nothing", &folder.path().display().to_string()]);
    let nothing = measure("no-op", 0, &idle, &tls, 50);
    drop(idle);
    let mut resident = Vec::new();
    for size in sizes {
        let pretence = Pretence::start(world(size));
        let kubeconfig = pretence.kubeconfig(folder.path());
        let at = |file: &str| folder.path().join(file).display().to_string();
        let args = [
            "serve",
            "--listen=127.0.0.1:0",
            "--operations=127.0.0.1:0",
            "--threads=1",
            "--log=warn,purlin::serve=info,purlin::serve::reviewer=warn",
            "--kubeconfig",
            &kubeconfig.display().to_string(),
            "--certificate",
            &at("webhook.crt"),
            "--key",
            &at("webhook.key"),
        ];
        let server = start(Path::new(env!("CARGO_BIN_EXE_purlin")), folder.path(), &args);
        let it = measure("purlin", size, &server, &tls, size / NAMESPACE);
        resident.push((size, it.resident));
        println!(
            "| ratio | {size} | {:.1} × | {:.1} × | {:.2} × | |",
            it.p50 / nothing.p50,
            it.p99 / nothing.p99,
            it.throughput / nothing.throughput
        );
    }
    if let [(few, less), .., (many, more)] = resident[..] {
        let each = more.saturating_sub(less) as f64 / (many - few) as f64;
        println!("\n{each:.0} bytes of resident memory for each object more");
    }
}

struct Measured {
    p50: f64,
    p99: f64,
    throughput: f64,
    resident: u64,
}

fn measure(
    name: &str,
    objects: usize,
    server: &Server,
    tls: &Arc<ClientConfig>,
    namespaces: usize,
) -> Measured {
    let resident = server.resident();
    pace(server.address, tls, namespaces, 100, 5);
    let mut times = pace(server.address, tls, namespaces, PACE.0, PACE.1);
    times.sort();
    let at = |share: f64| times[(times.len() as f64 * share) as usize].as_secs_f64() * 1e3;
    let throughput = throughput(server.address, tls, namespaces);
    let it = Measured { p50: at(0.5), p99: at(0.99), throughput, resident };
    println!(
        "| {name} | {objects} | {:.2} ms | {:.2} ms | {:.0} | {:.0} MB |",
        it.p50,
        it.p99,
        it.throughput,
        it.resident as f64 / 1e6
    );
    it
}

/// How long each request took, at so many a second for so many seconds.
fn pace(
    address: SocketAddr,
    tls: &Arc<ClientConfig>,
    namespaces: usize,
    rate: u32,
    seconds: u32,
) -> Vec<Duration> {
    const LINES: u32 = 4;
    let begin = Instant::now();
    std::thread::scope(|scope| {
        let lines: Vec<_> = (0..LINES)
            .map(|line| {
                scope.spawn(move || {
                    let mut connection = Connection::open(address, tls).expect("a connection");
                    let mut times = Vec::new();
                    for at in (line..rate * seconds).step_by(LINES as usize) {
                        let due = begin + Duration::from_secs_f64(f64::from(at) / f64::from(rate));
                        std::thread::sleep(due.saturating_duration_since(Instant::now()));
                        times.push(ask(&mut connection, at as usize % namespaces));
                    }
                    times
                })
            })
            .collect();
        lines.into_iter().flat_map(|it| it.join().expect("every request is answered")).collect()
    })
}

/// Requests in a second when each connection asks again as soon as it has its answer.
fn throughput(address: SocketAddr, tls: &Arc<ClientConfig>, namespaces: usize) -> f64 {
    let begin = Instant::now();
    let last = Duration::from_secs(10);
    let asked: usize = std::thread::scope(|scope| {
        let lines: Vec<_> = (0..8)
            .map(|line| {
                scope.spawn(move || {
                    let mut connection = Connection::open(address, tls).expect("a connection");
                    let mut asked = 0;
                    while begin.elapsed() < last {
                        ask(&mut connection, (line * 7919 + asked) % namespaces);
                        asked += 1;
                    }
                    asked
                })
            })
            .collect();
        lines.into_iter().map(|it| it.join().expect("every request is answered")).sum()
    });
    asked as f64 / begin.elapsed().as_secs_f64()
}

/// Tries a budget that the webhook allows.
fn ask(connection: &mut Connection, namespace: usize) -> Duration {
    let mut review = requests::creation(&requests::budget(&name(namespace), "more", 1));
    review["request"]["object"]["spec"]["selector"]["matchLabels"]["app"] = "api-0".into();
    review["request"]["dryRun"] = true.into();
    let body = review.to_string();
    let begin = Instant::now();
    let answer = connection.post("/validate?timeout=10s", body.as_bytes()).expect("an answer");
    let time = begin.elapsed();
    assert_eq!(answer.status, 200, "{answer:?}");
    time
}

fn name(namespace: usize) -> String {
    format!("namespace-{namespace}")
}

/// So many objects, in namespaces of their own.
fn world(size: usize) -> Vec<Value> {
    let mut objects = Vec::with_capacity(size);
    for namespace in 0..size.div_ceil(NAMESPACE) {
        let name = name(namespace);
        let kind = "Namespace";
        objects.push(
            serde_json::json!({"apiVersion": "v1", "kind": kind, "metadata": {"name": name}}),
        );
        for at in 0..(NAMESPACE - 1) / 3 {
            let app = format!("api-{at}");
            objects.push(requests::deployment(&name, &app, 3));
            objects.push(serde_json::json!({
                "apiVersion": "v1", "kind": "Service", "metadata": {"namespace": name, "name": app},
                "spec": {"selector": {"app": app}, "ports": [{"port": 80}]},
            }));
            objects.push(serde_json::json!({
                "apiVersion": "v1", "kind": "ConfigMap", "metadata": {"namespace": name, "name": app},
                "data": {"LOG_LEVEL": "info", "URL": format!("http://api-0.{name}.svc")},
            }));
        }
    }
    for (at, object) in objects.iter_mut().enumerate() {
        object["metadata"]["resourceVersion"] = (at + 1).to_string().into();
        object["metadata"]["uid"] = format!("0f0e0d0c-{at:08}").into();
        object["metadata"]["creationTimestamp"] = "2026-05-01T00:00:00Z".into();
    }
    objects
}

/// A server, stopped when it is dropped.
struct Server {
    child: Child,
    address: SocketAddr,
}

impl Server {
    /// The bytes of memory that it holds.
    fn resident(&self) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id()));
        let status = status.unwrap_or_default();
        let line = status.lines().find_map(|it| it.strip_prefix("VmRSS:"));
        let kilobytes = line.and_then(|it| it.split_whitespace().next()?.parse::<u64>().ok());
        kilobytes.unwrap_or(0) * 1024
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Starts a server on a core of its own and waits until it answers reviews.
fn start(program: &Path, folder: &Path, args: &[&str]) -> Server {
    let log = folder.join("server.log");
    let file = std::fs::File::create(&log).expect("a log");
    let has_taskset = Command::new("taskset").arg("-V").stdout(Stdio::null()).status().is_ok();
    let mut command = match has_taskset {
        true => {
            let mut command = Command::new("taskset");
            command.args(["-c", "0"]).arg(program);
            command
        }
        false => Command::new(program),
    };
    let child = command.args(args).stdin(Stdio::null()).stderr(file).spawn().expect("a server");
    let listening = |what: &str| {
        let text = std::fs::read_to_string(&log).unwrap_or_default();
        let mut lines = text.lines().filter_map(|it| serde_json::from_str::<Value>(it).ok());
        let line = lines.find(|it| it["message"] == "listening" && it["what"] == what)?;
        line["address"].as_str()?.parse::<SocketAddr>().ok()
    };
    let wait = |what: &str| loop {
        match listening(what) {
            Some(address) => return address,
            None => std::thread::sleep(Duration::from_millis(20)),
        }
    };
    let server = Server { child, address: wait("reviews") };
    let operations = wait("operations");
    while client::get(operations, "/readyz").map_or(0, |it| it.status) != 200 {
        std::thread::sleep(Duration::from_millis(20));
    }
    server
}

/// An authority and a certificate for loopback.
fn certificates(folder: &Path) {
    let key = KeyPair::generate().expect("a key");
    let mut params = CertificateParams::new(Vec::new()).expect("no names");
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let authority = params.self_signed(&key).expect("a certificate");
    let issuer = Issuer::new(params, key);
    let key = KeyPair::generate().expect("a key");
    let params = CertificateParams::new(vec!["localhost".into()]).expect("a name");
    let certificate = params.signed_by(&key, &issuer).expect("a certificate");
    let write = |file: &str, text: String| {
        std::fs::write(folder.join(file), text).expect("a file");
    };
    write("ca.crt", authority.pem());
    write("webhook.crt", certificate.pem());
    write("webhook.key", key.serialize_pem());
}
