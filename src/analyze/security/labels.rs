//! What the labels of a namespace demand of its pods.
//!
//! `api/helpers.go`, PolicyToEvaluate.

use super::standard::{Level, Version};
use crate::text::tree::Node;

/// A level at a version.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Demand<'d> {
    /// The level.
    pub level: Level,
    /// The version.
    pub version: Version,
    /// The label that says so; `None` where it is the default of the cluster.
    pub label: Option<Label<'d>>,
}

/// A label and its value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Label<'d> {
    /// Its key.
    pub key: &'static str,
    /// Its value, as written.
    pub value: &'d str,
}

/// What is done about pods that are not as demanded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// They are refused.
    Enforce,
    /// The log of the API server says so.
    Audit,
    /// Who creates them is told.
    Warn,
}

/// The label of the enforced level.
pub const ENFORCE: &str = "pod-security.kubernetes.io/enforce";

impl Mode {
    fn keys(self) -> [&'static str; 2] {
        match self {
            Mode::Enforce => [ENFORCE, "pod-security.kubernetes.io/enforce-version"],
            Mode::Audit => {
                ["pod-security.kubernetes.io/audit", "pod-security.kubernetes.io/audit-version"]
            }
            Mode::Warn => {
                ["pod-security.kubernetes.io/warn", "pod-security.kubernetes.io/warn-version"]
            }
        }
    }
}

/// What a namespace demands in a mode. A level that is none fails closed where it is enforced, and open elsewhere; a version
/// that is none is the latest.
pub fn demand<'d>(namespace: Node<'d>, mode: Mode, default: (Level, Version)) -> Demand<'d> {
    let labels = namespace.at(&["metadata", "labels"]);
    let [level_key, version_key] = mode.keys();
    let text = |key| labels.and_then(|it| it.text(key));
    let label = text(level_key).map(|value| Label { key: level_key, value });
    let fallback = match mode {
        Mode::Enforce => Level::Restricted,
        Mode::Audit | Mode::Warn => Level::Privileged,
    };
    let level = label.map_or(default.0, |it| Level::parse(it.value).unwrap_or(fallback));
    let version =
        text(version_key).map_or(default.1, |it| Version::parse(it).unwrap_or(Version::LATEST));
    Demand { level, version, label }
}
