//! The tests of purlin: one binary, data-driven where it can be.

mod load;
mod rules;
mod support;
mod tidy;
