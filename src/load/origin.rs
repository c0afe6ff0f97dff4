//! What a rendered object was made of: the file that wrote it, and who changed it on its way.

use super::own::OwnId;
use super::read::split;
use super::read::split::Chunk;
use super::read::yaml;
use super::read::yaml::Syntax;
use crate::text::source::{SourceId, Sources};
use crate::text::tree::{Node, Tree};
use rustc_hash::FxHashMap;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

/// Where an object comes from that nobody wrote as it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Origin {
    /// A program rendered it.
    Rendered(Rendered),
    /// It is what a document of purlin's own states.
    Stated(Stated),
}

impl Origin {
    /// What it was rendered from, if it was.
    pub fn rendered(&self) -> Option<&Rendered> {
        match self {
            Origin::Rendered(it) => Some(it),
            Origin::Stated(_) => None,
        }
    }
}

/// The statements that an object's fields come from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stated {
    /// By the cells of the object's tree.
    pub statements: Vec<Statement>,
}

/// A statement that a field comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Statement {
    /// The document.
    pub document: OwnId,
    /// Its node in the document's tree.
    pub node: u32,
    /// Whether it says what the field says; else the field only follows from it.
    pub is_said: bool,
}

/// What an object was rendered from.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Rendered {
    /// The file that it was written in, or that has it generated; `None` where that is not on this disk.
    pub file: Option<SourceId>,
    /// What generated it, as kustomize names it (`ConfigMapGenerator`); `None` where it was written.
    pub generator: Option<String>,
    /// Who changed it, or might have, first to last.
    pub changes: Arc<Vec<Change>>,
    /// What else went into every object that was rendered with it: the values and partials of a chart.
    pub settings: Arc<Vec<SourceId>>,
}

/// What a file is there for that a kustomization names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// It holds objects.
    Object,
    /// It changes those that it is for.
    Patch,
    /// It becomes a part of what is generated.
    Generated,
    /// It may change every object.
    All,
}

/// A transformer that an object went through.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// The kustomization that asked for it; `None` where its file is not on this disk.
    pub kustomization: Option<SourceId>,
    /// Its kind, as kustomize names it (`PatchTransformer`).
    pub kind: String,
}

/// A patch that a kustomization holds itself, read; `None` where it does not parse.
type InlinePatch = Option<Arc<Tree>>;

/// The texts that objects were rendered from, read as YAML when first asked for: only findings need them.
#[derive(Debug, Default)]
pub struct Inputs {
    texts: FxHashMap<SourceId, Text>,
    /// Patches that a kustomization holds itself, by where they stand in it.
    inline: Mutex<FxHashMap<(SourceId, u32), InlinePatch>>,
    /// The files that a kustomization names.
    names: FxHashMap<SourceId, Vec<Named>>,
    /// The same by their paths.
    by_path: FxHashMap<SourceId, FxHashMap<String, SourceId>>,
}

/// A text, and what it holds.
#[derive(Debug, Default)]
struct Text {
    trees: OnceLock<Vec<Tree>>,
    written: OnceLock<Written>,
}

/// The objects of a text by kind and name, made when first asked for.
#[derive(Debug, Default)]
struct Written {
    /// Each by its document and its place in it.
    by_kind: FxHashMap<String, FxHashMap<String, Vec<(u32, u32)>>>,
}

/// A file that a kustomization names.
#[derive(Clone, Debug)]
pub struct Named {
    /// The path as written.
    pub path: String,
    /// The file.
    pub file: SourceId,
    /// What it is there for.
    pub role: Role,
}

impl Inputs {
    /// Adds a text of YAML.
    pub fn add(&mut self, id: SourceId) {
        self.texts.entry(id).or_default();
    }

    /// Adds that a kustomization names a file.
    pub fn add_named(&mut self, kustomization: SourceId, named: Named) {
        let by_path = self.by_path.entry(kustomization).or_default();
        by_path.entry(named.path.clone()).or_insert(named.file);
        self.names.entry(kustomization).or_default().push(named);
    }

