//! What is kept of an object, as it is read: a tree over a text in which every string stands once.

use super::keep::Keep;
use crate::text::source::Span;
use crate::text::tree::builder::{Builder, Written};
use crate::text::tree::{Number, Tree};
use hashbrown::HashTable;
use rustc_hash::FxBuildHasher;
use serde::Deserialize;
use serde::de::{DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};
use std::borrow::Cow;
use std::fmt;
use std::hash::BuildHasher;

/// Nodes of a cluster's objects stand nowhere.
const NOWHERE: Span = Span { start: 0, end: 0 };

/// Bytes of text, strings and cells that most objects need no more of.
const TEXT: usize = 1024;
const STRINGS: usize = 100;
const CELLS: usize = 200;

/// What is kept so far.
#[derive(Debug)]
pub(super) struct Sink {
    text: String,
    places: HashTable<Span>,
    builder: Builder,
    /// Whether something was nested too deep to be kept.
    pub(super) is_cut: bool,
}

/// How deep what is kept may be nested: no field that a rule knows is half as deep, and the parser gives up at 128.
const DEEPEST: u8 = 64;

impl Sink {
    pub(super) fn new() -> Sink {
        Sink {
            text: String::with_capacity(TEXT),
            places: HashTable::with_capacity(STRINGS),
            builder: Builder::with_room(CELLS),
            is_cut: false,
        }
    }

    pub(super) fn str(&mut self, string: &str) {
        let Sink { text, places, builder, .. } = self;
        let hash = |it: &str| FxBuildHasher.hash_one(it);
        let found = places.find(hash(string), |it| text[it.range()] == *string).copied();
        let span = found.unwrap_or_else(|| {
            let start = text.len();
            text.push_str(string);
            let span = Span::new(start, text.len());
            places.insert_unique(hash(string), span, |it| hash(&text[it.range()]));
            span
        });
        builder.str(Written::Plain(string), span);
    }

    pub(super) fn null(&mut self) {
        self.builder.null(NOWHERE);
    }

    pub(super) fn open_map(&mut self) {
        self.builder.open_map(NOWHERE);
    }

    pub(super) fn open_seq(&mut self) {
        self.builder.open_seq(NOWHERE);
    }

    /// Closes what is left empty, because it is nested too deep.
    fn cut(&mut self) {
        self.is_cut = true;
        self.close(0);
    }

    pub(super) fn close(&mut self, count: u32) {
        self.builder.close(count, 0);
    }

    /// Where what comes next will stand.
    pub(super) fn len(&self) -> usize {
        self.builder.len()
    }

    /// Takes back what stands there and after it.
    pub(super) fn take_back(&mut self, start: usize) {
        self.builder.truncate(start);
    }

    pub(super) fn finish(self) -> Tree {
        self.builder.finish_over(self.text.into())
    }
}

/// A value, of which what is to be kept goes to the sink; whether anything does.
pub(super) struct Whole<'s> {
    sink: &'s mut Sink,
    keep: Keep,
    /// How much deeper it may be nested.
    depth: u8,
}

impl<'s> Whole<'s> {
    pub(super) fn new(sink: &'s mut Sink, keep: Keep) -> Whole<'s> {
        Whole { sink, keep, depth: DEEPEST }
    }
}

impl<'de> DeserializeSeed<'de> for Whole<'_> {
    type Value = bool;

    fn deserialize<D: Deserializer<'de>>(self, value: D) -> Result<bool, D::Error> {
        if !matches!(self.keep, Keep::Concealed) {
            return value.deserialize_any(self);
        }
        self.sink.str("");
        IgnoredAny::deserialize(value).map(|_| true)
    }
}

impl<'de> Visitor<'de> for Whole<'_> {
    type Value = bool;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }

    fn visit_unit<E>(self) -> Result<bool, E> {
        self.sink.null();
        Ok(true)
    }

    fn visit_bool<E>(self, value: bool) -> Result<bool, E> {
        self.sink.builder.bool(value, NOWHERE);
        Ok(true)
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<bool, E> {
        if value == 1 && matches!(self.keep, Keep::UnlessOne) {
            return Ok(false);
        }
        self.sink.builder.number(Number::Int(value), NOWHERE);
        Ok(true)
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<bool, E> {
        match i64::try_from(value) {
            Ok(it) => self.visit_i64(it),
            Err(_) => self.visit_f64(value as f64),
        }
    }

    /// Whole numbers are whole however they are written (`1.0`), as in manifests.
    fn visit_f64<E: Error>(self, value: f64) -> Result<bool, E> {
        if value.fract() == 0.0 && value.abs() < 9.0e15 {
            return self.visit_i64(value as i64);
        }
        self.sink.builder.number(Number::Float(value), NOWHERE);
        Ok(true)
    }

    fn visit_str<E>(self, value: &str) -> Result<bool, E> {
        self.sink.str(value);
        Ok(true)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<bool, A::Error> {
        let Whole { sink, keep, depth } = self;
        sink.builder.open_seq(NOWHERE);
        let mut count = 0;
        let Some(depth) = depth.checked_sub(1) else {
            while items.next_element::<IgnoredAny>()?.is_some() {}
            sink.cut();
            return Ok(true);
        };
        while items.next_element_seed(Whole { sink, keep, depth })?.is_some() {
            count += 1;
        }
        sink.close(count);
        Ok(true)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<bool, A::Error> {
        let Whole { sink, keep, depth } = self;
        sink.open_map();
        let mut count = 0;
        let Some(depth) = depth.checked_sub(1) else {
            while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
            sink.cut();
            return Ok(true);
        };
        loop {
            let start = sink.len();
            match map.next_key_seed(Entry { sink, keep })? {
                None => break,
                Some(None) => {
                    map.next_value::<IgnoredAny>()?;
                }
                Some(Some(keep)) => match map.next_value_seed(Whole { sink, keep, depth })? {
                    true => count += 1,
                    false => sink.take_back(start),
                },
            }
        }
        sink.close(count);
        Ok(count > 0 || !matches!(keep, Keep::Status(_)))
    }
}

/// A key, which goes to the sink if what it stands for is kept; what of that is.
struct Entry<'s> {
    sink: &'s mut Sink,
    keep: Keep,
}

impl<'de> DeserializeSeed<'de> for Entry<'_> {
    type Value = Option<Keep>;

    fn deserialize<D: Deserializer<'de>>(self, key: D) -> Result<Option<Keep>, D::Error> {
        key.deserialize_str(self)
    }
}

impl Visitor<'_> for Entry<'_> {
    type Value = Option<Keep>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a key")
    }

    fn visit_str<E>(self, key: &str) -> Result<Option<Keep>, E> {
        let keep = self.keep.below(key);
        if keep.is_some() {
            self.sink.str(key);
        }
        Ok(keep)
    }
}

/// A key, borrowed where it can be.
#[derive(Deserialize)]
pub(super) struct Key<'k>(#[serde(borrow)] pub(super) Cow<'k, str>);
