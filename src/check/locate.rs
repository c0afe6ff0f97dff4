//! Where a place is: its source and bytes, or its name where there is no text.

use crate::check::provenance;
use crate::model::{Model, ObjId, Place};
use crate::text::path::Found;
use crate::text::source::{SourceId, SourceKind, Span};
use crate::text::tree::Node;
use std::collections::BTreeMap;
use std::sync::OnceLock;

/// Bytes of a source.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Location {
    /// The source.
    pub source: SourceId,
    /// The bytes. Of a cluster, which has no text, the object and the field by their order.
    pub span: Span,
}

/// Finds places in the sources of a model.
#[derive(Debug)]
pub struct Locator<'m, 'd> {
    model: &'m Model<'d>,
    /// The objects of each source in the order of their text, made when first asked for.
    by_source: OnceLock<BTreeMap<SourceId, Vec<(Span, ObjId)>>>,
}

impl<'m, 'd> Locator<'m, 'd> {
    /// For places in this model.
    pub fn new(model: &'m Model<'d>) -> Locator<'m, 'd> {
        Locator { model, by_source: OnceLock::new() }
    }

    /// The model.
    pub fn model(&self) -> &'m Model<'d> {
        self.model
    }

    /// A place by its name, for what has no line to point to: `Deployment/shop/api spec.replicas`.
    pub fn name(&self, place: &Place) -> String {
        match place {
            Place::Text { source, .. } => self.model.loaded.sources.get(*source).name.clone(),
            Place::Field { object, path } => format!("{} {path}", self.model.object(*object)),
        }
    }

    /// Where a place is. A plain value is shown itself; a list or mapping by its key; what is absent by the key of the
    /// innermost field that is there.
    pub fn locate(&self, place: &Place) -> Location {
        match place {
            Place::Text { source, span } => Location { source: *source, span: *span },
            Place::Field { object, path } => {
                let object = self.model.object(*object);
                let source = object.document.source;
                let (key, value, found) = path.resolve(object.root);
                if self.model.loaded.sources.get(source).kind == SourceKind::Cluster {
                    let span = Span { start: object.id.0, end: value.index() };
                    return Location { source, span };
                }
                let find = || provenance::place(self.model.loaded, object, path);
                if object.document.origin.is_some()
                    && let Some((source, span)) =
                        self.model.remembered.written(object.id, path, find)
                {
                    return Location { source, span };
                }
                let is_plain =
                    !value.is_map() && !value.is_seq() && value.span().start < value.span().end;
                let span = match (key, found) {
                    (_, Found::Wholly) if is_plain => value.span(),
                    (Some(key), _) => key.span(),
                    (None, _) => first_key(value),
                };
                Location { source, span }
            }
        }
    }

    /// The object that a place is in, if it is in one.
    pub fn object(&self, place: &Place) -> Option<ObjId> {
        let (source, span) = match place {
            Place::Field { object, .. } => return Some(*object),
            Place::Text { source, span } => (source, span),
        };
        let by_source = self.by_source.get_or_init(|| {
            let mut index: BTreeMap<SourceId, Vec<(Span, ObjId)>> = BTreeMap::new();
            for object in self.model.objects() {
                let at = index.entry(object.document.source).or_default();
                at.push((object.root.span(), object.id));
            }
            index.values_mut().for_each(|it| it.sort_unstable());
            index
        });
        let objects = by_source.get(source)?;
        let after = objects.partition_point(|(it, _)| it.start <= span.start);
        let (around, id) = objects.get(after.checked_sub(1)?)?;
        (span.end <= around.end).then_some(*id)
    }
}

/// The first key of a mapping stands for all of it; for the root that is usually `apiVersion`, so its kind is better.
fn first_key(node: Node<'_>) -> Span {
    let kind = node.entry("apiVersion").and_then(|_| node.entry("kind")).map(|(_, value)| value);
    let first = node.entries().next().map(|(key, _)| key);
    kind.or(first).or_else(|| node.items().next()).unwrap_or(node).span()
}
