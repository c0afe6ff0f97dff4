//! The objects of a live cluster: discovery, then a paged list of each kind that is asked for, several at a time.

use super::connect::{self, Options, explain, within};
use super::coverage::Coverage;
use super::list::{self, Listed, Request};
use super::live::Schemas;
use crate::load::Document;
use crate::text::source::SourceId;
use kube::Client;
use kube::discovery::{Discovery, Scope};
use std::sync::Arc;
use std::time::Duration;
use tokio::task::JoinSet;

/// A kind to read.
#[derive(Clone, Copy, Debug)]
pub struct Wanted {
    /// The groups that may serve it, the present one first.
    pub groups: &'static [&'static str],
    /// As manifests write it.
    pub kind: &'static str,
}

impl Wanted {
    fn has(&self, group: &str) -> bool {
        self.groups.contains(&group)
    }
}

/// What becomes of kinds that purlin has no name for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Custom {
    /// They are read: what their controllers make, no other object tells.
    Read,
    /// They are left out.
    LeftOut,
}

/// What was read of a cluster.
#[derive(Debug, Default)]
pub struct Read {
    /// The objects, in the order of kind, namespace and name.
    pub documents: Vec<Arc<Document>>,
    /// How much that is.
    pub coverage: Coverage,
    /// What could not be listed.
    pub refused: Vec<Refused>,
}

/// Something that could not be listed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refused {
    /// As RBAC rules name it, in backticks: `policy/poddisruptionbudgets`, and in which namespace, if not in all.
    pub resource: String,
    /// Why: lower case, no full stop.
    pub why: String,
}

/// How far the reading is.
#[derive(Clone, Copy, Debug)]
pub struct Progress {
    /// Kinds that are read.
    pub kinds: usize,
    /// Of so many.
    pub of: usize,
    /// Objects that are read.
    pub objects: usize,
}

/// What the coverage calls all kinds that purlin has no name for.
pub const CUSTOM: &str = "custom resource";

/// So many lists are read at once: the API server gives each client about ten seats.
const AT_ONCE: usize = 8;

/// Groups whose kinds Kubernetes itself defines; every other group is somebody's own.
const BUILT_IN: &[&str] = &[
    "",
    "admissionregistration.k8s.io",
    "apiextensions.k8s.io",
    "apiregistration.k8s.io",
    "apps",
    "authentication.k8s.io",
    "authorization.k8s.io",
    "autoscaling",
    "batch",
    "certificates.k8s.io",
    "coordination.k8s.io",
    "custom.metrics.k8s.io",
    "discovery.k8s.io",
    "events.k8s.io",
    "extensions",
    "external.metrics.k8s.io",
    "flowcontrol.apiserver.k8s.io",
    "internal.apiserver.k8s.io",
    "metrics.k8s.io",
    "networking.k8s.io",
    "node.k8s.io",
    "policy",
    "rbac.authorization.k8s.io",
    "resource.k8s.io",
    "scheduling.k8s.io",
    "storage.k8s.io",
    "storagemigration.k8s.io",
];

/// The resources of custom kinds that may be listed at all, each with its group: those that [`read`] reads without being
/// asked.
///
/// # Errors
///
/// When the cluster cannot be reached, or does not answer as an API server does.
pub fn custom_resources(options: &Options) -> Result<Vec<(String, String)>, String> {
    connect::runtime()?.block_on(async {
        let (client, url) = connect::client(options).await?;
        let kinds = discover(&client, &url, options.timeout).await?;
        let custom = (Custom::Read, Schemas::LeftOut);
        let requests = requests(&kinds, &[], custom, &[]).into_iter();
        let mut custom: Vec<_> =
            requests.map(|it| (it.resource.group, it.resource.plural)).collect();
        custom.sort();
        Ok(custom)
    })
}

async fn discover(client: &Client, url: &str, timeout: Duration) -> Result<Discovery, String> {
    within(timeout, Discovery::new(client.clone()).run_aggregated())
        .await
        .and_then(|it| it.map_err(|error| explain(&error)))
        .map_err(|why| format!("cannot read the cluster at {url}: {why}"))
}

