//! Pictures: their layout, and what is written of them.

mod condensing;
mod formats;
mod places;
mod scenes;
