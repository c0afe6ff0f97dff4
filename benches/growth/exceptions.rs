//! What may grow faster than n log n, and why.

use crate::surface::Surface;

/// A dimension on a surface, and the reason.
type Exception = (Surface, &'static str, &'static str);

const EXCEPTIONS: &[Exception] = &[];

/// Why a dimension may grow faster.
pub(crate) fn reason(surface: Surface, dimension: &str) -> Option<&'static str> {
    EXCEPTIONS.iter().find(|it| it.0 == surface && it.1 == dimension).map(|it| it.2)
}