    /// The file that a kustomization names by this path.
    pub fn file(&self, kustomization: SourceId, path: &str) -> Option<SourceId> {
        self.by_path.get(&kustomization)?.get(path).copied()
    }

    /// The files that a kustomization names.
    pub fn named_by(&self, kustomization: SourceId) -> impl Iterator<Item = &Named> {
        self.names.get(&kustomization).into_iter().flatten()
    }

    /// The documents of a text, as far as it is YAML.
    pub fn trees(&self, sources: &Sources, id: SourceId) -> &[Tree] {
        let Some(text) = self.texts.get(&id) else { return &[] };
        text.trees.get_or_init(|| {
            let text = &sources.get(id).text;
            let parsed = split::split(text).filter_map(|chunk| match chunk {
                Chunk::Text(range) => yaml::parse(text, range, Syntax::Yaml).ok().flatten(),
                Chunk::Bad { .. } => None,
            });
            parsed.map(|it| it.tree).collect()
        })
    }

    /// The objects of a kind that a text holds, by one of these names.
    pub fn written<'n>(
        &self,
        (sources, id): (&Sources, SourceId),
        kind: &str,
        names: impl Iterator<Item = &'n str>,
    ) -> Vec<Node<'_>> {
        let (trees, Some(objects)) = (self.trees(sources, id), self.written_of(sources, id, kind))
        else {
            return Vec::new();
        };
        let found = names.filter(|it| !it.is_empty()).filter_map(|it| objects.get(it)).flatten();
        let mut found: Vec<_> = found.collect();
        found.sort_unstable();
        found.dedup();
        found.into_iter().map(|(tree, node)| trees[*tree as usize].node(*node)).collect()
    }

    /// The names of the objects of a kind that a text holds.
    pub fn written_names(
        &self,
        sources: &Sources,
        id: SourceId,
        kind: &str,
    ) -> impl Iterator<Item = &str> {
        let objects = self.written_of(sources, id, kind);
        objects.into_iter().flat_map(|it| it.keys()).map(String::as_str)
    }

    /// A patch that is written in a kustomization itself, read once.
    pub fn inline(&self, kustomization: SourceId, at: Node<'_>) -> Option<Arc<Tree>> {
        // A thread that panicked left only whole entries.
        let known = || self.inline.lock().unwrap_or_else(PoisonError::into_inner);
        let key = (kustomization, at.index());
        if let Some(tree) = known().get(&key) {
            return tree.clone();
        }
        let text: Arc<str> = at.str()?.into();
        let parsed = yaml::parse(&text, 0..text.len(), Syntax::Yaml).ok().flatten();
        let tree = parsed.map(|it| Arc::new(it.tree));
        known().insert(key, tree.clone());
        tree
    }

    fn written_of(
        &self,
        sources: &Sources,
        id: SourceId,
        kind: &str,
    ) -> Option<&FxHashMap<String, Vec<(u32, u32)>>> {
        let trees = self.trees(sources, id);
        let written = self.texts.get(&id)?.written.get_or_init(|| Written::new(trees));
        written.by_kind.get(kind)
    }
}

impl Written {
    fn new(trees: &[Tree]) -> Written {
        let mut written = Written::default();
        for (at, tree) in (0..).zip(trees) {
            let root = tree.root();
            match root.get("items").filter(|it| it.is_seq()) {
                Some(items) => items.items().for_each(|it| written.add(at, it)),
                None => written.add(at, root),
            }
        }
        written
    }

    fn add(&mut self, tree: u32, object: Node<'_>) {
        let Some(kind) = object.text("kind") else { return };
        let name = object.at(&["metadata", "name"]).and_then(Node::str).unwrap_or("");
        let of_kind = self.by_kind.entry(kind.to_string()).or_default();
        of_kind.entry(name.to_string()).or_default().push((tree, object.index()));
    }
}
