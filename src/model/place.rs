//! Where something is: a field of an object, or text where no object came to be.

use super::ObjId;
use crate::text::path::FieldPath;
use crate::text::source::{SourceId, Span};

/// Where a finding points.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Place {
    /// A field of an object; may be absent, then the innermost field that is there is meant.
    Field {
        /// The object.
        object: ObjId,
        /// The field.
        path: FieldPath,
    },
    /// Text that is no object.
    Text {
        /// Its source.
        source: SourceId,
        /// Its bytes.
        span: Span,
    },
}
