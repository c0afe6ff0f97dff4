//! What the API of Kubernetes' own groups looks like: their kinds and versions, and the types of the fields that people
//! write.
//!
//! `definitions` is written by hand and holds the commonest kinds and fields; what it does not list is left open. It has the
//! shape of the published definitions (`api/openapi-spec` of Kubernetes), so that definitions generated from these can
//! stand in its place: [`definition`] is the only way to it.

mod definitions;
mod groups;

pub use definitions::definition;
pub use groups::{GROUPS, Served, served};

/// The type of a field.
#[derive(Clone, Copy, Debug)]
pub enum Type {
    /// Whatever it holds.
    Any,
    /// A string.
    Str,
    /// A whole number.
    Int,
    /// `true` or `false`.
    Bool,
    /// A whole number or a string (`IntOrString`).
    IntOrString,
    /// A string or a number (`resource.Quantity`).
    Quantity,
    /// A list.
    List(&'static Type),
    /// A mapping with keys of the user's choice.
    Map(&'static Type),
    /// A mapping with known fields.
    Object(&'static Definition),
}

/// The fields of an object.
#[derive(Debug)]
pub struct Definition {
    /// Their names and types; others are left open.
    pub fields: &'static [(&'static str, Type)],
    /// Those that have to be there.
    pub required: &'static [&'static str],
}

impl Definition {
    /// The type of a field, if it is listed.
    pub fn field(&self, name: &str) -> Option<Type> {
        self.fields.iter().find(|(it, _)| *it == name).map(|(_, it)| *it)
    }
}

impl Type {
    /// What a value of it is called.
    pub fn describe(self) -> &'static str {
        match self {
            Type::Any => "anything",
            Type::Str => "a string",
            Type::Int => "a whole number",
            Type::Bool => "`true` or `false`",
            Type::IntOrString => "a whole number or a string",
            Type::Quantity => "a quantity",
            Type::List(_) => "a list",
            Type::Map(_) | Type::Object(_) => "a mapping",
        }
    }
}
