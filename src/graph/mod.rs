//! The picture of who talks to whom: a plain description of it, its layout, and SVG, Mermaid and DOT. No I/O.
//!
//! [`world`] makes a [`scene`] of the facts, [`document`] one of an architecture alone, [`condense()`] merges arrows that say the same, [`layout`] finds places, and [`svg`],
//! [`mermaid`] and [`dot`] write. The same scene gives the same bytes.

mod condense;
pub mod document;
pub mod dot;
pub mod layout;
pub mod mermaid;
pub mod nodes;
mod phrases;
pub mod scene;
pub mod svg;
mod text;
pub mod world;

pub use condense::condense;
