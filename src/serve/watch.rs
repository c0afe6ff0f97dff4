//! Follows the objects of each kind: a list in pages, then a watch from where the list ends, for as long as it holds.
//!
//! <https://kubernetes.io/docs/reference/using-api/api-concepts/#efficient-detection-of-changes>

use super::knowledge::{Freshness, Knowledge, document};
use super::metrics::{Metrics, OfKind};
use super::resources::{self, Resource, request};
use crate::api::kind::Kind;
use crate::webhook::key::Key;
use futures_util::TryStreamExt;
use kube::Client;
use kube::core::WatchEvent;
use serde_json::Value;
use std::collections::BTreeSet;
use std::pin::pin;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::time::error::Elapsed;
use tokio::time::{timeout, timeout_at};

/// Objects in a page of a list.
const PAGE: usize = 500;

/// For how long the API server is to keep a watch open, in seconds.
const OPEN: u64 = 20;

/// When a watch is given up that the API server has not closed by then: its connection died without a word.
const DEAD: Duration = Duration::from_secs(OPEN + 5);

/// How long the API server may take for a page of a list.
const LIST: Duration = Duration::from_secs(60);

/// How long it may take to begin any other answer.
const ANSWER: Duration = Duration::from_secs(10);

/// How long to wait after a failure, at first and at most: what is missed in between is stale, and a watch is cheap.
const WAIT: (Duration, Duration) = (Duration::from_millis(50), Duration::from_millis(500));

/// How often to ask for kinds that the API server did not serve.
const ASK_AGAIN: Duration = Duration::from_secs(30);

/// How often to ask for a kind that the API server does not let us see.
const ASK_AGAIN_FORBIDDEN: Duration = Duration::from_secs(5);

/// Why a watch, or a list, ended out of order.
enum Broken {
    /// What the watch would go on from is forgotten: list again.
    TooOld,
    /// The API server does not serve the kind any more.
    Unserved,
    /// It does not let us see it.
    Forbidden,
    /// Nothing came any more, not even an end.
    Silent,
    /// Something else, which may pass.
    Failed(String),
}

impl From<Elapsed> for Broken {
    fn from(_: Elapsed) -> Broken {
        Broken::Silent
    }
}

impl From<kube::Error> for Broken {
    fn from(why: kube::Error) -> Broken {
        match why {
            kube::Error::Api(status) => match status.code {
                410 => Broken::TooOld,
                404 => Broken::Unserved,
                401 | 403 => Broken::Forbidden,
                _ => Broken::Failed(status.message),
            },
            why => Broken::Failed(why.to_string()),
        }
    }
}

/// Follows kinds for ever, each as soon as the API server serves it.
pub(super) async fn follow_all(
    client: Client,
    kinds: BTreeSet<Kind>,
    knowledge: Arc<Knowledge>,
    metrics: Arc<Metrics>,
) {
    let mut followed: BTreeSet<Kind> = BTreeSet::new();
    let mut ended = tokio::task::JoinSet::new();
    loop {
        let open: BTreeSet<Kind> = kinds.difference(&followed).copied().collect();
        let wait = match discover(&client, &open).await {
            Ok(served) => {
                for kind in open.iter().filter(|kind| served.iter().all(|it| it.kind != **kind)) {
                    knowledge.set(*kind, Freshness::Unserved);
                }
                for resource in served {
                    followed.insert(resource.kind);
                    knowledge.locate(&resource);
                    let (client, knowledge) = (client.clone(), knowledge.clone());
                    ended.spawn(follow(client, resource, knowledge, metrics.clone()));
                }
                ASK_AGAIN
            }
            Err(why) => {
                tracing::warn!(why, "cannot ask the API server what it serves");
                WAIT.1
            }
        };
        let asked = Instant::now();
        while let Some(left) = wait.checked_sub(asked.elapsed()) {
            tokio::select! {
                Some(Ok(kind)) = ended.join_next() => { followed.remove(&kind); }
                () = tokio::time::sleep(left) => break,
            }
        }
    }
}

/// Those of the kinds that the API server serves.
async fn discover(client: &Client, kinds: &BTreeSet<Kind>) -> Result<Vec<Resource>, String> {
    match timeout(ANSWER, resources::discover(client, kinds)).await {
        Ok(served) => served.map_err(|why| why.to_string()),
        Err(_) => Err("no answer in time".into()),
    }
}

