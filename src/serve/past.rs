//! What was there a short time ago, kept in a ConfigMap, where a restart finds it and so do replicas that start later.
//!
//! Each replica sees by itself what is deleted and scaled to nothing while it runs. Without the ConfigMap, or the right to
//! write it, that is all that is remembered, and after a restart of all replicas what comes back is judged as if it were
//! new.

use super::knowledge::Knowledge;
use super::policy_source::Current;
use super::pool::{Pool, Turn};
use super::resources;
use crate::rule::RuleSet;
use crate::webhook::past::Gone;
use crate::webhook::verdict::settled;
use http::Request;
use jiff::{SignedDuration, Timestamp};
use kube::Client;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

/// How often what is new is written.
const INTERVAL: Duration = Duration::from_secs(2);

/// The key of the ConfigMap.
const KEY: &str = "gone.json";

/// The most bytes; an object in etcd has at most 1.5 MB, and a ConfigMap 1 MiB.
const MOST: usize = 900_000;

/// For how long a workload may be scaled to nothing and still come back to what it had.
const SWITCHED_OFF: SignedDuration = SignedDuration::from_hours(90 * 24);

/// Where it is kept.
#[derive(Clone, Debug)]
pub struct PastSource {
    /// The namespace of the ConfigMap.
    pub namespace: String,
    /// Its name.
    pub name: String,
}

/// Who keeps it.
pub(super) struct Keeper {
    pub(super) client: Client,
    pub(super) source: PastSource,
    pub(super) knowledge: Arc<Knowledge>,
    pub(super) policy: Current,
    pub(super) pool: Pool,
}

impl Keeper {
    /// Reads what is kept, and keeps what is new from then on.
    pub(super) async fn keep(self) {
        match self.read().await {
            Ok(map) => {
                let kept = kept(self.policy.get().rules.set(), &map);
                let mut state = self.knowledge.state();
                kept.into_values().for_each(|it| state.remember(it));
            }
            Err(why) => tracing::warn!(%why, "cannot read what was there before"),
        }
        let mut fresh: Vec<Gone> = Vec::new();
        let mut last = None;
        loop {
            tokio::time::sleep(INTERVAL).await;
            let gone = self.knowledge.state().take_gone();
            if !gone.is_empty() {
                fresh.extend(self.settled(gone).await);
            }
            if fresh.is_empty() {
                continue;
            }
            match self.write(&fresh).await {
                Ok(()) => {
                    fresh.clear();
                    last = None;
                }
                // Another replica came first.
                Err(kube::Error::Api(status)) if status.code == 409 => {}
                Err(why) => {
                    let why = why.to_string();
                    if last.as_ref() != Some(&why) {
                        tracing::warn!(why, "cannot keep what was there before");
                    }
                    last = Some(why);
                    let excess = fresh.len().saturating_sub(1_000);
                    fresh.drain(..excess);
                }
            }
        }
    }

    /// What was wrong with what is gone; of most things nothing was.
    async fn settled(&self, gone: Vec<Gone>) -> Vec<Gone> {
        let (snapshot, policy) = (self.knowledge.state().snapshot(), self.policy.get());
        let settle = move |_: &Turn<'_>| -> Vec<Gone> {
            let context = policy.context(None);
            gone.iter().filter_map(|it| settled(&snapshot, it, &context)).collect()
        };
        self.pool.run(settle).await.unwrap_or_default()
    }

    fn path(&self) -> String {
        let PastSource { namespace, name } = &self.source;
        format!("/api/v1/namespaces/{namespace}/configmaps/{name}")
    }

    async fn read(&self) -> Result<Value, kube::Error> {
        resources::get(&self.client, &self.path()).await
    }

    async fn write(&self, fresh: &[Gone]) -> Result<(), kube::Error> {
        let mut map = self.read().await?;
        let there = map.pointer(&format!("/data/{KEY}")).and_then(Value::as_str);
        let there = there.unwrap_or_default().to_string();
        let mut all = kept(self.policy.get().rules.set(), &map);
        for it in fresh {
            // Replicas see the same a moment apart.
            let is_known = all.get(&name(it)).is_some_and(|other| is_same(it, other));
            if !is_known {
                all.insert(name(it), it.clone());
            }
        }
        let now = Timestamp::now();
        let within = self.policy.get().policy.admission.recreate();
        all.retain(|_, it| {
            let within = if it.is_deleted() { within } else { SWITCHED_OFF };
            now.duration_since(it.at) <= within
        });
        let text = text(all.into_values().collect());
        if text == there {
            return Ok(());
        }
        map["data"] = json!({ KEY: text });
        let request = Request::put(self.path()).body(map.to_string().into_bytes());
        self.client.request::<Value>(request.map_err(kube::Error::HttpError)?).await?;
        Ok(())
    }
}

fn name(gone: &Gone) -> String {
    gone.key.to_string()
}

/// Whether two are the same but for the time.
fn is_same(a: &Gone, b: &Gone) -> bool {
    let stored = |it: &Gone| {
        let mut stored = it.to_json();
        stored.iter_mut().for_each(|it| it["at"] = Value::Null);
        stored
    };
    stored(a) == stored(b)
}

/// What a ConfigMap holds, by name.
fn kept(rules: &RuleSet, map: &Value) -> BTreeMap<String, Gone> {
    let text = map.pointer(&format!("/data/{KEY}")).and_then(Value::as_str).unwrap_or("[]");
    let stored: Vec<Value> = serde_json::from_str(text).unwrap_or_default();
    stored.iter().filter_map(|it| Gone::of_json(rules, it)).map(|it| (name(&it), it)).collect()
}

/// What is kept, the newest first, as much as there is room for.
fn text(mut all: Vec<Gone>) -> String {
    all.sort_by(|a, b| (b.at, name(a)).cmp(&(a.at, name(b))));
    let mut room = MOST;
    let lines = all.iter().filter_map(Gone::to_json).map(|it| it.to_string()).take_while(|line| {
        room = room.saturating_sub(line.len() + 2);
        room > 0
    });
    format!("[{}]", lines.collect::<Vec<_>>().join(",\n"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::built_in;

    #[test]
    fn what_is_kept_is_read_again_and_has_an_end() {
        let gone = |at: usize, size: usize| {
            let key = json!({"kind": "PodDisruptionBudget", "custom": "", "namespace": "shop",
                "name": format!("it-{at}")});
            let at = Timestamp::from_second(1_700_000_000 + at as i64).unwrap();
            let wrong = json!([{"rule": "pdb-blocks-drain", "severity": "error",
                "message": "x".repeat(size), "primary": key, "field": "spec.minAvailable",
                "over": [["Deployment/shop/api", "1"]], "objects": [key]}]);
            Gone::of_json(built_in(), &json!({"at": at.to_string(), "key": key, "wrong": wrong}))
                .unwrap()
        };
        let few = text((0..10).map(|it| gone(it, 10)).collect());
        let read = kept(built_in(), &json!({"data": {KEY: few}}));
        assert_eq!(read.len(), 10);
        assert!(is_same(&read["PodDisruptionBudget/shop/it-3"], &gone(3, 10)));
        assert_eq!(text(read.into_values().collect()), few, "the same again");
        let many = text((0..100).map(|it| gone(it, 20_000)).collect());
        assert!(many.len() <= MOST);
        let read = kept(built_in(), &json!({"data": {KEY: many}}));
        assert!(read.contains_key("PodDisruptionBudget/shop/it-99") && read.len() < 100);
        assert!(
            kept(built_in(), &json!({})).is_empty()
                && kept(built_in(), &json!({"data": {KEY: "no"}})).is_empty()
        );
    }
}
