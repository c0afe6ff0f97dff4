//! An AdmissionReview: what the API server asks.
//!
//! `k8s.io/api/admission/v1/types.go`.

use super::key::Key;
use crate::api::kind::{Kind, Scope};
use crate::load::Document;
use crate::load::cluster::live::Live;
use crate::load::cluster::live::items::why;
use crate::text::source::SourceId;
use crate::text::tree::Node;
use serde::{Deserialize, Deserializer};
use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;

/// What a request does to its object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operation {
    /// It makes it.
    Create,
    /// It changes it.
    Update,
    /// It deletes it.
    Delete,
    /// It connects to it (`exec`, `proxy`); nothing changes.
    Connect,
}

/// A request to the API server, as far as a verdict needs it.
#[derive(Clone, Debug)]
pub struct Review {
    /// The identifier that the answer has to repeat; not that of the object.
    pub uid: String,
    /// What it does.
    pub operation: Operation,
    /// The subresource that is written (`scale`), or empty.
    pub subresource: String,
    /// The object that it is about; that of `scale` is the workload. Its name is empty where the API server has yet to
    /// make one.
    pub key: Key,
    /// Who asks.
    pub user: String,
    /// The groups of who asks.
    pub groups: Vec<String>,
    /// What it is asked with, as it calls itself: `kubectl-client-side-apply`, `helm`; empty where it does not say.
    pub manager: String,
    /// Whether it is only tried out.
    pub is_dry_run: bool,
    /// The object as it would be, without what no rule reads; `None` for a deletion. Of `scale` it is the `Scale`.
    pub object: Option<Arc<Document>>,
    /// The object as it is; `None` for a creation.
    pub old: Option<Arc<Document>>,
    /// The `resourceVersion` of the object as it is; 0 where there is none.
    pub old_version: u64,
    /// When the object was created, as the API server writes it; empty where it is not yet.
    pub created: String,
    /// Whether the object is being deleted already.
    pub is_terminating: bool,
}

/// A body that is no AdmissionReview that can be answered: the call has failed, which is no verdict.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Malformed {
    /// Why: lower case, no full stop.
    pub message: String,
}

impl fmt::Display for Malformed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Malformed {}

fn malformed(message: impl Into<String>) -> Malformed {
    Malformed { message: message.into() }
}

/// The source of all that comes from the cluster.
pub(super) const CLUSTER: SourceId = SourceId(0);

pub(super) const VERSION: &str = "admission.k8s.io/v1";

impl Review {
    /// Reads the body of a request.
    ///
    /// # Errors
    ///
    /// When it is no `admission.k8s.io/v1` AdmissionReview with a request, or the request lacks what its operation
    /// has to have.
    pub fn parse(body: &[u8]) -> Result<Review, Malformed> {
        let body: Body<'_> = serde_json::from_slice(body)
            .map_err(|it| malformed(format!("the body does not parse: {}", why(&it))))?;
        if text(&body.api_version) != VERSION || text(&body.kind) != "AdmissionReview" {
            return Err(malformed(format!("the body is no `{VERSION}` AdmissionReview")));
        }
        Review::read(body.request.ok_or_else(|| malformed("`request` is missing"))?)
    }

    fn read(request: Request<'_>) -> Result<Review, Malformed> {
        let uid = text(&request.uid).to_string();
        if uid.is_empty() {
            return Err(malformed("`request.uid` is missing"));
        }
        let operation = match text(&request.operation) {
            "CREATE" => Operation::Create,
            "UPDATE" => Operation::Update,
            "DELETE" => Operation::Delete,
            "CONNECT" => Operation::Connect,
            _ => return Err(malformed("`request.operation` is none that there is")),
        };
        let has_object = matches!(operation, Operation::Create | Operation::Update);
        let has_old = matches!(operation, Operation::Update | Operation::Delete);
        for (field, it, is_needed) in
            [("object", &request.object, has_object), ("oldObject", &request.old_object, has_old)]
        {
            if is_needed && it.is_none() {
                return Err(malformed(format!("`request.{field}` is missing")));
            }
        }
        let is_terminating =
            [&request.object, &request.old_object].into_iter().flatten().any(|it| {
                let timestamp = it.document.tree.root().at(&["metadata", "deletionTimestamp"]);
                timestamp.and_then(Node::str).is_some_and(|it| !it.is_empty())
            });
        let key = key(&request, has_object)?;
        let subresource = text(&request.sub_resource).to_string();
        let (user, groups) = request.user_info.map(UserInfo::read).unwrap_or_default();
        let manager = request.options.map(|it| text(&it.field_manager).to_string());
        let old = request.old_object.filter(|_| has_old);
        let old_version = old.as_ref().map_or(0, Live::version);
        let (old, created) = old.map(|it| (Arc::new(it.document), it.created)).unzip();
        Ok(Review {
            uid,
            operation,
            key,
            object: request.object.filter(|_| has_object).map(|it| Arc::new(it.document)),
            old,
            old_version,
            created: created.unwrap_or_default(),
            is_terminating,
            subresource,
            user,
            groups,
            manager: manager.unwrap_or_default(),
            is_dry_run: request.dry_run.unwrap_or(false),
        })
    }

