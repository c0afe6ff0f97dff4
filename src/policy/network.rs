//! Networks and flows, as a document writes them.

use crate::analyze::network::policies::parse_cidr;
use crate::api::network::{Network, Plugin};
use crate::api::ports::{Ports, Protocol};
use crate::documents::parsed;
use ipnet::IpNet;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer};
use std::borrow::Cow;

/// A flow that is meant to be.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, expecting = "a flow is a mapping")]
pub struct DeclaredFlow {
    /// Who begins: the name of a workload, `Kind/namespace/name`, `internet`, or an address.
    #[serde(deserialize_with = "super::text")]
    pub from: String,
    /// Who is called, written in the same way.
    #[serde(deserialize_with = "super::text")]
    pub to: String,
    /// On which ports (`5432`, `53/UDP`, `8000-8080`); any, where none is listed.
    #[serde(default)]
    pub ports: Vec<Ports>,
    /// The architecture whose flow it is, and the flow, by their places; `None` where the policy declares it itself.
    #[serde(skip)]
    #[schemars(skip)]
    pub statement: Option<(u32, u32)>,
    /// The worlds that it is for; all of them, where none is named.
    #[serde(skip)]
    #[schemars(skip)]
    pub worlds: Vec<String>,
}

impl DeclaredFlow {
    /// Whether it is meant to be in a world.
    pub fn is_for(&self, world: &str) -> bool {
        self.worlds.is_empty() || self.worlds.iter().any(|it| it == world)
    }

    /// Whether an architecture document has it lead to the name service of the cluster.
    pub fn is_to_name_service(&self) -> bool {
        self.statement.is_some() && self.to == "dns"
    }
}

impl<'de> Deserialize<'de> for Ports {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Ports, D::Error> {
        parsed(from, |text| {
            let shape = "not a port: one is written as 5432, 53/UDP or 8000-8080, from 1 to 65535";
            ports(text).ok_or_else(|| shape.into())
        })
    }
}

/// `5432`, `53/UDP`, `8000-8080`.
fn ports(text: &str) -> Option<Ports> {
    let (numbers, protocol) = text.split_once('/').unwrap_or((text, "TCP"));
    let (first, last) = numbers.split_once('-').unwrap_or((numbers, numbers));
    let number = |it: &str| it.trim().parse::<u16>().ok().filter(|it| *it > 0);
    let (first, last) = (number(first)?, number(last)?);
    let protocol = Protocol::parse(protocol)?;
    (first <= last).then_some(Ports { protocol, first, last })
}

impl JsonSchema for Ports {
    fn schema_name() -> Cow<'static, str> {
        "Ports".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "description": "A port or a range of ports, and its protocol unless it is TCP: 5432, 53/UDP, 8000-8080.",
            "anyOf": [
                {"type": "integer", "minimum": 1, "maximum": 65535},
                {"type": "string", "pattern": "^[0-9]+( *- *[0-9]+)?(/(TCP|UDP|SCTP))?$"}
            ]
        })
    }
}

/// What a document says of the cluster's network.
#[derive(Default, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
#[serde(expecting = "`network` is a mapping")]
struct Written {
    /// What enforces network policies, where that makes a difference to what they mean.
    plugin: Plugin,
    /// The blocks that pods get their addresses from: 10.244.0.0/16.
    #[serde(rename = "podCIDRs")]
    pod_cidrs: Vec<Block>,
}

#[derive(JsonSchema)]
struct Block(#[schemars(with = "String")] IpNet);

impl<'de> Deserialize<'de> for Block {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Block, D::Error> {
        parsed(from, |text| {
            let shape = "not a block of addresses: one is written as 10.244.0.0/16";
            parse_cidr(text).map(Block).ok_or_else(|| shape.into())
        })
    }
}

impl<'de> Deserialize<'de> for Network {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Network, D::Error> {
        let Written { plugin, pod_cidrs } = Written::deserialize(from)?;
        Ok(Network { plugin, pod_cidrs: pod_cidrs.into_iter().map(|it| it.0).collect() })
    }
}

impl JsonSchema for Network {
    fn schema_name() -> Cow<'static, str> {
        "Network".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        Written::json_schema(generator)
    }
}
