//! One object of a cluster to a document: what an API server sends, without what only it and its clients keep.
//!
//! A cluster holds many objects and most repeat a few words, so each tree lies over a text of its own in which every
//! string stands once, and what no rule reads is never built: `managedFields`, the last applied configuration, most of
//! `status`, the schemas of custom kinds, every value of a Secret, and replicas that nobody asked for.

pub mod items;
mod keep;
mod sink;

use super::replicas::{Asked, HELM, Writer};
use crate::api::kind::{Kind, WORKLOADS, group};
use crate::api::schema;
use crate::load::Document;
use crate::text::source::SourceId;
use crate::text::tree::Tree;
use keep::Keep;
pub use keep::Schemas;
use serde::Deserialize;
use serde::de::{DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, Visitor};
use serde_json::Value;
use serde_json::value::RawValue;
use sink::{Key, Sink, Whole};
use std::fmt;

/// `kubectl apply` keeps all that it sent here, the values of Secrets included.
pub(super) const LAST_APPLIED: &str = "kubectl.kubernetes.io/last-applied-configuration";

/// An object that an API server sent.
#[derive(Debug)]
pub struct Live {
    /// What rules read of it.
    pub document: Document,
    /// Its `resourceVersion`; empty where it has none yet.
    pub resource_version: String,
    /// When it was created, as the API server writes it; empty where it is not yet.
    pub created: String,
    /// Whether something in it is nested deeper than anything that rules read, and was left out.
    pub is_cut: bool,
}

impl Live {
    /// The `resourceVersion` as a number; 0 where it has none.
    pub fn version(&self) -> u64 {
        self.resource_version.parse().unwrap_or(0)
    }

    /// An object that was parsed already; see [`Live::read`]. What is no object has nothing that is read.
    pub fn of(source: SourceId, object: &Value, api_version: &str, kind: &str) -> Live {
        Live::read(source, object, api_version, kind).ok().flatten().unwrap_or_else(|| {
            let (tree, duplicate_keys) = (Tree::null(), Vec::new());
            Live {
                document: Document { source, tree, duplicate_keys, origin: None },
                resource_version: String::new(),
                created: String::new(),
                is_cut: false,
            }
        })
    }

    /// Reads an object; `None` for null. `api_version` and `kind` stand in where it does not say them: items of a list
    /// do not. `source` is that of the cluster ([`crate::text::source::Source::cluster`]).
    ///
    /// # Errors
    ///
    /// Where it is no object, or one of the fields that every object has is of another type.
    pub fn read<'de, D: Deserializer<'de>>(
        source: SourceId,
        from: D,
        api_version: &str,
        kind: &str,
    ) -> Result<Option<Live>, D::Error> {
        Live::read_with(source, from, api_version, kind, Schemas::LeftOut)
    }

    /// The same, with or without the schemas of a CustomResourceDefinition.
    ///
    /// # Errors
    ///
    /// Those of [`Live::read`].
    pub fn read_with<'de, D: Deserializer<'de>>(
        source: SourceId,
        from: D,
        api_version: &str,
        kind: &str,
        schemas: Schemas,
    ) -> Result<Option<Live>, D::Error> {
        let mut reader = Reader {
            schemas,
            applied: Vec::new(),
            api_version: api_version.into(),
            kind: kind.into(),
            sink: Sink::new(),
            asked: Asked::default(),
            is_controlled: false,
            has_head: false,
            fields: 0,
            resource_version: String::new(),
            created: String::new(),
        };
        let is_there = from.deserialize_any(Root(&mut reader))?;
        Ok(is_there.then(|| reader.finish(source)))
    }
}

/// The document of an object that was parsed already; see [`Live::of`].
pub fn document(source: SourceId, object: &Value, api_version: &str, kind: &str) -> Document {
    Live::of(source, object, api_version, kind).document
}

/// Reads the fields of an object one after the other.
struct Reader {
    schemas: Schemas,
    /// Versions that it was written in and that are not those of today.
    applied: Vec<String>,
    api_version: String,
    kind: String,
    sink: Sink,
    asked: Asked,
    /// Whether it is made of a template that is read itself.
    is_controlled: bool,
    /// Whether `apiVersion` and `kind` are there already.
    has_head: bool,
    /// How many fields were kept.
    fields: u32,
    resource_version: String,
    created: String,
}

