//! What `rules` says of one rule: a severity, or a mapping with a severity and the rule's parameters.

use super::demand::Demand;
use crate::documents::{Scalar, choices};
use crate::finding::Severity;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::value::MapAccessDeserializer;
use serde::de::{Error, MapAccess, SeqAccess, Unexpected, Visitor};
use serde::{Deserialize, Deserializer};
use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;

/// What the user wants of a rule.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Setting {
    /// Its severity, or off.
    pub level: Option<Level>,
    /// Its severity in worlds of these names, `*` standing for anything; the first that fits counts.
    pub worlds: Vec<(String, Level)>,
    /// Its parameters.
    pub parameters: BTreeMap<String, Vec<String>>,
    /// Those that say what metadata has to hold.
    pub demands: BTreeMap<String, Vec<Demand>>,
}

/// How loud a rule is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Level {
    /// Not at all.
    Off,
    /// With this severity.
    On(Severity),
}

const LEVELS: [&str; 4] = ["off", "note", "warning", "error"];

impl Level {
    fn parse(text: &str) -> Option<Level> {
        match text {
            "off" => Some(Level::Off),
            _ => Severity::parse(text).map(Level::On),
        }
    }
}

struct LevelVisitor;

impl Visitor<'_> for LevelVisitor {
    type Value = Level;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a severity is off, note, warning or error")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Level, E> {
        Level::parse(text).ok_or_else(|| E::custom(choices("severity", text, &LEVELS)))
    }

    /// `off` is a truth value to some writers of YAML.
    fn visit_bool<E: Error>(self, it: bool) -> Result<Level, E> {
        if it { Err(E::invalid_type(Unexpected::Bool(it), &self)) } else { Ok(Level::Off) }
    }
}

impl<'de> Deserialize<'de> for Level {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Level, D::Error> {
        from.deserialize_any(LevelVisitor)
    }
}

struct SettingVisitor;

impl<'de> Visitor<'de> for SettingVisitor {
    type Value = Setting;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        LevelVisitor.expecting(f)
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Setting, E> {
        let level = LevelVisitor.visit_str(text)?;
        Ok(Setting { level: Some(level), ..Setting::default() })
    }

    fn visit_bool<E: Error>(self, it: bool) -> Result<Setting, E> {
        let level = LevelVisitor.visit_bool(it)?;
        Ok(Setting { level: Some(level), ..Setting::default() })
    }

    /// Which parameters there are, the rule knows; whoever reads the policy compares them.
    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Setting, A::Error> {
        let mut setting = Setting::default();
        while let Some(key) = map.next_key::<String>()? {
            if key == "severity" {
                setting.level = Some(map.next_value()?);
            } else if key == "worlds" {
                setting.worlds = map.next_value::<Worlds>()?.0;
            } else {
                match map.next_value::<Given>()? {
                    Given::Plain(values) => _ = setting.parameters.insert(key, values),
                    Given::Demands(demands) => _ = setting.demands.insert(key, demands),
                }
            }
        }
        Ok(setting)
    }
}

impl<'de> Deserialize<'de> for Setting {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Setting, D::Error> {
        from.deserialize_map(SettingVisitor)
    }
}

/// Severities by world, in the order in which they are written.
struct Worlds(Vec<(String, Level)>);

struct WorldsVisitor;

impl<'de> Visitor<'de> for WorldsVisitor {
    type Value = Worlds;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a mapping of worlds to severities")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Worlds, A::Error> {
        let mut worlds = Vec::new();
        while let Some(world) = map.next_entry()? {
            worlds.push(world);
        }
        Ok(Worlds(worlds))
    }
}

impl<'de> Deserialize<'de> for Worlds {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Worlds, D::Error> {
        from.deserialize_map(WorldsVisitor)
    }
}

/// One plain value or a list of them.
pub(super) struct Values(pub(super) Vec<String>);

struct ValuesVisitor;

