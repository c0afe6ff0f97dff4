//! References of custom kinds that users add to those that purlin knows.

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::Error;
use serde::{Deserialize, Deserializer};
use std::borrow::Cow;

/// A field of a custom kind that names another object.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, expecting = "a reference is a mapping")]
pub struct CustomReference {
    /// The kind whose field it is.
    pub from: GroupKind,
    /// The field: plain keys, `key[]` for every item of a list (`spec.stores[].name`).
    #[serde(deserialize_with = "field")]
    pub field: String,
    /// The kind of what it names.
    pub to: GroupKind,
    /// Whether that kind has no namespace; it is looked for in the object's own otherwise.
    #[serde(default)]
    pub cluster_wide: bool,
}

/// A group and a kind of it: `cert-manager.io/Issuer`. A kind of the core group stands by itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GroupKind {
    /// The group; empty for the core group.
    pub group: String,
    /// The kind.
    pub kind: String,
}

impl GroupKind {
    /// Reads `group/Kind`; `None` where it is none.
    pub fn parse(text: &str) -> Option<GroupKind> {
        let (group, kind) = text.rsplit_once('/').unwrap_or(("", text));
        let is_kind = kind.starts_with(|it: char| it.is_ascii_uppercase())
            && kind.bytes().all(|it| it.is_ascii_alphanumeric());
        let is_group = !group.contains(['/', ' ']);
        let (group, kind) = (group.to_string(), kind.to_string());
        (is_kind && is_group).then_some(GroupKind { group, kind })
    }
}

impl<'de> Deserialize<'de> for GroupKind {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<GroupKind, D::Error> {
        let text = String::deserialize(from)?;
        let shape = "not a kind: one is written as group/Kind, cert-manager.io/Issuer";
        GroupKind::parse(&text).ok_or_else(|| D::Error::custom(shape))
    }
}

impl JsonSchema for GroupKind {
    fn schema_name() -> Cow<'static, str> {
        "GroupKind".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "description": "A kind: `group/Kind`, or `Kind` of the core group.",
            "type": "string",
            "pattern": "^([^/\\s]+/)?[A-Z][A-Za-z0-9]*$"
        })
    }
}

fn field<'de, D: Deserializer<'de>>(from: D) -> Result<String, D::Error> {
    let text = String::deserialize(from)?;
    let is_path = text.split('.').all(|it| !it.trim_end_matches("[]").trim().is_empty());
    let shape = "not a field: one is written as spec.stores[].name";
    if is_path { Ok(text) } else { Err(D::Error::custom(shape)) }
}
