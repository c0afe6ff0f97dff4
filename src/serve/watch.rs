//! Follows the objects of each kind: a list in pages, then a watch from where the list ends, for as long as it holds.
//!
//! <https://kubernetes.io/docs/reference/using-api/api-concepts/#efficient-detection-of-changes>

use super::knowledge::{CLUSTER, Freshness, Knowledge};
use super::metrics::{Metrics, OfKind};
use super::resources::{self, Resource, request};
use crate::api::kind::Kind;
use crate::load::cluster::live::items;
use crate::load::cluster::live::items::{Event, Page};
use crate::webhook::key::Key;
use futures_util::io::{AsyncBufReadExt, AsyncReadExt};
use http::header::{ACCEPT_ENCODING, HeaderValue};
use kube::Client;
use std::collections::BTreeSet;
use std::pin::pin;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::time::error::Elapsed;
use tokio::time::timeout;

/// Objects in the first page of a list, and in the next ones at most; and the bytes that a page is to have. A page is
/// held as a whole, and a ConfigMap may have a megabyte.
const PAGE: (usize, usize) = (50, 500);
const PAGE_BYTES: usize = 4 * 1024 * 1024;

/// The most bytes of an event of a watch: etcd holds objects of 1.5 MB, and JSON may write a byte in six.
const MOST_OF_EVENT: u64 = 16 * 1024 * 1024;

/// From how many bytes on something is read on another thread than those that talk.
const MUCH: usize = 64 * 1024;

/// How long a watch has to stay open before it is believed to work, if nothing comes.
const WORKS: Duration = Duration::from_secs(1);

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

/// How often to ask for a kind that the API server does not let us see: at first, since somebody may just be granting it,
/// and half as often each time, down to once in ten minutes.
const ASK_AGAIN_FORBIDDEN: (Duration, Duration) =
    (Duration::from_secs(5), Duration::from_secs(600));

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
    /// The API server has gone back in time: its store was restored from a backup.
    Restored,
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
            kube::Error::Api(status) if is_of_the_future(&status) => Broken::Restored,
            kube::Error::Api(status) => match status.code {
                code @ (410 | 404 | 401 | 403) => Broken::of_code(code),
                _ => Broken::Failed(status.message),
            },
            why => Broken::Failed(why.to_string()),
        }
    }
}

impl Broken {
    fn of_code(code: u16) -> Broken {
        match code {
            410 => Broken::TooOld,
            404 => Broken::Unserved,
            401 | 403 => Broken::Forbidden,
            code => Broken::Failed(format!("the API server ended it with {code}")),
        }
    }
}

