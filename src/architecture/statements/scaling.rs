//! What an autoscaler keeps to.

use super::super::text::{Percent, Size};
use super::super::time::Duration;
use schemars::JsonSchema;
use serde::Deserialize;
use std::collections::BTreeMap;

/// What an autoscaler keeps to, in percent of what pods ask for.
#[derive(Clone, Debug, Default, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default, expecting = "`scaling` is a mapping")]
pub struct Scaling {
    /// The use of CPU.
    pub cpu: Option<Percent>,
    /// The use of memory.
    pub memory: Option<Percent>,
    /// By metric, how much of it is for each pod: `http_requests_per_second: 1000`.
    pub metrics: BTreeMap<String, Size>,
    /// How fast there are more pods.
    pub up: Option<Rate>,
    /// How fast there are fewer.
    pub down: Option<Rate>,
    /// What a vertical autoscaler does.
    pub vertical: Option<Vertical>,
}

/// How fast the number of pods changes.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default, expecting = "a rate is a mapping: `{pods: 1, every: 30s}`")]
pub struct Rate {
    /// By so many pods at once.
    pub pods: Option<u32>,
    /// By so many of a hundred.
    pub percent: Option<u32>,
    /// In so much time.
    pub every: Option<Duration>,
    /// After the need has lasted so long.
    pub after: Option<Duration>,
    /// Which of both counts, where pods and percent are stated.
    pub select: Option<Select>,
    /// Only where the use is below this.
    pub below: Option<Below>,
}

/// Which of several rates counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase", expecting = "`max`, `min` or `disabled`")]
pub enum Select {
    /// The one that changes more.
    Max,
    /// The one that changes less.
    Min,
    /// None.
    Disabled,
}

/// The use below which there are fewer pods.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default, expecting = "`below` is a mapping")]
pub struct Below {
    /// Of CPU.
    pub cpu: Option<Percent>,
    /// Of memory.
    pub memory: Option<Percent>,
}

/// What a vertical autoscaler does.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default, expecting = "`vertical` is a mapping")]
pub struct Vertical {
    /// Whether it changes running pods.
    pub mode: Option<VerticalMode>,
    /// The least that it lets a pod ask for.
    pub min: BTreeMap<String, Size>,
    /// The most.
    pub max: BTreeMap<String, Size>,
}

/// Whether a vertical autoscaler changes running pods.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(expecting = "a mode of a vertical autoscaler is a name")]
pub enum VerticalMode {
    /// It may.
    Auto,
    /// It evicts them.
    Recreate,
    /// Only new ones.
    Initial,
    /// Never.
    Off,
}

impl VerticalMode {
    /// As manifests write it.
    pub fn name(self) -> &'static str {
        match self {
            VerticalMode::Auto => "Auto",
            VerticalMode::Recreate => "Recreate",
            VerticalMode::Initial => "Initial",
            VerticalMode::Off => "Off",
        }
    }
}
