//! What the API of Kubernetes' own groups looks like in each version: kinds, from when to when they are served, and their
//! fields.
//!
//! Generated from Kubernetes' own definitions by `tests/schemas/generate.py` and embedded; read on first use, and compiled
//! definition by definition as somebody asks for them.

mod kinds;
mod stored;

pub use kinds::{Group, KindVersion, group, group_like, kind_version, kind_versions, preferred};
pub use stored::{DefinitionId, Schemas, schemas};

/// The type of a field.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Type {
    /// Whatever it holds.
    Any,
    /// A string.
    Str,
    /// A whole number of 32 bits.
    Int32,
    /// A whole number of 64 bits.
    Int64,
    /// A number.
    Number,
    /// `true` or `false`.
    Bool,
    /// A whole number or a string (`IntOrString`).
    IntOrString,
    /// A string or a number (`resource.Quantity`).
    Quantity,
    /// A time as RFC 3339 writes it.
    Time,
    /// Bytes in base64.
    Bytes,
    /// A list.
    List(Box<Type>, Keyed),
    /// A mapping with keys of the user's choice.
    Map(Box<Type>),
    /// A mapping with known fields.
    Object(DefinitionId),
}

/// What tells the items of a list apart (`x-kubernetes-list-type`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Keyed {
    /// Their order.
    Not,
    /// Themselves: each may stand in it once.
    Whole,
    /// These fields.
    By(Box<[&'static str]>),
}

/// A field of an object.
#[derive(Debug)]
pub struct Field {
    /// Its name.
    pub name: &'static str,
    /// What it holds.
    pub of: Type,
    /// Whether the API server refuses the object without it.
    pub is_required: bool,
    /// The only strings that it, or each of its items, may be; any, where there are none.
    pub words: Box<[&'static str]>,
    /// What it is where it is not set, if that is a plain value.
    pub default: Option<&'static str>,
}

/// The fields of an object, by name.
#[derive(Debug, Default)]
pub struct Definition {
    /// All that there are.
    pub fields: Box<[Field]>,
}

impl Definition {
    /// The field of this name.
    pub fn field(&self, name: &str) -> Option<&Field> {
        let at = self.fields.binary_search_by(|it| it.name.cmp(name)).ok()?;
        Some(&self.fields[at])
    }
}

impl Type {
    /// What a value of it is called.
    pub fn describe(&self) -> &'static str {
        match self {
            Type::Any => "anything",
            Type::Str => "a string",
            Type::Int32 | Type::Int64 => "a whole number",
            Type::Number => "a number",
            Type::Bool => "`true` or `false`",
            Type::IntOrString => "a whole number or a string",
            Type::Quantity => "a quantity",
            Type::Time => "a time",
            Type::Bytes => "a string in base64",
            Type::List(..) => "a list",
            Type::Map(_) | Type::Object(_) => "a mapping",
        }
    }
}