/// Reads the kinds that are wanted, and perhaps every custom kind.
///
/// # Errors
///
/// When the cluster cannot be reached, or does not answer as an API server does.
pub fn read(
    options: &Options,
    source: SourceId,
    wanted: &[Wanted],
    custom: (Custom, Schemas),
    progress: &dyn Fn(Progress),
) -> Result<Read, String> {
    connect::runtime()?.block_on(async {
        let (client, url) = connect::client(options).await?;
        let timeout = options.timeout;
        let kinds = discover(&client, &url, timeout).await?;
        let server = within(timeout, connect::version(&client)).await.ok().flatten();
        let requests = requests(&kinds, wanted, custom, &options.namespaces);
        let listed = list_all(&client, source, requests, timeout, progress)
            .await
            .map_err(|why| format!("cannot read the cluster at {url}: {why}"))?;
        if let Some(missing) = missing_namespace(&listed, &options.namespaces) {
            return Err(format!("the cluster at {url} has no namespace `{missing}`"));
        }
        let mut read = gather(listed, wanted, &options.namespaces);
        read.coverage.server = server;
        Ok(read)
    })
}

/// What to list: each kind in its present group and preferred version, once, or once in each namespace.
fn requests(
    kinds: &Discovery,
    wanted: &[Wanted],
    (custom, schemas): (Custom, Schemas),
    namespaces: &[String],
) -> Vec<Request> {
    let mut requests = Vec::new();
    for group in kinds.groups() {
        for (resource, can) in group.resources_by_stability() {
            // The group that a kind moved away from still serves it.
            let groups = wanted.iter().find(|it| it.kind == resource.kind).map(|it| it.groups);
            let is_wanted = groups.is_some_and(|groups| {
                let serving = groups.iter().find(|it| kinds.has_group(it));
                serving.is_some_and(|it| *it == resource.group)
            });
            let is_custom = custom == Custom::Read && !BUILT_IN.contains(&resource.group.as_str());
            if !(is_wanted || is_custom) || !can.supports_operation("list") {
                continue;
            }
            if can.scope == Scope::Cluster || namespaces.is_empty() {
                requests.push(Request { resource, namespace: None, schemas });
                continue;
            }
            for namespace in namespaces {
                let (resource, namespace) = (resource.clone(), Some(namespace.clone()));
                requests.push(Request { resource, namespace, schemas });
            }
        }
    }
    requests
}

async fn list_all(
    client: &Client,
    source: SourceId,
    requests: Vec<Request>,
    timeout: Duration,
    progress: &dyn Fn(Progress),
) -> Result<Vec<Listed>, String> {
    let of = requests.len();
    let mut waiting = requests.into_iter();
    let mut running = JoinSet::new();
    let mut listed: Vec<Listed> = Vec::with_capacity(of);
    let mut objects = 0;
    loop {
        while running.len() < AT_ONCE
            && let Some(request) = waiting.next()
        {
            running.spawn(list::list(client.clone(), source, request, timeout));
        }
        progress(Progress { kinds: listed.len(), of, objects });
        let Some(done) = running.join_next().await else { return Ok(listed) };
        let done = done.map_err(|error| format!("a list was given up: {error}"))??;
        objects += done.documents.len();
        listed.push(done);
    }
}

/// A namespace that is asked for and is not among those of the cluster, where these may be listed: all lists of it are
/// empty, as if all were well.
fn missing_namespace<'n>(listed: &[Listed], namespaces: &'n [String]) -> Option<&'n str> {
    let is_it = |it: &&Listed| {
        let resource = &it.request.resource;
        resource.kind == "Namespace" && resource.group.is_empty() && it.refused.is_none()
    };
    let there = listed.iter().find(is_it)?.documents.iter();
    let there: Vec<_> =
        there.filter_map(|it| it.tree.root().at(&["metadata", "name"])?.str()).collect();
    // There is no cluster without any.
    let missing = namespaces.iter().map(String::as_str).find(|it| !there.contains(it));
    missing.filter(|_| !there.is_empty())
}

/// Puts the lists, which came as they came, into an order of their own.
fn gather(mut listed: Vec<Listed>, wanted: &[Wanted], namespaces: &[String]) -> Read {
    listed.sort_by(|a, b| a.request.key().cmp(&b.request.key()));
    let namespaces = (!namespaces.is_empty()).then(|| namespaces.iter().map(String::as_str));
    let mut coverage = Coverage::of(namespaces);
    // A kind that the server does not know has no objects.
    wanted.iter().for_each(|it| coverage.add(it.kind));
    let (mut documents, mut refused) = (Vec::new(), Vec::new());
    for it in listed {
        documents.extend(it.documents);
        let resource = &it.request.resource;
        let unreadable = it.unreadable.into_iter().map(|one| it.request.unreadable(&one));
        let refused_as = it.refused.into_iter().chain(unreadable);
        for no in refused_as {
            let known =
                wanted.iter().find(|it| it.kind == resource.kind && it.has(&resource.group));
            let missing = format!("what `list` on {} would show: {}", no.resource, no.why);
            coverage.lacks(known.map_or(CUSTOM, |it| it.kind), missing);
            refused.push(no);
        }
    }
    Read { documents, coverage, refused }
}
