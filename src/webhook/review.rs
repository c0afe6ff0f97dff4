//! An AdmissionReview: what the API server asks, and the answer in its form.
//!
//! `k8s.io/api/admission/v1/types.go`; what becomes of the answer:
//! `k8s.io/apiserver/pkg/admission/plugin/webhook/{request,validating,errors}`.

use super::key::Key;
use super::snapshot::Snapshot;
use super::verdict::Verdict;
use super::{exempt, message, scale};
use crate::load::{Document, live};
use crate::model::kind::{Kind, Scope};
use crate::source::SourceId;
use serde::Serialize;
use serde_json::Value;
use std::collections::BTreeMap;
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

const VERSION: &str = "admission.k8s.io/v1";

impl Review {
    /// Reads the body of a request.
    ///
    /// # Errors
    ///
    /// When it is no `admission.k8s.io/v1` AdmissionReview with a request, or the request lacks what its operation
    /// has to have.
    pub fn parse(body: &[u8]) -> Result<Review, Malformed> {
        let mut body: Value = serde_json::from_slice(body)
            .map_err(|it| malformed(format!("the body does not parse: {it}")))?;
        if body["apiVersion"] != VERSION || body["kind"] != "AdmissionReview" {
            return Err(malformed(format!("the body is no `{VERSION}` AdmissionReview")));
        }
        match &mut body["request"] {
            Value::Object(_) => Review::read(body["request"].take()),
            _ => Err(malformed("`request` is missing")),
        }
    }

    fn read(mut request: Value) -> Result<Review, Malformed> {
        let uid = text(&request["uid"]);
        if uid.is_empty() {
            return Err(malformed("`request.uid` is missing"));
        }
        let operation = match text(&request["operation"]).as_str() {
            "CREATE" => Operation::Create,
            "UPDATE" => Operation::Update,
            "DELETE" => Operation::Delete,
            "CONNECT" => Operation::Connect,
            other => return Err(malformed(format!("`request.operation` is `{other}`"))),
        };
        let has_object = matches!(operation, Operation::Create | Operation::Update);
        let has_old = matches!(operation, Operation::Update | Operation::Delete);
        for (field, is_needed) in [("object", has_object), ("oldObject", has_old)] {
            if is_needed && !request[field].is_object() {
                return Err(malformed(format!("`request.{field}` is missing")));
            }
        }
        let metadata = |object: &str, field: &str| text(&request[object]["metadata"][field]);
        let is_terminating =
            ["object", "oldObject"].iter().any(|it| !metadata(it, "deletionTimestamp").is_empty());
        let key = key(&request, if has_object { "object" } else { "oldObject" })?;
        let old_version = metadata("oldObject", "resourceVersion").parse().unwrap_or(0);
        let created = metadata("oldObject", "creationTimestamp");
        let mut document = |field: &str, is_there: bool| {
            is_there.then(|| Arc::new(live::document(CLUSTER, request[field].take(), "", "")))
        };
        Ok(Review {
            uid,
            operation,
            key,
            object: document("object", has_object),
            old: document("oldObject", has_old),
            old_version,
            created,
            is_terminating,
            subresource: text(&request["subResource"]),
            user: text(&request["userInfo"]["username"]),
            is_dry_run: request["dryRun"] == true,
        })
    }

    /// The object as it is, for the world before the request: that of the request, which the API server has just read,
    /// rather than what a watch showed last.
    pub(super) fn before(&self, snapshot: &Snapshot) -> Option<Arc<Document>> {
        match self.subresource.as_str() {
            "scale" => snapshot.get(&self.key).map(|it| it.document.clone()),
            _ => self.old.clone(),
        }
    }

    /// Whether an update leaves everything that rules read as it is.
    pub(super) fn changes_nothing(&self) -> bool {
        match (&self.object, &self.old) {
            (Some(object), Some(old)) => object.tree.root().same(old.tree.root()),
            _ => false,
        }
    }

    /// Whether the object is known as the request has written it: neither is that still to come, nor has anybody changed
    /// it since. Controllers may have annotated it.
    pub fn stands(&self, snapshot: &Snapshot) -> bool {
        let Some(entry) = snapshot.get(&self.key).filter(|it| it.version > self.old_version) else {
            return false;
        };
        let written = scale::written(snapshot, self);
        let root = entry.document.tree.root();
        written.is_some_and(|it| exempt::are_alike(it.tree.root(), root, &["labels"]))
    }

    /// The body of the answer.
    pub fn response(&self, verdict: &Verdict) -> Vec<u8> {
        let status = verdict.is_denied().then(|| Status {
            status: "Failure",
            message: message::denial(&verdict.denials),
            reason: "Forbidden",
            code: 403,
        });
        let response = Response {
            uid: &self.uid,
            allowed: !verdict.is_denied(),
            status,
            warnings: message::warnings(&verdict.warnings),
            audit_annotations: message::audit_annotations(verdict),
        };
        let answer = Answer { api_version: VERSION, kind: "AdmissionReview", response };
        serde_json::to_vec(&answer).expect("texts and numbers have a form in JSON")
    }
}

/// An AdmissionReview with its answer.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Answer<'a> {
    api_version: &'static str,
    kind: &'static str,
    response: Response<'a>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Response<'a> {
    uid: &'a str,
    allowed: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    status: Option<Status>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    warnings: Vec<String>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    audit_annotations: BTreeMap<&'static str, String>,
}

#[derive(Serialize)]
struct Status {
    status: &'static str,
    message: String,
    reason: &'static str,
    code: u16,
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_string()
}

/// What the request is about. The resource tells it for subresources, whose payload is of another kind; a deletion of
/// a collection names its objects only in `oldObject`, and where the API server made up a name only the object has it.
fn key(request: &Value, object: &str) -> Result<Key, Malformed> {
    let of_request = text(&request["name"]);
    let of_object = || text(&request[object]["metadata"]["name"]);
    let name = if of_request.is_empty() { of_object() } else { of_request };
    let group = text(&request["resource"]["group"]);
    let resource = text(&request["resource"]["resource"]);
    if resource.is_empty() {
        return Err(malformed("`request.resource.resource` is missing"));
    }
    let kind = Kind::of_resource(&group, &resource);
    let custom = match kind {
        Kind::Custom => format!("{group}/{}", text(&request["kind"]["kind"])),
        _ => String::new(),
    };
    // Of a Namespace the request's namespace is its own name.
    let is_cluster_wide = kind.info().is_some_and(|it| it.scope == Scope::Cluster);
    let namespace = if is_cluster_wide { String::new() } else { text(&request["namespace"]) };
    Ok(Key { namespace: namespace.into(), kind, custom: custom.into(), name: name.into() })
}
