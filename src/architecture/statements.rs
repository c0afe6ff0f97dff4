//! What an architecture document may state. A statement that is absent is not checked.

use super::text::{CountOrShare, Percent, Size, WorkloadName};
use crate::documents::{self, Metadata};
use schemars::JsonSchema;
use serde::Deserialize;
use serde::de::{Deserializer, Error, MapAccess, Visitor, value::MapAccessDeserializer};
use std::collections::BTreeMap;
use std::fmt;

/// What a team promises.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
#[serde(expecting = "an architecture is a mapping")]
pub struct Architecture {
    /// What it is called.
    pub metadata: Metadata,
    /// Namespaces by name.
    pub namespaces: BTreeMap<String, Namespace>,
    /// Components by name.
    pub components: BTreeMap<String, Component>,
}

impl documents::Kind for Architecture {
    const NAME: &'static str = "Architecture";
    const TITLE: &'static str = "an architecture document";
}

/// What is promised of a namespace.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
#[serde(expecting = "a namespace is a mapping")]
pub struct Namespace {
    /// How much its objects may ask for together, as a ResourceQuota writes it: requests.cpu, limits.memory, pods.
    pub quota: BTreeMap<String, Size>,
}

/// What is promised of a component.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, expecting = "a component is a mapping")]
pub struct Component {
    /// Which workload it is: `Deployment/shop/api`.
    pub workload: WorkloadName,
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
}

/// What an autoscaler keeps to, in percent of what pods ask for.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default, expecting = "`scaling` is a mapping")]
pub struct Scaling {
    /// The use of CPU.
    pub cpu: Option<Percent>,
    /// The use of memory.
    pub memory: Option<Percent>,
}
