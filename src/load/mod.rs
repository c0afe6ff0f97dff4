//! Bytes to documents: the first step, and with the live cluster the only one that reads anything.
//!
//! `files` finds what to read, `read` makes trees of bytes, `worlds` renders kustomizations and charts, `cluster` lists
//! a live cluster, and this module keeps what Kubernetes would read and counts the rest.

mod breaks;
pub mod cluster;
pub mod files;
pub mod git;
pub mod left_out;
pub mod origin;
pub mod own;
pub mod read;
pub mod terraform;
mod test_tools;
pub mod walk;
pub mod worlds;

use crate::text::source::{Source, SourceId, Sources, Span};
use crate::text::tree::Tree;
use cluster::coverage::Coverage;
use files::{Failure, Found};
use left_out::LeftOut;
use origin::{Inputs, Origin};
use rayon::prelude::*;
use read::manifest::{is_architecture, is_fragment, is_manifest, is_ours, lost};
use read::mistake::Mistake;
use read::yaml::Syntax;
use rustc_hash::{FxHashMap, FxHashSet};
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// A document that may hold Kubernetes objects.
#[derive(Debug)]
pub struct Document {
    /// Where it was read from.
    pub source: SourceId,
    /// What it holds.
    pub tree: Tree,
    /// Keys that stand twice in one mapping; the last one counts, as it does to kubectl.
    pub duplicate_keys: Vec<DuplicateKey>,
    /// What it was rendered from; `None` where somebody wrote it as it is.
    pub origin: Option<Arc<Origin>>,
}

/// A key that stands twice in one mapping.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DuplicateKey {
    /// The key.
    pub key: String,
    /// Its first place, whose value is lost.
    pub first: Span,
    /// Its last place, whose value counts.
    pub last: Span,
}

/// Text that could not be read as YAML or JSON.
#[derive(Debug, Clone)]
pub struct Broken {
    /// Where it was read from.
    pub source: SourceId,
    /// The place of the mistake.
    pub span: Span,
    /// What is wrong.
    pub message: String,
    /// What to do about it.
    pub help: Option<String>,
    /// What is lost with it; nothing where kubectl reads on and only drops text.
    pub lost: Lost,
    /// The document that it makes unreadable.
    pub document: Span,
}

/// What a broken document takes with it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Lost {
    /// Nothing that Kubernetes would have read.
    Nothing,
    /// An object whose `kind:` could be made out.
    Kind(String),
    /// Who knows.
    Anything,
}

/// What was seen and is not judged.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Skipped {
    /// Documents that are no Kubernetes objects: values files, compose files, CI files.
    pub other_documents: usize,
    /// Templates of Helm charts.
    pub templates: usize,
    /// Patches and other inputs of kustomizations.
    pub kustomize_inputs: usize,
    /// Fragments of objects: patches that no kustomization names, and assertions of tests.
    pub fragments: usize,
}

/// What would be deployed together, and is judged together: a rendered kustomization or chart, or plain manifests.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct World {
    /// The name to show: the path of its kustomization or chart, or the name of its target.
    pub name: String,
    /// The namespace of its objects that name none, where that is settled, each from a document on: targets of one name
    /// may be for several.
    pub namespaces: Vec<(usize, Option<String>)>,
    /// Its part of [`Loaded::documents`].
    pub documents: Range<usize>,
    /// Its part of [`Loaded::broken`].
    pub broken: Range<usize>,
    /// The folders of its kustomizations.
    pub folders: Vec<String>,
    /// Its parts that could not be rendered, of which files are read as they stand: places in [`Loaded::unrendered`].
    pub lacks: Vec<usize>,
    /// The architecture that its objects are stated by, by its place among all; `None` where somebody wrote them.
    pub architecture: Option<usize>,
}

/// A kustomization or chart that could not be rendered: what it would hold is not known.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Unrendered {
    /// What it is called.
    pub name: String,
    /// The only namespace that its objects would be in; `None` where that is not known.
    pub namespace: Option<String>,
    /// The files that it would make objects of, as far as it says.
    pub files: Vec<SourceId>,
}

impl World {
    /// The namespace of the objects of a document that name none, where that is settled.
    pub fn namespace_of(&self, document: usize) -> Option<&str> {
        let after = self.namespaces.partition_point(|(from, _)| *from <= document);
        self.namespaces.get(after.checked_sub(1)?)?.1.as_deref()
    }

    /// The only one that is settled.
    pub fn namespace(&self) -> Option<&str> {
        let mut settled = self.namespaces.iter().map(|(_, it)| it.as_deref());
        let first = settled.next()?;
        first.filter(|_| settled.all(|it| it == first))
    }
}

