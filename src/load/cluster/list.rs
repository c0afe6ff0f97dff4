//! One list, page by page.

use super::Refused;
use super::connect::{explain, within};
use super::live::Live;
use super::relevant::is_relevant;
use crate::load::Document;
use crate::text::source::SourceId;
use kube::Client;
use kube::core::ApiResource;
use serde::Deserialize;
use serde_json::Value;
use std::sync::Arc;
use std::time::Duration;

/// So many objects are asked for at once.
const PAGE: usize = 500;

/// A list that takes longer than the server remembers its beginning (five minutes) starts again, so many times.
const STARTS: usize = 4;

/// A list to read.
#[derive(Clone, Debug)]
pub(super) struct Request {
    /// Of what.
    pub(super) resource: ApiResource,
    /// In which namespace; in all of them if `None`.
    pub(super) namespace: Option<String>,
}

/// What a list gave.
#[derive(Debug)]
pub(super) struct Listed {
    /// What was asked for.
    pub(super) request: Request,
    /// The objects that matter, in the order of the server's store: by namespace and name.
    pub(super) documents: Vec<Arc<Document>>,
    /// Why there are none.
    pub(super) refused: Option<Refused>,
}

impl Request {
    /// What lists are put in order by.
    pub(super) fn key(&self) -> (&str, &str, &Option<String>) {
        (&self.resource.kind, &self.resource.group, &self.namespace)
    }

    fn path(&self, page: &str) -> String {
        let ApiResource { api_version, plural, group, .. } = &self.resource;
        let root = if group.is_empty() { "/api" } else { "/apis" };
        let namespace = self.namespace.as_ref();
        let namespace = namespace.map(|it| format!("/namespaces/{it}")).unwrap_or_default();
        let page = if page.is_empty() { String::new() } else { format!("&continue={page}") };
        format!("{root}/{api_version}{namespace}/{plural}?limit={PAGE}{page}")
    }

    fn refused(&self, why: String) -> Option<Refused> {
        let ApiResource { group, plural, .. } = &self.resource;
        let slash = if group.is_empty() { "" } else { "/" };
        let namespace = self.namespace.as_ref().map(|it| format!(" in namespace `{it}`"));
        let namespace = namespace.unwrap_or_default();
        let resource = format!("`{group}{slash}{plural}`{namespace}");
        Some(Refused { resource, why })
    }
}

#[derive(Deserialize)]
struct Page {
    metadata: Metadata,
    #[serde(default)]
    items: Option<Vec<Value>>,
}

#[derive(Deserialize)]
struct Metadata {
    #[serde(default, rename = "continue")]
    next: String,
}

/// Reads a list. What may not be listed, or cannot be for a reason of its own, is no error.
///
/// # Errors
///
/// When the server cannot be reached any more, or does not accept the login.
pub(super) async fn list(
    client: Client,
    source: SourceId,
    request: Request,
    timeout: Duration,
) -> Result<Listed, String> {
    let (mut documents, mut next, mut starts) = (Vec::new(), String::new(), 1);
    loop {
        let asked = http::Request::get(request.path(&next)).body(Vec::new());
        let asked =
            asked.map_err(|error| format!("a namespace or token is no part of a URL: {error}"))?;
        let answer = within(timeout, client.request_text(asked)).await?;
        let text = match answer {
            Ok(text) => text,
            Err(kube::Error::Api(status)) => match status.code {
                403 => {
                    let why = "it is not allowed; `purlin rbac` prints a role that allows it";
                    let refused = request.refused(why.into());
                    return Ok(Listed { request, documents: Vec::new(), refused });
                }
                // Its definition was deleted since discovery, or it has no list after all.
                404 | 405 => return Ok(Listed { request, documents: Vec::new(), refused: None }),
                410 if starts < STARTS => {
                    (documents, next, starts) = (Vec::new(), String::new(), starts + 1);
                    continue;
                }
                401 => return Err(explain(&kube::Error::Api(status))),
                // The server of an aggregated API may be down while all others are up.
                _ => {
                    let refused = request.refused(explain(&kube::Error::Api(status)));
                    return Ok(Listed { request, documents: Vec::new(), refused });
                }
            },
            Err(error) => return Err(explain(&error)),
        };
        let (api_version, kind) =
            (request.resource.api_version.clone(), request.resource.kind.clone());
        let page = tokio::task::spawn_blocking(move || page(&text, source, &api_version, &kind));
        let page = page.await.map_err(|error| format!("a page was given up: {error}"))?;
        let (read, token) = page.map_err(|error| {
            format!(
                "the list of `{}` is not what an API server sends: {error}",
                request.resource.plural
            )
        })?;
        documents.extend(read);
        if token.is_empty() {
            return Ok(Listed { request, documents, refused: None });
        }
        next = token;
    }
}

fn page(
    text: &str,
    source: SourceId,
    api_version: &str,
    kind: &str,
) -> Result<(Vec<Arc<Document>>, String), serde_json::Error> {
    let page: Page = serde_json::from_str(text)?;
    let objects = page.items.unwrap_or_default().into_iter();
    let objects = objects.filter(|it| is_relevant(kind, it));
    let read = objects.map(|it| Live::read(source, &it, api_version, kind));
    let documents: Result<Vec<_>, _> =
        read.filter_map(Result::transpose).map(|it| it.map(|it| Arc::new(it.document))).collect();
    Ok((documents?, page.metadata.next))
}
