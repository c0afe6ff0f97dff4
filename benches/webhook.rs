//! The webhook beside handlers of the same stack that do nothing, or no more than every webhook has to, in the same
//! run: time at 500 requests a second, requests in a second, and memory by object. Beside them, where there is a Go
//! compiler, a handler as it is written in Go.
//!
//! `cargo bench --bench webhook [-- OBJECTS...] [PROGRAM...]`: other builds of purlin are asked in turn with this one.
//! Servers have one core of their own where `taskset` can give it.

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
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Objects in a namespace: four Deployments, each with its budget (the last has none yet), Service and ConfigMap.
const NAMESPACE: usize = 16;

/// How often each server is asked, in turn: what else runs on the machine disturbs all alike.
const ROUNDS: usize = 10;

/// Requests in a second, and for how many seconds of a round.
const PACE: (u32, u32) = (500, 2);

/// For how long of a round it is asked as fast as it answers, and over how many connections.
const RUSH: Duration = Duration::from_secs(1);
const LINES: usize = 16;

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
    if let Some(program) = handler(folder.path()) {
        let server = start(&program, &folder.path().join("go"), &[&at("")]);
        servers.push(Measured::new("handler in Go that parses the review", 0, server));
    }
    let others = servers.len();
    let programs = args.iter().filter(|it| it.contains('/')).map(String::as_str);
    let programs: Vec<&str> = [env!("CARGO_BIN_EXE_purlin")].into_iter().chain(programs).collect();
    let mut worlds = Vec::new();
    for (program, size) in programs.iter().flat_map(|it| sizes.iter().map(move |size| (it, *size)))
    {
        let pretence = Pretence::start(world(size));
        let own = folder.path().join(servers.len().to_string());
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
        let server = start(Path::new(program), &own.join("server"), &args);
        servers.push(Measured::new("purlin", size, server));
        worlds.push(pretence);
    }
    for _ in 0..ROUNDS {
        servers.iter_mut().for_each(|it| it.round(&tls));
    }
    report(&servers, others);
}

/// The handler in Go, compiled into this folder; none without a compiler.
fn handler(folder: &Path) -> Option<PathBuf> {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("benches/webhook/handler.go");
    let program = folder.join("handler");
    let built = Command::new("go").arg("build").arg("-o").arg(&program).arg(source).status();
    if !built.is_ok_and(|it| it.success()) {
        eprintln!("there is no Go compiler: the handler in Go is left out");
        return None;
    }
    Some(program)
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
    p50: Vec<f64>,
    p99: Vec<f64>,
    /// By kind of request.
    rushes: Vec<Rush>,
}

/// Requests of one kind, asked as fast as they are answered.
struct Rush {
    name: &'static str,
    reviews: Vec<String>,
    /// How many a second.
    rates: Vec<f64>,
    /// Seconds of processor time for each.
    work: Vec<f64>,
}

impl Measured {
    fn new(name: &'static str, objects: usize, server: Server) -> Measured {
        let resident = server.resident();
        let namespaces = (objects / NAMESPACE).max(50);
        let rush = |(name, request): &(&'static str, Request)| {
            let reviews = (0..namespaces).map(|it| {
                let mut review = request(&self::name(it));
                review["request"]["dryRun"] = true.into();
                review.to_string()
            });
            Rush { name, reviews: reviews.collect(), rates: Vec::new(), work: Vec::new() }
        };
        let rushes = REQUESTS.iter().map(rush).collect();
        let (p50, p99) = Default::default();
        Measured { name, objects, server, resident, p50, p99, rushes }
    }

    fn round(&mut self, tls: &Arc<ClientConfig>) {
        let address = self.server.address;
        let mut times = pace(address, tls, &self.rushes[0].reviews, PACE.0, PACE.1);
        times.sort();
        let at = |share: f64| times[(times.len() as f64 * share) as usize].as_secs_f64() * 1e3;
        self.p50.push(at(0.5));
        self.p99.push(at(0.99));
        for rush in &mut self.rushes {
            let before = self.server.worked();
            let (asked, time) = self::rush(address, tls, &rush.reviews);
            rush.rates.push(asked as f64 / time.as_secs_f64());
            rush.work.push((self.server.worked() - before) / asked as f64);
        }
    }
}

type Request = fn(&str) -> Value;

/// What is asked, of a namespace: the first is what the times are of.
const REQUESTS: [(&str, Request); 3] = [
    ("a budget that mends its namespace", |namespace| requests::creation(&budget(namespace, LAST))),
    ("a budget that is warned of", |namespace| {
        let mut budget = budget(namespace, LAST);
        budget["spec"]["unhealthyPodEvictionPolicy"] = Value::Null;
        requests::creation(&budget)
    }),
    ("another image of a Deployment", |namespace| {
        let old = requests::deployment(namespace, LAST, 3);
        let mut new = old.clone();
        let image = "registry.example/it:2";
        new["spec"]["template"]["spec"]["containers"][0]["image"] = image.into();
        let mut review = requests::creation(&new);
        review["request"]["operation"] = "UPDATE".into();
        review["request"]["oldObject"] = old;
        review
    }),
];

