//! A kustomization's own file: what it refers to, so that what it is built from is known before anything is run.

use super::paths::real;
use crate::load::files;
use crate::load::origin::Role;
use crate::load::read::decode;
use crate::load::read::yaml;
use crate::load::read::yaml::Syntax;
use crate::text::tree::{Node, Tree};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// The names that its file may have.
pub(crate) const NAMES: [&str; 3] = ["kustomization.yaml", "kustomization.yml", "Kustomization"];

/// What a field of a kustomization refers to.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Holds {
    /// Files or other kustomizations.
    Resources,
    /// The same, of plugins that are built in; a file may refer to more files.
    Plugins,
    /// Files, or their text.
    Patches,
    /// Files that say what to change in others.
    Settings,
    /// Files that describe kinds.
    Schemas,
    /// Files, perhaps as `key=path`.
    Contents,
    /// Files with lines `KEY=value`.
    Environment,
}

/// The fields that refer to something, as strings or under this key of their items.
const FIELDS: [(&str, &str, Holds); 20] = [
    ("resources", "", Holds::Resources),
    ("bases", "", Holds::Resources),
    ("components", "", Holds::Resources),
    ("generators", "", Holds::Plugins),
    ("transformers", "", Holds::Plugins),
    ("validators", "", Holds::Plugins),
    ("patches", "path", Holds::Patches),
    ("patchesStrategicMerge", "", Holds::Patches),
    ("patchesJson6902", "path", Holds::Patches),
    ("replacements", "path", Holds::Settings),
    ("configurations", "", Holds::Schemas),
    ("crds", "", Holds::Schemas),
    ("openapi", "path", Holds::Schemas),
    ("configMapGenerator", "files", Holds::Contents),
    ("secretGenerator", "files", Holds::Contents),
    ("configMapGenerator", "envs", Holds::Environment),
    ("secretGenerator", "envs", Holds::Environment),
    ("configMapGenerator", "env", Holds::Environment),
    ("secretGenerator", "env", Holds::Environment),
    ("vars", "path", Holds::Schemas),
];

/// What is in a file that a kustomization is built from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Content {
    /// YAML: objects, patches, or what configures them.
    Yaml,
    /// Lines `KEY=value`.
    Lines,
    /// What is not looked into.
    Other,
}

/// A file that a kustomization names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Reference {
    /// The path as written.
    pub(crate) written: String,
    /// The real path.
    pub(crate) path: PathBuf,
    /// What is in it.
    pub(crate) content: Content,
    /// What it is there for.
    pub(crate) role: Role,
}

/// A kustomization, not yet built.
#[derive(Debug)]
pub(crate) struct Kustomization {
    /// Its file.
    pub(crate) file: PathBuf,
    /// Its file's text.
    pub(crate) text: Arc<str>,
    /// The namespace that it puts all of its objects into.
    pub(crate) namespace: Option<String>,
    /// Whether its file does not parse, so that nothing of what it names is known.
    pub(crate) is_unreadable: bool,
    /// Whether it is only ever a part of another.
    pub(crate) is_component: bool,
    /// Whether it is no kustomization at all, but an object that is called one: Flux has such a kind.
    pub(crate) is_object: bool,
    /// The kustomizations that it includes.
    pub(crate) folders: Vec<PathBuf>,
    /// The files that it is built from, its own apart.
    pub(crate) files: Vec<Reference>,
    /// What it would fetch, with the line that says so.
    pub(crate) remote: Vec<(usize, String)>,
    /// Why it cannot be built, with the line where there is one.
    pub(crate) refused: Option<(usize, String)>,
    /// The line that has charts rendered.
    pub(crate) charts: Option<usize>,
    /// Whether its result follows from these files alone.
    pub(crate) is_pure: bool,
}

/// The file of the kustomization in a folder, if there is one.
pub(crate) fn file_in(folder: &Path) -> Option<PathBuf> {
    NAMES.iter().map(|it| folder.join(it)).find(|it| it.is_file())
}

/// Reads the kustomization in this folder.
///
/// # Errors
///
/// When its file cannot be read, or is no YAML.
pub(crate) fn read(folder: &Path) -> Result<Kustomization, String> {
    let present: Vec<PathBuf> =
        NAMES.iter().map(|it| folder.join(it)).filter(|it| it.is_file()).collect();
    let [file] = present.as_slice() else {
        return Err(match present.len() {
            0 => "no kustomization.yaml in this folder".into(),
            _ => "several of kustomization.yaml, kustomization.yml and Kustomization in one folder"
                .into(),
        });
    };
    let open = files::File { name: String::new(), path: Some(file.clone()) };
    let text = files::read(&open).and_then(decode::decode)?;
    let mut it = Kustomization {
        file: file.clone(),
        text,
        namespace: None,
        is_unreadable: false,
        is_component: false,
        is_object: false,
        folders: Vec::new(),
        files: Vec::new(),
        remote: Vec::new(),
        refused: None,
        charts: None,
        is_pure: true,
    };
    match yaml::parse(&it.text, 0..it.text.len(), Syntax::Yaml) {
        Ok(Some(parsed)) => it.refer(folder, &parsed.tree),
        Ok(None) => it.refused = Some((1, "it is empty".into())),
        Err(mistake) => {
            it.refused = Some((it.line(mistake.span.start), "it is no YAML".into()));
            it.is_unreadable = true;
        }
    }
    Ok(it)
}

