//! One object at a time.

use crate::rule::Rule;

mod image_tag_latest;
mod invalid_schema;

/// The rules of this group, by id.
pub(super) const RULES: &[&Rule] = &[&image_tag_latest::RULE, &invalid_schema::RULE];
