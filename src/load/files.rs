//! Which files to read: the ones named, and below folders every YAML and JSON file that `.gitignore` does not exclude.

use super::worlds::kustomize_inputs;
use ignore::{DirEntry, WalkBuilder};
use rustc_hash::FxHashSet;
use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};

/// Something that could not be read.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Failure {
    /// What it is called.
    pub path: String,
    /// Why it could not be read.
    pub why: String,
    /// What could not be done.
    pub step: Step,
}

/// What can fail.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Step {
    /// Reading a file or folder.
    Read,
    /// Rendering a kustomization or a chart.
    Render,
}

impl Failure {
    /// A file or folder that could not be read.
    pub fn read(path: String, why: String) -> Failure {
        Failure { path, why, step: Step::Read }
    }
}

/// A file to read.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct File {
    /// The name to show.
    pub name: String,
    /// `None` is standard input.
    pub path: Option<PathBuf>,
}

/// What a search found.
#[derive(Debug, Default)]
pub struct Found {
    /// The files, in the order of their names, each once.
    pub files: Vec<File>,
    /// What could not be looked at.
    pub failures: Vec<Failure>,
    /// How many templates of Helm charts were left out.
    pub templates: usize,
    /// How many patches and other inputs of kustomizations were left out.
    pub kustomize_inputs: usize,
}

/// Larger files are refused: manifests are small, and memory is not.
pub const MAX_FILE_BYTES: u64 = 256 << 20;

/// Finds the files that these paths stand for.
pub fn find(paths: &[PathBuf]) -> Found {
    let mut found = Found::default();
    for path in paths {
        if path.as_os_str() == "-" {
            found.files.push(File { name: "<stdin>".into(), path: None });
        } else if path.is_dir() {
            walk(path, &mut found);
        } else {
            found.files.push(File { name: show(path), path: Some(path.clone()) });
        }
    }
    found.files.sort();
    found.files.dedup();
    found
}

fn walk(root: &Path, found: &mut Found) {
    let candidates = below(root, &mut found.failures);
    let inputs = kustomize_inputs::inputs(candidates.iter().map(PathBuf::as_path));
    let charts: FxHashSet<PathBuf> = candidates
        .iter()
        .filter(|it| it.ends_with("Chart.yaml"))
        .filter_map(|it| Some(it.parent()?.join("templates")))
        .collect();
    for path in candidates {
        if !has_manifest_extension(&path) {
            continue;
        }
        if path.ancestors().skip(1).any(|it| charts.contains(it)) {
            found.templates += 1;
        } else if inputs.contains(&path) {
            found.kustomize_inputs += 1;
        } else {
            found.files.push(File { name: show(&path), path: Some(path) });
        }
    }
}

/// Every file below a folder that is to be looked at, in the order of their paths.
pub(super) fn below(root: &Path, failures: &mut Vec<Failure>) -> Vec<PathBuf> {
    let mut candidates = Vec::new();
    let mut links = Links::None;
    let entries = WalkBuilder::new(root)
        .follow_links(true)
        .require_git(false)
        .sort_by_file_path(std::cmp::Ord::cmp)
        .filter_entry(|it| it.depth() == 0 || it.file_name() != "node_modules")
        .build();
    for entry in entries {
        if entry.as_ref().is_ok_and(DirEntry::path_is_symlink) {
            links = Links::Some;
        }
        match entry {
            Ok(entry) if entry.file_type().is_some_and(|it| it.is_file()) => candidates.push(entry),
            Ok(_) => {}
            Err(error) => failures.extend(failure(&error, root)),
        }
    }
    if links == Links::Some {
        once_each(&mut candidates);
    }
    candidates.into_iter().map(DirEntry::into_path).collect()
}

/// Whether links lie below a folder.
#[derive(PartialEq, Eq)]
enum Links {
    None,
    Some,
}

/// A file that links give several names is read once, by its shortest.
fn once_each(files: &mut Vec<DirEntry>) {
    let mut seen = FxHashSet::default();
    files.sort_by_key(DirEntry::depth);
    files.retain(|it| fs::canonicalize(it.path()).map_or(true, |path| seen.insert(path)));
}

/// A link back to one of its own parents is passed over: all that it leads to is read by its other name.
fn failure(error: &ignore::Error, root: &Path) -> Option<Failure> {
    let mut path = root.to_path_buf();
    let mut innermost = error;
    loop {
        match innermost {
            ignore::Error::WithPath { path: at, err } => {
                path.clone_from(at);
                innermost = err;
            }
            ignore::Error::WithDepth { err, .. } | ignore::Error::WithLineNumber { err, .. } => {
                innermost = err
            }
            ignore::Error::Loop { .. } => return None,
            _ => break,
        }
    }
    let is_link = fs::symlink_metadata(&path).is_ok_and(|it| it.is_symlink());
    if is_link && !has_manifest_extension(&path) {
        return None;
    }
    let why = match innermost.io_error() {
        Some(error) if is_link => {
            format!("a link to something that is not there ({})", describe(error))
        }
        Some(error) => describe(error),
        None => innermost.to_string(),
    };
    Some(Failure::read(show(&path), why))
}

/// Reads a file whole.
///
/// # Errors
///
/// When it cannot be read or is larger than [`MAX_FILE_BYTES`].
pub fn read(file: &File) -> Result<Vec<u8>, String> {
    let mut bytes = Vec::new();
    let limit = MAX_FILE_BYTES + 1;
    match &file.path {
        None => std::io::stdin().lock().take(limit).read_to_end(&mut bytes),
        Some(path) => {
            let open = fs::File::open(path).map_err(|error| describe(&error))?;
            let size = open.metadata().map_or(0, |it| it.len());
            if size > MAX_FILE_BYTES {
                return Err(format!(
                    "{} MiB is too large for a manifest (at most {} MiB)",
                    size >> 20,
                    MAX_FILE_BYTES >> 20
                ));
            }
            bytes.reserve_exact(size as usize + 1);
            open.take(limit).read_to_end(&mut bytes)
        }
    }
    .map_err(|error| describe(&error))?;
    if bytes.len() as u64 > MAX_FILE_BYTES {
        return Err(format!("more than {} MiB is too large for a manifest", MAX_FILE_BYTES >> 20));
    }
    Ok(bytes)
}

/// An operating system's error without its number, and without the path that libraries put before it.
pub(super) fn describe(error: &std::io::Error) -> String {
    let text = error.to_string();
    let text = text.split(" (os error").next().unwrap_or(&text);
    let text = text.rsplit(": ").next().unwrap_or(text);
    let mut letters = text.chars();
    letters.next().map_or(String::new(), |first| first.to_lowercase().chain(letters).collect())
}

pub(super) fn has_manifest_extension(path: &Path) -> bool {
    path.extension().is_some_and(|it| it == "yaml" || it == "yml" || it == "json" || it == "kyaml")
}

pub(super) fn show(path: &Path) -> String {
    let text = path.to_string_lossy();
    text.strip_prefix("./").unwrap_or(&text).to_string()
}
