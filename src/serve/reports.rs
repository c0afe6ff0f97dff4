//! Reports in the cluster: what is wrong in each namespace, and nothing else.
//!
//! One report a namespace, written only when it changes and deleted when nothing is wrong any more; only where the
//! kind of report is installed. What a baseline knows is counted as skipped. Replicas come to the same text, so it makes
//! no difference which of them writes.

use super::knowledge::Knowledge;
use super::metrics::Metrics;
use super::policy_source::Current;
use super::pool::Pool;
use super::resources::get;
use crate::finding::Severity;
use crate::webhook::message;
use crate::webhook::notice::Notice;
use crate::webhook::verdict::audit;
use http::Request;
use kube::Client;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::timeout;

/// How often to write what has changed.
const INTERVAL: Duration = Duration::from_secs(30);

/// How long it may take to tell what is wrong in a namespace.
const AUDIT: Duration = Duration::from_secs(60);

/// Whose work that is, to the threads that do it.
const REPORTS: &str = "purlin's reports";

/// The most results of one report: an object in etcd has at most 1.5 MB.
const MOST: usize = 200;

/// The most characters of a message.
const MOST_OF_MESSAGE: usize = 1000;

const OURS: &str = "app.kubernetes.io/managed-by=purlin";

/// A kind of report.
struct Format {
    api_version: &'static str,
    kind: &'static str,
    plural: &'static str,
    /// Where a result names its objects.
    subjects: &'static str,
}

/// <https://github.com/openreports/reports-api>, and what came before it.
const FORMATS: [Format; 2] = [
    Format {
        api_version: "openreports.io/v1alpha1",
        kind: "Report",
        plural: "reports",
        subjects: "subjects",
    },
    Format {
        api_version: "wgpolicyk8s.io/v1alpha2",
        kind: "PolicyReport",
        plural: "policyreports",
        subjects: "resources",
    },
];

/// Who writes reports.
pub(super) struct Reporter {
    pub(super) client: Client,
    pub(super) knowledge: Arc<Knowledge>,
    pub(super) policy: Current,
    pub(super) pool: Pool,
    pub(super) metrics: Arc<Metrics>,
}

impl Reporter {
    /// Writes reports for ever.
    pub(super) async fn write(self) {
        loop {
            tokio::time::sleep(INTERVAL).await;
            if !self.knowledge.unlisted().is_empty() {
                continue;
            }
            let mut wrong = None;
            for format in &FORMATS {
                // It is not there where the kind is not installed.
                let Ok(written) = self.written(format).await else { continue };
                if wrong.is_none() {
                    wrong = Some(self.audit().await);
                }
                if let Some(wrong) = &wrong {
                    self.write_all(format, written, wrong).await;
                }
            }
        }
    }

    /// Our reports that there are, by namespace.
    async fn written(&self, format: &Format) -> Result<BTreeMap<String, Value>, kube::Error> {
        let path = format!("/apis/{}/{}?labelSelector={OURS}", format.api_version, format.plural);
        let mut list = get(&self.client, &path).await?;
        let items = list.get_mut("items").map(Value::take);
        let items = items.and_then(|it| match it {
            Value::Array(items) => Some(items),
            _ => None,
        });
        let by_namespace = items.into_iter().flatten().filter_map(|it| {
            let namespace = it.pointer("/metadata/namespace")?.as_str()?.to_string();
            Some((namespace, it))
        });
        Ok(by_namespace.collect())
    }

    /// What is wrong, by namespace; nothing where that cannot be told.
    async fn audit(&self) -> BTreeMap<String, Option<Vec<Notice>>> {
        let snapshot = self.knowledge.state().snapshot();
        let mut names: Vec<String> = snapshot.namespaces().map(str::to_string).collect();
        names.sort();
        let mut wrong = BTreeMap::new();
        for name in names {
            let (snapshot, policy, namespace) = (snapshot.clone(), self.policy.get(), name.clone());
            let found = self.pool.run(move |turn| {
                if !turn.is_for(REPORTS) {
                    return None;
                }
                Some(audit(&snapshot, &namespace, &policy.context(None)))
            });
            let Ok(Ok(Some(mut found))) = timeout(AUDIT, found).await else {
                tracing::warn!(namespace = name, "cannot tell what is wrong");
                wrong.insert(name, None);
                continue;
            };
            found.retain(|it| it.severity != Severity::Note);
            if found.iter().any(|it| !it.is_known) {
                wrong.insert(name, Some(found));
            }
        }
        let told = wrong.values().flatten().flatten().filter(|it| !it.is_known);
        self.metrics.reports.set(told.count() as i64);
        wrong
    }

