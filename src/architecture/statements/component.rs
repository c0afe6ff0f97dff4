//! What is promised of a component.

use super::super::text::{CountOrShare, Size, WorkloadKind, WorkloadName};
use super::super::time::Probe;
use super::Scaling;
use crate::api::ports::Ports;
use crate::documents::Scalar;
use schemars::JsonSchema;
use serde::Deserialize;
use serde::de::{Deserializer, Error, MapAccess, Visitor, value::MapAccessDeserializer};
use std::collections::BTreeMap;
use std::fmt;

/// What is promised of a component.
#[derive(Clone, Debug, Default, PartialEq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
#[serde(expecting = "a component is a mapping")]
pub struct Component {
    /// Which workload it is: `Deployment/shop/api`.
    pub workload: Option<WorkloadName>,
    /// Its kind, where `workload` does not say it: the workload then has the component's name.
    pub kind: Option<WorkloadKind>,
    /// Its namespace, with `kind`; the only one of `namespaces` where it is not stated.
    pub namespace: Option<Scalar>,
    /// How many pods it runs, or between which bounds.
    pub replicas: Option<Replicas>,
    /// What each pod asks for and may use at most.
    pub resources: Option<Resources>,
    /// What a disruption budget keeps up.
    pub disruption: Option<Disruption>,
    /// How a new version replaces the old one.
    pub rollout: Option<Rollout>,
    /// What an autoscaler keeps to.
    pub scaling: Option<Scaling>,
    /// How its pods stand apart.
    pub spread: Option<Spread>,
    /// Where its pods stand.
    pub placement: Option<Placement>,
    /// Taints that its pods tolerate: `control-plane`, `key`, `key:Effect` or `key=value:Effect`.
    pub tolerates: Vec<Scalar>,
    /// The ports that its pods listen on.
    pub ports: Vec<Ports>,
    /// By which Service it is called.
    pub service: Option<Service>,
    /// When a pod is alive and ready.
    pub probes: Option<Probes>,
    /// Volumes by name.
    pub storage: BTreeMap<String, Storage>,
    /// Whether a majority of its members has to be up.
    pub quorum: Option<bool>,
    /// Into how many parts its data is divided.
    pub shards: Option<u32>,
    /// What its pods may do, and what they run.
    pub security: Option<Security>,
    /// Whether it runs outside of the cluster.
    pub external: bool,
    /// Whether this is only what was found, and nobody decided it.
    pub observed: bool,
}

/// How many pods a component runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, JsonSchema)]
#[schemars(untagged)]
pub enum Replicas {
    /// Just as many.
    Count(u32),
    /// As many as an autoscaler finds right.
    Between(Bounds),
}

/// Between which bounds an autoscaler moves.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Bounds {
    /// At least.
    pub min: u32,
    /// At most.
    pub max: u32,
}

impl<'de> Deserialize<'de> for Replicas {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Replicas, D::Error> {
        struct OneOrBounds;
        impl<'de> Visitor<'de> for OneOrBounds {
            type Value = Replicas;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a count or bounds (`{min: 2, max: 10}`)")
            }

            fn visit_i64<E: Error>(self, it: i64) -> Result<Replicas, E> {
                let count = i32::try_from(it).ok().and_then(|it| u32::try_from(it).ok());
                let count = count.map(Replicas::Count);
                count.ok_or_else(|| E::custom(format!("no count of pods: {it}")))
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Replicas, A::Error> {
                Bounds::deserialize(MapAccessDeserializer::new(map)).map(Replicas::Between)
            }
        }
        from.deserialize_any(OneOrBounds)
    }
}

/// What each pod asks for and may use at most, by resource: cpu, memory.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default, expecting = "`resources` is a mapping")]
pub struct Resources {
    /// What it asks for.
    pub requests: BTreeMap<String, Size>,
    /// What it may use at most.
    pub limits: BTreeMap<String, Size>,
}

/// What a disruption budget keeps up: one of both.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
#[serde(expecting = "`disruption` is a mapping")]
pub struct Disruption {
    /// How many pods stay up.
    pub min_available: Option<CountOrShare>,
    /// How many pods may be down.
    pub max_unavailable: Option<CountOrShare>,
}

/// How a new version replaces the old one.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
#[serde(expecting = "`rollout` is a mapping")]
pub struct Rollout {
    /// How many pods there may be beyond the count.
    pub max_surge: Option<CountOrShare>,
    /// How many pods may be down.
    pub max_unavailable: Option<CountOrShare>,
    /// Whether all old pods go first.
    pub strategy: Option<Strategy>,
    /// The namespace that the next release is tried in before traffic is switched to it.
    pub blue_green: Option<Scalar>,
}

