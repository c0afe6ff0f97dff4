//! Bytes to documents: the first step, and with the live cluster the only one that reads anything.
//!
//! `files` finds what to read, `decode` makes text of bytes, `split` cuts documents, `yaml` builds trees, and this module
//! keeps what Kubernetes would read and counts the rest.

pub mod decode;
pub mod files;
pub mod kustomize;
pub mod scalar;
pub mod split;
pub mod yaml;

use crate::source::{Source, SourceId, Sources, Span};
use crate::tree::{Node, Tree};
use files::{Failure, Found};
use rayon::prelude::*;
use std::path::PathBuf;
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
    /// Whether a document was lost by it; false where kubectl reads on and only drops text.
    pub lost: Lost,
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
pub struct PassedOver {
    /// Documents that are no Kubernetes objects: values files, compose files, CI files.
    pub other_documents: usize,
    /// Templates of Helm charts.
    pub templates: usize,
    /// Patches and other inputs of kustomizations.
    pub kustomize_inputs: usize,
}

/// Everything that was read.
#[derive(Debug, Default)]
pub struct Loaded {
    /// The texts.
    pub sources: Sources,
    /// The documents, in the order of their sources and places.
    pub documents: Vec<Document>,
    /// What could not be parsed.
    pub broken: Vec<Broken>,
    /// What is not judged.
    pub passed_over: PassedOver,
    /// What could not be read.
    pub failures: Vec<Failure>,
}

/// Reads files, folders and (`-`) standard input.
pub fn load(paths: &[PathBuf]) -> Loaded {
    let mut found = files::find(paths);
    let read: Vec<_> =
        found.files.par_iter().map(|it| files::read(it).and_then(decode::decode)).collect();
    let mut texts = Vec::new();
    for (file, text) in found.files.iter().zip(read) {
        match text {
            Ok(text) => texts.push((file.name.clone(), text)),
            Err(why) => found.failures.push(Failure { path: file.name.clone(), why }),
        }
    }
    let mut loaded = load_texts(texts);
    let Found { failures, templates, kustomize_inputs, .. } = found;
    loaded.failures = failures;
    loaded.passed_over.templates = templates;
    loaded.passed_over.kustomize_inputs = kustomize_inputs;
    loaded
}

/// Parses texts that have been read, each with the name to show for it.
pub fn load_texts(texts: Vec<(String, Arc<str>)>) -> Loaded {
    let mut loaded = Loaded::default();
    let mut chunks = Vec::new();
    for (name, text) in texts {
        let id = loaded.sources.add(Source::new(name, text));
        let source = loaded.sources.get(id);
        chunks.extend(split::split(&source.text).map(|chunk| (id, chunk)));
    }
    let parsed: Vec<Parsed> = chunks
        .par_iter()
        .map(|(id, chunk)| {
            let source = loaded.sources.get(*id);
            parse(*id, source, chunk)
        })
        .collect();
    for it in parsed {
        loaded.documents.extend(it.documents);
        loaded.broken.extend(it.broken);
        loaded.passed_over.other_documents += it.other;
    }
    loaded
}

#[derive(Default)]
struct Parsed {
    documents: Vec<Document>,
    broken: Vec<Broken>,
    other: usize,
}

fn parse(id: SourceId, source: &Source, chunk: &split::Chunk) -> Parsed {
    let mut parsed = Parsed::default();
    let mut keep = |result: Result<Option<yaml::Parsed>, yaml::Mistake>| match result {
        Ok(None) => {}
        Ok(Some(it)) => {
            if let Some(span) = it.dropped {
                parsed.broken.push(Broken {
                    source: id,
                    span,
                    message: "everything after this `...` is dropped: no `---` follows it".into(),
                    help: Some("write `---` on a line of its own after `...`".into()),
                    lost: Lost::Nothing,
                });
            }
            if is_manifest(it.tree.root()) {
                parsed.documents.push(Document {
                    source: id,
                    tree: it.tree,
                    duplicate_keys: it.duplicate_keys,
                });
            } else {
                parsed.other += 1;
            }
        }
        Err(mistake) => match judge(source, chunk, mistake) {
            Some((mistake, lost)) => parsed.broken.push(Broken {
                source: id,
                span: mistake.span,
                message: mistake.message,
                help: mistake.help,
                lost,
            }),
            None => parsed.other += 1,
        },
    };
    match chunk {
        split::Chunk::Bad { span, message } => {
            keep(Err(yaml::Mistake { span: *span, message: message.clone(), help: None }))
        }
        split::Chunk::Text(range) => match split::json_values(&source.text[range.clone()]) {
            Some(values) => {
                for value in values {
                    let range = range.start + value.start..range.start + value.end;
                    keep(yaml::parse(&source.text, range, yaml::Syntax::Json));
                }
            }
            None => keep(yaml::parse(&source.text, range.clone(), yaml::Syntax::Yaml)),
        },
    }
    parsed
}

/// Whether the document is, or is a list of, Kubernetes objects, and not a file of one of the tools around them.
fn is_manifest(root: Node<'_>) -> bool {
    let (Some(version), Some(kind)) = (root.text("apiVersion"), root.text("kind")) else {
        return false;
    };
    let tool =
        version.starts_with("kustomize.config.k8s.io/") || version.starts_with("purlin.dev/");
    !tool && !version.is_empty() && !kind.is_empty()
}

/// What a mistake takes with it; `None` where the text cannot have been a manifest.
fn judge(
    source: &Source,
    chunk: &split::Chunk,
    mut mistake: yaml::Mistake,
) -> Option<(yaml::Mistake, Lost)> {
    let text = match chunk {
        split::Chunk::Text(range) => &source.text[range.clone()],
        split::Chunk::Bad { span, .. } => &source.text[span.range()],
    };
    let kind = text.lines().find_map(|line| {
        let value = line.strip_prefix("kind:")?.trim().trim_matches(['"', '\'']);
        (!value.is_empty() && value.bytes().all(|it| it.is_ascii_alphanumeric()))
            .then(|| value.to_string())
    });
    let names_a_kind = kind.is_some() || text.contains("apiVersion");
    if text.contains("{{") && mistake.help.is_none() {
        if !names_a_kind {
            return None;
        }
        mistake.help =
            Some("this is a template, not YAML: render it first, as `helm template` does".into());
    }
    if source.name.ends_with(".json") && !names_a_kind {
        return None;
    }
    Some((mistake, kind.map_or(Lost::Anything, Lost::Kind)))
}
