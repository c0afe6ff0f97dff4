//! Where a place is: its source and bytes.

use crate::model::Model;
use crate::model::Place;
use crate::path::Found;
use crate::source::{SourceId, Span};
use crate::tree::Node;

/// Bytes of a source.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Location {
    /// The source.
    pub source: SourceId,
    /// The bytes.
    pub span: Span,
}

/// Finds places in the sources of a model.
#[derive(Debug)]
pub struct Locator<'m, 'd> {
    model: &'m Model<'d>,
}

impl<'m, 'd> Locator<'m, 'd> {
    /// For places in this model.
    pub fn new(model: &'m Model<'d>) -> Locator<'m, 'd> {
        Locator { model }
    }

    /// Where a place is. A plain value is shown itself; a list or mapping by its key; what is absent by the key of the
    /// innermost field that is there.
    pub fn locate(&self, place: &Place) -> Location {
        match place {
            Place::Text { source, span } => Location { source: *source, span: *span },
            Place::Field { object, path } => {
                let object = self.model.object(*object);
                let (key, value, found) = path.resolve(object.root);
                let is_plain =
                    !value.is_map() && !value.is_seq() && value.span().start < value.span().end;
                let span = match (key, found) {
                    (_, Found::Wholly) if is_plain => value.span(),
                    (Some(key), _) => key.span(),
                    (None, _) => first_key(value),
                };
                Location { source: object.document.source, span }
            }
        }
    }
}

/// The first key of a mapping stands for all of it; for the root that is usually `apiVersion`, so its kind is better.
fn first_key(node: Node<'_>) -> Span {
    let kind = node.entry("apiVersion").and_then(|_| node.entry("kind")).map(|(_, value)| value);
    let first = node.entries().next().map(|(key, _)| key);
    kind.or(first).or_else(|| node.items().next()).unwrap_or(node).span()
}