/// Whether old pods go first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(expecting = "`RollingUpdate` or `Recreate`")]
pub enum Strategy {
    /// One after the other.
    RollingUpdate,
    /// All at once.
    Recreate,
}

/// How pods of a component stand apart.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default, expecting = "`spread` is a mapping")]
pub struct Spread {
    /// On different nodes.
    pub node: Option<How>,
    /// In different zones.
    pub zone: Option<How>,
}

/// How binding a wish is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase", expecting = "`required` or `preferred`")]
pub enum How {
    /// A pod waits rather than not.
    Required,
    /// A pod goes elsewhere rather than wait.
    Preferred,
}

/// Where pods of a component stand.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default, expecting = "`placement` is a mapping")]
pub struct Placement {
    /// Where they would rather be.
    pub prefers: Option<Where>,
    /// Where they have to be.
    pub requires: Option<Where>,
}

/// Nodes by what they are called: one of these.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(
    deny_unknown_fields,
    default,
    expecting = "nodes are named by a mapping: `{node: worker-1}`"
)]
pub struct Where {
    /// The node of this name.
    pub node: Option<Scalar>,
    /// Nodes in this zone.
    pub zone: Option<Scalar>,
    /// Nodes with these labels.
    pub labels: BTreeMap<String, Scalar>,
}

/// By which Service a component is called.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
#[serde(expecting = "`service` is a mapping")]
pub struct Service {
    /// Its name; that of the workload where it is not stated.
    pub name: Option<Scalar>,
    /// From where it is reached.
    #[serde(rename = "type")]
    pub kind: Option<ServiceType>,
    /// The port of every node that leads to it.
    pub node_port: Option<Ports>,
}

/// From where a Service is reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(expecting = "`ClusterIP`, `NodePort` or `LoadBalancer`")]
pub enum ServiceType {
    /// From inside of the cluster.
    #[serde(rename = "ClusterIP")]
    ClusterIp,
    /// From a port of every node as well.
    NodePort,
    /// From a load balancer as well.
    LoadBalancer,
}

impl ServiceType {
    /// As manifests write it.
    pub fn name(self) -> &'static str {
        match self {
            ServiceType::ClusterIp => "ClusterIP",
            ServiceType::NodePort => "NodePort",
            ServiceType::LoadBalancer => "LoadBalancer",
        }
    }
}

/// When a pod is alive and ready.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default, expecting = "`probes` is a mapping")]
pub struct Probes {
    /// A pod that fails it is started anew: `GET /health :8080 after 30s every 10s`, `TCP :5432`, `GRPC :50051`, `EXEC`.
    pub liveness: Option<Probe>,
    /// A pod that fails it gets no requests.
    pub readiness: Option<Probe>,
    /// The others wait for it.
    pub startup: Option<Probe>,
}

/// A volume of each pod.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default, expecting = "a volume is a mapping")]
pub struct Storage {
    /// How large it is.
    pub size: Option<Size>,
    /// Its storage class.
    pub class: Option<Scalar>,
    /// How many may use it.
    pub access: Option<Access>,
    /// The claim that all pods share; each has its own where none is named.
    pub claim: Option<Scalar>,
}

/// How many may use a volume.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(expecting = "an access mode is a name")]
#[allow(clippy::enum_variant_names, reason = "they are called so in Kubernetes")]
pub enum Access {
    /// The pods of one node.
    ReadWriteOnce,
    /// One pod.
    ReadWriteOncePod,
    /// All, to read.
    ReadOnlyMany,
    /// All.
    ReadWriteMany,
}

impl Access {
    /// As manifests write it.
    pub fn name(self) -> &'static str {
        match self {
            Access::ReadWriteOnce => "ReadWriteOnce",
            Access::ReadWriteOncePod => "ReadWriteOncePod",
            Access::ReadOnlyMany => "ReadOnlyMany",
            Access::ReadWriteMany => "ReadWriteMany",
        }
    }
}

/// What pods of a component may do, and what they run.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
#[serde(expecting = "`security` is a mapping")]
pub struct Security {
    /// No container runs as root.
    pub non_root: Option<bool>,
    /// No container writes to its own file system.
    pub read_only_root: Option<bool>,
    /// What its images are.
    pub image: ImagePromise,
    /// Whether Secrets are mounted as files, and not given as environment variables.
    pub secrets_as_files: Option<bool>,
}

/// What images are.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default, expecting = "`image` is a mapping")]
pub struct ImagePromise {
    /// The registry that they come from.
    pub registry: Option<Scalar>,
    /// Whether a name means one image for ever.
    pub pinned: Option<Pinned>,
}

/// What names one image.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase", expecting = "`tag` or `digest`")]
pub enum Pinned {
    /// A tag that is not `latest`.
    Tag,
    /// A digest.
    Digest,
}
