//! Events: what `kubectl describe` and `kubectl events` show of what went wrong.

use http::Request;
use kube::Client;
use serde_json::{Value, json};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// The most events in a minute: etcd holds other things too.
const MOST: usize = 60;

/// What an event is about, in a word, as Kubernetes writes it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Reason {
    /// A policy that is not valid.
    InvalidPolicy,
    /// A policy that denies where the one before did not.
    PolicyEnforces,
    /// Objects that exclude each other were written at the same time.
    RaceAdmitted,
}

impl Reason {
    fn name(self) -> &'static str {
        match self {
            Reason::InvalidPolicy => "InvalidPolicy",
            Reason::PolicyEnforces => "PolicyEnforces",
            Reason::RaceAdmitted => "RaceAdmitted",
        }
    }
}

/// Where events go.
#[derive(Clone)]
pub(super) struct Events {
    client: Client,
    /// Our own pod, where it is known: namespace and name.
    pod: Option<(String, String)>,
    written: Arc<Mutex<Vec<Instant>>>,
}

impl Events {
    pub(super) fn new(client: Client, pod: Option<(String, String)>) -> Events {
        Events { client, pod, written: Arc::default() }
    }

    /// Warns at a ConfigMap (namespace and name), or else at our own pod.
    pub(super) async fn warn(&self, map: Option<(&str, &str)>, reason: Reason, message: &str) {
        let (kind, (namespace, name)) = match (map, &self.pod) {
            (Some(map), _) => ("ConfigMap", map),
            (None, Some((namespace, name))) => ("Pod", (namespace.as_str(), name.as_str())),
            (None, None) => return,
        };
        let regarding = json!({
            "apiVersion": "v1", "kind": kind, "namespace": namespace, "name": name,
        });
        self.warn_at(regarding, reason, message).await;
    }

    /// Warns at an object (`apiVersion`, `kind`, `namespace`, `name`).
    pub(super) async fn warn_at(&self, regarding: Value, reason: Reason, message: &str) {
        if !self.may_write() {
            return;
        }
        let text = |field: &str| regarding.get(field).and_then(Value::as_str).unwrap_or_default();
        // Events about the cluster as a whole are kept here.
        let namespace = Some(text("namespace")).filter(|it| !it.is_empty()).unwrap_or("default");
        let now = jiff::Timestamp::now();
        // An event's message has at most 1,024 characters.
        let message: String = message.chars().take(1000).collect();
        let event = json!({
            "apiVersion": "v1",
            "kind": "Event",
            "metadata": { "generateName": "purlin-", "namespace": namespace },
            "involvedObject": regarding,
            "type": "Warning",
            "reason": reason.name(),
            "message": message,
            "source": { "component": "purlin" },
            "firstTimestamp": now.strftime("%Y-%m-%dT%H:%M:%SZ").to_string(),
            "lastTimestamp": now.strftime("%Y-%m-%dT%H:%M:%SZ").to_string(),
            "count": 1,
        });
        let path = format!("/api/v1/namespaces/{namespace}/events");
        let request = Request::post(path).body(event.to_string().into_bytes());
        let written = match request {
            Ok(request) => self.client.request::<Value>(request).await.map_err(|it| it.to_string()),
            Err(why) => Err(why.to_string()),
        };
        if let Err(why) = written {
            tracing::warn!(why, "cannot write an event");
        }
    }

    fn may_write(&self) -> bool {
        let mut written = self.written.lock().unwrap_or_else(PoisonError::into_inner);
        written.retain(|it| it.elapsed() < Duration::from_secs(60));
        if written.len() >= MOST {
            return false;
        }
        written.push(Instant::now());
        true
    }
}
