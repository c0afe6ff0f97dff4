//! What the webhook does with findings: the modes of rules and namespaces.

use super::exempt::{Annotations, Exemption};
use super::pattern::glob;
use crate::documents::{choices, parsed};
use jiff::SignedDuration;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::{Error, MapAccess, Visitor, value::MapAccessDeserializer};
use serde::{Deserialize, Deserializer};
use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;

/// How far the webhook goes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, JsonSchema)]
#[schemars(rename_all = "lowercase")]
pub enum Mode {
    /// Findings go to metrics and reports; the user is told nothing.
    Audit,
    /// The user is warned.
    Warn,
    /// What contradicts is denied, and of what is absent the user is warned.
    #[default]
    Enforce,
}

impl Mode {
    /// All of them, the mildest first.
    pub const ALL: [Mode; 3] = [Mode::Audit, Mode::Warn, Mode::Enforce];

    /// As the policy writes it.
    pub fn name(self) -> &'static str {
        match self {
            Mode::Audit => "audit",
            Mode::Warn => "warn",
            Mode::Enforce => "enforce",
        }
    }

    /// The mode of this name.
    pub fn parse(name: &str) -> Option<Mode> {
        Mode::ALL.into_iter().find(|it| it.name() == name)
    }
}

/// The modes.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default, expecting = "`admission` is a mapping")]
pub struct Admission {
    /// Where nothing else is said.
    pub mode: Mode,
    /// For how long after its creation an object may lack what is deployed with it; absences that an update makes later
    /// are denied. Without it they never are.
    #[serde(deserialize_with = "grace")]
    #[schemars(with = "Option<Duration>")]
    pub grace: Option<SignedDuration>,
    /// By rule.
    #[schemars(with = "BTreeMap<String, RuleModeText>")]
    pub rules: BTreeMap<String, RuleMode>,
    /// By namespace; `*` in a name stands for anything, and the first that fits counts.
    #[serde(deserialize_with = "in_order")]
    #[schemars(with = "BTreeMap<String, Mode>")]
    pub namespaces: Vec<(String, Mode)>,
    /// How far annotations on objects count.
    pub annotations: Annotations,
    /// Requests that are neither denied nor warned of.
    pub exempt: Vec<Exemption>,
    /// For how long what was deleted may come back in a form that is no worse; a day where nothing is said.
    #[serde(deserialize_with = "recreate")]
    #[schemars(with = "Option<Duration>")]
    pub recreate: Option<SignedDuration>,
}

/// For how long what was deleted may come back as it was, unless the policy says otherwise.
const RECREATE: SignedDuration = SignedDuration::from_hours(24);

/// What is said of one rule.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RuleMode {
    /// Its mode.
    pub mode: Option<Mode>,
    /// Its grace period.
    pub grace: Option<SignedDuration>,
}

/// The same, as a mapping.
#[derive(Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
struct RuleModeMap {
    /// Its mode.
    mode: Option<Mode>,
    /// For how long after its creation an object may lack what this rule asks for.
    #[serde(deserialize_with = "grace")]
    #[schemars(with = "Option<Duration>")]
    grace: Option<SignedDuration>,
}

impl Admission {
    /// The mode of a rule in a namespace: the milder of what is said of either, else the default.
    pub fn mode(&self, rule: &str, namespace: &str) -> Mode {
        let rule = self.rules.get(rule).and_then(|it| it.mode);
        let namespace = self.namespaces.iter().find(|(it, _)| glob(it, namespace)).map(|it| it.1);
        match (rule, namespace) {
            (Some(rule), Some(namespace)) => rule.min(namespace),
            (rule, namespace) => rule.or(namespace).unwrap_or(self.mode),
        }
    }

    /// Whether the policy itself says of a rule, by its name, that it enforces.
    pub fn enforces(&self, rule: &str) -> bool {
        self.rules.get(rule).and_then(|it| it.mode) == Some(Mode::Enforce)
    }

    /// For how long what was deleted may come back in a form that is no worse.
    pub fn recreate(&self) -> SignedDuration {
        self.recreate.unwrap_or(RECREATE)
    }

    /// The grace period of a rule.
    pub fn grace(&self, rule: &str) -> Option<SignedDuration> {
        self.rules.get(rule).and_then(|it| it.grace).or(self.grace)
    }
}

impl<'de> Deserialize<'de> for Mode {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Mode, D::Error> {
        from.deserialize_str(ModeVisitor)
    }
}

struct ModeVisitor;

impl Visitor<'_> for ModeVisitor {
    type Value = Mode;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a mode is audit, warn or enforce")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Mode, E> {
        Mode::parse(text).ok_or_else(|| match text {
            // What denies is called so in the list of rules.
            "deny" => E::custom("unknown mode `deny`\ndid you mean `enforce`?"),
            _ => E::custom(choices("mode", text, &Mode::ALL.map(Mode::name))),
        })
    }
}

impl<'de> Deserialize<'de> for RuleMode {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<RuleMode, D::Error> {
        from.deserialize_any(RuleModeVisitor)
    }
}

struct RuleModeVisitor;

impl<'de> Visitor<'de> for RuleModeVisitor {
    type Value = RuleMode;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        ModeVisitor.expecting(f)
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<RuleMode, E> {
        Ok(RuleMode { mode: Some(ModeVisitor.visit_str(text)?), grace: None })
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<RuleMode, A::Error> {
        let RuleModeMap { mode, grace } =
            RuleModeMap::deserialize(MapAccessDeserializer::new(map))?;
        Ok(RuleMode { mode, grace })
    }
}

/// A mode, or a mapping of a mode and a grace period.
#[derive(JsonSchema)]
#[schemars(untagged)]
#[expect(dead_code, reason = "only its schema is used")]
enum RuleModeText {
    Mode(Mode),
    Map(RuleModeMap),
}

/// A span of time: 10m, 1h30m.
struct Duration;

impl JsonSchema for Duration {
    fn schema_name() -> Cow<'static, str> {
        "Duration".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({"description": "A span of time: 10m, 1h30m.", "type": "string"})
    }
}

fn grace<'de, D: Deserializer<'de>>(from: D) -> Result<Option<SignedDuration>, D::Error> {
    duration(from, "grace")
}

fn recreate<'de, D: Deserializer<'de>>(from: D) -> Result<Option<SignedDuration>, D::Error> {
    duration(from, "recreate")
}

fn duration<'de, D: Deserializer<'de>>(
    from: D,
    field: &str,
) -> Result<Option<SignedDuration>, D::Error> {
    parsed(from, |text| {
        let duration = text.parse::<SignedDuration>().ok().filter(|it| !it.is_negative());
        let shape = format!("not a duration: `{field}` is written as 10m or 1h30m");
        duration.map(Some).ok_or(shape)
    })
}

/// The entries of a mapping as they stand.
fn in_order<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<(String, Mode)>, D::Error> {
    struct InOrder;
    impl<'de> Visitor<'de> for InOrder {
        type Value = Vec<(String, Mode)>;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("`namespaces` is a mapping")
        }

        fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
            let mut all = Vec::new();
            while let Some(entry) = map.next_entry()? {
                all.push(entry);
            }
            Ok(all)
        }
    }
    from.deserialize_map(InOrder)
}
