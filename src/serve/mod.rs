//! `purlin serve`: the validating admission webhook as a program.
//!
//! `server` holds connections, `endpoints` answers at paths, `reviewer` judges a review on what `knowledge` holds,
//! which `watch` keeps up to date and `live` where a watch is not enough, `race` looks again after the write, and
//! `reports` tells what is wrong whoever made it so. `certificates` and `policy_source` follow
//! what may change while it runs; `self_managed` makes the certificate that replicas share, by `authority`,
//! `configuration` and `lease`. What a request means and what the verdict is, [`crate::webhook`] tells.

mod authority;
mod bodies;
pub mod certificates;
mod configuration;
mod confirm;
mod deadline;
mod disclosure;
mod endpoints;
mod events;
mod knowledge;
mod lease;
mod live;
pub mod logs;
mod metrics;
pub mod past;
mod peers;
pub mod policy_source;
mod pool;
mod race;
mod reports;
mod resources;
mod reviewer;
pub mod self_managed;
mod server;
#[cfg(test)]
mod tests;
mod watch;

use crate::api::kind::Kind;
use crate::check;
use crate::check::needs;

use crate::load::cluster;
use crate::policy::Mode;
use crate::rule::{Rule, RuleSet};
use crate::webhook::context::Context;
use crate::webhook::review::Review;
use crate::webhook::rulebook::Rulebook;
use crate::webhook::snapshot::Snapshot;
use crate::webhook::verdict::{Verdict, judge};
use certificates::Files;
use disclosure::Disclosure;
use endpoints::Endpoints;
use events::Events;
use http::Request;
use knowledge::Knowledge;
use kube::{Client, Config};
use metrics::Metrics;
use past::{Keeper, PastSource};
use peers::Limits;
use policy_source::PolicySource;
use pool::Pool;
use race::{Races, Second};
use reports::Reporter;
use reviewer::Reviewer;
use self_managed::SelfManaged;
use serde_json::{Value, json};
use server::{Server, Stage};
use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch as channel;
use tokio::task::JoinSet;

/// How long the API server may take for a connection, and for the next bytes of an answer: a connection may die without
/// a word.
const PATIENCE: (Duration, Duration) = (Duration::from_secs(3), Duration::from_secs(30));

/// For how long the last answers may take when the server goes down.
const LAST_ANSWERS: Duration = Duration::from_secs(30);

/// Where the server's certificate comes from.
#[derive(Clone, Debug)]
pub enum CertificateSource {
    /// Somebody else looks after it.
    Files(Files),
    /// We do.
    SelfManaged(SelfManaged),
}

/// What the server is told.
#[derive(Clone, Debug)]
pub struct Options {
    /// Where the API server finds it.
    pub listen: SocketAddr,
    /// Where kubelet and Prometheus find it, without TLS.
    pub operations: SocketAddr,
    /// Its certificate.
    pub certificate: CertificateSource,
    /// The rules that there are.
    pub rules: RuleSet,
    /// Its policy.
    pub policy: PolicySource,
    /// Where it keeps what was there a short time ago, if anywhere.
    pub past: Option<PastSource>,
    /// How far it goes where the policy does not say.
    pub mode: Option<Mode>,
    /// How old what is known may be.
    pub stale_after: Duration,
    /// The most connections.
    pub most_connections: usize,
    /// The most reviews under way.
    pub most_reviews: usize,
    /// Threads that judge.
    pub threads: usize,
    /// For how long it goes on serving after it was told to end, until nobody asks it any more.
    pub drain: Duration,
}