/// Follows a kind until the API server does not serve it any more.
async fn follow(
    client: Client,
    resource: Resource,
    knowledge: Arc<Knowledge>,
    metrics: Arc<Metrics>,
) -> Kind {
    let kind = resource.kind;
    let now = Instant::now();
    let mut follower = Follower {
        client,
        resource,
        knowledge,
        version: String::new(),
        wait: WAIT.0,
        heard: now,
        asked: now,
        refused: None,
        is_told: false,
    };
    loop {
        let broken = follower.go_on().await.err();
        let since = match broken {
            Some(Broken::Silent) => follower.heard,
            _ => Instant::now(),
        };
        // What is not listed yet is no staler for that.
        if !follower.version.is_empty() {
            follower.knowledge.set(kind, Freshness::Broken(since));
        }
        let why = match broken {
            None => continue,
            Some(Broken::TooOld) => {
                follower.version.clear();
                tokio::time::sleep(WAIT.0).await;
                continue;
            }
            Some(Broken::Unserved) => {
                follower.knowledge.set(kind, Freshness::Unserved);
                return kind;
            }
            Some(Broken::Forbidden) if follower.is_forbidden() => {
                if !std::mem::replace(&mut follower.is_told, true) {
                    tracing::error!(kind = kind.name(), "purlin may not list or watch this kind");
                }
                follower.version.clear();
                follower.knowledge.set(kind, Freshness::Forbidden);
                tokio::time::sleep(ASK_AGAIN_FORBIDDEN).await;
                continue;
            }
            Some(Broken::Forbidden) => "it may not be seen, as yet".into(),
            Some(Broken::Silent) => "nothing came any more".into(),
            Some(Broken::Failed(why)) => why,
        };
        metrics.watch_failures.get_or_create(&OfKind { kind: kind.name().into() }).inc();
        tracing::warn!(kind = kind.name(), why, "a watch broke off");
        tokio::time::sleep(follower.wait).await;
        follower.wait = (follower.wait * 2).min(WAIT.1);
    }
}

struct Follower {
    client: Client,
    resource: Resource,
    knowledge: Arc<Knowledge>,
    /// Where to go on; empty to list.
    version: String,
    wait: Duration,
    /// When something came last.
    heard: Instant,
    /// When the last request began.
    asked: Instant,
    /// Since when it is refused.
    refused: Option<Instant>,
    /// Whether the log says so.
    is_told: bool,
}

impl Follower {
    /// Lists, if need be, and watches until the API server closes the watch in order.
    async fn go_on(&mut self) -> Result<(), Broken> {
        self.asked = Instant::now();
        if self.version.is_empty() {
            self.list().await?;
        }
        self.watch().await
    }

    /// Whether a refusal is to be believed. An API server that has just started refuses everything, because it has not
    /// read the roles yet; where it let us see another kind in between, it has.
    fn is_forbidden(&mut self) -> bool {
        let refused = *self.refused.get_or_insert_with(Instant::now);
        self.knowledge.opened().is_some_and(|it| refused < it && it < self.asked)
    }

    async fn list(&mut self) -> Result<(), Broken> {
        let mut objects = Vec::new();
        let mut rest = String::new();
        loop {
            let path = format!("{}?limit={PAGE}{rest}", self.resource.path);
            let mut page = timeout(LIST, resources::get(&self.client, &path)).await??;
            if let Some(Value::Array(items)) = page.get_mut("items").map(Value::take) {
                objects.extend(items.iter().map(|it| document(&self.resource, it)));
            }
            let metadata = |field| page.pointer(field).and_then(Value::as_str).unwrap_or_default();
            match metadata("/metadata/continue") {
                "" => {
                    self.version = metadata("/metadata/resourceVersion").to_string();
                    break;
                }
                token => rest = format!("&continue={token}"),
            }
        }
        tracing::info!(kind = self.resource.kind.name(), objects = objects.len(), "listed");
        self.knowledge.state().observe_list(self.resource.kind, "", objects);
        self.is_open();
        Ok(())
    }

    async fn watch(&mut self) -> Result<(), Broken> {
        let path = format!(
            "{}?watch=1&allowWatchBookmarks=true&timeoutSeconds={OPEN}&resourceVersion={}",
            self.resource.path, self.version
        );
        let events = self.client.request_events::<Value>(request(&path)?);
        let mut events = pin!(timeout(ANSWER, events).await??);
        self.is_open();
        let opened = self.heard;
        while let Some(event) = timeout_at((opened + DEAD).into(), events.try_next()).await?? {
            self.heard = Instant::now();
            self.take(event)?;
        }
        // A connection that is cut ends like one that is closed, only earlier.
        if opened.elapsed() + Duration::from_secs(1) < Duration::from_secs(OPEN) {
            return Err(Broken::Failed("the connection was closed".into()));
        }
        Ok(())
    }

    fn is_open(&mut self) {
        self.heard = Instant::now();
        self.refused = None;
        self.is_told = false;
        self.wait = WAIT.0;
        self.knowledge.set(self.resource.kind, Freshness::Open);
    }

    fn take(&mut self, event: WatchEvent<Value>) -> Result<(), Broken> {
        match event {
            WatchEvent::Added(object) | WatchEvent::Modified(object) => {
                self.go_to(&object);
                self.knowledge.observe(&self.resource, object);
            }
            WatchEvent::Deleted(object) => {
                self.go_to(&object);
                let (document, _) = document(&self.resource, &object);
                if let Some(key) = Key::of(document.tree.root()) {
                    self.knowledge.observe_deletion(&key);
                }
            }
            WatchEvent::Bookmark(it) => self.version = it.metadata.resource_version,
            WatchEvent::Error(status) => return Err(kube::Error::Api(status).into()),
        }
        Ok(())
    }

    fn go_to(&mut self, object: &Value) {
        let version = object.pointer("/metadata/resourceVersion").and_then(Value::as_str);
        if let Some(version) = version {
            self.version = version.into();
        }
    }
}
