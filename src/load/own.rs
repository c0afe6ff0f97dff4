//! Documents of purlin's own among what was read: no rule takes them for objects of Kubernetes, and findings point into
//! them by field path all the same.

use super::{Document, Loaded};
use crate::text::source::Source;
use crate::text::tree::Tree;

/// A document's place among those of purlin's own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct OwnId(pub u32);

impl Loaded {
    /// Adds a document of purlin's own, with its text for reports to show.
    pub fn add_own(&mut self, source: Source, tree: Tree) -> OwnId {
        let source = self.sources.add(source);
        self.own.push(Document { source, tree, duplicate_keys: Vec::new(), origin: None });
        OwnId(self.own.len() as u32 - 1)
    }
}
