//! Documents of purlin's own among what was read: no rule takes them for objects of Kubernetes, and findings point into
//! them by field path all the same.

use super::read::mistake::Mistake;
use super::read::split::{Chunk, split};
use super::read::yaml::{self, Syntax};
use super::{Document, Loaded};
use crate::text::source::{Source, SourceId};
use crate::text::tree::Tree;
use std::sync::Arc;

/// A document's place among those of purlin's own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct OwnId(pub u32);

impl Loaded {
    /// Adds a document of purlin's own, with its text for reports to show.
    pub fn add_own(&mut self, source: Source, tree: Tree) -> OwnId {
        let source = self.sources.add(source);
        self.add_own_document(Document { source, tree, duplicate_keys: Vec::new(), origin: None })
    }

    /// Adds the documents of an architecture that somebody named, whatever they are.
    ///
    /// # Errors
    ///
    /// What is no YAML in them.
    pub fn add_architecture(&mut self, source: Source) -> Result<SourceId, Mistake> {
        let text = source.text.clone();
        let mut documents = Vec::new();
        for chunk in split(&text) {
            match chunk {
                Chunk::Bad { span, message } => return Err(Mistake { span, message, help: None }),
                Chunk::Text(range) => documents.extend(yaml::parse(&text, range, Syntax::Yaml)?),
            }
        }
        let source = self.sources.add(source);
        self.architectures.extend(documents.into_iter().map(|it| Document {
            source,
            tree: it.tree,
            duplicate_keys: it.duplicate_keys,
            origin: None,
        }));
        Ok(source)
    }

    /// Adds one whose text is there already.
    pub fn add_own_document(&mut self, document: Document) -> OwnId {
        self.own.push(Arc::new(document));
        OwnId(self.own.len() as u32 - 1)
    }

    /// What was read of purlin's own, to be laid beside other worlds.
    pub fn beside(&self) -> Beside {
        let texts = self.sources.iter().map(|(_, it)| (it.name.clone(), it.text.clone()));
        Beside { texts: texts.collect(), documents: self.own.clone() }
    }

    /// Lays documents beside this world, whose first sources are those that were before them.
    pub fn lay_beside(&mut self, it: &Beside) {
        let known = self.sources.iter().count();
        for (name, text) in it.texts.iter().skip(known) {
            self.sources.add(Source::new(name.clone(), text.clone()));
        }
        self.own.clone_from(&it.documents);
    }
}

/// Documents of purlin's own, for worlds that are put together after these were read.
#[derive(Clone, Debug, Default)]
pub struct Beside {
    /// All sources, so that the documents keep theirs.
    texts: Vec<(String, Arc<str>)>,
    documents: Vec<Arc<Document>>,
}
