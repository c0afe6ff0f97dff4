//! A node of the tree as serde sees it.

use super::access::{Entries, Items};
use super::error::{Error, Said, choices};
use super::run::Run;
use crate::text::tree;
use crate::text::tree::{Node, Number};
use serde::de::value::StrDeserializer;
use serde::de::{self, Error as _, IntoDeserializer, Unexpected, Visitor};
use serde::forward_to_deserialize_any;

/// A value and the reading that it is part of.
#[derive(Clone, Copy)]
pub(super) struct Value<'r, 'd> {
    pub(super) run: &'r Run<'d>,
    pub(super) node: Node<'d>,
    /// The key that it stands under.
    pub(super) key: Option<Node<'d>>,
}

impl<'r, 'd> Value<'r, 'd> {
    pub(super) fn of(run: &'r Run<'d>, key: Option<Node<'d>>, node: Node<'d>) -> Value<'r, 'd> {
        Value { run, node, key }
    }

    fn placed<T>(self, result: Result<T, Error>) -> Result<T, Error> {
        result.map_err(|error| self.run.place(self.key, self.node, error))
    }

    fn visit<'de, V: Visitor<'de>>(
        self,
        visitor: V,
        entries: Entries<'r, 'd>,
    ) -> Result<V::Value, Error> {
        let result = match self.node.value() {
            tree::Value::Null => visitor.visit_unit(),
            tree::Value::Bool(it) => visitor.visit_bool(it),
            tree::Value::Number(Number::Int(it)) => visitor.visit_i64(it),
            tree::Value::Number(Number::Float(it)) => visitor.visit_f64(it),
            tree::Value::Str(it) => visitor.visit_str(it),
            tree::Value::Seq => visitor.visit_seq(Items::of(self.run, self.node)),
            tree::Value::Map => visitor.visit_map(entries),
        };
        self.placed(result)
    }
}

impl<'de> de::Deserializer<'de> for Value<'_, '_> {
    type Error = Error;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        self.visit(visitor, Entries::of_struct(self.run, self.node))
    }

    fn deserialize_map<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        self.visit(visitor, Entries::of_map(self.run, self.node))
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        if self.node.is_null() { visitor.visit_none() } else { visitor.visit_some(self) }
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, Error> {
        visitor.visit_newtype_struct(self)
    }

    /// Words of which there are few; `name` is what messages call them.
    fn deserialize_enum<V: Visitor<'de>>(
        self,
        name: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        let Some(word) = self.node.str() else {
            return self.placed(Err(Error::invalid_type(Unexpected::Other("no word"), &visitor)));
        };
        let word: StrDeserializer<'_, Error> = word.into_deserializer();
        let result = visitor.visit_enum(word).map_err(|error| match error {
            Error::Said(Said::Word(word, known)) => Error::custom(choices(name, &word, known)),
            other => other,
        });
        self.placed(result)
    }

    /// Fields by their names, and not by the order of a list.
    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        if self.node.is_seq() {
            return self.placed(Err(Error::invalid_type(Unexpected::Seq, &visitor)));
        }
        self.deserialize_any(visitor)
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 u8 u16 u32 u64 f32 f64 char str string bytes byte_buf
        unit unit_struct seq tuple tuple_struct identifier ignored_any
    }
}
