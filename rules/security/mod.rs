//! What pods may do.

pub(super) mod secret_in_repository;
