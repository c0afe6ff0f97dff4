//! What everything runs on.

use super::super::text::Size;
use super::Bounds;
use crate::api::network::Network;
use crate::documents::Scalar;
use schemars::JsonSchema;
use serde::Deserialize;
use serde::de::{Deserializer, Error, MapAccess, Visitor, value::MapAccessDeserializer};
use std::collections::BTreeMap;
use std::fmt;

/// What everything runs on.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
#[serde(expecting = "`cluster` is a mapping")]
pub struct Cluster {
    /// The version of Kubernetes: "1.34".
    pub kubernetes_version: Option<Scalar>,
    /// Who runs the control plane, where it is not oneself.
    pub provider: Option<Provider>,
    /// What enforces network policies, and where pods get their addresses.
    pub network: Network,
    /// Nodes, or pools of equal nodes, by name.
    pub nodes: BTreeMap<String, Pool>,
    /// By name.
    pub storage_classes: BTreeMap<String, StorageClass>,
    /// What is installed beside the components; where it is stated, nothing else is.
    pub addons: Option<Vec<Scalar>>,
    /// When the cluster gets more nodes.
    pub autoscaling: Option<NodeScaling>,
    /// How Secrets are kept in the store of the API server.
    pub secrets: Secrets,
    /// Room on disks, all claims together.
    pub storage: Disks,
}

/// Who runs a control plane.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase", expecting = "a provider is a name")]
pub enum Provider {
    /// Amazon.
    Eks,
    /// Google.
    Gke,
    /// Microsoft.
    Aks,
    /// Oneself.
    Own,
}

/// When a pool, or the cluster, gets more nodes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", expecting = "what nodes are added for is a name")]
pub enum NodeScaling {
    /// When a pod finds no node, as the Cluster Autoscaler and Karpenter do.
    Unschedulable,
    /// When a queue grows.
    QueueDepth,
    /// Never.
    None,
}

/// Equal nodes, or one.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
#[serde(expecting = "a node or a pool of nodes is a mapping")]
pub struct Pool {
    /// How many there are, or between which bounds; one of this name where it is not stated.
    pub count: Option<Count>,
    /// What the provider calls this size of machine.
    pub instance_type: Option<Scalar>,
    /// What each has.
    pub capacity: BTreeMap<String, Size>,
    /// What is left of it for pods.
    pub allocatable: BTreeMap<String, Size>,
    /// What is kept from pods.
    pub reserved: BTreeMap<String, Size>,
    /// What is kept for the system.
    pub system_reserved: BTreeMap<String, Size>,
    /// What is kept for the kubelet.
    pub kube_reserved: BTreeMap<String, Size>,
    /// How many pods each takes.
    pub pods_per_node: Option<u32>,
    /// `key:Effect` or `key=value:Effect`.
    pub taints: Vec<Scalar>,
    /// Labels of each.
    pub labels: BTreeMap<String, Scalar>,
    /// The zone of each.
    pub zone: Option<Scalar>,
    /// The zones that they are spread over.
    pub zones: Vec<Scalar>,
    /// Whether the provider may take them back at any time.
    pub spot: bool,
    /// When there are more of them.
    pub scaling: Option<NodeScaling>,
    /// Whether this is only what was found, and nobody decided it.
    pub observed: bool,
}

/// How many nodes a pool has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, JsonSchema)]
#[schemars(untagged)]
pub enum Count {
    /// So many.
    Exactly(u32),
    /// As many as are needed.
    Between(Bounds),
}

impl<'de> Deserialize<'de> for Count {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Count, D::Error> {
        struct OneOrBounds;
        impl<'de> Visitor<'de> for OneOrBounds {
            type Value = Count;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a count or bounds (`{min: 2, max: 10}`)")
            }

            fn visit_i64<E: Error>(self, it: i64) -> Result<Count, E> {
                let count = u32::try_from(it).ok().filter(|it| *it <= 10_000);
                count
                    .map(Count::Exactly)
                    .ok_or_else(|| E::custom(format!("no count of nodes: {it}")))
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Count, A::Error> {
                Bounds::deserialize(MapAccessDeserializer::new(map)).map(Count::Between)
            }
        }
        from.deserialize_any(OneOrBounds)
    }
}

/// A class of volumes.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
#[serde(expecting = "a storage class is a mapping")]
pub struct StorageClass {
    /// When volumes are made.
    pub binding: Option<Binding>,
    /// Where else than on one node a volume may be used.
    pub bound_to: Option<BoundTo>,
    /// What becomes of a volume whose claim is deleted.
    pub reclaim: Option<Reclaim>,
    /// Whether volumes can grow.
    pub expandable: Option<bool>,
    /// Who makes the volumes.
    pub provisioner: Option<Scalar>,
    /// How many may use a volume: ReadWriteOnce, ReadWriteMany.
    pub access: Option<super::component::Access>,
}

/// When volumes are made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(expecting = "`Immediate` or `WaitForFirstConsumer`")]
pub enum Binding {
    /// With the claim.
    Immediate,
    /// With the first pod.
    WaitForFirstConsumer,
}

/// How far a volume reaches.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase", expecting = "`node`, `zone` or `cluster`")]
pub enum BoundTo {
    /// It lies on one node.
    Node,
    /// Nodes of one zone can use it.
    Zone,
    /// All nodes can.
    Cluster,
}

/// What becomes of a volume whose claim is deleted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(expecting = "`Retain` or `Delete`")]
pub enum Reclaim {
    /// It stays.
    Retain,
    /// It goes.
    Delete,
}

/// How Secrets are kept.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default, expecting = "`secrets` is a mapping")]
pub struct Secrets {
    /// What encrypts them: `kms`, `aescbc`, `secretbox`, `sealed`, `vault`.
    pub encryption: Option<Scalar>,
}

/// Room on disks.
#[derive(Clone, Copy, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default, expecting = "`storage` is a mapping")]
pub struct Disks {
    /// All there is.
    pub total: Option<Size>,
    /// All claims together.
    pub claims: Option<Size>,
}
