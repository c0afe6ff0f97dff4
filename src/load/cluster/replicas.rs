//! Whether somebody asked for the one replica of a live workload, or the API server filled it in.
//!
//! A manifest of an autoscaled workload says nothing of replicas, and the API server makes that 1. Read as if it were
//! written, it contradicts every budget that keeps a pod, until the autoscaler comes.

use serde::Deserialize;
use serde::de::IgnoredAny;

/// Workloads that have one replica unless told.
const KINDS: [&str; 2] = ["Deployment", "StatefulSet"];

/// Helm leaves this on what it makes.
pub(super) const HELM: &str = "meta.helm.sh/release-name";

/// What the metadata of a workload, as the API server sends it, tells of who asked for its replicas.
#[derive(Debug, Default)]
pub(super) struct Asked {
    /// Who wrote which fields.
    pub(super) writers: Vec<Writer>,
    /// What was applied last, as JSON.
    pub(super) sent: Option<String>,
    /// Whether Helm made it.
    pub(super) is_of_helm: bool,
}

/// One of `metadata.managedFields`: who wrote, how, and of the fields those that matter here.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Writer {
    manager: Option<String>,
    operation: Option<String>,
    #[serde(rename = "fieldsV1")]
    fields: Option<Fields>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Fields {
    #[serde(rename = "f:spec")]
    spec: Option<OfSpec>,
    #[serde(rename = "f:metadata")]
    metadata: Option<OfMetadata>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct OfSpec {
    #[serde(rename = "f:replicas")]
    replicas: Option<IgnoredAny>,
    #[serde(rename = "f:selector")]
    selector: Option<IgnoredAny>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct OfMetadata {
    #[serde(rename = "f:annotations")]
    annotations: Option<OfAnnotations>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct OfAnnotations {
    #[serde(rename = "f:kubectl.kubernetes.io/last-applied-configuration")]
    sent: Option<IgnoredAny>,
}

impl Writer {
    fn owns_replicas(&self) -> bool {
        let spec = self.fields.as_ref().and_then(|it| it.spec.as_ref());
        spec.is_some_and(|it| it.replicas.is_some())
    }

    /// Whether it made the object, and so owns what the API server filled in: the selector of a workload never changes.
    /// Who applies on the server owns what it sent and no more.
    fn has_made(&self) -> bool {
        let spec = self.fields.as_ref().and_then(|it| it.spec.as_ref());
        spec.is_some_and(|it| it.selector.is_some()) && !self.is_of_server()
    }

    fn is_of_server(&self) -> bool {
        self.operation.as_deref() == Some("Apply")
    }

    /// Whether it keeps what was applied last: the API server adds to its fields what it fills in.
    fn has_applied(&self) -> bool {
        let metadata = self.fields.as_ref().and_then(|it| it.metadata.as_ref());
        let annotations = metadata.and_then(|it| it.annotations.as_ref());
        annotations.is_some_and(|it| it.sent.is_some())
    }
}

/// What was applied, as far as it matters here.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Sent {
    spec: Option<SentSpec>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct SentSpec {
    replicas: Option<IgnoredAny>,
}

impl Asked {
    /// Whether the API server fills in the replicas of this kind.
    pub(super) fn is_of(kind: &str) -> bool {
        KINDS.contains(&kind)
    }

    /// Whether nobody is known to have asked for one replica, if there is one.
    pub(super) fn is_filled_in(&self) -> bool {
        let mut owners = self.writers.iter().filter(|it| it.owns_replicas());
        match self.sent.as_deref().map(serde_json::from_str::<Sent>) {
            Some(Ok(sent)) => {
                sent.spec.is_none_or(|it| it.replicas.is_none()) && owners.all(Writer::has_applied)
            }
            Some(Err(_)) => false,
            // Nobody owns what is filled in when an object is applied by the server. Of other writers it owns the one that
            // made the object (Helm, its controller, Terraform, Pulumi, `kubectl create`), and nothing tells what that
            // one wrote. Who sets the number later owns the number and not the rest.
            None => match owners.next() {
                None => self.writers.iter().any(Writer::is_of_server),
                Some(first) => {
                    let has_made = |it: &Writer| {
                        it.has_made() || self.is_of_helm && it.manager.as_deref() == Some("helm")
                    };
                    has_made(first) && owners.all(has_made)
                }
            },
        }
    }
}