/// Everything that was read.
#[derive(Debug, Default)]
pub struct Loaded {
    /// The texts.
    pub sources: Sources,
    /// The documents, in the order of their sources and places. Shared, so that several worlds may hold one.
    pub documents: Vec<Arc<Document>>,
    /// What was read in full, where a cluster was asked; of files nobody knows.
    pub coverage: Option<Coverage>,
    /// What could not be parsed.
    pub broken: Vec<Broken>,
    /// The texts that objects were rendered from.
    pub inputs: Inputs,
    /// What is judged together; where there are none, everything is.
    pub worlds: Vec<World>,
    /// What could not be rendered.
    pub unrendered: Vec<Unrendered>,
    /// What Terraform makes beside the manifests.
    pub terraform: Vec<terraform::Made>,
    /// Files that belong to components, which many kustomizations share.
    pub of_components: FxHashSet<SourceId>,
    /// What is not judged.
    pub skipped: Skipped,
    /// What was left unread below the folders that are named.
    pub left_out: Vec<LeftOut>,
    /// What could not be read.
    pub failures: Vec<Failure>,
    /// Documents of purlin's own, which are not judged but may be pointed into.
    pub own: Vec<Arc<Document>>,
    /// Architecture documents among what was read, before anybody looked into them.
    pub architectures: Vec<Document>,
    /// The targets that architecture documents are for, by their sources; of others, all.
    pub promised_to: FxHashMap<SourceId, Vec<String>>,
    /// What was read of each source so far, as several worlds may have it.
    pub read: FxHashMap<SourceId, Read>,
}

/// Reads files, folders and (`-`) standard input.
pub fn load(paths: &[PathBuf]) -> Loaded {
    load_but(paths, (Path::new(""), &[]))
}

/// The same but for what matches a pattern of `exclude`, as in a `.gitignore` of the folder.
pub fn load_but(paths: &[PathBuf], exclude: (&Path, &[String])) -> Loaded {
    let mut found = files::find(paths, exclude);
    let read: Vec<_> =
        found.files.par_iter().map(|it| files::read(it).and_then(read::decode::decode)).collect();
    let mut texts = Vec::new();
    for (file, text) in found.files.iter().zip(read) {
        match text {
            Ok(text) => texts.push((file.name.clone(), text)),
            Err(why) => found.failures.push(Failure::read(file.name.clone(), why)),
        }
    }
    let mut loaded = load_texts(texts);
    loaded.terraform = found.terraform.iter().flat_map(|it| terraform::read(it)).collect();
    let Found { failures, templates, kustomize_inputs, fragments, left_out, .. } = found;
    loaded.failures = failures;
    loaded.left_out = left_out;
    loaded.skipped.fragments += fragments;
    loaded.skipped.templates = templates;
    loaded.skipped.kustomize_inputs = kustomize_inputs;
    loaded
}

/// The first document of a file of another tool; `None` where it cannot be read.
fn read_tree(path: &Path) -> Option<Tree> {
    let open = files::File { name: String::new(), path: Some(path.to_path_buf()) };
    let text = files::read(&open).and_then(read::decode::decode).ok()?;
    let chunk = read::split::split(&text).find_map(|it| match it {
        read::split::Chunk::Text(range) => Some(range),
        read::split::Chunk::Bad { .. } => None,
    })?;
    Some(read::yaml::parse(&text, chunk, Syntax::Yaml).ok()??.tree)
}

/// Parses texts that have been read, each with the name to show for it.
pub fn load_texts(texts: Vec<(String, Arc<str>)>) -> Loaded {
    let mut loaded = Loaded::default();
    let ids: Vec<SourceId> =
        texts.into_iter().map(|(name, text)| loaded.sources.add(Source::new(name, text))).collect();
    loaded.parse(&ids, |_| None);
    loaded
}

impl Loaded {
    /// Reads what some of the sources hold, each made in the way that is said of it. A file that several worlds have is
    /// read and kept once.
    fn parse(&mut self, ids: &[SourceId], origin: impl Fn(SourceId) -> Option<Arc<Origin>> + Sync) {
        let mut new: Vec<_> =
            ids.iter().filter(|it| !self.read.contains_key(it)).copied().collect();
        new.sort_unstable();
        new.dedup();
        // A file may hold one document or a hundred thousand, so it is the documents that are shared out.
        let chunks: Vec<_> = new
            .par_iter()
            .flat_map_iter(|id| {
                read::split::split(&self.sources.get(*id).text).map(|chunk| (*id, chunk))
            })
            .collect();
        let texts = new.par_iter().map(|id| (*id, breaks::unified(&self.sources.get(*id).text)));
        let texts: FxHashMap<SourceId, Arc<str>> = texts.collect();
        let parsed: Vec<Parsed> = chunks
            .par_iter()
            .map(|(id, chunk)| {
                let mut parsed = parse((*id, &texts[id]), self.sources.get(*id), chunk);
                parsed.documents.iter_mut().for_each(|it| it.origin = origin(*id));
                parsed
            })
            .collect();
        for ((id, _), it) in chunks.into_iter().zip(parsed) {
            let read = self.read.entry(id).or_default();
            read.documents.extend(it.documents.into_iter().map(Arc::new));
            read.broken.extend(it.broken);
            self.architectures.extend(it.architectures);
            self.skipped.other_documents += it.other;
            self.skipped.fragments += it.fragments;
        }
        for read in ids.iter().filter_map(|it| self.read.get(it)) {
            self.documents.extend(read.documents.iter().cloned());
            self.broken.extend(read.broken.iter().cloned());
        }
    }
}

