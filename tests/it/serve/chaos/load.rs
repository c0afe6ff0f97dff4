//! A steady load of requests, each by somebody who knows the right answer.

use super::cell::{Cell, Request, Step};
use kube::config::{KubeConfigOptions, Kubeconfig};
use kube::{Client, Config};
use serde_json::{Value, json};
use std::path::Path;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

/// How many ask at a time.
pub(super) const WORKERS: usize = 8;

/// How often each asks.
const PACE: Duration = Duration::from_millis(50);

/// What one replica may be asked that several may not: several may each allow what only together is wrong, for as long
/// as a watch takes, and only a report tells of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Replicas {
    /// It knows all that it has allowed: every answer is right.
    One,
    /// What is wrong is only tried out, and may be allowed until a watch has shown what another has allowed.
    Several,
}

/// How the requests came out.
#[derive(Clone, Debug, Default)]
pub(super) struct Tally {
    /// Requests with a verdict.
    pub(super) answered: usize,
    /// Those of them that were denied.
    pub(super) denied: usize,
    /// Verdicts that are wrong.
    pub(super) wrong: Vec<String>,
    /// Requests that failed because the API server could not ask.
    pub(super) not_asked: Vec<String>,
    /// Requests that the API server did not answer.
    pub(super) lost: Vec<String>,
    /// Verdicts that did not know of the last change yet, or believed in one that never came about.
    pub(super) stale: usize,
    /// How long after it the last of them was.
    pub(super) oldest: Duration,
}

/// A load, from outside.
pub(super) struct Load {
    tally: Mutex<Tally>,
    is_over: AtomicBool,
    /// How many workers lost a request and wait until verdicts are right again.
    unsure: AtomicUsize,
    replicas: Replicas,
}

/// What became of a request.
#[derive(Debug)]
enum Answer {
    Taken,
    Denied(String),
    NotAsked(String),
    Lost(String),
}

/// What that was worth.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Outcome {
    Right,
    Wrong,
    NotAsked,
    Lost,
}

impl Load {
    pub(super) fn new(replicas: Replicas) -> Load {
        Load {
            tally: Mutex::default(),
            is_over: AtomicBool::new(false),
            unsure: AtomicUsize::new(0),
            replicas,
        }
    }

    /// What came out since this was asked last.
    pub(super) fn take(&self) -> Tally {
        std::mem::take(&mut self.tally.lock().unwrap())
    }

    /// How many requests had a verdict since then.
    pub(super) fn answered(&self) -> usize {
        self.tally.lock().unwrap().answered
    }

    /// Whether it has ended.
    pub(super) fn is_over(&self) -> bool {
        self.is_over.load(Ordering::Relaxed)
    }

    /// Whether verdicts are right again for everybody who lost a request.
    pub(super) fn is_sure(&self) -> bool {
        self.unsure.load(Ordering::Relaxed) == 0
    }

    /// Asks until it is told to end.
    pub(super) fn run(&self, kubeconfig: &Path, namespaces: &[&str]) {
        let _over = super::super::going_down::Over(&self.is_over);
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let client = client(kubeconfig).await;
            let workers = (0..WORKERS).map(|at| {
                let namespace = namespaces[at % namespaces.len()];
                let cell = Cell::new(namespace, &format!("cell-{at}"));
                let (client, changed) = (client.clone(), Instant::now());
                Worker { client, cell, changed, is_sure: true, load: self }.work(at as u64)
            });
            futures_util::future::join_all(workers).await;
        });
    }

    pub(super) fn end(&self) {
        self.is_over.store(true, Ordering::Relaxed);
    }
}

/// A client that says at once what it was answered, and tries nothing again.
pub(super) async fn client(kubeconfig: &Path) -> Client {
    let kubeconfig = Kubeconfig::read_from(kubeconfig).unwrap();
    let options = KubeConfigOptions::default();
    let mut config = Config::from_custom_kubeconfig(kubeconfig, &options).await.unwrap();
    config.default_retry = false;
    Client::try_from(config).unwrap()
}

struct Worker<'l> {
    client: Client,
    cell: Cell,
    /// When the last change of its own was answered.
    changed: Instant,
    /// Whether it knows what became of all its requests, and the server does as well.
    is_sure: bool,
    load: &'l Load,
}

