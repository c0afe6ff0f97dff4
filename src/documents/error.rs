//! What serde says is wrong, on its way to the place where it is.

use serde::de::{self, Expected, Unexpected};
use std::fmt::{self, Display};

/// Why a value could not be read.
#[derive(Debug)]
pub(super) enum Error {
    /// What serde or a type says; the frame that knows the node gives it its place.
    Said(Said),
    /// A mistake with its place was kept; whoever holds the value leaves it out in the next pass.
    Placed,
    /// The same, and what is wrong is left out in the next pass already.
    Told,
}

/// What is wrong, without a place.
#[derive(Debug)]
pub(super) enum Said {
    /// Another type is needed.
    Type(String),
    /// A field that there is not.
    Field(String, &'static [&'static str]),
    /// A word that there is not.
    Word(String, &'static [&'static str]),
    /// Text that has to say something.
    Empty,
    /// A field that has to be there.
    Missing(&'static str),
    /// Whatever a type says: the message, and on a line of its own, what to do.
    Other(String),
}

impl Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self:?}")
    }
}

impl std::error::Error for Error {}

impl de::Error for Error {
    fn custom<T: Display>(message: T) -> Error {
        Error::Said(Said::Other(message.to_string()))
    }

    fn invalid_type(_: Unexpected<'_>, expected: &dyn Expected) -> Error {
        Error::Said(Said::Type(expected.to_string()))
    }

    fn invalid_value(value: Unexpected<'_>, expected: &dyn Expected) -> Error {
        match value {
            Unexpected::Str(text) if text.trim().is_empty() => Error::Said(Said::Empty),
            Unexpected::Signed(it) => {
                let needed = expected.to_string();
                let message = format!("{} from 0 is needed, and this is {it}", in_words(&needed));
                Error::Said(Said::Other(message))
            }
            other => Error::Said(Said::Other(format!("{expected} is needed, and this is {other}"))),
        }
    }

    fn unknown_field(field: &str, expected: &'static [&'static str]) -> Error {
        Error::Said(Said::Field(field.into(), expected))
    }

    fn unknown_variant(variant: &str, expected: &'static [&'static str]) -> Error {
        Error::Said(Said::Word(variant.into(), expected))
    }

    fn missing_field(field: &'static str) -> Error {
        Error::Said(Said::Missing(field))
    }
}

/// What a type says of a name that it does not know, and which one may be meant.
pub fn unknown<'k>(what: &str, name: &str, known: impl IntoIterator<Item = &'k str>) -> String {
    let help = closest(name, known).map(|it| format!("\ndid you mean `{it}`?"));
    format!("unknown {what} `{name}`{}", help.unwrap_or_default())
}

/// The same where there are so few that all can be listed.
pub fn choices(what: &str, name: &str, known: &[&str]) -> String {
    match closest(name, known.iter().copied()) {
        Some(it) => format!("unknown {what} `{name}`\ndid you mean `{it}`?"),
        None => format!("unknown {what} `{name}`\nknown are {}", known.join(", ")),
    }
}

/// What serde expects, in the words of YAML.
pub(super) fn in_words(expected: &str) -> &str {
    match expected {
        "a sequence" => "a list",
        "a map" => "a mapping",
        "a boolean" => "true or false",
        "u8" | "u16" | "u32" | "u64" | "usize" | "i8" | "i16" | "i32" | "i64" => "a whole number",
        "f32" | "f64" => "a number",
        other => other,
    }
}

/// The one of `known` that a slip of the fingers may have turned into `name`.
pub fn closest<'k>(name: &str, known: impl IntoIterator<Item = &'k str>) -> Option<&'k str> {
    let scored = known
        .into_iter()
        .map(|it| (strsim::jaro_winkler(&name.to_lowercase(), &it.to_lowercase()), it));
    scored
        .filter(|(score, _)| *score > 0.8)
        .max_by(|(a, _), (b, _)| a.total_cmp(b))
        .map(|(_, it)| it)
}
