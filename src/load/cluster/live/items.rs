//! What an API server sends: a page of a list, or an event of a watch. Each object in it is read by itself, so one that
//! cannot be read spoils nothing but itself, and what no rule reads is not even looked into, however deep it is nested.

use super::{Live, Schemas};
use crate::text::source::SourceId;
use serde::Deserialize;
use serde_json::value::RawValue;
use std::borrow::Cow;
use std::fmt;

/// A page of a list.
#[derive(Debug)]
pub struct Page {
    /// Its objects, each read or not.
    pub items: Vec<Result<Live, Unreadable>>,
    /// By what to ask for the next page; empty for the last one.
    pub next: String,
    /// The `resourceVersion` that the list shows.
    pub resource_version: String,
}

/// An event of a watch.
#[derive(Debug)]
pub enum Event {
    /// An object is there, or has changed.
    Shown(Result<Live, Unreadable>),
    /// An object is gone.
    Gone(Result<Live, Unreadable>),
    /// The watch has come as far as this `resourceVersion`.
    Bookmark(String),
    /// The watch ends, with this code.
    Failed(u16),
}

/// An object that is there and cannot be read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Unreadable {
    /// Its namespace, where it has one.
    pub namespace: String,
    /// Its name.
    pub name: String,
    /// Its `resourceVersion`.
    pub resource_version: String,
    /// Why it cannot, without a word of it.
    pub why: String,
}

impl fmt::Display for Unreadable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let slash = if self.namespace.is_empty() { "" } else { "/" };
        write!(f, "{}{slash}{}: {}", self.namespace, self.name, self.why)
    }
}

/// Why something does not parse. The words of the parser quote what they stumble over (`invalid type: string "…"`), and
/// that may be the value of a Secret, so only the place is told.
pub fn why(error: &serde_json::Error) -> String {
    let what = match error.classify() {
        serde_json::error::Category::Io => "it cannot be read",
        serde_json::error::Category::Syntax => "it is no JSON",
        serde_json::error::Category::Data => "a field has another type than it has to have",
        serde_json::error::Category::Eof => "it breaks off",
    };
    match (error.line(), error.column()) {
        (0, _) => what.into(),
        (line, column) => format!("{what}, at line {line}, column {column}"),
    }
}

#[derive(Deserialize)]
struct OfList<'p> {
    metadata: ListMetadata,
    #[serde(borrow, default)]
    items: Option<Vec<&'p RawValue>>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct ListMetadata {
    #[serde(rename = "continue")]
    next: Option<String>,
    resource_version: Option<String>,
}

/// Reads a page. `api_version` and `kind` are those of its items, which do not say them.
///
/// # Errors
///
/// Where it is no list.
pub fn page(text: &str, source: SourceId, api_version: &str, kind: &str) -> Result<Page, String> {
    page_with(text, source, api_version, kind, Schemas::LeftOut)
}

/// Reads a page, with or without the schemas of CustomResourceDefinitions; see [`page`].
///
/// # Errors
///
/// Where it is no list.
pub fn page_with(
    text: &str,
    source: SourceId,
    api_version: &str,
    kind: &str,
    schemas: Schemas,
) -> Result<Page, String> {
    let OfList { metadata, items } = serde_json::from_str(text).map_err(|it| why(&it))?;
    let items = items.unwrap_or_default().into_iter();
    let items =
        items.filter_map(|it| read(it, source, api_version, kind, schemas).transpose()).collect();
    Ok(Page {
        items,
        next: metadata.next.unwrap_or_default(),
        resource_version: metadata.resource_version.unwrap_or_default(),
    })
}

#[derive(Deserialize)]
struct OfWatch<'e> {
    #[serde(borrow, rename = "type")]
    what: Cow<'e, str>,
    #[serde(borrow)]
    object: &'e RawValue,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Status {
    code: Option<u16>,
    reason: Option<String>,
}

/// Reads an event; see [`page`].
///
/// # Errors
///
/// Where it is no event.
pub fn event(
    text: &[u8],
    source: SourceId,
    api_version: &str,
    kind: &str,
) -> Result<Event, String> {
    let OfWatch { what, object } = serde_json::from_slice(text).map_err(|it| why(&it))?;
    let object = match &*what {
        "BOOKMARK" => return Ok(Event::Bookmark(identity(object).resource_version)),
        "ERROR" => {
            let status: Status = serde_json::from_str(object.get()).unwrap_or_default();
            let is_too_old = status.reason.as_deref() == Some("Expired");
            return Ok(Event::Failed(if is_too_old { 410 } else { status.code.unwrap_or(500) }));
        }
        _ => read(object, source, api_version, kind, Schemas::LeftOut).transpose(),
    };
    let object = object.ok_or("there is no object in it")?;
    match &*what {
        "ADDED" | "MODIFIED" => Ok(Event::Shown(object)),
        "DELETED" => Ok(Event::Gone(object)),
        _ => Err("it is of no type that there is".into()),
    }
}

/// Reads an object by itself; none where there is null.
///
/// # Errors
///
/// Where it cannot be read.
pub fn object(
    text: &str,
    source: SourceId,
    api_version: &str,
    kind: &str,
) -> Result<Option<Live>, Unreadable> {
    match serde_json::from_str::<&RawValue>(text) {
        Ok(raw) => read(raw, source, api_version, kind, Schemas::LeftOut),
        Err(error) => Err(Unreadable { why: why(&error), ..Unreadable::default() }),
    }
}

