//! Values that an architecture document writes as text.

use crate::api::quantity::Quantity;
use crate::documents::{choices, parsed};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer};
use std::borrow::Cow;

/// A kind of workload that a component may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WorkloadKind {
    /// Interchangeable pods.
    Deployment,
    /// Pods with names and volumes of their own.
    StatefulSet,
    /// A pod on each node.
    DaemonSet,
    /// Pods at times.
    CronJob,
    /// Pods that run to their end once.
    Job,
}

impl WorkloadKind {
    /// All of them.
    pub const ALL: [WorkloadKind; 5] = [
        WorkloadKind::Deployment,
        WorkloadKind::StatefulSet,
        WorkloadKind::DaemonSet,
        WorkloadKind::CronJob,
        WorkloadKind::Job,
    ];

    /// Whether its pods run until they are replaced, so that they are counted, scaled and kept up.
    pub fn is_lasting(self) -> bool {
        !matches!(self, WorkloadKind::CronJob | WorkloadKind::Job)
    }

    /// The group of its API.
    pub fn group(self) -> &'static str {
        if self.is_lasting() { "apps" } else { "batch" }
    }

    /// As manifests write it.
    pub fn name(self) -> &'static str {
        match self {
            WorkloadKind::Deployment => "Deployment",
            WorkloadKind::StatefulSet => "StatefulSet",
            WorkloadKind::DaemonSet => "DaemonSet",
            WorkloadKind::CronJob => "CronJob",
            WorkloadKind::Job => "Job",
        }
    }
}

/// A workload: `Deployment/shop/api`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WorkloadName {
    /// Its kind.
    pub kind: WorkloadKind,
    /// Its namespace.
    pub namespace: String,
    /// Its name.
    pub name: String,
}

impl WorkloadName {
    /// Reads `Kind/namespace/name`.
    ///
    /// # Errors
    ///
    /// Why it is none, and after a line break what to do.
    pub fn parse(text: &str) -> Result<WorkloadName, String> {
        let shape = "not a workload: one is written as `Deployment/namespace/name`";
        let parts: Vec<&str> = text.split('/').collect();
        let [kind, namespace, name] = parts.as_slice() else { return Err(shape.into()) };
        let names = WorkloadKind::ALL.map(WorkloadKind::name);
        let known = WorkloadKind::ALL.into_iter().find(|it| it.name() == *kind);
        let kind = known.ok_or_else(|| choices("kind of workload", kind, &names))?;
        if !is_label(namespace) || !is_name(name) {
            return Err(shape.into());
        }
        Ok(WorkloadName { kind, namespace: (*namespace).into(), name: (*name).into() })
    }
}

/// RFC 1123: what namespaces are called.
fn is_label(text: &str) -> bool {
    let is_plain = |it: u8| it.is_ascii_lowercase() || it.is_ascii_digit();
    let bytes = text.as_bytes();
    matches!((bytes.first(), bytes.last()), (Some(a), Some(z)) if is_plain(*a) && is_plain(*z))
        && bytes.iter().all(|it| is_plain(*it) || *it == b'-')
        && bytes.len() <= 63
}

/// Labels with dots between them.
fn is_name(text: &str) -> bool {
    text.len() <= 253 && text.split('.').all(is_label)
}

impl<'de> Deserialize<'de> for WorkloadName {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<WorkloadName, D::Error> {
        parsed(from, WorkloadName::parse)
    }
}

impl JsonSchema for WorkloadName {
    fn schema_name() -> Cow<'static, str> {
        "Workload".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "description": "A workload: `Deployment/shop/api`.",
            "type": "string",
            "pattern": "^(Deployment|StatefulSet|DaemonSet|CronJob|Job)/[a-z0-9-]+/[a-z0-9.-]+$"
        })
    }
}

/// An amount of a resource, as Kubernetes writes it: `500m`, `2Gi`, `8G`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Size(pub Quantity);

impl<'de> Deserialize<'de> for Size {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Size, D::Error> {
        parsed(from, |text| match Quantity::parse(text) {
            Ok(it) if !it.is_negative() => Ok(Size(it)),
            _ => {
                Err(format!("not an amount: `{text}`\namounts are written as 500m, 2, 512Mi or 8G"))
            }
        })
    }
}

