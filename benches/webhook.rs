//! The webhook beside handlers of the same stack that do nothing, or no more than every webhook has to, in the same
//! run: time at 500 requests a second, requests in a second, and memory by object.
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

/// How often each server is asked, in turn: what else runs on the machine disturbs all alike.
const ROUNDS: usize = 10;

/// Requests in a second, and for how many seconds of a round.
const PACE: (u32, u32) = (500, 2);

/// For how long of a round it is asked as fast as it answers.
const RUSH: Duration = Duration::from_secs(1);

fn main() {
    let args: Vec<String> = std::env::args().skip(1).filter(|it| it != "--bench").collect();
    match args.first().map(String::as_str) {
        Some("nothing") => return nothing::serve(Path::new(&args[1]), nothing::Work::None),
        Some("reading") => return nothing::serve(Path::new(&args[1]), nothing::Work::Reading),
        _ => {}
    }
    let sizes: Vec<usize> = args.iter().filter_map(|it| it.parse().ok()).collect();
    let sizes = if sizes.is_empty() { vec![1_000, 10_000, 60_000] } else { sizes };
    leave_a_core();
    let folder = tempfile::tempdir().expect("a folder for certificates");
    certificates(folder.path());
    let tls = client::trusting(&folder.path().join("ca.crt"), None);

    let program = std::env::current_exe().expect("this program has a path");
    let at = |file: &str| folder.path().join(file).display().to_string();
    let mut servers: Vec<Measured> = Vec::new();
    for (task, name) in [("nothing", "no-op"), ("reading", "no-op that reads the review")] {
        let server = start(&program, &folder.path().join(task), &[task, &at("")]);
        servers.push(Measured::new(name, 0, server));
    }
    let mut worlds = Vec::new();
    for size in sizes {
        let pretence = Pretence::start(world(size));
        let own = folder.path().join(size.to_string());
        std::fs::create_dir(&own).expect("a folder");
        let kubeconfig = pretence.kubeconfig(&own);
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
        let server = start(Path::new(env!("CARGO_BIN_EXE_purlin")), &own.join("server"), &args);
        servers.push(Measured::new("purlin", size, server));
        worlds.push(pretence);
    }
    for _ in 0..ROUNDS {
        servers.iter_mut().for_each(|it| it.round(&tls));
    }
    report(&servers);
}

/// Keeps this process off the core that the servers have, where `taskset` can.
fn leave_a_core() {
    let id = std::process::id().to_string();
    let _ = Command::new("taskset").args(["-acp", "1", &id]).stdout(Stdio::null()).status();
}

/// A server and what was measured of it, a round each.
struct Measured {
    name: &'static str,
    objects: usize,
    server: Server,
    /// The bytes of memory that it held before it was asked anything.
    resident: u64,
    reviews: Vec<String>,
    p50: Vec<f64>,
    p99: Vec<f64>,
    throughput: Vec<f64>,
}

impl Measured {
    fn new(name: &'static str, objects: usize, server: Server) -> Measured {
        let resident = server.resident();
        let reviews = reviews((objects / NAMESPACE).max(50));
        let (p50, p99, throughput) = Default::default();
        Measured { name, objects, server, resident, reviews, p50, p99, throughput }
    }

    fn round(&mut self, tls: &Arc<ClientConfig>) {
        let mut times = pace(self.server.address, tls, &self.reviews, PACE.0, PACE.1);
        times.sort();
        let at = |share: f64| times[(times.len() as f64 * share) as usize].as_secs_f64() * 1e3;
        self.p50.push(at(0.5));
        self.p99.push(at(0.99));
        self.throughput.push(throughput(self.server.address, tls, &self.reviews));
    }
}

fn median(values: &[f64]) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted[sorted.len() / 2]
}

/// The medians of the rounds, and how they compare with doing nothing and with reading the review.
fn report(servers: &[Measured]) {
    println!("| server | objects | p50 | p99 | requests a second | resident |");
    println!("| --- | --- | --- | --- | --- | --- |");
    for it in servers {
        println!(
            "| {} | {} | {:.3} ms | {:.3} ms | {:.0} | {:.0} MB |",
            it.name,
            it.objects,
            median(&it.p50),
            median(&it.p99),
            median(&it.throughput),
            it.resident as f64 / 1e6
        );
    }
    println!("\nThe same as ratios, the medians of the rounds:\n");
    let [nothing, reading, purlin @ ..] = servers else { return };
    for base in [nothing, reading] {
        for it in purlin {
            let ratio = |of: fn(&Measured) -> &Vec<f64>| {
                let pairs = of(it).iter().zip(of(base));
                median(&pairs.map(|(a, b)| a / b).collect::<Vec<_>>())
            };
            println!(
                "{} objects against the {}: p50 {:.1} x, p99 {:.1} x, throughput {:.2} x",
                it.objects,
                base.name,
                ratio(|it| &it.p50),
                ratio(|it| &it.p99),
                ratio(|it| &it.throughput)
            );
        }
    }
    if let [few, .., many] = purlin {
        let each = many.resident.saturating_sub(few.resident) as f64;
        println!(
            "\n{:.0} bytes of resident memory for each object more",
            each / (many.objects - few.objects) as f64
        );
    }
}

/// How long each request took, at so many a second for so many seconds.
fn pace(
    address: SocketAddr,
    tls: &Arc<ClientConfig>,
    reviews: &[String],
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
                        times.push(ask(&mut connection, &reviews[at as usize % reviews.len()]));
                    }
                    times
                })
            })
            .collect();
        lines.into_iter().flat_map(|it| it.join().expect("every request is answered")).collect()
    })
}

/// Requests in a second when each connection asks again as soon as it has its answer.
fn throughput(address: SocketAddr, tls: &Arc<ClientConfig>, reviews: &[String]) -> f64 {
    let begin = Instant::now();
    let asked: usize = std::thread::scope(|scope| {
        let lines: Vec<_> = (0..8)
            .map(|line| {
                scope.spawn(move || {
                    let mut connection = Connection::open(address, tls).expect("a connection");
                    let mut asked = 0;
                    while begin.elapsed() < RUSH {
                        ask(&mut connection, &reviews[(line * 7919 + asked) % reviews.len()]);
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

/// Asks, and says how long the answer took.
fn ask(connection: &mut Connection, body: &str) -> Duration {
    let begin = Instant::now();
    let answer = connection.post("/validate?timeout=10s", body.as_bytes()).expect("an answer");
    let time = begin.elapsed();
    assert_eq!(answer.status, 200, "{answer:?}");
    time
}

/// Reviews of a budget that the webhook allows, one for each namespace.
fn reviews(namespaces: usize) -> Vec<String> {
    let review = |namespace: usize| {
        let mut review = requests::creation(&requests::budget(&name(namespace), "more", 1));
        review["request"]["object"]["spec"]["selector"]["matchLabels"]["app"] = "api-0".into();
        review["request"]["dryRun"] = true.into();
        review.to_string()
    };
    (0..namespaces).map(review).collect()
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
fn start(program: &Path, name: &Path, args: &[&str]) -> Server {
    let log = name.with_extension("log");
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