    async fn write_all(
        &self,
        format: &Format,
        mut written: BTreeMap<String, Value>,
        wrong: &BTreeMap<String, Option<Vec<Notice>>>,
    ) {
        for (namespace, notices) in wrong {
            let Some(notices) = notices else {
                // What it says may still be so.
                written.remove(namespace);
                continue;
            };
            let mut report = report(format, namespace, notices);
            let request = match written.remove(namespace) {
                Some(it) if it.get("results") == report.get("results") => continue,
                Some(it) => {
                    let version = it.pointer("/metadata/resourceVersion").cloned();
                    report["metadata"]["resourceVersion"] = version.unwrap_or_default();
                    Request::put(format!("{}/purlin", path(format, namespace)))
                }
                None => Request::post(path(format, namespace)),
            };
            self.send(request, report.to_string()).await;
        }
        for namespace in written.keys() {
            let request = Request::delete(format!("{}/purlin", path(format, namespace)));
            self.send(request, String::new()).await;
        }
    }

    async fn send(&self, request: http::request::Builder, body: String) {
        let Ok(request) = request.body(body.into_bytes()) else { return };
        match self.client.request::<Value>(request).await {
            Ok(_) => {}
            // Another replica came first, or the namespace is going.
            Err(kube::Error::Api(status)) if matches!(status.code, 404 | 409) => {}
            Err(why) => tracing::warn!(%why, "cannot write a report"),
        }
    }
}

fn path(format: &Format, namespace: &str) -> String {
    format!("/apis/{}/namespaces/{namespace}/{}", format.api_version, format.plural)
}

fn report(format: &Format, namespace: &str, notices: &[Notice]) -> Value {
    let told = || notices.iter().filter(|it| !it.is_known);
    let results: Vec<Value> = told().take(MOST).map(|it| result(format, it)).collect();
    let count = |severity| told().filter(|it| it.severity == severity).count();
    json!({
        "apiVersion": format.api_version,
        "kind": format.kind,
        "metadata": {
            "namespace": namespace,
            "name": "purlin",
            "labels": {"app.kubernetes.io/managed-by": "purlin"},
        },
        "summary": {
            "pass": 0, "fail": count(Severity::Error), "warn": count(Severity::Warning), "error": 0,
            "skip": notices.len() - told().count(),
        },
        "results": results,
    })
}

fn result(format: &Format, notice: &Notice) -> Value {
    let subjects = notice.objects.iter().map(|it| {
        let info = it.kind.info();
        json!({"kind": info.map_or("", |it| it.name), "namespace": it.namespace, "name": it.name})
    });
    let message: String = message::text(notice).chars().take(MOST_OF_MESSAGE).collect();
    let (result, severity) = match notice.severity {
        Severity::Error => ("fail", "high"),
        _ => ("warn", "medium"),
    };
    json!({
        "source": "purlin",
        "policy": notice.rule,
        "rule": notice.rule,
        "result": result,
        "severity": severity,
        "message": message,
        format.subjects: subjects.collect::<Vec<_>>(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_report_has_an_end_and_counts_all_the_same() {
        let notice = Notice {
            rule: "pdb-blocks-drain",
            severity: Severity::Error,
            message: "ü".repeat(2 * MOST_OF_MESSAGE),
            places: Vec::new(),
            notes: Vec::new(),
            help: None,
            objects: Vec::new(),
            is_known: false,
            is_unconfirmed: false,
        };
        let known = Notice { is_known: true, ..notice.clone() };
        for format in &FORMATS {
            let notices = [vec![known.clone(); 7], vec![notice.clone(); MOST + 50]].concat();
            let report = report(format, "shop", &notices);
            let results = report["results"].as_array().unwrap();
            assert_eq!((results.len(), &report["summary"]["fail"]), (MOST, &json!(MOST + 50)));
            assert_eq!(report["summary"]["skip"], 7);
            assert!(report.to_string().len() < 1_500_000, "etcd takes no more");
        }
    }
}
