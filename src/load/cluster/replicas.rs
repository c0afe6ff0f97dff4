//! Whether somebody asked for the one replica of a live workload, or the API server filled it in.
//!
//! A manifest of an autoscaled workload says nothing of replicas, and the API server makes that 1. Read as if it were
//! written, it contradicts every budget that keeps a pod, until the autoscaler comes.

use serde::Deserialize;
use serde::de::value::MapAccessDeserializer;
use serde::de::{Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use std::fmt;
use std::marker::PhantomData;

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
    /// In which version of the API.
    #[serde(rename = "apiVersion")]
    pub(super) api_version: Option<String>,
    manager: Option<String>,
    operation: Option<String>,
    #[serde(rename = "fieldsV1")]
    fields: Object<Fields>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Fields {
    #[serde(rename = "f:spec")]
    spec: Object<OfSpec>,
    #[serde(rename = "f:metadata")]
    metadata: Object<OfMetadata>,
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
    annotations: Object<OfAnnotations>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct OfAnnotations {
    #[serde(rename = "f:kubectl.kubernetes.io/last-applied-configuration")]
    sent: Option<IgnoredAny>,
}

/// An object, or nothing where it is anything else: whoever writes may write fields of their own making.
#[derive(Debug)]
struct Object<T>(Option<T>);

impl<T> Default for Object<T> {
    fn default() -> Object<T> {
        Object(None)
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Object<T> {
    fn deserialize<D: Deserializer<'de>>(value: D) -> Result<Object<T>, D::Error> {
        value.deserialize_any(Any(PhantomData))
    }
}

struct Any<T>(PhantomData<T>);

impl<'de, T: Deserialize<'de>> Visitor<'de> for Any<T> {
    type Value = Object<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("anything")
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Object<T>, A::Error> {
        T::deserialize(MapAccessDeserializer::new(map)).map(|it| Object(Some(it)))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Object<T>, A::Error> {
        while items.next_element::<IgnoredAny>()?.is_some() {}
        Ok(Object(None))
    }

    fn visit_unit<E>(self) -> Result<Object<T>, E> {
        Ok(Object(None))
    }

    fn visit_bool<E>(self, _: bool) -> Result<Object<T>, E> {
        Ok(Object(None))
    }

    fn visit_i64<E>(self, _: i64) -> Result<Object<T>, E> {
        Ok(Object(None))
    }

    fn visit_u64<E>(self, _: u64) -> Result<Object<T>, E> {
        Ok(Object(None))
    }

    fn visit_f64<E>(self, _: f64) -> Result<Object<T>, E> {
        Ok(Object(None))
    }

    fn visit_str<E>(self, _: &str) -> Result<Object<T>, E> {
        Ok(Object(None))
    }
}

impl Writer {
    fn owns_replicas(&self) -> bool {
        let spec = self.fields.0.as_ref().and_then(|it| it.spec.0.as_ref());
        spec.is_some_and(|it| it.replicas.is_some())
    }

    /// Whether it made the object, and so owns what the API server filled in: the selector of a workload never changes.
    /// Who applies on the server owns what it sent and no more.
    fn has_made(&self) -> bool {
        let spec = self.fields.0.as_ref().and_then(|it| it.spec.0.as_ref());
        spec.is_some_and(|it| it.selector.is_some()) && !self.is_of_server()
    }

    fn is_of_server(&self) -> bool {
        self.operation.as_deref() == Some("Apply")
    }

    /// Whether it keeps what was applied last: the API server adds to its fields what it fills in.
    fn has_applied(&self) -> bool {
        let metadata = self.fields.0.as_ref().and_then(|it| it.metadata.0.as_ref());
        let annotations = metadata.and_then(|it| it.annotations.0.as_ref());
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