/// Whether the API server does not know the version yet that it is asked for: it waits a moment for it, and then says
/// `Too large resource version` (`k8s.io/apiserver/pkg/storage/errors.go`).
fn is_of_the_future(status: &kube::core::Status) -> bool {
    let causes = status.details.iter().flat_map(|it| &it.causes);
    causes.into_iter().any(|it| it.reason == "ResourceVersionTooLarge")
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
        knowledge: knowledge.clone(),
        version: String::new(),
        wait: WAIT.0,
        heard: now,
        asked: now,
        refused: None,
        is_told: false,
        is_doubtful: false,
        is_working: false,
        again: ASK_AGAIN_FORBIDDEN.0,
        restored: knowledge.restored(),
    };
    loop {
        let broken = follower.go_on().await.err();
        let since = match broken {
            Some(Broken::Silent) => follower.heard,
            _ => Instant::now(),
        };
        // What is not listed yet is no staler for that; and a watch that ends in order works.
        if !follower.version.is_empty() && (broken.is_some() || !follower.is_working) {
            follower.knowledge.set(kind, Freshness::Broken(since));
        }
        let why = match broken {
            None => continue,
            Some(Broken::TooOld) => {
                follower.version.clear();
                tokio::time::sleep(WAIT.0).await;
                continue;
            }
            Some(Broken::Restored) => {
                follower.version.clear();
                knowledge.restore(follower.restored);
                follower.restored = knowledge.restored();
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
                tokio::time::sleep(follower.again).await;
                follower.again = (follower.again * 2).min(ASK_AGAIN_FORBIDDEN.1);
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
    /// Whether the last watch showed nothing, not even where it is.
    is_doubtful: bool,
    /// Whether the watch was seen to work: it has shown something, or has been open for a while.
    is_working: bool,
    /// When to ask again for what may not be seen.
    again: Duration,
    /// How often the API server had gone back in time when it was listed.
    restored: usize,
}

impl Follower {
    /// Lists, if need be, and watches until the API server closes the watch in order.
    async fn go_on(&mut self) -> Result<(), Broken> {
        self.asked = Instant::now();
        self.is_working = false;
        if self.restored != self.knowledge.restored() {
            self.version.clear();
        }
        if self.version.is_empty() {
            self.restored = self.knowledge.restored();
            self.list().await?;
        } else if self.is_doubtful {
            self.compare().await?;
        }
        self.is_doubtful = true;
        let watched = self.watch().await;
        self.is_doubtful |= watched.is_err();
        watched
    }

    /// Asks where the API server is: it waits in silence for what comes after a version that it has yet to come to.
    async fn compare(&mut self) -> Result<(), Broken> {
        let path = format!("{}?limit=1", self.resource.path);
        let text = timeout(ANSWER, self.client.request_text(request(&path)?)).await??;
        let page = self.page(text).await?;
        let (now, before) = (page.resource_version.parse::<u64>(), self.version.parse::<u64>());
        match (now, before) {
            (Ok(now), Ok(before)) if now < before => Err(Broken::Restored),
            _ => Ok(()),
        }
    }

    /// Whether a refusal is to be believed. An API server that has just started refuses everything, because it has not
    /// read the roles yet; where it let us see another kind in between, it has.
    fn is_forbidden(&mut self) -> bool {
        let refused = *self.refused.get_or_insert_with(Instant::now);
        self.knowledge.opened().is_some_and(|it| refused < it && it < self.asked)
    }

    async fn list(&mut self) -> Result<(), Broken> {
        let (mut objects, mut unreadable) = (Vec::new(), Vec::new());
        let mut rest = String::new();
        let mut limit = PAGE.0;
        loop {
            let path = format!("{}?limit={limit}{rest}", self.resource.path);
            let text = timeout(LIST, self.client.request_text(request(&path)?)).await??;
            limit = (limit * PAGE_BYTES / text.len().max(1)).clamp(1, PAGE.1);
            let page = self.page(text).await?;
            for it in page.items {
                match it {
                    Ok(it) => objects.push(it),
                    Err(it) => unreadable.push(it),
                }
            }
            if page.next.is_empty() {
                self.version = page.resource_version;
                break;
            }
            rest = format!("&continue={}", page.next);
        }
        tracing::info!(kind = self.resource.kind.name(), objects = objects.len(), "listed");
        self.knowledge.observe_list(&self.resource, objects, unreadable);
        self.heard = Instant::now();
        self.works();
        Ok(())
    }

    async fn page(&self, text: String) -> Result<Page, Broken> {
        let resource = self.resource.clone();
        let read = move || items::page(&text, CLUSTER, &resource.api_version, resource.kind.name());
        let page = tokio::task::spawn_blocking(read).await;
        let page = page.map_err(|_| Broken::Failed("a list could not be read".into()))?;
        page.map_err(|why| Broken::Failed(format!("the list is not what it has to be: {why}")))
    }

    async fn watch(&mut self) -> Result<(), Broken> {
        let path = format!(
            "{}?watch=1&allowWatchBookmarks=true&timeoutSeconds={OPEN}&resourceVersion={}",
            self.resource.path, self.version
        );
        let mut request = request(&path)?;
        // A watch that is compressed event by event (Kubernetes 1.37) is more than the client reads.
        request.headers_mut().insert(ACCEPT_ENCODING, HeaderValue::from_static("identity"));
        let events = timeout(ANSWER, self.client.request_stream(request)).await??;
        let mut events = pin!(events);
        self.heard = Instant::now();
        let opened = self.heard;
        let mut line = Vec::new();
        loop {
            line.clear();
            let mut events = events.as_mut().take(MOST_OF_EVENT);
            let read = loop {
                // What was read of a line before the time was up stays read.
                match timeout(WORKS, events.read_until(b'\n', &mut line)).await {
                    Ok(read) => break read,
                    Err(late) if opened.elapsed() > DEAD => return Err(late.into()),
                    Err(_) if self.restored != self.knowledge.restored() => return Ok(()),
                    Err(_) if !self.is_working => self.works(),
                    Err(_) => {}
                }
            };
            match read {
                Ok(0) => break,
                Ok(_) if line.last() == Some(&b'\n') => {}
                // The connection was cut in the middle.
                Ok(_) => return Err(Broken::Failed("an event broke off".into())),
                Err(_) => return Err(Broken::Failed("the connection broke off".into())),
            }
            self.heard = Instant::now();
            let event = self.event(std::mem::take(&mut line)).await?;
            self.take(event)?;
            self.is_doubtful = false;
            self.works();
        }
        // A connection that is cut ends like one that is closed, only earlier.
        if opened.elapsed() + Duration::from_secs(1) < Duration::from_secs(OPEN) {
            return Err(Broken::Failed("the connection was closed".into()));
        }
        Ok(())
    }

    async fn event(&self, line: Vec<u8>) -> Result<Event, Broken> {
        let resource = self.resource.clone();
        let is_much = line.len() > MUCH;
        let read =
            move || items::event(&line, CLUSTER, &resource.api_version, resource.kind.name());
        let event = match is_much {
            false => read(),
            true => {
                let read = tokio::task::spawn_blocking(read).await;
                read.unwrap_or_else(|_| Err("it could not be read".into()))
            }
        };
        event.map_err(|why| Broken::Failed(format!("an event is not what it has to be: {why}")))
    }

    fn works(&mut self) {
        self.refused = None;
        self.is_told = false;
        self.wait = WAIT.0;
        self.again = ASK_AGAIN_FORBIDDEN.0;
        self.is_working = true;
        self.knowledge.set(self.resource.kind, Freshness::Open);
    }

    fn take(&mut self, event: Event) -> Result<(), Broken> {
        match event {
            Event::Shown(Ok(object)) => {
                self.go_to(&object.resource_version)?;
                self.knowledge.observe(&self.resource, object);
            }
            Event::Shown(Err(it)) => {
                self.go_to(&it.resource_version)?;
                self.knowledge.observe_unreadable(&self.resource, &it);
            }
            Event::Gone(Ok(object)) => {
                self.go_to(&object.resource_version)?;
                if let Some(key) = Key::of(object.document.tree.root()) {
                    self.knowledge.observe_deletion(&key);
                }
            }
            Event::Gone(Err(it)) => {
                self.go_to(&it.resource_version)?;
                self.knowledge.observe_deletion(&self.resource.key(&it.namespace, &it.name));
            }
            Event::Bookmark(version) => self.go_to(&version)?,
            Event::Failed(code) => return Err(Broken::of_code(code)),
        }
        Ok(())
    }

    /// Goes on from this version. Of one kind an API server shows them in order, so one that is lower was there before.
    fn go_to(&mut self, version: &str) -> Result<(), Broken> {
        let number = |it: &str| it.parse::<u64>().ok();
        if let (Some(now), Some(before)) = (number(version), number(&self.version))
            && now < before
        {
            return Err(Broken::Restored);
        }
        if !version.is_empty() {
            self.version = version.into();
        }
        Ok(())
    }
}
