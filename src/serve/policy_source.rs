//! The policy, from a file or a ConfigMap, followed while the server runs; one that is not valid changes nothing.

use super::events::{Events, Reason};
use super::metrics::Metrics;
use super::resources;
use crate::load::decode;
use crate::policy::Policy;
use crate::policy_file;
use crate::source::Source;
use kube::Client;
use serde_json::Value;
use std::path::PathBuf;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

/// How often the policy is looked at.
const INTERVAL: Duration = Duration::from_secs(2);

/// The key of a ConfigMap that holds the policy.
const FILE: &str = "purlin.yaml";

/// Where the policy comes from.
#[derive(Clone, Debug)]
pub enum PolicySource {
    /// There is none: the defaults hold.
    None,
    /// A file, looked at every two seconds.
    File(PathBuf),
    /// The key `purlin.yaml` of a ConfigMap.
    ConfigMap {
        /// Its namespace.
        namespace: String,
        /// Its name.
        name: String,
    },
}

/// The policy that holds at the moment.
#[derive(Clone)]
pub(super) struct Current {
    policy: Arc<RwLock<Arc<Policy>>>,
}

impl Current {
    pub(super) fn get(&self) -> Arc<Policy> {
        self.policy.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn set(&self, policy: Policy) {
        *self.policy.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(policy);
    }
}

/// Reads the policy once and follows it from then on.
///
/// # Errors
///
/// If there is none now, or it is not valid.
pub(super) async fn follow(
    source: PolicySource,
    client: Client,
    events: Events,
    metrics: Arc<Metrics>,
) -> Result<Current, String> {
    let text = match source {
        PolicySource::ConfigMap { .. } => {
            resources::at_start(async || read(&source, &client).await).await?
        }
        _ => read(&source, &client).await?,
    };
    let mut seen = (text, today());
    let policy = parse(&source, &seen.0)?;
    let current = Current { policy: Arc::new(RwLock::new(Arc::new(policy))) };
    if matches!(source, PolicySource::None) {
        return Ok(current);
    }
    let followed = current.clone();
    tokio::spawn(async move {
        let mut refused = None;
        loop {
            tokio::time::sleep(INTERVAL).await;
            // Exceptions expire, so another day makes another policy.
            let result = match read(&source, &client).await {
                Ok(text) if (&text, today()) == (&seen.0, seen.1) => {
                    refused = None;
                    continue;
                }
                Ok(text) => parse(&source, &text).map(|policy| (text, policy)),
                Err(why) => Err(why),
            };
            match result {
                Ok((text, policy)) => {
                    followed.set(policy);
                    seen = (text, today());
                    refused = None;
                    metrics.policy_reloads.inc();
                    tracing::info!("the policy was replaced");
                }
                Err(why) if refused.as_ref() == Some(&why) => {}
                Err(why) => {
                    metrics.policy_failures.inc();
                    tracing::error!(why, "the new policy cannot be used; the old one stays");
                    let message = format!("the old policy stays: {why}");
                    events.warn(subject(&source), Reason::InvalidPolicy, &message).await;
                    refused = Some(why);
                }
            }
        }
    });
    Ok(current)
}

fn subject(source: &PolicySource) -> Option<(&str, &str)> {
    match source {
        PolicySource::ConfigMap { namespace, name } => Some((namespace, name)),
        _ => None,
    }
}

async fn read(source: &PolicySource, client: &Client) -> Result<Arc<str>, String> {
    match source {
        PolicySource::None => Ok(Arc::from("")),
        PolicySource::File(path) => {
            let bytes = tokio::fs::read(path).await;
            bytes
                .map_err(|why| why.to_string())
                .and_then(|it| decode::decode(it).map_err(|it| it.to_string()))
                .map_err(|why| format!("cannot read {}: {why}", path.display()))
        }
        PolicySource::ConfigMap { namespace, name } => {
            let path = format!("/api/v1/namespaces/{namespace}/configmaps/{name}");
            let map = resources::get(client, &path)
                .await
                .map_err(|why| format!("cannot read ConfigMap {namespace}/{name}: {why}"))?;
            let text = map.get("data").and_then(|it| it.get(FILE)).and_then(Value::as_str);
            text.map(Arc::from)
                .ok_or_else(|| format!("ConfigMap {namespace}/{name} has no key `{FILE}`"))
        }
    }
}

fn parse(source: &PolicySource, text: &Arc<str>) -> Result<Policy, String> {
    let name = match source {
        PolicySource::None => return Ok(Policy { today: Some(today()), ..Policy::default() }),
        PolicySource::File(path) => path.display().to_string(),
        PolicySource::ConfigMap { namespace, name } => format!("{namespace}/{name}:{FILE}"),
    };
    policy_file::read(text, Some(today())).map_err(|mistakes| {
        let source = Source::new(name, text.clone());
        let lines = mistakes.iter().map(|it| {
            let help = it.help.as_ref().map(|it| format!("; {it}")).unwrap_or_default();
            format!("{}:{}: {}{help}", source.name, source.position(it.span.start), it.message)
        });
        lines.collect::<Vec<_>>().join("\n")
    })
}

fn today() -> jiff::civil::Date {
    jiff::Timestamp::now().to_zoned(jiff::tz::TimeZone::UTC).date()
}
