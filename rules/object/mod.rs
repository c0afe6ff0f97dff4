//! One object at a time.

pub(super) mod image_tag_latest;