impl Kustomization {
    fn refer(&mut self, folder: &Path, tree: &Tree) {
        let root = tree.root();
        self.is_component = root.text("kind") == Some("Component");
        self.namespace = root.text("namespace").filter(|it| !it.is_empty()).map(str::to_string);
        let version = root.text("apiVersion").unwrap_or_default();
        self.is_object = !version.is_empty() && !version.starts_with("kustomize.config.k8s.io/");
        if self.is_object {
            return;
        }
        if let Some((key, _)) =
            root.entry("helmCharts").or(root.entry("helmChartInflationGenerator"))
        {
            self.charts = Some(self.line(key.span().start));
            // The chart's own files are not known.
            self.is_pure = false;
        }
        for (field, key, holds) in FIELDS {
            let Some(value) = root.get(field) else { continue };
            for item in one_or_many(value) {
                let at = if key.is_empty() { Some(item) } else { item.get(key) };
                for path in at.into_iter().flat_map(one_or_many) {
                    self.refer_to(folder, path, holds);
                }
            }
        }
    }

    fn refer_to(&mut self, folder: &Path, node: Node<'_>, holds: Holds) {
        let Some(text) = node.str() else { return };
        let is_inline = text.contains('\n') || text.contains(": ");
        if is_inline && matches!(holds, Holds::Patches | Holds::Plugins) {
            if holds == Holds::Plugins {
                self.plugin(folder, text.into(), node);
            }
            return;
        }
        let path = match holds {
            Holds::Contents => text.split_once('=').map_or(text, |(_, it)| it),
            _ => text,
        };
        let found = real(&folder.join(path)).filter(|_| !is_always_remote(path));
        let Some(found) = found else {
            return self.not_here(path, node);
        };
        if found.is_dir() {
            if !self.folders.contains(&found) {
                self.folders.push(found);
            }
            return;
        }
        // Kustomize would wait for what a pipe never says.
        if let Err(why) = files::regular(&found) {
            self.refuse(node, format!("`{path}` is {why}"));
            return;
        }
        if matches!(holds, Holds::Plugins | Holds::Environment) {
            let open = files::File { name: String::new(), path: Some(found.clone()) };
            match files::read(&open).and_then(decode::decode) {
                Ok(text) if holds == Holds::Plugins => self.plugin(folder, text, node),
                // A name without a value takes it from the environment.
                Ok(text) => {
                    let mut lines = text.lines().map(str::trim);
                    self.is_pure &=
                        lines.all(|it| it.is_empty() || it.starts_with('#') || it.contains('='));
                }
                Err(_) => self.is_pure = false,
            }
        }
        let (content, role) = match holds {
            Holds::Resources => (Content::Yaml, Role::Object),
            Holds::Patches => (Content::Yaml, Role::Patch),
            Holds::Plugins | Holds::Settings => (Content::Yaml, Role::All),
            Holds::Schemas => (Content::Other, Role::All),
            Holds::Contents => (Content::Other, Role::Generated),
            Holds::Environment => (Content::Lines, Role::Generated),
        };
        self.files.push(Reference { written: path.to_string(), path: found, content, role });
    }

    /// What is not on the disk is fetched, if it can be.
    fn not_here(&mut self, path: &str, node: Node<'_>) {
        let line = self.line(node.span().start);
        if is_remote(path) {
            self.remote.push((line, path.to_string()));
        } else {
            self.refuse(node, format!("`{path}` is not there"));
        }
    }

    /// The first reason is told.
    fn refuse(&mut self, node: Node<'_>, why: String) {
        if self.refused.is_none() {
            self.refused = Some((self.line(node.span().start), why));
        }
    }

    /// The configuration of a plugin that is built in, which may refer to files in its own way.
    fn plugin(&mut self, folder: &Path, text: Arc<str>, node: Node<'_>) {
        self.is_pure = false;
        for chunk in crate::load::read::split::split(&text) {
            let crate::load::read::split::Chunk::Text(range) = chunk else { continue };
            let Ok(Some(parsed)) = yaml::parse(&text, range, Syntax::Yaml) else { continue };
            let mut open = vec![parsed.tree.root()];
            while let Some(here) = open.pop() {
                open.extend(here.items());
                for (key, value) in here.pairs() {
                    open.push(value);
                    let refers = ["path", "paths", "files", "env", "envs", "resources", "bases"];
                    if !refers.contains(&key) {
                        continue;
                    }
                    let paths = one_or_many(value).filter_map(Node::str);
                    let paths = paths.map(|it| it.split_once('=').map_or(it, |(_, it)| it));
                    let is_here = |it: &str| real(&folder.join(it)).is_some();
                    let fetched =
                        paths.filter(|it| is_always_remote(it) || is_remote(it) && !is_here(it));
                    let line = self.line(node.span().start);
                    self.remote.extend(fetched.map(|it| (line, it.to_string())));
                }
            }
        }
    }

    /// The line (from 1) of a byte of its file.
    fn line(&self, at: u32) -> usize {
        let before = &self.text.as_bytes()[..(at as usize).min(self.text.len())];
        memchr::memchr_iter(b'\n', before).count() + 1
    }
}

/// Whether kustomize would fetch this even if a path of this name were on the disk.
///
/// `sigs.k8s.io/kustomize/api/internal/git/repospec.go`, NewRepoSpecFromURL.
fn is_always_remote(path: &str) -> bool {
    let head = path.split('/').next().unwrap_or(path).to_ascii_lowercase();
    path.contains("://")
        || head.starts_with("git::")
        || head.contains('@')
        || head.starts_with("github.com")
}

/// Whether something that is not on the disk looks like what can be fetched, and not like a slip of the pen.
fn is_remote(path: &str) -> bool {
    let head = path.split('/').next().unwrap_or(path);
    is_always_remote(path)
        || path.contains("?ref=")
        || path.contains("?version=")
        || head.contains(':')
        || head.ends_with(".com")
        || head.ends_with(".org")
        || head.ends_with(".git")
}

fn one_or_many(node: Node<'_>) -> impl Iterator<Item = Node<'_>> {
    node.items().chain((!node.is_seq()).then_some(node))
}