impl Reader {
    fn finish(mut self, source: SourceId) -> Live {
        self.sink.close(self.fields);
        let is_cut = self.sink.is_cut;
        let document =
            Document { source, tree: self.sink.finish(), duplicate_keys: Vec::new(), origin: None };
        Live { document, resource_version: self.resource_version, created: self.created, is_cut }
    }

    /// What the object is comes first, where it is found soonest.
    fn head(&mut self) {
        if std::mem::replace(&mut self.has_head, true) {
            return;
        }
        for (key, value) in [("apiVersion", &self.api_version), ("kind", &self.kind)] {
            self.sink.str(key);
            self.sink.str(value);
        }
        self.fields += 2;
    }

    /// Reads a field of an object of which the kind is known; what a field holds may follow from the metadata.
    fn field<'de, D: Deserializer<'de>>(&mut self, key: &str, value: D) -> Result<(), D::Error> {
        let keep = Keep::of_field(
            &self.kind,
            key,
            self.is_controlled,
            || self.asked.is_filled_in(),
            self.schemas,
        );
        let Some(keep) = keep else {
            return IgnoredAny::deserialize(value).map(|_| ());
        };
        let start = self.sink.len();
        self.sink.str(key);
        let whole = Whole::new(&mut self.sink, keep);
        if whole.deserialize(value)? {
            self.fields += 1;
        } else {
            self.sink.take_back(start);
        }
        Ok(())
    }

    /// Keeps of `managedFields` the versions that somebody wrote the object in and that may be on their way out; how many
    /// fields that makes. An API server answers in the version that it is asked for, so nothing else tells.
    fn applied_versions(&mut self) -> u32 {
        let (own, kind) = (&self.api_version, &self.kind);
        let is_dated = |it: &String| match schema::kind_version(it, kind) {
            Some(known) => known.deprecated.is_some() || known.removed.is_some(),
            None => it != own,
        };
        self.applied.retain(is_dated);
        self.applied.sort_unstable();
        self.applied.dedup();
        if self.applied.is_empty() {
            return 0;
        }
        self.sink.str("managedFields");
        self.sink.open_seq();
        for version in &self.applied {
            self.sink.open_map();
            self.sink.str("apiVersion");
            self.sink.str(version);
            self.sink.close(1);
        }
        self.sink.close(u32::try_from(self.applied.len()).unwrap_or(u32::MAX));
        1
    }

    fn metadata<'de, D: Deserializer<'de>>(&mut self, value: D) -> Result<(), D::Error> {
        self.head();
        self.sink.str("metadata");
        self.fields += 1;
        value.deserialize_any(Metadata(self))
    }
}

/// The object itself; whether it is one.
struct Root<'r>(&'r mut Reader);

impl<'de> Visitor<'de> for Root<'_> {
    type Value = bool;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_unit<E>(self) -> Result<bool, E> {
        Ok(false)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<bool, A::Error> {
        let Root(reader) = self;
        reader.sink.open_map();
        // An API server writes the kind first and then the metadata. What comes before them waits.
        let mut waiting: Vec<(String, Box<RawValue>)> = Vec::new();
        let mut has_metadata = false;
        while let Some(Key(key)) = map.next_key()? {
            match &*key {
                "apiVersion" => reader.api_version = text(&mut map)?,
                "kind" => reader.kind = text(&mut map)?,
                "metadata" if !reader.kind.is_empty() && !reader.api_version.is_empty() => {
                    has_metadata = true;
                    map.next_value_seed(Field { reader, key: "metadata" })?;
                }
                key if has_metadata => map.next_value_seed(Field { reader, key })?,
                _ => waiting.push((key.into_owned(), map.next_value()?)),
            }
        }
        reader.head();
        waiting.sort_by_key(|(key, _)| key != "metadata");
        for (key, value) in &waiting {
            let field = Field { reader, key };
            field.deserialize(&**value).map_err(A::Error::custom)?;
        }
        Ok(true)
    }
}

/// The value of a field of an object.
struct Field<'r, 'k> {
    reader: &'r mut Reader,
    key: &'k str,
}

impl<'de> DeserializeSeed<'de> for Field<'_, '_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, value: D) -> Result<(), D::Error> {
        match self.key {
            "metadata" => self.reader.metadata(value),
            key => self.reader.field(key, value),
        }
    }
}

