//! The architecture document: what a team promises of its system, as YAML.
//!
//! It is lowered to objects that point back to its statements, so that the rules that judge manifests judge the document
//! before a manifest exists; the rules of the group `architecture` say what only a document can get wrong, and where
//! manifests or a cluster break its promises.

pub mod compare;
mod gather;
mod judged;
mod lower;
mod mistakes;
mod nodes;
mod objects;
mod promise;
pub mod sayings;
pub mod served;
pub mod statements;
pub mod text;
pub mod time;

use crate::documents::{self, Read};
use crate::load::read::mistake::Mistake;
pub use gather::{Both, Gathered, gather, govern};
pub use judged::point_into;
pub use nodes::{nodes, nodes_of_targets};
pub use promise::{Conflict, Promise};
use serde_json::Value;
pub use statements::Architecture;
use std::sync::Arc;

/// Reads an architecture document.
///
/// # Errors
///
/// Every mistake in it, with its place.
pub fn read(text: &Arc<str>) -> Result<Read<Architecture>, Vec<Mistake>> {
    documents::read(text, |root| {
        let mut mistakes = mistakes::all(root);
        mistakes.extend(mistakes::without_workload(root));
        mistakes
    })
}

/// The JSON Schema of an architecture document.
pub fn schema() -> Value {
    documents::schema::<Architecture>()
}
