//! Rules that are switched on together.

use super::setting::Values;
use crate::documents::choices;
use schemars::JsonSchema;
use serde::de::Error;
use serde::{Deserialize, Deserializer};

/// Rules that are switched on together. A rule outside of the presets that are chosen is off, unless the policy sets it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, JsonSchema)]
#[schemars(rename_all = "kebab-case")]
pub enum Preset {
    /// What contradicts itself or another object: wrong whatever a team's habits are.
    Invariants,
    /// Besides, what nearly everybody would mend.
    Recommended,
    /// Besides, what only some ask for.
    Strict,
    /// The controls of the Pod Security Standards' level baseline.
    PodSecurityBaseline,
    /// Those of their level restricted.
    PodSecurityRestricted,
}

impl Preset {
    /// All of them.
    pub const ALL: [Preset; 5] = [
        Preset::Invariants,
        Preset::Recommended,
        Preset::Strict,
        Preset::PodSecurityBaseline,
        Preset::PodSecurityRestricted,
    ];

    /// As the policy writes it.
    pub fn name(self) -> &'static str {
        match self {
            Preset::Invariants => "invariants",
            Preset::Recommended => "recommended",
            Preset::Strict => "strict",
            Preset::PodSecurityBaseline => "pod-security-baseline",
            Preset::PodSecurityRestricted => "pod-security-restricted",
        }
    }

    /// The preset of this name, or what is wrong with the name.
    ///
    /// # Errors
    ///
    /// There is none of this name.
    pub fn parse(name: &str) -> Result<Preset, String> {
        let found = Preset::ALL.into_iter().find(|it| it.name() == name);
        found.ok_or_else(|| choices("preset", name, &Preset::ALL.map(Preset::name)))
    }

    /// Whether the rules of another one are among its own.
    pub fn includes(self, other: Preset) -> bool {
        match self {
            Preset::Recommended => matches!(other, Preset::Invariants | Preset::Recommended),
            Preset::Strict => {
                matches!(other, Preset::Invariants | Preset::Recommended | Preset::Strict)
            }
            Preset::PodSecurityRestricted => {
                matches!(other, Preset::PodSecurityBaseline | Preset::PodSecurityRestricted)
            }
            Preset::Invariants | Preset::PodSecurityBaseline => self == other,
        }
    }
}

/// One or several.
#[derive(JsonSchema)]
#[schemars(untagged)]
#[expect(dead_code, reason = "only its schema is used")]
pub(super) enum Presets {
    One(Preset),
    Several(Vec<Preset>),
}

pub(super) fn presets<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<Preset>, D::Error> {
    let names = Values::deserialize(from)?.0;
    names.iter().map(|it| Preset::parse(it)).collect::<Result<_, _>>().map_err(D::Error::custom)
}
