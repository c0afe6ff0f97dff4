//! Which files to read: the ones named, and below folders every YAML and JSON file that `.gitignore` does not exclude.

use super::left_out::LeftOut;
use super::terraform::is_terraform;
use super::test_tools::{assertions, data_of_chart};
use super::walk::Walker;
use super::worlds::kustomize_inputs;
use crate::text::visible::visible;
use rustc_hash::FxHashSet;
use std::fmt;
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

/// What could not be done, as a sentence of a report.
impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let verb = match self.step {
            Step::Read => "read",
            Step::Render => "render",
        };
        write!(f, "cannot {verb} {}: {}", visible(&self.path), self.why)
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
    /// What else was left out.
    pub left_out: Vec<LeftOut>,
    /// How many assertions of tests were left out.
    pub fragments: usize,
    /// Files of Terraform.
    pub terraform: Vec<PathBuf>,
}

/// Larger files are refused: manifests are small, and memory is not.
pub const MAX_FILE_BYTES: u64 = 256 << 20;

/// Finds the files that these paths stand for, but for those below folders that match a pattern of `exclude`.
pub fn find(paths: &[PathBuf], exclude: (&Path, &[String])) -> Found {
    let mut found = Found::default();
    let mut walker = Walker::new(paths.iter().map(PathBuf::as_path), exclude);
    for path in paths {
        if path.as_os_str() == "-" {
            found.files.push(File { name: "<stdin>".into(), path: None });
        } else if path.is_dir() {
            walk(path, &mut walker, &mut found);
        } else {
            found.files.push(File { name: show(path), path: Some(path.clone()) });
        }
    }
    found.files.sort();
    found.files.dedup();
    found.failures.append(&mut walker.failures);
    found.left_out.append(&mut walker.left_out);
    found
}

fn walk(root: &Path, walker: &mut Walker, found: &mut Found) {
    let candidates = walker.below(root);
    let inputs = kustomize_inputs::inputs(candidates.iter().map(PathBuf::as_path));
    let charts: FxHashSet<PathBuf> = candidates
        .iter()
        .filter(|it| it.ends_with("Chart.yaml"))
        .filter_map(|it| it.parent())
        .flat_map(|it| data_of_chart(it).into_iter().chain([it.join("templates")]))
        .collect();
    let assertions = assertions(candidates.iter().map(PathBuf::as_path));
    for path in candidates {
        if is_terraform(&path) {
            found.terraform.push(path);
            continue;
        }
        if !has_manifest_extension(&path) {
            continue;
        }
        if assertions.contains(&path) {
            found.fragments += 1;
        } else if path.ancestors().any(|it| charts.contains(it)) {
            found.templates += 1;
        } else if inputs.contains(&path) {
            found.kustomize_inputs += 1;
        } else {
            found.files.push(File { name: show(&path), path: Some(path) });
        }
    }
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
            regular(path)?;
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

/// Refuses what is no regular file before it is opened: a named pipe would wait for somebody to write.
///
/// # Errors
///
/// What it is instead, or why that cannot be told.
pub fn regular(path: &Path) -> Result<(), String> {
    let kind = fs::metadata(path).map_err(|error| describe(&error))?.file_type();
    // The shell's `<(command)` and `/dev/stdin` are pipes that somebody writes to already.
    if kind.is_file() || kind.is_dir() || is_open_pipe(path, kind) {
        return Ok(());
    }
    Err(format!("{} and no file", special(kind)))
}

#[cfg(unix)]
fn is_open_pipe(path: &Path, kind: fs::FileType) -> bool {
    use std::os::unix::fs::FileTypeExt;
    let is_open = ["/dev/fd", "/dev/stdin", "/proc/self/fd"].iter().any(|it| path.starts_with(it));
    kind.is_fifo() && is_open
}

#[cfg(not(unix))]
fn is_open_pipe(_: &Path, _: fs::FileType) -> bool {
    false
}

/// What is neither a file nor a folder.
#[cfg(unix)]
fn special(kind: fs::FileType) -> &'static str {
    use std::os::unix::fs::FileTypeExt;
    if kind.is_fifo() {
        "a named pipe"
    } else if kind.is_socket() {
        "a socket"
    } else {
        "a device"
    }
}

#[cfg(not(unix))]
fn special(_: fs::FileType) -> &'static str {
    "a device"
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
