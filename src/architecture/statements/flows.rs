//! Who calls whom, and what is served to the outside.

use crate::api::ports::Ports;
use crate::documents::Scalar;
use schemars::JsonSchema;
use serde::Deserialize;

/// Someone who is called.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, expecting = "a flow is a mapping: `{to: db, ports: [5432]}`")]
pub struct FlowTo {
    /// A component, `internet`, `dns`, a workload or Service (`namespace/name`), or addresses (`10.0.0.0/8`).
    pub to: Scalar,
    /// On which ports (`5432`, `53/UDP`, `8000-8080`); any, where none is listed.
    #[serde(default)]
    pub ports: Vec<Ports>,
    /// The address that the caller uses, as it is configured.
    #[serde(default)]
    pub via: Option<Scalar>,
    /// Whether this is only what was found, and nobody decided it.
    #[serde(default)]
    pub observed: bool,
}

/// What is served to the outside.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, expecting = "a route is a mapping")]
pub struct Route {
    /// The host; any, where none is stated.
    #[serde(default)]
    pub host: Option<Scalar>,
    /// The path that requests begin with.
    #[serde(default)]
    pub path: Option<Scalar>,
    /// The component that answers.
    pub to: Scalar,
    /// On which of its ports.
    #[serde(default)]
    pub port: Option<Ports>,
    /// Whether it is served over TLS.
    #[serde(default)]
    pub tls: Option<bool>,
    /// Whether this is only what was found, and nobody decided it.
    #[serde(default)]
    pub observed: bool,
}
