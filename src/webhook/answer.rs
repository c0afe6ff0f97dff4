//! The answer to an AdmissionReview, in the form that the API server takes.
//!
//! What becomes of it: `k8s.io/apiserver/pkg/admission/plugin/webhook/{request,validating,errors}`.

use super::message;
use super::review::VERSION;
use super::verdict::Verdict;
use serde::Serialize;
use std::collections::BTreeMap;

impl Verdict {
    /// The body of the answer to the review with this `uid`.
    pub fn answer(&self, uid: &str) -> Vec<u8> {
        let status = self.is_denied().then(|| Status {
            status: "Failure",
            message: message::denial(&self.denials),
            reason: "Forbidden",
            code: 403,
        });
        let response = Response {
            uid,
            allowed: !self.is_denied(),
            status,
            warnings: message::warnings(&self.warnings),
            audit_annotations: message::audit_annotations(self),
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
