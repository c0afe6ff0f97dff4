//! Follows the objects of each kind: a list in pages, then a watch from where the list ends, for as long as it holds.
//!
//! <https://kubernetes.io/docs/reference/using-api/api-concepts/#efficient-detection-of-changes>

use super::knowledge::{Freshness, Knowledge, document};
use super::metrics::{Metrics, OfKind};
use super::resources::{self, Resource, request};
use crate::model::kind::Kind;
use crate::webhook::key::Key;
use futures_util::TryStreamExt;
use kube::Client;
use kube::core::WatchEvent;
use serde_json::Value;
use std::collections::BTreeSet;
use std::pin::pin;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Objects in a page of a list.
const PAGE: usize = 500;

/// For how long the API server may keep a watch open, in seconds: a connection that died without a word is noticed
/// when this is over.
const OPEN: u32 = 60;

/// How long to wait after a failure, at first and at most: what is missed in between is stale, and a watch is cheap.
const WAIT: (Duration, Duration) = (Duration::from_millis(50), Duration::from_millis(800));

/// How often to ask for kinds that the API server did not serve, or not let us see.
const ASK_AGAIN: Duration = Duration::from_secs(30);

/// Why a kind is not followed any further.
enum Broken {
    /// What the watch would go on from is forgotten: list again.
    TooOld,
    /// The API server does not serve the kind any more.
    Unserved,
    /// It does not let us see it.
    Forbidden,
    /// Something else, which may pass.
    Failed(String),
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
        let wait = match resources::discover(&client, &open).await {
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
                tracing::warn!(%why, "cannot ask the API server what it serves");
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

/// Follows a kind until the API server does not serve it, or lets us see it, any more.
async fn follow(
    client: Client,
    resource: Resource,
    knowledge: Arc<Knowledge>,
    metrics: Arc<Metrics>,
) -> Kind {
    let kind = resource.kind;
    let mut follower =
        Follower { client, resource, knowledge, version: String::new(), wait: WAIT.0 };
    loop {
        let Err(broken) = follower.go_on().await else {
            follower.wait = WAIT.0;
            continue;
        };
        let freshness = match broken {
            Broken::TooOld => {
                follower.version.clear();
                follower.knowledge.set(kind, Freshness::Broken(Instant::now()));
                tokio::time::sleep(WAIT.0).await;
                continue;
            }
            Broken::Unserved => Freshness::Unserved,
            Broken::Forbidden => Freshness::Forbidden,
            Broken::Failed(why) => {
                metrics.watch_failures.get_or_create(&OfKind { kind: kind.name().into() }).inc();
                tracing::warn!(kind = kind.name(), why, "a watch broke off");
                if !follower.version.is_empty() {
                    follower.knowledge.set(kind, Freshness::Broken(Instant::now()));
                }
                tokio::time::sleep(follower.wait).await;
                follower.wait = (follower.wait * 2).min(WAIT.1);
                continue;
            }
        };
        if freshness == Freshness::Forbidden {
            tracing::error!(kind = kind.name(), "purlin may not list or watch this kind");
        }
        follower.knowledge.set(kind, freshness);
        return kind;
    }
}

struct Follower {
    client: Client,
    resource: Resource,
    knowledge: Arc<Knowledge>,
    /// Where to go on; empty to list.
    version: String,
    wait: Duration,
}

impl Follower {
    /// Lists, if need be, and watches until the API server closes the watch in order.
    async fn go_on(&mut self) -> Result<(), Broken> {
        if self.version.is_empty() {
            self.list().await?;
        }
        self.watch().await
    }

    async fn list(&mut self) -> Result<(), Broken> {
        let mut objects = Vec::new();
        let mut rest = String::new();
        loop {
            let path = format!("{}?limit={PAGE}{rest}", self.resource.path);
            let mut page = resources::get(&self.client, &path).await?;
            if let Some(Value::Array(items)) = page.get_mut("items").map(Value::take) {
                objects.extend(items.into_iter().map(|it| document(&self.resource, it)));
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
        self.knowledge.set(self.resource.kind, Freshness::Open);
        Ok(())
    }

    async fn watch(&mut self) -> Result<(), Broken> {
        let path = format!(
            "{}?watch=1&allowWatchBookmarks=true&timeoutSeconds={OPEN}&resourceVersion={}",
            self.resource.path, self.version
        );
        let events = self.client.request_events::<Value>(request(&path)?).await?;
        let mut events = pin!(events);
        self.knowledge.set(self.resource.kind, Freshness::Open);
        self.wait = WAIT.0;
        while let Some(event) = events.try_next().await? {
            self.take(event)?;
        }
        Ok(())
    }

    fn take(&mut self, event: WatchEvent<Value>) -> Result<(), Broken> {
        match event {
            WatchEvent::Added(object) | WatchEvent::Modified(object) => {
                self.go_to(&object);
                self.knowledge.observe(&self.resource, object);
            }
            WatchEvent::Deleted(object) => {
                self.go_to(&object);
                let (document, _) = document(&self.resource, object);
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
