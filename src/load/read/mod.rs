//! Bytes to trees, with the outcome that kubectl would have.
//!
//! `decode` makes text of bytes, `split` cuts documents, `yaml` and `reader` build trees, `syntax_error` says what is
//! wrong, and `missing_spaces` mends what kubectl's parser takes and ours does not.

pub mod decode;
pub mod entries;
mod lines;
pub(super) mod manifest;
pub mod missing_spaces;
pub mod mistake;
mod reader;
pub mod scalar;
pub mod split;
pub mod syntax_error;
pub mod yaml;
