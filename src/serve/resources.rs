//! Where the API server serves the kinds that rules read, and reading one object there.

use super::knowledge::CLUSTER;
use crate::api::kind::{Kind, Scope};
use crate::load::cluster::live::Live;
use crate::load::cluster::live::items;
use crate::load::cluster::live::items::Unreadable;
use crate::webhook::key::Key;
use http::Request;
use kube::Client;
use kube::discovery::Discovery;
use serde_json::Value;
use std::collections::BTreeSet;
use std::time::{Duration, Instant};

/// For how long an API server may not help at the start, and how long to wait in between.
const START: Duration = Duration::from_secs(30);
const PAUSE: Duration = Duration::from_millis(500);

/// Where the objects of a kind are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Resource {
    /// The kind.
    pub(super) kind: Kind,
    /// As the API server writes it: `apps/v1`.
    pub(super) api_version: String,
    /// The path of all of them: `/apis/apps/v1/deployments`.
    pub(super) path: String,
}

impl Resource {
    fn new(kind: Kind, api_version: &str) -> Resource {
        let root = if api_version.contains('/') { "apis" } else { "api" };
        let plural = kind.info().map_or("", |it| it.resource);
        Resource {
            kind,
            api_version: api_version.into(),
            path: format!("/{root}/{api_version}/{plural}"),
        }
    }

    /// The name of one of its objects.
    pub(super) fn key(&self, namespace: &str, name: &str) -> Key {
        Key { namespace: namespace.into(), kind: self.kind, custom: "".into(), name: name.into() }
    }

    /// The path of one object.
    pub(super) fn object(&self, namespace: &str, name: &str) -> String {
        match self.path.rsplit_once('/') {
            Some((version, plural)) if !namespace.is_empty() => {
                format!("{version}/namespaces/{namespace}/{plural}/{name}")
            }
            _ => format!("{}/{name}", self.path),
        }
    }
}

/// Those of the kinds that the API server serves, in the version it prefers.
///
/// # Errors
///
/// If it cannot be asked.
pub(super) async fn discover(
    client: &Client,
    kinds: &BTreeSet<Kind>,
) -> Result<Vec<Resource>, kube::Error> {
    let infos = || kinds.iter().filter_map(|it| it.info());
    let groups: BTreeSet<&str> = infos().flat_map(|it| it.groups.iter().copied()).collect();
    let groups: Vec<&str> = groups.into_iter().collect();
    // Aggregated discovery is two requests; API servers before 1.26 answer with something else.
    let discovery = match Discovery::new(client.clone()).filter(&groups).run_aggregated().await {
        Ok(it) if it.groups().next().is_some() => it,
        _ => Discovery::new(client.clone()).filter(&groups).run().await?,
    };
    let mut resources = Vec::new();
    for info in infos() {
        let mut served = info.groups.iter().filter_map(|group| {
            let served = discovery.get(group)?.resources_by_stability();
            served.into_iter().find(|(it, _)| it.plural == info.resource)
        });
        if let Some((it, _)) = served.next() {
            resources.push(Resource::new(info.kind, &it.api_version));
        }
    }
    Ok(resources)
}

/// Reads an object; `None` where there is none, and the inner error where it cannot be made out.
///
/// # Errors
///
/// If it cannot be read.
pub(super) async fn read(
    client: &Client,
    resource: &Resource,
    key: &Key,
) -> Result<Result<Option<Live>, Unreadable>, kube::Error> {
    let is_cluster_wide = key.kind.info().is_some_and(|it| it.scope == Scope::Cluster);
    let namespace = if is_cluster_wide { "" } else { &key.namespace };
    let path = resource.object(namespace, &key.name);
    let text = match client.request_text(request(&path)?).await {
        Ok(it) => it,
        Err(kube::Error::Api(status)) if status.code == 404 => return Ok(Ok(None)),
        Err(why) => return Err(why),
    };
    let (api_version, kind) = (resource.api_version.clone(), resource.kind.name());
    let read = move || items::object(&text, CLUSTER, &api_version, kind);
    let unread = |why: &str| Unreadable { why: why.into(), ..Unreadable::default() };
    let read = tokio::task::spawn_blocking(read).await;
    let read = read.unwrap_or_else(|_| Err(unread("reading it panicked")));
    Ok(read.map_err(|it| Unreadable {
        namespace: namespace.into(),
        name: key.name.to_string(),
        ..it
    }))
}

/// Tries until something comes of it, for as long as an API server may take to start: whoever starts at the same time
/// is refused for a while, because the roles are not read yet.
///
/// # Errors
///
/// What went wrong in the end.
pub(super) async fn at_start<T>(attempt: impl AsyncFn() -> Result<T, String>) -> Result<T, String> {
    let end = Instant::now() + START;
    loop {
        match attempt().await {
            Err(why) if Instant::now() < end => {
                tracing::warn!(why, "the API server does not help yet");
                tokio::time::sleep(PAUSE).await;
            }
            result => return result,
        }
    }
}

/// A GET of JSON.
pub(super) async fn get(client: &Client, path: &str) -> Result<Value, kube::Error> {
    client.request(request(path)?).await
}

/// A GET.
pub(super) fn request(path: &str) -> Result<Request<Vec<u8>>, kube::Error> {
    Request::get(path).body(Vec::new()).map_err(kube::Error::HttpError)
}