/// The verdict on a review, by what is known.
pub type Judgement = fn(&Snapshot, &Review, &Context<'_>) -> Verdict;

/// Serves until a signal ends it.
///
/// # Errors
///
/// What is missing to begin.
pub async fn run(options: Options, config: Config) -> Result<(), String> {
    run_judging(options, config, judge).await
}

/// Serves, with somebody else's judgement.
///
/// # Errors
///
/// What is missing to begin.
pub async fn run_judging(options: Options, config: Config, judge: Judgement) -> Result<(), String> {
    let metrics = Arc::new(Metrics::default());
    let (client, watching) = clients(config).map_err(|why| format!("no client: {why}"))?;
    let pod = own_pod();
    let replica = pod.as_ref().map_or("purlin", |(_, name)| name).to_string();
    let events = Events::new(client.clone(), pod);
    let (stage, stages) = channel::channel(Stage::Serving);
    // What has to come to its end before the program may.
    let mut last = JoinSet::new();
    let rules = Arc::new(Rulebook::new(&options.rules));
    let policy = policy_source::follow(
        options.policy,
        rules.clone(),
        options.mode,
        client.clone(),
        events.clone(),
        metrics.clone(),
    )
    .await?;
    let identity = match options.certificate {
        CertificateSource::Files(files) => certificates::follow(files, metrics.clone()).await?,
        CertificateSource::SelfManaged(managed) => {
            let (client, stages, metrics) = (client.clone(), stages.clone(), metrics.clone());
            let (identity, task) =
                self_managed::follow(managed, client, &replica, stages, metrics).await?;
            last.spawn(async move { drop(task.await) });
            identity
        }
    };
    let admission = bind("reviews", options.listen).await?;
    let operations = bind("operations", options.operations).await?;
    let own_account = own_account(&client).await;
    let pool = Pool::start(options.threads).map_err(|why| format!("no thread: {why}"))?;

    let policy_now = policy.get();
    let is_on = |it: &&'static Rule| check::is_on(it, &policy_now.policy);
    let kinds: BTreeSet<Kind> =
        needs::kinds(rules.set().iter().filter(is_on)).known().map(|it| it.kind).collect();
    let knowledge = Arc::new(Knowledge::new(&rules, kinds.iter().copied(), metrics.clone()));
    if let Some(version) = cluster::version(&client).await {
        knowledge.set_server(version);
    }
    let races = Arc::new(Races::new());
    let reviewer = Reviewer {
        judge,
        knowledge: knowledge.clone(),
        policy: policy.clone(),
        pool: pool.clone(),
        client: watching.clone(),
        races: races.clone(),
        metrics: metrics.clone(),
        stale_after: options.stale_after,
        own_account: own_account.clone(),
        disclosure: Disclosure::default(),
    };
    let reporter = Reporter {
        client,
        knowledge: knowledge.clone(),
        policy: policy.clone(),
        pool: pool.clone(),
        metrics: metrics.clone(),
    };
    let second = Second {
        races,
        knowledge: knowledge.clone(),
        policy,
        pool: pool.clone(),
        own_account,
        events,
        metrics: metrics.clone(),
    };
    if let Some(source) = options.past {
        let (client, knowledge, policy) =
            (watching.clone(), knowledge.clone(), reviewer.policy.clone());
        tokio::spawn(Keeper { client, source, knowledge, policy, pool: pool.clone() }.keep());
    }
    tokio::spawn(live::look_after_writes(watching.clone(), knowledge.clone()));
    tokio::spawn(watch::follow_all(watching, kinds, knowledge.clone(), metrics.clone()));
    tokio::spawn(second.look());
    tokio::spawn(reporter.write());
    tokio::spawn(keep_time(knowledge, pool.clone(), metrics.clone()));

    let endpoints = Arc::new(Endpoints::new(
        Arc::new(reviewer),
        options.most_reviews,
        stages.clone(),
        metrics.clone(),
    ));
    let most_connections = options.most_connections;
    let server = |identity| Server {
        identity,
        most_connections,
        limits: Limits::default(),
        stage: stages.clone(),
        metrics: metrics.clone(),
    };
    let (for_api_server, for_others) = (endpoints.clone(), endpoints);
    let admission = server(Some(identity)).serve(admission, move |request, peer| {
        let endpoints = for_api_server.clone();
        async move { endpoints.admission(request, peer).await }
    });
    let operations = server(None).serve(operations, move |request, _| {
        let endpoints = for_others.clone();
        async move { endpoints.operations(&request) }
    });
    last.spawn(admission);
    last.spawn(operations);
    end(&stage, options.drain).await?;
    let ended = async { while last.join_next().await.is_some() {} };
    if tokio::time::timeout(LAST_ANSWERS, ended).await.is_err() {
        tracing::warn!("some requests were still open");
    }
    pool.stop();
    Ok(())
}

/// A client for what has time, and one to watch and to look again before a denial: that one says at once what went
/// wrong, because whoever waits for it has limits of their own, and what waits to be tried again is stale meanwhile.
fn clients(mut config: Config) -> kube::Result<(Client, Client)> {
    config.connect_timeout = Some(PATIENCE.0);
    let mut watching = config.clone();
    watching.default_retry = false;
    config.read_timeout = Some(PATIENCE.1);
    config.reset_reader_on_write = true;
    Ok((Client::try_from(config)?, Client::try_from(watching)?))
}

async fn bind(what: &str, address: SocketAddr) -> Result<TcpListener, String> {
    let listener = TcpListener::bind(address).await;
    let listener = listener.map_err(|why| format!("cannot listen at {address}: {why}"))?;
    let address = listener.local_addr().map_err(|why| why.to_string())?;
    tracing::info!(what, %address, "listening");
    Ok(listener)
}

/// Waits for a signal, then for as long as requests may still come: those who send them learn only after a while that
/// we are not ready any more. A second signal ends the wait.
async fn end(stage: &channel::Sender<Stage>, drain: Duration) -> Result<(), String> {
    let listen = |kind| signal(kind).map_err(|why| format!("cannot listen for signals: {why}"));
    let (mut terminate, mut interrupt) =
        (listen(SignalKind::terminate())?, listen(SignalKind::interrupt())?);
    let mut told = async || {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
    };
    told().await;
    tracing::info!("shutting down");
    stage.send_replace(Stage::Draining);
    let _ = tokio::time::timeout(drain, told()).await;
    stage.send_replace(Stage::Closing);
    Ok(())
}

/// Tells the metrics every now and then how fresh what is known is.
async fn keep_time(knowledge: Arc<Knowledge>, pool: Pool, metrics: Arc<Metrics>) {
    loop {
        tokio::time::sleep(Duration::from_secs(1)).await;
        knowledge.measure();
        metrics.slow.set(pool.slow() as i64);
    }
}

/// Our own pod, as the downward API tells it.
fn own_pod() -> Option<(String, String)> {
    Some((std::env::var("POD_NAMESPACE").ok()?, std::env::var("POD_NAME").ok()?))
}

/// The name by which the API server knows us (Kubernetes 1.28 and later tell it).
async fn own_account(client: &Client) -> Option<Arc<str>> {
    let body = json!({ "apiVersion": "authentication.k8s.io/v1", "kind": "SelfSubjectReview" });
    let request = Request::post("/apis/authentication.k8s.io/v1/selfsubjectreviews");
    let request = request.body(body.to_string().into_bytes()).ok()?;
    let review = client.request::<Value>(request).await;
    let review = review.inspect_err(|why| tracing::warn!(%why, "cannot ask who we are")).ok()?;
    review.pointer("/status/userInfo/username").and_then(Value::as_str).map(Arc::from)
}