impl JsonSchema for Size {
    fn schema_name() -> Cow<'static, str> {
        "Size".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "description": "An amount of a resource: 500m, 2, 512Mi, 8G.",
            "anyOf": [
                {"type": "number", "minimum": 0},
                {"type": "string", "pattern": "^[+]?([0-9]+([.][0-9]*)?|[.][0-9]+)([numkMGTPE]|[KMGTPE]i|[eE][+-]?[0-9]+)?$"}
            ]
        })
    }
}

/// A number of pods, or a share of them: 2, 50%.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CountOrShare {
    /// So many.
    Count(u32),
    /// So many of a hundred.
    Share(u32),
}

impl<'de> Deserialize<'de> for CountOrShare {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<CountOrShare, D::Error> {
        parsed(from, |text| {
            let number = |it: &str| it.parse::<i32>().ok().and_then(|it| u32::try_from(it).ok());
            let read = match text.strip_suffix('%') {
                Some(share) => number(share).filter(|it| *it <= 100).map(CountOrShare::Share),
                None => number(text).map(CountOrShare::Count),
            };
            read.ok_or_else(|| {
                format!("no number of pods: `{text}`\nwrite a count, or a share up to 100%")
            })
        })
    }
}

impl JsonSchema for CountOrShare {
    fn schema_name() -> Cow<'static, str> {
        "CountOrShare".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "description": "A number of pods, or a share of them: 2, 50%.",
            "anyOf": [
                {"type": "integer", "minimum": 0},
                {"type": "string", "pattern": "^(([0-9]|[1-9][0-9]|100)%|[0-9]+)$"}
            ]
        })
    }
}

/// A use in percent of what is asked for: 70%.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Percent(pub u32);

impl Percent {
    /// Reads `70%`.
    pub fn parse(text: &str) -> Option<Percent> {
        let number = text.strip_suffix('%')?.parse::<i32>().ok().filter(|it| *it > 0)?;
        u32::try_from(number).ok().map(Percent)
    }
}

impl<'de> Deserialize<'de> for Percent {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Percent, D::Error> {
        parsed(from, |text| {
            Percent::parse(text)
                .ok_or_else(|| format!("no share: `{text}`\nshares are written as 70%"))
        })
    }
}

impl JsonSchema for Percent {
    fn schema_name() -> Cow<'static, str> {
        "Percent".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "description": "A use in percent of what is asked for: 70%.",
            "type": "string",
            "pattern": "^[1-9][0-9]*%$"
        })
    }
}

impl<'de> Deserialize<'de> for WorkloadKind {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<WorkloadKind, D::Error> {
        parsed(from, |text| {
            let known = WorkloadKind::ALL.into_iter().find(|it| it.name() == text);
            let names = WorkloadKind::ALL.map(WorkloadKind::name);
            known.ok_or_else(|| choices("kind of workload", text, &names))
        })
    }
}

impl JsonSchema for WorkloadKind {
    fn schema_name() -> Cow<'static, str> {
        "WorkloadKind".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "description": "A kind of workload.",
            "enum": ["Deployment", "StatefulSet", "DaemonSet", "CronJob", "Job"]
        })
    }
}

/// A share with a fraction: 99.9%, in thousandths of a percent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fraction(pub u32);

impl Fraction {
    /// Reads `99.9%`.
    pub fn parse(text: &str) -> Option<Fraction> {
        let (whole, fraction) =
            text.strip_suffix('%')?.split_once('.').unwrap_or((text.strip_suffix('%')?, ""));
        let digits = |it: &str| it.bytes().all(|it| it.is_ascii_digit());
        if whole.is_empty() || !digits(whole) || !digits(fraction) || fraction.len() > 3 {
            return None;
        }
        let thousandths = format!("{whole}{fraction:0<3}").parse().ok()?;
        (1..=100_000).contains(&thousandths).then_some(Fraction(thousandths))
    }
}

impl<'de> Deserialize<'de> for Fraction {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Fraction, D::Error> {
        parsed(from, |text| {
            Fraction::parse(text)
                .ok_or_else(|| format!("no share: `{text}`\nshares are written as 99.9%"))
        })
    }
}

impl JsonSchema for Fraction {
    fn schema_name() -> Cow<'static, str> {
        "Fraction".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "description": "A share: 99.9%.",
            "type": "string",
            "pattern": "^[0-9]{1,3}([.][0-9]{1,3})?%$"
        })
    }
}

impl std::fmt::Display for WorkloadName {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}/{}/{}", self.kind.name(), self.namespace, self.name)
    }
}
