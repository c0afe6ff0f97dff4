//! One list, page by page.

use super::Refused;
use super::connect::{explain, within};
use super::live::Schemas;
use super::live::items::{self, Unreadable};
use super::relevant::is_relevant;
use crate::load::Document;
use crate::text::source::SourceId;
use kube::Client;
use kube::core::ApiResource;
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
    /// What becomes of the schemas of custom kinds.
    pub(super) schemas: Schemas,
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
    /// Those that are there and cannot be read.
    pub(super) unreadable: Vec<Unreadable>,
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

    /// That one of its objects cannot be read.
    pub(super) fn unreadable(&self, it: &Unreadable) -> Refused {
        let resource = self.refused(String::new()).map_or_else(String::new, |it| it.resource);
        Refused { resource, why: format!("an object that cannot be read, {it}") }
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
    let (mut documents, mut unreadable) = (Vec::new(), Vec::new());
    let (mut next, mut starts) = (String::new(), 1);
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
                    return Ok(Listed::none(request, refused));
                }
                // Its definition was deleted since discovery, or it has no list after all.
                404 | 405 => return Ok(Listed::none(request, None)),
                410 if starts < STARTS => {
                    (documents, unreadable) = (Vec::new(), Vec::new());
                    (next, starts) = (String::new(), starts + 1);
                    continue;
                }
                401 => return Err(explain(&kube::Error::Api(status))),
                // The server of an aggregated API may be down while all others are up.
                _ => {
                    let refused = request.refused(explain(&kube::Error::Api(status)));
                    return Ok(Listed::none(request, refused));
                }
            },
            Err(error) => return Err(explain(&error)),
        };
        let (api_version, kind) =
            (request.resource.api_version.clone(), request.resource.kind.clone());
        let schemas = request.schemas;
        let page = tokio::task::spawn_blocking(move || {
            items::page_with(&text, source, &api_version, &kind, schemas)
        });
        let page = page.await.map_err(|error| format!("a page was given up: {error}"))?;
        let page = page.map_err(|error| {
            format!(
                "the list of `{}` is not what an API server sends: {error}",
                request.resource.plural
            )
        })?;
        for it in page.items {
            match it {
                Ok(it) if is_relevant(&request.resource.kind, it.document.tree.root()) => {
                    documents.push(Arc::new(it.document));
                }
                Ok(_) => {}
                Err(it) => unreadable.push(it),
            }
        }
        if page.next.is_empty() {
            return Ok(Listed { request, documents, refused: None, unreadable });
        }
        next = page.next;
    }
}

impl Listed {
    fn none(request: Request, refused: Option<Refused>) -> Listed {
        Listed { request, documents: Vec::new(), refused, unreadable: Vec::new() }
    }
}
