//! A Lease (`coordination.k8s.io/v1`): which of several replicas does what only one is to do.
//!
//! It is taken and kept as client-go does (`k8s.io/client-go/tools/leaderelection/leaderelection.go`), with its figures.
//! Clocks of machines are never compared: a Lease has run out when this process has seen no change of it for as long as
//! it says it lasts. Each write names the `resourceVersion` that it replaces, so of two that take it at once one is
//! refused.

use super::resources::get;
use http::Request;
use kube::Client;
use serde_json::{Value, json};
use std::hash::{BuildHasher, RandomState};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// For how long others leave it alone when it is not renewed.
const LENGTH: Duration = Duration::from_secs(15);

/// For how long after it was renewed we count on it: less, so that we have stopped when another begins.
const COUNTED_ON: Duration = Duration::from_secs(10);

/// How often to renew it, or to see whether it is free.
pub(super) const RETRY: Duration = Duration::from_secs(2);

/// How long the API server may take to release it; after that it runs out by itself.
const RELEASE: Duration = Duration::from_secs(5);

/// One Lease, as one replica sees it.
pub(super) struct Lease {
    client: Client,
    namespace: String,
    name: String,
    /// Who we are, of all processes that ever were.
    identity: String,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    /// What it said when it was last seen to change, and when that was.
    seen: Option<(Value, Instant)>,
    /// Until when we count on it.
    ours: Option<Instant>,
    /// Why we could not take or renew it the last time.
    trouble: String,
}

impl Lease {
    /// The Lease of this name, which nobody has tried to take yet.
    pub(super) fn new(client: Client, namespace: &str, name: &str, replica: &str) -> Lease {
        // Seeded by the system: a container that is started again has the name of its pod again.
        let random = RandomState::new().hash_one(std::process::id());
        let identity = format!("{replica}_{random:016x}");
        let (namespace, name) = (namespace.into(), name.into());
        Lease { client, namespace, name, identity, state: Mutex::default() }
    }

    /// Whether it is ours now.
    pub(super) fn is_held(&self) -> bool {
        self.state().ours.is_some_and(|it| Instant::now() < it)
    }

    /// Why it is not.
    pub(super) fn trouble(&self) -> String {
        self.state().trouble.clone()
    }

    /// Renews it if it is ours, and takes it if it is free.
    pub(super) async fn hold(&self) {
        let before = Instant::now();
        let result = self.try_to_hold().await;
        let mut state = self.state();
        match result {
            Ok(None) => {
                if state.ours.is_none() {
                    tracing::info!(lease = self.name, identity = self.identity, "took the Lease");
                }
                state.ours = Some(before + COUNTED_ON);
                state.trouble.clear();
            }
            Ok(Some(why)) => {
                if state.ours.take().is_some() {
                    tracing::warn!(lease = self.name, why, "lost the Lease");
                }
                state.trouble = why;
            }
            // It stays ours for as long as it was.
            Err(why) => {
                let why = format!("Lease {}/{}: {why}", self.namespace, self.name);
                if state.trouble != why {
                    tracing::error!(why, "cannot take or renew the Lease");
                }
                state.trouble = why;
            }
        }
    }

    /// Nothing if it is ours now; who or what came first if it is not.
    async fn try_to_hold(&self) -> Result<Option<String>, kube::Error> {
        let asked = Instant::now();
        let mut lease = match get(&self.client, &self.path()).await {
            Ok(it) => Some(it),
            Err(kube::Error::Api(status)) if status.code == 404 => None,
            Err(why) => return Err(why),
        };
        let old = lease.as_ref().and_then(|it| it.get("spec")).cloned().unwrap_or_default();
        if lease.is_some() {
            let unchanged = asked.saturating_duration_since(self.see(&old));
            if let Some(holder) = other_holder(&old, &self.identity, unchanged) {
                return Ok(Some(format!("{holder} holds Lease {}/{}", self.namespace, self.name)));
            }
        }
        let next = self.renewed(&old);
        let written = match &mut lease {
            None => self.write(Request::post(self.all()), &self.new_object(next)).await,
            Some(it) => {
                it["spec"] = next;
                self.write(Request::put(self.path()), it).await
            }
        };
        match written {
            Ok(spec) => {
                self.see(&spec);
                Ok(None)
            }
            Err(kube::Error::Api(status)) if status.code == 409 => {
                Ok(Some(format!("Lease {}/{} was just written", self.namespace, self.name)))
            }
            Err(why) => Err(why),
        }
    }

