//! Times, probes and events, which an architecture document writes as text.

use crate::documents::parsed;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer};
use std::borrow::Cow;
use std::fmt;

/// A time in milliseconds: `30s`, `5m`, `1h30m`, `200ms`, `7d`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Duration(pub u64);

const UNITS: [(&str, u64); 5] =
    [("ms", 1), ("s", 1000), ("m", 60_000), ("h", 3_600_000), ("d", 86_400_000)];

impl Duration {
    /// Reads numbers with units.
    pub fn parse(text: &str) -> Option<Duration> {
        let (mut rest, mut sum) = (text, 0_u64);
        while !rest.is_empty() {
            let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
            let (number, after) = rest.split_at(digits);
            let letters = after.bytes().take_while(u8::is_ascii_alphabetic).count();
            let (unit, after) = after.split_at(letters);
            let (_, each) = UNITS.iter().find(|it| it.0 == unit)?;
            sum = sum.checked_add(number.parse::<u64>().ok()?.checked_mul(*each)?)?;
            rest = after;
        }
        (!text.is_empty()).then_some(Duration(sum))
    }
}

impl fmt::Display for Duration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let seconds = self.0 / 1000;
        let tenths = |each: u64, unit: &str| match self.0 * 10 / each % 10 {
            0 => format!("{}{unit}", self.0 / each),
            rest => format!("{}.{rest}{unit}", self.0 / each),
        };
        match self.0 {
            it if it < 1000 => write!(f, "{it}ms"),
            _ if seconds < 120 && !seconds.is_multiple_of(60) => write!(f, "{}", tenths(1000, "s")),
            _ => write!(f, "{}", tenths(60_000, "m")),
        }
    }
}

impl<'de> Deserialize<'de> for Duration {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Duration, D::Error> {
        parsed(from, |text| {
            let help = "times are written as 30s, 5m or 1h30m";
            Duration::parse(text).ok_or_else(|| format!("no time: `{text}`\n{help}"))
        })
    }
}

impl JsonSchema for Duration {
    fn schema_name() -> Cow<'static, str> {
        "Duration".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "description": "A time: 30s, 5m, 1h30m, 200ms.",
            "type": "string",
            "pattern": "^([0-9]+(ms|s|m|h|d))+$"
        })
    }
}

/// A probe: `GET /health :8080 after 30s every 10s`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Probe {
    /// What is asked.
    pub how: How,
    /// On which port, by number or name.
    pub port: Option<String>,
    /// How long after the start.
    pub after: Option<Duration>,
    /// How often.
    pub every: Option<Duration>,
}

/// What a probe asks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum How {
    /// A path over HTTP.
    Get(String),
    /// Whether a connection is accepted.
    Tcp,
    /// The health service of gRPC.
    Grpc,
    /// A command in the container.
    Exec,
}

impl Probe {
    /// Reads one.
    pub fn parse(text: &str) -> Option<Probe> {
        let mut words = text.split_whitespace();
        let how = match words.next()? {
            "GET" => How::Get(words.next().filter(|it| it.starts_with('/'))?.to_string()),
            "TCP" => How::Tcp,
            "GRPC" => How::Grpc,
            "EXEC" => How::Exec,
            _ => return None,
        };
        let mut probe = Probe { how, port: None, after: None, every: None };
        while let Some(word) = words.next() {
            match word {
                "after" => probe.after = Some(Duration::parse(words.next()?)?),
                "every" => probe.every = Some(Duration::parse(words.next()?)?),
                _ => probe.port = Some(word.strip_prefix(':')?.to_string()),
            }
        }
        Some(probe)
    }
}

impl<'de> Deserialize<'de> for Probe {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Probe, D::Error> {
        parsed(from, |text| {
            let help = "probes are written as `GET /health :8080 after 30s every 10s`, `TCP :5432`, `GRPC :50051` or `EXEC`";
            Probe::parse(text).ok_or_else(|| format!("no probe: `{text}`\n{help}"))
        })
    }
}

impl JsonSchema for Probe {
    fn schema_name() -> Cow<'static, str> {
        "Probe".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "description": "A probe: GET /health :8080 after 30s every 10s, TCP :5432, GRPC :50051, EXEC.",
            "type": "string",
            "pattern": "^(GET /[^ ]*|TCP|GRPC|EXEC)( +:[a-z0-9-]+| +(after|every) +([0-9]+(ms|s|m|h|d))+)*$"
        })
    }
}

/// What is lost or drained.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// Each node in turn.
    EachNode,
    /// This node.
    Node(String),
    /// Each zone in turn.
    EachZone,
    /// This zone.
    Zone(String),
}

impl Event {
    /// Reads `any node`, `every node`, `node NAME`, `any zone` or `zone NAME`.
    pub fn parse(text: &str) -> Option<Event> {
        let words: Vec<&str> = text.split_whitespace().collect();
        match words.as_slice() {
            ["any" | "every", "node"] => Some(Event::EachNode),
            ["any" | "every", "zone"] => Some(Event::EachZone),
            ["node", name] => Some(Event::Node((*name).into())),
            ["zone", name] => Some(Event::Zone((*name).into())),
            _ => None,
        }
    }
}

impl<'de> Deserialize<'de> for Event {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Event, D::Error> {
        parsed(from, |text| {
            let help = "write `any node`, `every node`, `node NAME`, `any zone` or `zone NAME`";
            Event::parse(text).ok_or_else(|| format!("neither nodes nor zones: `{text}`\n{help}"))
        })
    }
}

impl JsonSchema for Event {
    fn schema_name() -> Cow<'static, str> {
        "Event".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "description": "What is lost or drained: any node, every node, node worker-1, any zone, zone us-east-1a.",
            "type": "string",
            "pattern": "^((any|every) (node|zone)|(node|zone) [^ ]+)$"
        })
    }
}

/// Whether components run their fewest pods or their most.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase", expecting = "`floor` or `peak`")]
pub enum Times {
    /// The fewest.
    Floor,
    /// The most.
    Peak,
}
