//! What a rendered object was made of: the file that wrote it, and who changed it on its way.

use super::split::{self, Chunk};
use super::yaml::{self, Syntax};
use crate::source::{SourceId, Sources};
use crate::tree::Tree;
use rustc_hash::FxHashMap;
use std::sync::{Arc, OnceLock};

/// What an object was rendered from.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Origin {
    /// The file that it was written in, or that has it generated; `None` where that is not on this disk.
    pub file: Option<SourceId>,
    /// What generated it, as kustomize names it (`ConfigMapGenerator`); `None` where it was written.
    pub generator: Option<String>,
    /// Who changed it, or might have, first to last.
    pub changes: Arc<Vec<Change>>,
}

/// A transformer that an object went through.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// The kustomization that asked for it; `None` where its file is not on this disk.
    pub kustomization: Option<SourceId>,
    /// Its kind, as kustomize names it (`PatchTransformer`).
    pub kind: String,
}

/// The texts that objects were rendered from, read as YAML when first asked for: only findings need them.
#[derive(Debug, Default)]
pub struct Inputs {
    texts: FxHashMap<SourceId, OnceLock<Vec<Tree>>>,
    /// The texts that a kustomization names, by the paths as written in it.
    names: FxHashMap<SourceId, Vec<(String, SourceId)>>,
}

impl Inputs {
    /// Adds a text.
    pub fn add(&mut self, id: SourceId) {
        self.texts.entry(id).or_default();
    }

    /// Adds that a kustomization names a text by this path.
    pub fn add_path(&mut self, kustomization: SourceId, path: String, file: SourceId) {
        self.names.entry(kustomization).or_default().push((path, file));
    }

    /// The text that a kustomization names by this path.
    pub fn file(&self, kustomization: SourceId, path: &str) -> Option<SourceId> {
        let named = self.names.get(&kustomization)?;
        named.iter().find(|(written, _)| written == path).map(|(_, file)| *file)
    }

    /// The texts that a kustomization names.
    pub fn named_by(&self, kustomization: SourceId) -> impl Iterator<Item = SourceId> {
        let named = self.names.get(&kustomization).into_iter().flatten();
        named.map(|(_, file)| *file)
    }

    /// The documents of a text, as far as it is YAML.
    pub fn trees(&self, sources: &Sources, id: SourceId) -> &[Tree] {
        let Some(trees) = self.texts.get(&id) else { return &[] };
        trees.get_or_init(|| {
            let text = &sources.get(id).text;
            let parsed = split::split(text).filter_map(|chunk| match chunk {
                Chunk::Text(range) => yaml::parse(text, range, Syntax::Yaml).ok().flatten(),
                Chunk::Bad { .. } => None,
            });
            parsed.map(|it| it.tree).collect()
        })
    }
}
