//! Building kustomizations by `kustomize build` or `kubectl kustomize`.
//!
//! The kustomization is built through one of our own that includes it and asks for annotations that say where each
//! object comes from; the user's files are not touched, and no restriction is lifted.

use super::paths::{Names, relative};
use super::program::{self, Broken, refuse_network, run};
use crate::load::read::yaml;
use crate::load::read::yaml::Syntax;
use crate::text::tree::{Node, Tree};
use rustc_hash::FxHashMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::time::Duration;

/// Building takes longer than this only where something hangs.
const MOST: Duration = Duration::from_secs(120);

/// The program that builds kustomizations.
#[derive(Debug)]
pub(crate) struct Tool {
    program: PathBuf,
    is_kubectl: bool,
}

impl Tool {
    /// The first of `kustomize` and `kubectl` that is there.
    pub(crate) fn find() -> Option<Tool> {
        let of = |name, is_kubectl| program::find(name).map(|program| Tool { program, is_kubectl });
        of("kustomize", false).or_else(|| of("kubectl", true))
    }

    /// What it says its version is.
    pub(crate) fn version(&self) -> Option<String> {
        let mut command = Command::new(&self.program);
        command.arg("version");
        if self.is_kubectl {
            command.args(["--client", "--output=json"]);
        }
        run(&mut command, MOST).ok()
    }

    /// Builds the kustomization in a real folder, `scratch` being an empty folder to work in.
    pub(crate) fn build(
        &self,
        folder: &Path,
        scratch: &Path,
        (allow_remote, helm): (bool, bool),
        names: &Names,
    ) -> Result<String, Broken> {
        let way = relative(scratch, folder);
        let way =
            way.to_str().ok_or_else(|| "its path is no UTF-8".to_string())?.replace('\\', "/");
        let text = format!(
            "apiVersion: kustomize.config.k8s.io/v1beta1\nkind: Kustomization\n\
             resources: [{}]\nbuildMetadata: [originAnnotations, transformerAnnotations]\n",
            serde_json::Value::from(way)
        );
        fs::write(scratch.join("kustomization.yaml"), text)
            .map_err(|error| format!("cannot write to {}: {error}", scratch.display()))?;
        let mut command = Command::new(&self.program);
        command.arg(if self.is_kubectl { "kustomize" } else { "build" }).arg(scratch);
        if helm {
            command.arg("--enable-helm");
        }
        if !allow_remote {
            refuse_network(&mut command);
        }
        run(&mut command, MOST).map_err(|it| Broken { why: clean(&it.why, names), ..it })
    }
}

/// What kustomize means: of the errors that it wraps into each other the innermost, with paths as the user knows them.
///
/// Whatever is listed under `resources` is tried as a file, then as a folder, and both errors are told.
fn clean(why: &str, names: &Names) -> String {
    const FIRST: &str = "accumulating resources: accumulation err='";
    let (mut rest, mut folder) = (why, None);
    loop {
        let within = ["recursed accumulation of path '", "couldn't make target for path '"];
        let within = within.iter().find_map(|it| rest.strip_prefix(it)?.split_once("': "));
        if let Some((path, inner)) = within {
            (folder, rest) = (Some(path), inner);
        } else if let Some((_, second)) = rest.split_once("' must resolve to a file': ") {
            rest = second;
        } else {
            break;
        }
    }
    // It was a file, and what it lacks to be a folder says nothing.
    for second in ["': must build at directory: '", "': new root '"] {
        let first = rest.strip_prefix(FIRST).and_then(|it| it.split_once(second));
        rest = first.map_or(rest, |(first, _)| first);
    }
    if rest.starts_with("cycle detected: ") {
        rest = "it includes itself";
    }
    match folder {
        Some(folder) => format!("{rest} (in {})", names.name(Path::new(folder))),
        None => rest.to_string(),
    }
}

/// An object that was built.
#[derive(Debug)]
pub(crate) struct Built {
    /// Its text, without the annotations that we asked for.
    pub(crate) text: String,
    /// The file that it was written in, or that generated it, from the folder that was built.
    pub(crate) file: Option<PathBuf>,
    /// What generated it.
    pub(crate) generator: Option<String>,
    /// The kustomizations and transformers that it went through.
    pub(crate) changes: Arc<Vec<(PathBuf, String)>>,
}

const CHANGES: &str = "    alpha.config.kubernetes.io/transformations: |";
const ORIGIN: &str = "    config.kubernetes.io/origin: |";

/// Takes what was built apart.
pub(crate) fn objects(text: &str) -> Vec<Built> {
    let mut changes: FxHashMap<String, Arc<Vec<(PathBuf, String)>>> = FxHashMap::default();
    let each = text.split("\n---\n").filter(|it| !it.trim().is_empty());
    each.map(|object| {
        let (text, origin, changed) = without_annotations(object);
        let changes = changes.entry(changed).or_insert_with_key(|it| Arc::new(read_changes(it)));
        let changes = changes.clone();
        let (file, generator) = read_origin(&origin).unwrap_or_default();
        Built { text, file, generator, changes }
    })
    .collect()
}

/// The object without the annotations that we asked for, and their values.
fn without_annotations(object: &str) -> (String, String, String) {
    let mut text = String::with_capacity(object.len());
    let (mut origin, mut changes) = (String::new(), String::new());
    let (mut in_metadata, mut in_annotations) = (false, false);
    // Where `annotations:` ends up without anything below it, it goes too.
    let mut head = None;
    let mut lines = object.split_inclusive('\n').peekable();
    while let Some(line) = lines.next() {
        let plain = line.trim_end();
        if !line.starts_with(' ') {
            (in_metadata, in_annotations) = (plain == "metadata:", false);
        } else if in_metadata && !line.starts_with("   ") {
            in_annotations = plain == "  annotations:";
            head = in_annotations.then_some(text.len());
        }
        if in_annotations && (plain == ORIGIN || plain == CHANGES) {
            let value = if plain == ORIGIN { &mut origin } else { &mut changes };
            while let Some(line) = lines.next_if(|it| it.starts_with("      ")) {
                value.push_str(&line[6..]);
            }
            let goes_on = lines.peek().is_some_and(|it| it.starts_with("    "));
            if let Some(head) = head
                && !goes_on
                && text[head..].lines().count() == 1
            {
                text.truncate(head);
            }
            continue;
        }
        text.push_str(line);
    }
    (text, origin, changes)
}

fn read_origin(text: &str) -> Option<(Option<PathBuf>, Option<String>)> {
    let tree = parse(text)?;
    let root = tree.root();
    // What came from elsewhere is in no file of this disk.
    let is_here = root.get("repo").is_none();
    let file = root.text("path").or(root.text("configuredIn")).filter(|_| is_here);
    let generator = root.at(&["configuredBy", "kind"]).and_then(Node::str);
    Some((file.map(PathBuf::from), generator.map(str::to_string)))
}

fn read_changes(text: &str) -> Vec<(PathBuf, String)> {
    let Some(tree) = parse(text) else { return Vec::new() };
    let each = tree.root().items().filter_map(|it| {
        // A transformer that was inlined in a repository elsewhere has no file here.
        let file = it.text("configuredIn").filter(|_| it.get("repo").is_none()).unwrap_or("");
        let kind = it.at(&["configuredBy", "kind"])?.str()?;
        Some((PathBuf::from(file), kind.to_string()))
    });
    each.collect()
}

fn parse(text: &str) -> Option<Tree> {
    let text: Arc<str> = text.into();
    yaml::parse(&text, 0..text.len(), Syntax::Yaml).ok().flatten().map(|it| it.tree)
}