fn median(values: &[f64]) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted[sorted.len() / 2]
}

/// The medians of the rounds, and how they compare with the first few servers.
fn report(servers: &[Measured], others: usize) {
    println!("| server | objects | p50 | p99 | resident |");
    println!("| --- | --- | --- | --- | --- |");
    for it in servers {
        println!(
            "| {} | {} | {:.3} ms | {:.3} ms | {:.0} MB |",
            it.name,
            it.objects,
            median(&it.p50),
            median(&it.p99),
            it.resident as f64 / 1e6
        );
    }
    for (at, (name, _)) in REQUESTS.iter().enumerate() {
        println!("\n{name}:\n");
        println!("| server | objects | requests a second | work a request |");
        println!("| --- | --- | --- | --- |");
        for it in servers {
            let rush = &it.rushes[at];
            let (rate, work) = (median(&rush.rates), median(&rush.work) * 1e6);
            println!("| {} | {} | {rate:.0} | {work:.1} µs |", it.name, it.objects);
        }
    }
    println!("\nThe same as ratios, the medians of the rounds:\n");
    let (others, purlin) = servers.split_at(others);
    for base in others {
        for it in purlin {
            let ratio = |of: &dyn Fn(&Measured) -> Vec<f64>| {
                let (mine, theirs) = (of(it), of(base));
                let pairs = mine.iter().zip(&theirs);
                median(&pairs.map(|(a, b)| a / b).collect::<Vec<_>>())
            };
            print!(
                "{} objects against the {}: p50 {:.1} x, p99 {:.1} x",
                it.objects,
                base.name,
                ratio(&|it| it.p50.clone()),
                ratio(&|it| it.p99.clone()),
            );
            for (at, rush) in it.rushes.iter().enumerate() {
                let rate = ratio(&|it| it.rushes[at].rates.clone());
                print!(", {} {rate:.2} x", rush.name);
            }
            println!();
        }
    }
    if let [few, .., many] = purlin
        && many.objects > few.objects
    {
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

/// How many requests are answered in which time when each connection asks again as soon as it has its answer.
fn rush(address: SocketAddr, tls: &Arc<ClientConfig>, reviews: &[String]) -> (usize, Duration) {
    let begin = Instant::now();
    let asked: usize = std::thread::scope(|scope| {
        let lines: Vec<_> = (0..LINES)
            .map(|line| {
                scope.spawn(move || {
                    let mut connection = Connection::open(address, tls).expect("a connection");
                    let mut asked = 0;
                    while begin.elapsed() < RUSH {
                        let review = &reviews[(line * 7919 + asked) % reviews.len()];
                        connection.ask("/validate?timeout=10s", review.as_bytes()).expect("a line");
                        // Whoever sleeps has to be woken, and that is work for the server which it has only with a
                        // client that is quicker than itself.
                        let socket = connection.stream.get_ref().sock.try_clone();
                        let socket = socket.expect("a socket");
                        socket.set_nonblocking(true).expect("a socket");
                        while socket.peek(&mut [0]).is_err() {
                            std::thread::yield_now();
                        }
                        socket.set_nonblocking(false).expect("a socket");
                        let answer = connection.answer().expect("an answer");
                        assert_eq!(answer.status, 200, "{answer:?}");
                        asked += 1;
                    }
                    asked
                })
            })
            .collect();
        lines.into_iter().map(|it| it.join().expect("every request is answered")).sum()
    });
    (asked, begin.elapsed())
}

/// Asks, and says how long the answer took.
fn ask(connection: &mut Connection, body: &str) -> Duration {
    let begin = Instant::now();
    let answer = connection.post("/validate?timeout=10s", body.as_bytes()).expect("an answer");
    let time = begin.elapsed();
    assert_eq!(answer.status, 200, "{answer:?}");
    time
}

/// The app of each namespace that has no budget.
const LAST: &str = "api-3";

/// A budget that leaves nothing to be desired.
fn budget(namespace: &str, app: &str) -> Value {
    let mut budget = requests::budget(namespace, app, 1);
    budget["spec"]["unhealthyPodEvictionPolicy"] = "AlwaysAllow".into();
    budget
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
        for app in ["api-0", "api-1", "api-2", LAST] {
            if app != LAST {
                objects.push(budget(&name, app));
            }
            objects.push(requests::deployment(&name, app, 3));
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

impl Server {
    /// The seconds of processor time that it has taken; nothing where there is no `/proc`.
    fn worked(&self) -> f64 {
        /// The kernel counts in hundredths of a second, whatever the machine (`USER_HZ`).
        const TICKS: f64 = 100.0;
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", self.child.id()));
        let stat = stat.unwrap_or_default();
        let fields = stat.rsplit(") ").next().unwrap_or_default().split(' ');
        let ticks: u64 = fields.skip(11).take(2).filter_map(|it| it.parse::<u64>().ok()).sum();
        ticks as f64 / TICKS
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
