//! What the metadata of objects has to hold, or may not.

use super::plain_list;
use crate::documents::{Scalar, parsed};
use regex::Regex;
use schemars::JsonSchema;
use serde::de::Error;
use serde::{Deserialize, Deserializer};

/// The rule whose parameters are lists of these.
pub const OF_DEMANDS: &str = "metadata-missing";

/// A label or an annotation that objects have to have, or may not.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, expecting = "what is asked for is a mapping")]
#[schemars(inline)]
pub struct Demand {
    /// Of which objects, by their kinds; of all, where none is listed.
    #[serde(default, deserialize_with = "plain_list")]
    #[schemars(with = "Vec<Scalar>")]
    pub kinds: Vec<String>,
    /// The key of the label.
    #[serde(default)]
    pub label: Option<String>,
    /// The key of the annotation, instead of a label.
    #[serde(default)]
    pub annotation: Option<String>,
    /// A regular expression for the whole value.
    #[serde(default)]
    pub matches: Option<Pattern>,
    /// Where it stands.
    #[serde(default)]
    pub at: At,
}

/// Whose metadata is meant.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(inline)]
pub enum At {
    /// That of the object.
    #[default]
    Object,
    /// That of its pods.
    Pods,
    /// That of the claims that a StatefulSet makes.
    VolumeClaimTemplates,
}

/// A regular expression that the whole of a text has to match.
#[derive(Clone, Debug, JsonSchema)]
#[schemars(inline)]
pub struct Pattern(#[schemars(with = "String")] Regex);

impl Pattern {
    /// Whether the whole text matches.
    pub fn is_match(&self, text: &str) -> bool {
        self.0.is_match(text)
    }

    /// As it is written.
    pub fn text(&self) -> &str {
        let whole = self.0.as_str();
        whole.strip_prefix("^(?:").and_then(|it| it.strip_suffix(")$")).unwrap_or(whole)
    }
}

impl PartialEq for Pattern {
    fn eq(&self, other: &Pattern) -> bool {
        self.0.as_str() == other.0.as_str()
    }
}

impl Eq for Pattern {}

impl<'de> Deserialize<'de> for Pattern {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Pattern, D::Error> {
        parsed(from, |text| {
            let whole = Regex::new(text).and_then(|_| Regex::new(&format!("^(?:{text})$")));
            whole.map(Pattern).map_err(|_| format!("`{text}` is no regular expression"))
        })
    }
}

impl Demand {
    /// The key, and what it is the key of.
    pub fn key(&self) -> (&'static str, &str) {
        match (&self.label, &self.annotation) {
            (Some(label), _) => ("label", label),
            (None, annotation) => ("annotation", annotation.as_deref().unwrap_or_default()),
        }
    }

    /// Whether it is for objects of a kind.
    pub fn is_for(&self, kind: &str) -> bool {
        self.kinds.is_empty() || self.kinds.iter().any(|it| it == kind)
    }

    /// The same, if it names either a label or an annotation.
    pub(super) fn checked<E: Error>(self) -> Result<Demand, E> {
        match (&self.label, &self.annotation) {
            (Some(_), Some(_)) => Err(E::custom("this names a label and an annotation; name one")),
            (None, None) => Err(E::custom("this names neither a label nor an annotation")),
            _ => Ok(self),
        }
    }
}