/// What every object has, without what is there for the API server and its clients alone. The `uid` stays: by it rules
/// know a live object.
struct Metadata<'r>(&'r mut Reader);

impl<'de> Visitor<'de> for Metadata<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the metadata of an object")
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        self.0.sink.null();
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let Metadata(reader) = self;
        reader.sink.open_map();
        let mut fields = 0;
        let mut writers: Vec<Writer> = Vec::new();
        while let Some(Key(key)) = map.next_key()? {
            match &*key {
                "resourceVersion" => reader.resource_version = text(&mut map)?,
                "creationTimestamp" => reader.created = text(&mut map)?,
                "managedFields" if Asked::is_of(&reader.kind) => {
                    writers = map.next_value::<Option<_>>()?.unwrap_or_default();
                }
                "managedFields" => {
                    let written = map.next_value::<Option<Vec<Written>>>()?.unwrap_or_default();
                    let versions = written.into_iter().filter_map(|it| it.api_version);
                    reader.applied.extend(versions);
                }
                "generation" | "selfLink" => {
                    map.next_value::<IgnoredAny>()?;
                }
                key => {
                    fields += 1;
                    reader.sink.str(key);
                    map.next_value_seed(OfMetadata { reader, key })?;
                }
            }
        }
        reader.applied.extend(writers.iter().filter_map(|it| it.api_version.clone()));
        reader.asked.writers = writers;
        fields += reader.applied_versions();
        reader.sink.close(fields);
        Ok(())
    }
}

/// One of `metadata.managedFields`: in which version of the API somebody wrote.
#[derive(Deserialize)]
struct Written {
    #[serde(rename = "apiVersion")]
    api_version: Option<String>,
}

/// The value of a field of `metadata` that is kept.
struct OfMetadata<'r, 'k> {
    reader: &'r mut Reader,
    key: &'k str,
}

impl<'de> DeserializeSeed<'de> for OfMetadata<'_, '_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, value: D) -> Result<(), D::Error> {
        let Reader { sink, kind, asked, is_controlled, applied, .. } = self.reader;
        let whole = Whole::new(sink, Keep::All);
        match self.key {
            "annotations" => {
                return value.deserialize_any(Annotations { sink, asked, kind, applied });
            }
            "ownerReferences" if kind == "Pod" => {
                let owners = Value::deserialize(value)?;
                *is_controlled = is_of_template(&owners);
                whole.deserialize(&owners).map_err(D::Error::custom)?;
            }
            _ => {
                whole.deserialize(value)?;
            }
        }
        Ok(())
    }
}

struct Annotations<'r> {
    sink: &'r mut Sink,
    asked: &'r mut Asked,
    kind: &'r str,
    applied: &'r mut Vec<String>,
}

impl<'de> Visitor<'de> for Annotations<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("annotations")
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        self.sink.null();
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let Annotations { sink, asked, kind, applied } = self;
        sink.open_map();
        let mut count = 0;
        while let Some(Key(key)) = map.next_key()? {
            if *key != *LAST_APPLIED {
                count += 1;
                asked.is_of_helm |= *key == *HELM;
                sink.str(&key);
                map.next_value_seed(Whole::new(sink, Keep::All))?;
                continue;
            }
            let sent: Option<String> = map.next_value()?;
            let version = sent.as_deref().and_then(|it| serde_json::from_str::<Written>(it).ok());
            applied.extend(version.and_then(|it| it.api_version));
            if Asked::is_of(kind) {
                asked.sent = sent;
            }
        }
        sink.close(count);
        Ok(())
    }
}

/// Whether the controller among these owners has a template that is read itself. Of what others make, an operator's
/// object or one that nobody here knows, nothing else tells.
fn is_of_template(owners: &Value) -> bool {
    let mut owners = owners.as_array().into_iter().flatten();
    let controller = owners.find(|it| it["controller"] == true);
    controller.is_some_and(|it| {
        let text = |key| it[key].as_str().unwrap_or_default();
        WORKLOADS.contains(&Kind::of(group(text("apiVersion")), text("kind")))
            && text("kind") != Kind::Pod.name()
    })
}

/// A text that may be null.
fn text<'de, A: MapAccess<'de>>(map: &mut A) -> Result<String, A::Error> {
    Ok(map.next_value::<Option<String>>()?.unwrap_or_default())
}
