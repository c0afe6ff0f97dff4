//! Plain values in documents of purlin's own, and values that are written as text.

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::{Deserialize, Deserializer, Error, Visitor};
use std::borrow::Cow;
use std::fmt;

/// A string, a number or a truth value, as text: namespaces and tags may look like numbers.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Scalar(pub String);

impl<'de> Deserialize<'de> for Scalar {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Scalar, D::Error> {
        struct Plain;
        impl Visitor<'_> for Plain {
            type Value = Scalar;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a plain value")
            }

            fn visit_str<E: Error>(self, it: &str) -> Result<Scalar, E> {
                Ok(Scalar(it.into()))
            }

            fn visit_bool<E: Error>(self, it: bool) -> Result<Scalar, E> {
                Ok(Scalar(it.to_string()))
            }

            fn visit_i64<E: Error>(self, it: i64) -> Result<Scalar, E> {
                Ok(Scalar(it.to_string()))
            }

            fn visit_f64<E: Error>(self, it: f64) -> Result<Scalar, E> {
                Ok(Scalar(it.to_string()))
            }
        }
        from.deserialize_any(Plain)
    }
}

impl JsonSchema for Scalar {
    fn schema_name() -> Cow<'static, str> {
        "Scalar".into()
    }

    fn inline_schema() -> bool {
        true
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({"type": ["string", "number", "boolean"]})
    }
}

/// Reads a plain value that is written as text; what `parse` says against it is told at its place, after a line break what
/// to do.
///
/// # Errors
///
/// Where it is no plain value, or `parse` refuses it.
pub fn parsed<'de, D, T>(
    from: D,
    parse: impl FnOnce(&str) -> Result<T, String>,
) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
{
    let Scalar(text) = Scalar::deserialize(from)?;
    parse(&text).map_err(D::Error::custom)
}
