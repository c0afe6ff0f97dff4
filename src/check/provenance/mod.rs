//! Where the fields of objects were set that nobody wrote as they are: one module a way for objects to come to be.
//!
//! What kustomize and helm render is traced to the files that they read. What a document of purlin's own states has the
//! places of the statements in its own tree, and needs no tracing.

mod rendered;

use crate::load::Loaded;
use crate::load::origin::Origin;
use crate::model::Object;
use crate::text::path::FieldPath;
use crate::text::source::{SourceId, Span};
use rustc_hash::FxHashSet;

/// Bytes of a source.
pub type Place = (SourceId, Span);

/// The place that set a field of an object, or where it lacks that, the innermost field around it; `None` where that is
/// not known, or is where the field stands.
pub fn place(loaded: &Loaded, object: &Object<'_>, path: &FieldPath) -> Option<Place> {
    match object.document.origin.as_deref()? {
        Origin::Rendered(origin) => rendered::place(loaded, (object, origin), path),
        Origin::Stated(_) => None,
    }
}

/// Whether one of these files has a part in an object, beside the one that it stands in.
pub fn touches(loaded: &Loaded, object: &Object<'_>, files: &FxHashSet<SourceId>) -> bool {
    match object.document.origin.as_deref() {
        Some(Origin::Rendered(origin)) => rendered::touches(loaded, (object, origin), files),
        Some(Origin::Stated(_)) | None => false,
    }
}
