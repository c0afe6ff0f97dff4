//! Documents of purlin's own, `purlin.yaml` among them: text to typed values, each mistake with its place.
//!
//! The types say what a document may hold, through serde; the same types give its JSON Schema. What is read here is the
//! same tree that manifests become, so that a finding can point into such a document by field path.

mod access;
mod deserialize;
mod error;
mod run;
mod scalar;
mod schema;

use crate::load::read::mistake::Mistake;
use crate::load::read::split;
use crate::load::read::split::Chunk;
use crate::load::read::yaml;
use crate::load::read::yaml::Syntax;
use crate::text::source::Span;
use crate::text::tree::{Node, Tree};
pub use error::{choices, closest, unknown};
use run::Run;
pub use scalar::{Scalar, parsed};
pub use schema::schema;
use schemars::JsonSchema;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use std::sync::Arc;

/// The version of purlin's own documents.
pub const API_VERSION: &str = "purlin.dev/v1alpha1";

/// A kind of document: how it is called, and what its outermost mapping holds.
pub trait Kind: DeserializeOwned + Default {
    /// `kind`, as it is written.
    const NAME: &'static str;
    /// What messages call it.
    const TITLE: &'static str;
}

/// What a document says of itself.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default, expecting = "`metadata` is a mapping")]
pub struct Metadata {
    /// Its name.
    pub name: Option<Scalar>,
}

/// A document that was read.
#[derive(Clone, Debug)]
pub struct Read<T> {
    /// What it means.
    pub value: T,
    /// What is written.
    pub tree: Tree,
}

/// Fields that every document has beside its own.
pub const HEAD: [&str; 2] = ["apiVersion", "kind"];

/// Reads the one document of a text; a text without any says nothing. `also` finds what is wrong beside what the types
/// tell, whatever else is.
///
/// # Errors
///
/// Every mistake in it, in the order of their places.
pub fn read<T: Kind>(
    text: &Arc<str>,
    also: impl FnOnce(Node<'_>) -> Vec<Mistake>,
) -> Result<Read<T>, Vec<Mistake>> {
    let mut chunks = split::split(text);
    let range = match chunks.next() {
        None => return Ok(Read { value: T::default(), tree: Tree::null() }),
        Some(Chunk::Text(range)) => range,
        Some(Chunk::Bad { span, message }) => {
            return Err(vec![Mistake { span, message, help: None }]);
        }
    };
    let mut mistakes: Vec<Mistake> = Vec::new();
    mistakes.extend(chunks.next().map(|it| second::<T>(text, it)));
    let parsed = yaml::parse(text, range, Syntax::Yaml).map_err(|mistake| vec![mistake])?;
    let Some(parsed) = parsed else { return Ok(Read { value: T::default(), tree: Tree::null() }) };
    for duplicate in parsed.duplicate_keys {
        let message = format!("`{}` stands twice in one mapping", duplicate.key);
        mistakes.push(Mistake { span: duplicate.last, message, help: None });
    }
    let value = root::<T>(parsed.tree.root(), &mut mistakes);
    mistakes.extend(also(parsed.tree.root()));
    mistakes.sort_by_key(|it| it.span);
    match value {
        Some(value) if mistakes.is_empty() => Ok(Read { value, tree: parsed.tree }),
        _ => Err(mistakes),
    }
}

/// The same of a tree that is there already, such as one of several documents in a file.
///
/// # Errors
///
/// Every mistake in it.
pub fn of_tree<T: Kind>(tree: Node<'_>) -> Result<T, Vec<Mistake>> {
    let mut mistakes = Vec::new();
    match root::<T>(tree, &mut mistakes) {
        Some(value) if mistakes.is_empty() => Ok(value),
        _ => Err(mistakes),
    }
}

fn root<T: Kind>(root: Node<'_>, mistakes: &mut Vec<Mistake>) -> Option<T> {
    if root.is_map() {
        expect::<T>(root, "apiVersion", API_VERSION, mistakes);
        expect::<T>(root, "kind", T::NAME, mistakes);
    }
    let run = Run::new(root);
    let value = run.read::<T>();
    mistakes.extend(run.into_mistakes());
    value
}

fn expect<T: Kind>(root: Node<'_>, key: &str, expected: &str, mistakes: &mut Vec<Mistake>) {
    let (span, message) = match root.get(key) {
        Some(value) if value.str() == Some(expected) => return,
        Some(value) => (value.span(), format!("`{key}` is `{expected}` in {}", T::TITLE)),
        None => {
            let start = root.span().start;
            (Span { start, end: start }, format!("`{key}: {expected}` is missing"))
        }
    };
    mistakes.push(Mistake { span, message, help: None });
}

fn second<T: Kind>(text: &str, second: Chunk) -> Mistake {
    let at = match second {
        Chunk::Text(range) => range.start + first_text(&text[range]),
        Chunk::Bad { span, .. } => span.range().start,
    };
    let line = text[at..].lines().next().map_or(0, str::len);
    let message = format!("a second document: {} holds one", T::TITLE);
    Mistake { span: Span::new(at, at + line), message, help: None }
}

/// Where the first line begins that is neither empty nor a comment.
fn first_text(text: &str) -> usize {
    let mut at = 0;
    for line in text.split_inclusive('\n') {
        if !line.trim().is_empty() && !line.trim_start().starts_with('#') {
            break;
        }
        at += line.len();
    }
    at
}
