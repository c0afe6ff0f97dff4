//! Where fields of rendered objects were written: worked out once, however often sorting, folding and reports ask.

use super::ObjId;
use crate::text::path::FieldPath;
use crate::text::source::{SourceId, Span};
use rustc_hash::FxHashMap;
use std::sync::{Mutex, PoisonError};

/// Bytes of a source, where it is known which.
type Written = Option<(SourceId, Span)>;

/// Answers by object and field.
#[derive(Debug, Default)]
pub struct Remembered {
    /// Several, so that those who ask in parallel seldom wait for each other.
    shards: [Mutex<FxHashMap<(ObjId, FieldPath), Written>>; 16],
}

impl Remembered {
    /// The answer, worked out if it is not known yet.
    pub(crate) fn written(
        &self,
        object: ObjId,
        path: &FieldPath,
        find: impl FnOnce() -> Written,
    ) -> Written {
        // A thread that panicked left only whole entries.
        let shard = &self.shards[object.0 as usize % self.shards.len()];
        let known = || shard.lock().unwrap_or_else(PoisonError::into_inner);
        let key = (object, path.clone());
        if let Some(written) = known().get(&key) {
            return *written;
        }
        let written = find();
        known().insert(key, written);
        written
    }
}
