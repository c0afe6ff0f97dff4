//! What pods may do.

use crate::rule::Rule;

mod secret_in_repository;

/// The rules of this group, by id.
pub(super) const RULES: &[&Rule] = &[&secret_in_repository::RULE];
