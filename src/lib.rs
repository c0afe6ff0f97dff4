//! purlin.
