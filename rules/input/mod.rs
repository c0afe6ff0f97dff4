//! The input itself.

pub(super) mod duplicate_key;
pub(super) mod expired_exception;
pub(super) mod invalid_quantity;
pub(super) mod invalid_yaml;
pub(super) mod unused_exception;