    /// Whether an update leaves everything that rules read as it is.
    pub(super) fn changes_nothing(&self) -> bool {
        match (&self.object, &self.old) {
            (Some(object), Some(old)) => object.tree.root().same(old.tree.root()),
            _ => false,
        }
    }
}

/// What the API server sends. Null is absent, as it is to Kubernetes.
#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Body<'b> {
    #[serde(borrow)]
    api_version: Text<'b>,
    #[serde(borrow)]
    kind: Text<'b>,
    #[serde(borrow)]
    request: Option<Request<'b>>,
}

/// A text that may be null.
type Text<'b> = Option<Cow<'b, str>>;

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Request<'b> {
    #[serde(borrow)]
    uid: Text<'b>,
    #[serde(borrow)]
    kind: Option<OfKind<'b>>,
    #[serde(borrow)]
    resource: Option<Resource<'b>>,
    #[serde(borrow)]
    sub_resource: Text<'b>,
    #[serde(borrow)]
    name: Text<'b>,
    #[serde(borrow)]
    namespace: Text<'b>,
    #[serde(borrow)]
    operation: Text<'b>,
    #[serde(borrow)]
    user_info: Option<UserInfo<'b>>,
    #[serde(deserialize_with = "live")]
    object: Option<Live>,
    #[serde(deserialize_with = "live")]
    old_object: Option<Live>,
    dry_run: Option<bool>,
    #[serde(borrow)]
    options: Option<Options<'b>>,
}

/// `CreateOptions`, `UpdateOptions` and `PatchOptions` alike.
#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Options<'b> {
    #[serde(borrow)]
    field_manager: Text<'b>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct OfKind<'b> {
    #[serde(borrow)]
    kind: Text<'b>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Resource<'b> {
    #[serde(borrow)]
    group: Text<'b>,
    #[serde(borrow)]
    resource: Text<'b>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct UserInfo<'b> {
    #[serde(borrow)]
    username: Text<'b>,
    groups: Option<Vec<String>>,
}

impl UserInfo<'_> {
    fn read(self) -> (String, Vec<String>) {
        (text(&self.username).to_string(), self.groups.unwrap_or_default())
    }
}

fn text<'t>(text: &'t Text<'_>) -> &'t str {
    text.as_deref().unwrap_or_default()
}

fn live<'de, D: Deserializer<'de>>(value: D) -> Result<Option<Live>, D::Error> {
    Live::read(CLUSTER, value, "", "")
}

/// What the request is about. The resource tells it for subresources, whose payload is of another kind; a deletion of
/// a collection names its objects only in `oldObject`, and where the API server made up a name only the object has it.
fn key(request: &Request<'_>, has_object: bool) -> Result<Key, Malformed> {
    let payload = if has_object { &request.object } else { &request.old_object };
    let root = payload.as_ref().map(|it| it.document.tree.root());
    let of_object = || root?.at(&["metadata", "name"])?.str();
    let name = match text(&request.name) {
        "" => of_object().unwrap_or_default(),
        name => name,
    };
    let of_resource = request.resource.as_ref();
    let resource = of_resource.map_or("", |it| text(&it.resource));
    let group = of_resource.map_or("", |it| text(&it.group));
    if resource.is_empty() {
        return Err(malformed("`request.resource.resource` is missing"));
    }
    let kind = Kind::of_resource(group, resource);
    let custom = match kind {
        Kind::Custom => {
            format!("{group}/{}", request.kind.as_ref().map_or("", |it| text(&it.kind)))
        }
        _ => String::new(),
    };
    // Of a Namespace the request's namespace is its own name.
    let is_cluster_wide = kind.info().is_some_and(|it| it.scope == Scope::Cluster);
    let namespace = if is_cluster_wide { "" } else { text(&request.namespace) };
    Ok(Key { namespace: namespace.into(), kind, custom: custom.into(), name: name.into() })
}
