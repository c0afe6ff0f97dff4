//! What an answer may tell: nothing of objects that whoever asks could not read.
//!
//! A user who may write budgets, or anybody who sends a review of their own making, would otherwise read out workloads,
//! quotas and hosts that roles keep from them. So before an answer that speaks of other objects than the request's, the API
//! server is asked whether the user of the review may read these (`SubjectAccessReview`). Where it does not answer, they may
//! not; where purlin itself may not ask that, all is told, which the log says. Whoever calls without a certificate may claim
//! to be any user: that it is the API server only `--client-ca` shows.

use crate::api::kind::Kind;
use crate::webhook::key::Key;
use crate::webhook::review::Review;
use crate::webhook::verdict::Verdict;
use futures_util::future::join_all;
use http::Request;
use kube::Client;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

const PATH: &str = "/apis/authorization.k8s.io/v1/subjectaccessreviews";

/// The most objects that are asked about; of more it is told as of what may not be read.
const MOST: usize = 32;

/// When to ask again where purlin may not ask.
const AGAIN: Duration = Duration::from_secs(60);

/// Who asks what may be told.
#[derive(Debug, Default)]
pub(super) struct Disclosure {
    /// When the API server said last that purlin may not ask.
    refused: Mutex<Option<Instant>>,
}

/// Whether an answer speaks of other objects than that of the request.
pub(super) fn is_asked(review: &Review, verdict: &Verdict) -> bool {
    others(review, verdict).next().is_some()
}

fn others<'v>(review: &'v Review, verdict: &'v Verdict) -> impl Iterator<Item = &'v Key> {
    let told = verdict.denials.iter().chain(&verdict.warnings);
    told.flat_map(|it| &it.objects).filter(|it| **it != review.key)
}

impl Disclosure {
    /// The objects of a verdict of which the user is to be told nothing.
    pub(super) async fn concealed(
        &self,
        client: &Client,
        review: &Review,
        verdict: &Verdict,
        deadline: Instant,
    ) -> BTreeSet<Key> {
        let others: BTreeSet<&Key> = others(review, verdict).collect();
        if others.is_empty() || self.is_refused() {
            return BTreeSet::new();
        }
        let half = deadline.saturating_duration_since(Instant::now()) / 2;
        let asked = others.iter().take(MOST);
        let asked = join_all(asked.map(|key| may_read(client, review, key)));
        let answers = tokio::time::timeout(half, asked).await.unwrap_or_default();
        if answers.contains(&Answer::MayNotAsk) {
            self.refuse();
            return BTreeSet::new();
        }
        let answers = answers.into_iter().chain(std::iter::repeat(Answer::No));
        let told = others.into_iter().zip(answers).filter(|it| it.1 != Answer::Yes);
        told.map(|it| it.0.clone()).collect()
    }

    fn is_refused(&self) -> bool {
        let refused = self.refused.lock().unwrap_or_else(PoisonError::into_inner);
        refused.is_some_and(|it| it.elapsed() < AGAIN)
    }

    fn refuse(&self) {
        let mut refused = self.refused.lock().unwrap_or_else(PoisonError::into_inner);
        if refused.replace(Instant::now()).is_none() {
            tracing::warn!(
                "purlin may not ask what users may read (`create` of `subjectaccessreviews`), so answers name objects to everybody"
            );
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Answer {
    Yes,
    No,
    MayNotAsk,
}

/// Whether the user of a review may read an object.
async fn may_read(client: &Client, review: &Review, key: &Key) -> Answer {
    let question = question(review, key).to_string().into_bytes();
    let request = Request::post(PATH).header("Content-Type", "application/json").body(question);
    let Ok(request) = request else { return Answer::No };
    match client.request::<Value>(request).await {
        Ok(it) if it["status"]["allowed"] == true => Answer::Yes,
        Ok(_) => Answer::No,
        Err(kube::Error::Api(status)) if matches!(status.code, 401 | 403 | 404) => {
            Answer::MayNotAsk
        }
        Err(_) => Answer::No,
    }
}

fn question(review: &Review, key: &Key) -> Value {
    let info = key.kind.info();
    // Who may read all resources of the group may read a kind whose resource is not known.
    let resource = info.map_or("*", |it| it.resource);
    let group = match info {
        Some(it) => it.groups.first().copied().unwrap_or_default(),
        None => key.custom.split('/').next().unwrap_or_default(),
    };
    // As the API server takes a read of a Namespace (`k8s.io/apiserver/pkg/endpoints/request/requestinfo.go`).
    let namespace = if key.kind == Kind::Namespace { &key.name } else { &key.namespace };
    json!({
        "apiVersion": "authorization.k8s.io/v1", "kind": "SubjectAccessReview",
        "spec": {
            "user": review.user, "groups": review.groups,
            "resourceAttributes": {"verb": "get", "group": group, "resource": resource,
                "namespace": namespace, "name": key.name},
        },
    })
}