impl Worker<'_> {
    async fn work(mut self, seed: u64) {
        let mut pace = tokio::time::interval(PACE);
        pace.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        let mut number = seed + 1;
        while !self.load.is_over() {
            pace.tick().await;
            // The generator of Knuth's MMIX; the upper bits are the better ones.
            number = number.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(seed * 2 + 1);
            let step = self.cell.step(number >> 33);
            let is_wrong = self.cell.after(step).is_wrong();
            let is_risky = is_wrong && self.load.replicas == Replicas::Several;
            if self.ask(step, is_risky || number >> 63 == 0).await == Outcome::Lost {
                self.recover().await;
            }
        }
    }

    async fn ask(&mut self, step: Step, is_dry_run: bool) -> Outcome {
        let after = self.cell.after(step);
        let answer = send(&self.client, &self.cell.request(step), is_dry_run).await;
        let what = || format!("{step:?} of {:?}, dry run: {is_dry_run}", self.cell);
        let mut tally = self.load.tally.lock().unwrap();
        match answer {
            Answer::NotAsked(why) => {
                tally.not_asked.push(format!("{}: {why}", what()));
                return Outcome::NotAsked;
            }
            Answer::Lost(why) => {
                tally.lost.push(format!("{}: {why}", what()));
                return Outcome::Lost;
            }
            Answer::Taken | Answer::Denied(_) => tally.answered += 1,
        }
        let is_right = match &answer {
            Answer::Denied(why) => {
                tally.denied += 1;
                after.is_wrong() && why.contains("pdb-blocks-drain")
            }
            _ => !after.is_wrong(),
        };
        // What one replica has allowed another knows a moment later; nobody is ever denied for that.
        let is_lag = self.load.replicas == Replicas::Several && matches!(answer, Answer::Taken);
        if !is_right && (is_lag || !self.is_sure) {
            tally.stale += 1;
            tally.oldest = tally.oldest.max(self.changed.elapsed());
        } else if !is_right {
            tally.wrong.push(format!("{}: {answer:?}, {:?} later", what(), self.changed.elapsed()));
        }
        drop(tally);
        if matches!(answer, Answer::Taken) && !is_dry_run {
            self.cell = after;
            self.changed = Instant::now();
        }
        if is_right { Outcome::Right } else { Outcome::Wrong }
    }

    /// Sees what became of a lost request, and waits until verdicts go by that.
    async fn recover(&mut self) {
        self.load.unsure.fetch_add(1, Ordering::Relaxed);
        self.is_sure = false;
        self.look().await;
        while !self.load.is_over() {
            let mut is_right = true;
            let cell = self.cell.clone();
            for step in Step::ALL.into_iter().filter(|it| cell.allows(*it)) {
                let outcome = self.ask(step, true).await;
                is_right &= outcome == Outcome::Right;
                if outcome == Outcome::Lost {
                    self.look().await;
                }
            }
            if is_right {
                break;
            }
        }
        self.is_sure = true;
        self.load.unsure.fetch_sub(1, Ordering::Relaxed);
    }

    /// Sees how things are, after a request of which nobody knows what became.
    async fn look(&mut self) {
        let names = [Step::Scale(1), Step::Keep(1)];
        let [replicas, keeps] = names.map(|step| {
            let of = Cell { replicas: Some(1), keeps: Some(1), ..self.cell.clone() };
            of.request(step).path.trim_end_matches("/scale").to_string()
        });
        let number = |it: &Value, field: &str| it["spec"][field].as_u64().map(|it| it as u32);
        self.cell.replicas = self.read(&replicas).await.and_then(|it| number(&it, "replicas"));
        self.cell.keeps = self.read(&keeps).await.and_then(|it| number(&it, "minAvailable"));
        self.changed = Instant::now();
    }

    /// Reads an object, as soon as the API server answers.
    async fn read(&self, path: &str) -> Option<Value> {
        loop {
            let request = http::Request::get(path).body(Vec::new()).unwrap();
            match self.client.request::<Value>(request).await {
                Ok(it) => return Some(it),
                Err(kube::Error::Api(status)) if status.code == 404 => return None,
                Err(_) if self.load.is_over() => return None,
                Err(_) => tokio::time::sleep(PACE).await,
            }
        }
    }
}

async fn send(client: &Client, request: &Request, is_dry_run: bool) -> Answer {
    let kind = match request.method {
        "PATCH" => "application/merge-patch+json",
        _ => "application/json",
    };
    let mut body = request.body.clone();
    let query = if is_dry_run { "?dryRun=All" } else { "" };
    if request.method == "DELETE" && is_dry_run {
        // With a body, what the query says does not count.
        body["dryRun"] = json!(["All"]);
    }
    let request = http::Request::builder()
        .method(request.method)
        .uri(format!("{}{query}", request.path))
        .header("Content-Type", kind)
        .body(body.to_string().into_bytes())
        .unwrap();
    match client.request::<Value>(request).await {
        Ok(_) => Answer::Taken,
        Err(kube::Error::Api(status)) => {
            let message = status.message;
            if message.starts_with("admission webhook \"validate.purlin.dev\" denied the request") {
                Answer::Denied(message)
            } else if message.contains("failed calling webhook") {
                Answer::NotAsked(message)
            } else {
                Answer::Lost(message)
            }
        }
        Err(why) => Answer::Lost(why.to_string()),
    }
}
