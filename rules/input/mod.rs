//! The input itself.

use crate::rule::Rule;

mod duplicate_key;
mod expired_exception;
mod invalid_quantity;
mod invalid_yaml;
mod unused_exception;

/// The rules of this group, by id.
pub(super) const RULES: &[&Rule] = &[
    &duplicate_key::RULE,
    &expired_exception::RULE,
    &invalid_quantity::RULE,
    &invalid_yaml::RULE,
    &unused_exception::RULE,
];
