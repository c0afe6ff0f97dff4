//! What an architecture document may state. A statement that is absent is not checked.

mod cluster;
mod component;
mod flows;
mod objectives;
mod picture;
mod scaling;

use super::text::Size;
use crate::documents::{self, Scalar};
pub use cluster::{BoundTo, Cluster, Count, NodeScaling, Pool, Provider, StorageClass};
pub use component::{
    Bounds, Component, Disruption, ImagePromise, Pinned, Placement, Probes, Replicas, Resources,
    Rollout, Security, Service, ServiceType, Spread, Storage,
};
pub use flows::{FlowTo, Route};
use jiff::civil::Date;
pub use objectives::{Alert, Domain, Expectation, Objective};
pub use picture::{NodePicture, Picture, Total};
pub use scaling::{Below, Rate, Scaling, Select, Vertical};
use schemars::JsonSchema;
use serde::{Deserialize, Deserializer};
use std::collections::BTreeMap;

/// What a team promises.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
#[serde(expecting = "an architecture is a mapping")]
pub struct Architecture {
    /// What it is called, and of which day it is.
    pub metadata: About,
    /// What everything runs on.
    pub cluster: Cluster,
    /// Namespaces by name.
    pub namespaces: BTreeMap<String, Namespace>,
    /// Components by name.
    pub components: BTreeMap<String, Component>,
    /// Whether nothing runs in these namespaces beside the components.
    pub complete: bool,
    /// Who calls whom, by the caller: a component, `internet`, `ingress`, `monitoring`, or `*` for every component. What
    /// is not listed is denied.
    pub flows: BTreeMap<String, Vec<FlowTo>>,
    /// What is served to the outside, by host and path.
    pub routes: Vec<Route>,
    /// What has to hold, whatever happens.
    pub objectives: Vec<Objective>,
    /// When somebody is called.
    pub alerts: Vec<Alert>,
    /// Sums that the document states.
    pub totals: Vec<Total>,
    /// What a drawing shows.
    pub picture: Picture,
    /// What the webhook does about each section.
    pub mode: Modes,
}

impl documents::Kind for Architecture {
    const NAME: &'static str = "Architecture";
    const TITLE: &'static str = "an architecture document";
}

/// What a document says of itself.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default, expecting = "`metadata` is a mapping")]
pub struct About {
    /// Its name; documents of one name are one architecture.
    pub name: Option<Scalar>,
    /// The day that it is of, on which versions are supported or not.
    #[serde(deserialize_with = "date")]
    #[schemars(with = "Option<String>")]
    pub date: Option<Date>,
}

fn date<'de, D: Deserializer<'de>>(from: D) -> Result<Option<Date>, D::Error> {
    documents::parsed(from, |text| {
        let shape = "not a date: one is written as 2027-03-31";
        text.parse::<Date>().map(Some).map_err(|_| shape.into())
    })
}

/// What is promised of a namespace.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
#[serde(expecting = "a namespace is a mapping")]
pub struct Namespace {
    /// How much its objects may ask for together, as a ResourceQuota writes it: requests.cpu, limits.memory, pods.
    pub quota: BTreeMap<String, Size>,
    /// What a LimitRange gives and allows each container.
    pub limits: Limits,
    /// Which traffic nobody opened is denied.
    pub isolation: Isolation,
    /// The level of the Pod Security Standards that is enforced.
    pub pod_security: Option<PodSecurity>,
    /// Whether this is only what was found, and nobody decided it.
    pub observed: bool,
}

/// What a LimitRange gives and allows each container, by resource.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
#[serde(expecting = "`limits` is a mapping")]
pub struct Limits {
    /// The limits of a container that states none.
    pub default: BTreeMap<String, Size>,
    /// The requests of a container that states none.
    pub default_request: BTreeMap<String, Size>,
    /// The least that a container may ask for.
    pub min: BTreeMap<String, Size>,
    /// The most that a container may use.
    pub max: BTreeMap<String, Size>,
}

/// Which traffic nobody opened is denied.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default, expecting = "`isolation` is a mapping")]
pub struct Isolation {
    /// To its pods.
    pub ingress: Option<Access>,
    /// From its pods.
    pub egress: Option<Access>,
}

/// Whether something passes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase", expecting = "`allow` or `deny`")]
pub enum Access {
    /// It passes.
    Allow,
    /// It does not.
    Deny,
}

/// A level of the Pod Security Standards.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase", expecting = "a level of the Pod Security Standards is a name")]
pub enum PodSecurity {
    /// Everything is allowed.
    Privileged,
    /// Known ways to more rights are not.
    Baseline,
    /// Nothing but what is good practice is.
    Restricted,
}

impl PodSecurity {
    /// As the label of a namespace has it.
    pub fn name(self) -> &'static str {
        match self {
            PodSecurity::Privileged => "privileged",
            PodSecurity::Baseline => "baseline",
            PodSecurity::Restricted => "restricted",
        }
    }
}

/// What the webhook does about each section.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default, expecting = "`mode` is a mapping")]
pub struct Modes {
    /// About nodes: these are only reported, as no request is to blame for them.
    pub cluster: Option<Mode>,
    /// About quotas, limits, isolation and levels of namespaces.
    pub namespaces: Option<Mode>,
    /// About components.
    pub components: Option<Mode>,
    /// About flows.
    pub flows: Option<Mode>,
    /// About routes; as about flows, where it is not stated.
    pub routes: Option<Mode>,
    /// About objectives: these are only reported, as the whole cluster keeps or breaks them.
    pub objectives: Option<Mode>,
}

/// A section of a document that is compared with what is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Section {
    /// What everything runs on.
    Cluster,
    /// Namespaces.
    Namespaces,
    /// Components.
    Components,
    /// Who calls whom.
    Flows,
    /// What is served to the outside.
    Routes,
    /// What has to hold, whatever happens.
    Objectives,
}

impl Modes {
    /// What the webhook does about a section, where the document says so.
    pub fn of(&self, section: Section) -> Option<Mode> {
        match section {
            Section::Cluster => self.cluster,
            Section::Namespaces => self.namespaces,
            Section::Components => self.components,
            Section::Flows => self.flows,
            Section::Routes => self.routes.or(self.flows),
            Section::Objectives => self.objectives,
        }
    }
}

/// What the webhook does about a section.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase", expecting = "`shadow` or `enforce`")]
pub enum Mode {
    /// It reports.
    Shadow,
    /// It denies.
    Enforce,
}
