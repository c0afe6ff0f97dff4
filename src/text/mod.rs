//! Texts and what they hold: names, spans, lines, trees of values, field paths.
//!
//! First in the flow: everything that purlin says points to a place in one of these.

pub mod path;
pub mod source;
pub mod tree;
pub mod visible;