    /// Since when it says this, as far as we have seen: the answer may have taken its time, so never from before it.
    fn see(&self, spec: &Value) -> Instant {
        let now = Instant::now();
        let mut state = self.state();
        match &state.seen {
            Some((seen, since)) if seen == spec => *since,
            _ => {
                state.seen = Some((spec.clone(), now));
                now
            }
        }
    }

    /// What it is to say next.
    fn renewed(&self, old: &Value) -> Value {
        let now = micro_time();
        let transitions = old.get("leaseTransitions").and_then(Value::as_i64);
        let mut next = json!({
            "holderIdentity": self.identity,
            "leaseDurationSeconds": LENGTH.as_secs(),
            "acquireTime": now,
            "renewTime": now,
            "leaseTransitions": transitions.map_or(0, |it| it + 1),
        });
        if holder(old) == self.identity {
            for field in ["acquireTime", "leaseTransitions"] {
                next[field] = old[field].clone();
            }
        }
        next
    }

    /// Lets another take it at once, if it is ours.
    pub(super) async fn release(&self) {
        let released = tokio::time::timeout(RELEASE, self.try_to_release()).await;
        self.state().ours = None;
        match released {
            Ok(Ok(())) => {}
            Ok(Err(why)) => tracing::warn!(%why, "cannot release the Lease; it runs out"),
            Err(_) => tracing::warn!("cannot release the Lease in time; it runs out"),
        }
    }

    async fn try_to_release(&self) -> Result<(), kube::Error> {
        let mut lease = get(&self.client, &self.path()).await?;
        let old = lease["spec"].take();
        if holder(&old) != self.identity {
            return Ok(());
        }
        let now = micro_time();
        lease["spec"] = json!({
            "holderIdentity": "",
            "leaseDurationSeconds": 1,
            "acquireTime": now,
            "renewTime": now,
            "leaseTransitions": old["leaseTransitions"],
        });
        self.write(Request::put(self.path()), &lease).await?;
        tracing::info!(lease = self.name, "released the Lease");
        Ok(())
    }

    fn new_object(&self, spec: Value) -> Value {
        json!({
            "apiVersion": "coordination.k8s.io/v1", "kind": "Lease",
            "metadata": { "namespace": self.namespace, "name": self.name },
            "spec": spec,
        })
    }

    /// Writes it; gives what it says now.
    async fn write(
        &self,
        request: http::request::Builder,
        lease: &Value,
    ) -> Result<Value, kube::Error> {
        let request = request.body(lease.to_string().into_bytes());
        let mut written: Value =
            self.client.request(request.map_err(kube::Error::HttpError)?).await?;
        Ok(written["spec"].take())
    }

    fn all(&self) -> String {
        format!("/apis/coordination.k8s.io/v1/namespaces/{}/leases", self.namespace)
    }

    fn path(&self) -> String {
        format!("{}/{}", self.all(), self.name)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Who else holds a Lease that has said this for so long; nobody if it is released or has run out.
fn other_holder<'s>(spec: &'s Value, identity: &str, unchanged: Duration) -> Option<&'s str> {
    let length = spec.get("leaseDurationSeconds").and_then(Value::as_u64).unwrap_or(0);
    let holder = holder(spec);
    let is_free = holder.is_empty() || unchanged >= Duration::from_secs(length);
    (holder != identity && !is_free).then_some(holder)
}

fn holder(spec: &Value) -> &str {
    spec.get("holderIdentity").and_then(Value::as_str).unwrap_or_default()
}

/// A `MicroTime` of Kubernetes.
fn micro_time() -> String {
    jiff::Timestamp::now().strftime("%Y-%m-%dT%H:%M:%S%.6fZ").to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lease_runs_out_by_how_long_it_was_seen_unchanged_and_not_by_its_times() {
        // Of a machine whose clock is years behind.
        let spec = json!({
            "holderIdentity": "other", "leaseDurationSeconds": 15,
            "renewTime": "2001-01-01T00:00:00.000000Z",
        });
        let after = |seconds| other_holder(&spec, "we", Duration::from_secs(seconds));
        assert_eq!(after(0), Some("other"));
        assert_eq!(after(14), Some("other"));
        assert_eq!(after(15), None);
        assert_eq!(other_holder(&spec, "other", Duration::ZERO), None);
        let released = json!({ "holderIdentity": "", "leaseDurationSeconds": 1 });
        assert_eq!(other_holder(&released, "we", Duration::ZERO), None);
        assert_eq!(other_holder(&json!({}), "we", Duration::ZERO), None);
    }

    #[test]
    fn we_stop_counting_on_it_before_another_may_take_it() {
        assert!(COUNTED_ON + 2 * RETRY < LENGTH);
    }
}