impl<'de> Visitor<'de> for ValuesVisitor {
    type Value = Values;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a plain value or a list of them")
    }

    fn visit_str<E: Error>(self, it: &str) -> Result<Values, E> {
        Ok(Values(vec![it.into()]))
    }

    fn visit_bool<E: Error>(self, it: bool) -> Result<Values, E> {
        self.visit_str(if it { "true" } else { "false" })
    }

    fn visit_i64<E: Error>(self, it: i64) -> Result<Values, E> {
        self.visit_str(&it.to_string())
    }

    fn visit_f64<E: Error>(self, it: f64) -> Result<Values, E> {
        self.visit_str(&it.to_string())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Values, A::Error> {
        let mut values = Vec::new();
        while let Some(Scalar(it)) = list.next_element()? {
            values.push(it);
        }
        Ok(Values(values))
    }
}

impl<'de> Deserialize<'de> for Values {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Values, D::Error> {
        from.deserialize_any(ValuesVisitor)
    }
}

/// What is given for a parameter.
enum Given {
    Plain(Vec<String>),
    Demands(Vec<Demand>),
}

struct GivenVisitor;

impl<'de> Visitor<'de> for GivenVisitor {
    type Value = Given;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        ValuesVisitor.expecting(f)
    }

    fn visit_str<E: Error>(self, it: &str) -> Result<Given, E> {
        ValuesVisitor.visit_str(it).map(|it| Given::Plain(it.0))
    }

    fn visit_bool<E: Error>(self, it: bool) -> Result<Given, E> {
        ValuesVisitor.visit_bool(it).map(|it| Given::Plain(it.0))
    }

    fn visit_i64<E: Error>(self, it: i64) -> Result<Given, E> {
        ValuesVisitor.visit_i64(it).map(|it| Given::Plain(it.0))
    }

    fn visit_f64<E: Error>(self, it: f64) -> Result<Given, E> {
        ValuesVisitor.visit_f64(it).map(|it| Given::Plain(it.0))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Given, A::Error> {
        let (mut values, mut demands) = (Vec::new(), Vec::new());
        while let Some(item) = list.next_element::<Item>()? {
            match item {
                Item::Plain(it) => values.push(it),
                Item::Demand(it) => demands.push(it),
            }
        }
        match (values.is_empty(), demands.is_empty()) {
            (_, true) => Ok(Given::Plain(values)),
            (true, false) => Ok(Given::Demands(demands)),
            (false, false) => {
                Err(A::Error::custom("these are values and mappings; give one of both"))
            }
        }
    }
}

impl<'de> Deserialize<'de> for Given {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Given, D::Error> {
        from.deserialize_any(GivenVisitor)
    }
}

/// An item of such a list.
enum Item {
    Plain(String),
    Demand(Demand),
}

struct ItemVisitor;

impl<'de> Visitor<'de> for ItemVisitor {
    type Value = Item;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a plain value")
    }

    fn visit_str<E: Error>(self, it: &str) -> Result<Item, E> {
        Ok(Item::Plain(it.into()))
    }

    fn visit_bool<E: Error>(self, it: bool) -> Result<Item, E> {
        Ok(Item::Plain(it.to_string()))
    }

    fn visit_i64<E: Error>(self, it: i64) -> Result<Item, E> {
        Ok(Item::Plain(it.to_string()))
    }

    fn visit_f64<E: Error>(self, it: f64) -> Result<Item, E> {
        Ok(Item::Plain(it.to_string()))
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Item, A::Error> {
        Demand::deserialize(MapAccessDeserializer::new(map))?.checked().map(Item::Demand)
    }
}

impl<'de> Deserialize<'de> for Item {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Item, D::Error> {
        from.deserialize_any(ItemVisitor)
    }
}

impl JsonSchema for Level {
    fn schema_name() -> Cow<'static, str> {
        "Level".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        // An unquoted `off` is a truth value to editors that read YAML 1.1.
        json_schema!({
            "description": "A severity, or off.",
            "enum": ["off", "note", "warning", "error", false]
        })
    }
}