fn read(
    raw: &RawValue,
    source: SourceId,
    api_version: &str,
    kind: &str,
    schemas: Schemas,
) -> Result<Option<Live>, Unreadable> {
    let read = Live::read_with(source, raw, api_version, kind, schemas);
    // A schema that is not there as a whole is none.
    let is_cut = schemas == Schemas::Kept && matches!(&read, Ok(Some(it)) if it.is_cut);
    let read = if is_cut { Live::read(source, raw, api_version, kind) } else { read };
    read.map_err(|error| Unreadable { why: why(&error), ..identity(raw) })
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Named<'o> {
    #[serde(borrow)]
    metadata: Option<&'o RawValue>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Field<'o> {
    #[serde(borrow)]
    namespace: Option<&'o RawValue>,
    #[serde(borrow)]
    name: Option<&'o RawValue>,
    #[serde(borrow, rename = "resourceVersion")]
    resource_version: Option<&'o RawValue>,
}

/// Which object it is, as far as that can be told.
fn identity(raw: &RawValue) -> Unreadable {
    let named: Named<'_> = serde_json::from_str(raw.get()).unwrap_or_default();
    let metadata = named.metadata.map_or("null", RawValue::get);
    let field: Field<'_> = serde_json::from_str(metadata).unwrap_or_default();
    let text = |it: Option<&RawValue>| -> String {
        it.and_then(|it| serde_json::from_str(it.get()).ok()).unwrap_or_default()
    };
    Unreadable {
        namespace: text(field.namespace),
        name: text(field.name),
        resource_version: text(field.resource_version),
        why: String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn nested(depth: usize) -> String {
        format!("{}1{}", "{\"f:a\":".repeat(depth), "}".repeat(depth))
    }

    fn list(items: &[String]) -> String {
        let items = items.join(",");
        format!(r#"{{"metadata":{{"resourceVersion":"7","continue":"x"}},"items":[{items}]}}"#)
    }

    fn map(name: &str, more: &str) -> String {
        format!(
            r#"{{"metadata":{{"namespace":"a","name":"{name}","resourceVersion":"5"{more}}},"data":{{"k":"v"}}}}"#
        )
    }

    #[test]
    fn what_is_not_read_may_be_nested_as_deep_as_it_likes() {
        let deep = nested(5000);
        let fields = format!(r#","managedFields":[{{"manager":"m","fieldsV1":{deep}}}]"#);
        for kind in ["ConfigMap", "Deployment"] {
            let text = list(&[map("deep", &fields), map("flat", "")]);
            let page = page(&text, SourceId(0), "v1", kind).unwrap();
            assert_eq!((page.next.as_str(), page.resource_version.as_str()), ("x", "7"));
            assert!(page.items.iter().all(Result::is_ok), "{:?}", page.items);
            let event = format!(r#"{{"type":"MODIFIED","object":{}}}"#, map("deep", &fields));
            let event = event_of(&event, kind);
            assert!(matches!(&event, Event::Shown(Ok(it)) if it.version() == 5), "{event:?}");
        }
    }

    fn event_of(text: &str, kind: &str) -> Event {
        event(text.as_bytes(), SourceId(0), "v1", kind).unwrap()
    }

    #[test]
    fn what_is_read_is_read_down_to_a_depth() {
        for depth in [10, 100, 1000, 100_000] {
            let text = map("deep", &format!(r#","labels":{}"#, nested(depth)));
            let live = object(&text, SourceId(0), "v1", "ConfigMap").unwrap().unwrap();
            assert_eq!(live.is_cut, depth > 64, "{depth}");
            let name = live.document.tree.root().at(&["metadata", "name"]);
            assert_eq!(name.unwrap().str(), Some("deep"));
        }
    }

    #[test]
    fn one_that_cannot_be_read_is_one_and_is_named() {
        let bad = r#"{"metadata":{"namespace":"a","name":"bad","resourceVersion":"6","creationTimestamp":{"hunter2":1}}}"#;
        let page =
            page(&list(&[map("good", ""), bad.into()]), SourceId(0), "v1", "Secret").unwrap();
        assert!(page.items[0].is_ok());
        let unreadable = page.items[1].as_ref().unwrap_err();
        assert_eq!((unreadable.name.as_str(), unreadable.resource_version.as_str()), ("bad", "6"));
        assert!(
            unreadable.to_string().starts_with("a/bad: a field has another type"),
            "{unreadable}"
        );
        let secret = r#"{"metadata":{"resourceVersion":{"value":"hunter2"}},"data":{}}"#;
        let why = object(secret, SourceId(0), "v1", "Secret").unwrap_err();
        assert!(!format!("{why:?}").contains("hunter2"), "{why:?}");
    }

    #[test]
    fn events() {
        let bookmark = r#"{"type":"BOOKMARK","object":{"metadata":{"resourceVersion":"12"}}}"#;
        assert!(matches!(event_of(bookmark, "Pod"), Event::Bookmark(it) if it == "12"));
        let gone = r#"{"type":"ERROR","object":{"kind":"Status","code":410,"reason":"Expired"}}"#;
        assert!(matches!(event_of(gone, "Pod"), Event::Failed(410)));
        let why = event(b"{\"type\":\"ADDED\",\"object\":\"hunter2", SourceId(0), "v1", "Secret");
        assert!(!why.unwrap_err().contains("hunter2"));
    }
}
