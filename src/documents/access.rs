//! The items of lists and the entries of mappings as serde sees them. What is wrong in one is told, and the others are
//! read all the same.

use super::deserialize::Value;
use super::error::{Error, Said};
use super::run::Run;
use crate::text::tree::Node;
use serde::de::value::StrDeserializer;
use serde::de::{Deserialize, DeserializeSeed, IntoDeserializer, MapAccess, SeqAccess};
use std::marker::PhantomData;

/// The items of a list.
pub(super) struct Items<'r, 'd> {
    run: &'r Run<'d>,
    left: std::vec::IntoIter<Node<'d>>,
}

impl<'r, 'd> Items<'r, 'd> {
    pub(super) fn of(run: &'r Run<'d>, list: Node<'d>) -> Items<'r, 'd> {
        let left: Vec<_> = list.items().filter(|it| !run.is_skipped(*it)).collect();
        Items { run, left: left.into_iter() }
    }
}

impl<'de> SeqAccess<'de> for Items<'_, '_> {
    type Error = Error;

    fn next_element_seed<T: DeserializeSeed<'de>>(
        &mut self,
        seed: T,
    ) -> Result<Option<T::Value>, Error> {
        let Some(item) = self.left.next() else { return Ok(None) };
        value(self.run, None, item, seed).map(Some)
    }

    /// Goes on after an item that is wrong.
    fn next_element<T: Deserialize<'de>>(&mut self) -> Result<Option<T>, Error> {
        for item in self.left.by_ref() {
            if let Ok(it) = value(self.run, None, item, PhantomData) {
                return Ok(Some(it));
            }
        }
        Ok(None)
    }
}

/// The entries of a mapping.
pub(super) struct Entries<'r, 'd> {
    run: &'r Run<'d>,
    left: std::vec::IntoIter<(Node<'d>, Node<'d>)>,
    /// The entry whose key was taken.
    taken: Option<(Node<'d>, Node<'d>)>,
    /// Whether fields without a value are absent, as they are to Kubernetes. They have to be fields all the same.
    nulls_are_absent: bool,
    is_root: bool,
}

impl<'r, 'd> Entries<'r, 'd> {
    pub(super) fn of_struct(run: &'r Run<'d>, map: Node<'d>) -> Entries<'r, 'd> {
        Entries { nulls_are_absent: true, ..Entries::of_map(run, map) }
    }

    pub(super) fn of_map(run: &'r Run<'d>, map: Node<'d>) -> Entries<'r, 'd> {
        let is_root = run.is_root(map);
        let is_head = |key: Node<'_>| key.str().is_some_and(|it| super::HEAD.contains(&it));
        let left = map
            .entries()
            .filter(|(key, value)| !(run.is_skipped(*value) || is_root && is_head(*key)));
        let left: Vec<_> = left.collect();
        Entries { run, left: left.into_iter(), taken: None, nulls_are_absent: false, is_root }
    }

    /// Takes the next key that `read` can make something of.
    fn next_key_by<K>(
        &mut self,
        read: impl Fn(&str) -> Result<K, Error>,
    ) -> Result<Option<K>, Error> {
        for (key, value) in self.left.by_ref() {
            match read(&key.scalar().unwrap_or_default()) {
                Ok(_) if self.nulls_are_absent && value.is_null() => {}
                Ok(it) => {
                    self.taken = Some((key, value));
                    return Ok(Some(it));
                }
                Err(Error::Said(Said::Field(_, known))) => {
                    self.run.unknown_field(key, known, self.is_root);
                    self.run.skip(value);
                }
                Err(error) => {
                    self.run.place(None, key, error);
                    self.run.skip(value);
                }
            }
        }
        Ok(None)
    }
}

impl<'de> MapAccess<'de> for Entries<'_, '_> {
    type Error = Error;

    fn next_key_seed<K: DeserializeSeed<'de>>(
        &mut self,
        seed: K,
    ) -> Result<Option<K::Value>, Error> {
        let Some((key, value)) = self.left.next() else { return Ok(None) };
        self.taken = Some((key, value));
        let name = key.scalar().unwrap_or_default();
        let name: StrDeserializer<'_, Error> = name.as_ref().into_deserializer();
        seed.deserialize(name).map(Some).map_err(|error| {
            self.run.place(None, key, error);
            self.run.skip(value);
            Error::Told
        })
    }

    /// Goes on after a key that is wrong.
    fn next_key<K: Deserialize<'de>>(&mut self) -> Result<Option<K>, Error> {
        self.next_key_by(|name| {
            let name: StrDeserializer<'_, Error> = name.into_deserializer();
            K::deserialize(name)
        })
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, Error> {
        let (key, node) = self.taken.take().expect("a value is asked for after its key");
        value(self.run, Some(key), node, seed)
    }

    /// Goes on after an entry that is wrong.
    fn next_entry<K: Deserialize<'de>, V: Deserialize<'de>>(
        &mut self,
    ) -> Result<Option<(K, V)>, Error> {
        while let Some(key) = self.next_key()? {
            if let Ok(value) = self.next_value() {
                return Ok(Some((key, value)));
            }
        }
        Ok(None)
    }
}

/// Reads a value; if something is wrong with it itself, it is left out in the next pass.
fn value<'de, T: DeserializeSeed<'de>>(
    run: &Run<'_>,
    key: Option<Node<'_>>,
    node: Node<'_>,
    seed: T,
) -> Result<T::Value, Error> {
    seed.deserialize(Value::of(run, key, node)).map_err(|error| {
        if let Error::Placed = run.place(key, node, error) {
            run.skip(node);
        }
        Error::Told
    })
}