/// What a source holds.
#[derive(Debug, Default)]
pub struct Read {
    documents: Vec<Arc<Document>>,
    broken: Vec<Broken>,
}

#[derive(Default)]
struct Parsed {
    documents: Vec<Document>,
    architectures: Vec<Document>,
    broken: Vec<Broken>,
    other: usize,
    fragments: usize,
}

fn parse((id, text): (SourceId, &Arc<str>), source: &Source, chunk: &read::split::Chunk) -> Parsed {
    let mut parsed = Parsed::default();
    let range = match chunk {
        read::split::Chunk::Text(range) => range.clone(),
        read::split::Chunk::Bad { span, message } => {
            let mistake = Mistake { span: *span, message: message.clone(), help: None };
            parsed.refuse(id, source, *span, mistake);
            return parsed;
        }
    };
    let values = read::split::json_values(&source.text[range.clone()]);
    // What is no JSON from some place on may be YAML from there on; kubectl looks at it this way too.
    let rest = range.start + values.last().map_or(0, |it| it.end)..range.end;
    for value in values {
        let value = range.start + value.start..range.start + value.end;
        parsed.read((id, &source.text), source, value, Syntax::Json);
    }
    if !source.text[rest.clone()].trim_start().is_empty() {
        parsed.read((id, text), source, rest, Syntax::Yaml);
    }
    parsed
}

impl Parsed {
    fn read(
        &mut self,
        (id, text): (SourceId, &Arc<str>),
        source: &Source,
        range: Range<usize>,
        syntax: Syntax,
    ) {
        match read::yaml::parse(text, range.clone(), syntax) {
            Ok(None) => {}
            // What was rendered is whole, or meant to be.
            Ok(Some(it))
                if source.has_lines() && is_fragment(it.tree.root(), &text[range.clone()]) =>
            {
                self.fragments += 1;
            }
            Ok(Some(it)) if is_manifest(it.tree.root()) => {
                self.broken.extend(it.dropped.map(|span| dropped(id, source, span)));
                let duplicate_keys = it.duplicate_keys;
                self.documents.push(Document {
                    source: id,
                    tree: it.tree,
                    duplicate_keys,
                    origin: None,
                });
            }
            Ok(Some(it)) if is_architecture(it.tree.root()) => {
                let (tree, duplicate_keys) = (it.tree, it.duplicate_keys);
                self.architectures.push(Document {
                    source: id,
                    tree,
                    duplicate_keys,
                    origin: None,
                });
            }
            // What is for purlin itself is not skipped.
            Ok(Some(it)) => self.other += usize::from(!is_ours(it.tree.root())),
            Err(mistake) => self.refuse(id, source, Span::new(range.start, range.end), mistake),
        }
    }

    /// Keeps a mistake, unless the text cannot have been a manifest.
    fn refuse(&mut self, id: SourceId, source: &Source, document: Span, mistake: Mistake) {
        let lost = lost(&source.text[document.range()]);
        if lost == Lost::Nothing
            && !worlds::kustomize_inputs::is_kustomization(Path::new(&source.name))
        {
            self.other += 1;
            return;
        }
        let Mistake { span, message, help } = mistake;
        self.broken.push(Broken { source: id, span, message, help, lost, document });
    }
}

/// Text that kubectl does not look at.
fn dropped(id: SourceId, source: &Source, span: Span) -> Broken {
    let (message, help) = match &source.text[span.range()] {
        "..." => (
            "everything after this `...` is dropped: no `---` follows it",
            "write `---` on a line of its own after `...`",
        ),
        _ => (
            "this is dropped: the document ends before it",
            "write `---` on a line of its own before it",
        ),
    };
    Broken {
        source: id,
        span,
        message: message.into(),
        help: Some(help.into()),
        lost: Lost::Nothing,
        document: span,
    }
}
