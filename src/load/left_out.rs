//! What lies below a folder that is named and is not read, so that a clean report does not mislead.

use super::files::{has_manifest_extension, show};
use rustc_hash::FxHashSet;
use std::ffi::{OsStr, OsString};
use std::fs;
use std::path::{Path, PathBuf};

/// Something that is not read.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct LeftOut {
    /// Why.
    pub why: Why,
    /// What it is called.
    pub path: String,
}

/// Why something is not read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Why {
    /// Its name, or that of a folder around it, begins with a dot.
    Hidden,
    /// `.gitignore` or its like says so.
    Ignored,
    /// The policy says so.
    Excluded,
    /// A link to a folder outside of all that is named.
    Link,
    /// A named pipe, a socket or a device.
    NoFile,
}

impl Why {
    /// So many of them, in words.
    pub fn counted(self, count: usize) -> String {
        let s = if count == 1 { "" } else { "s" };
        match self {
            Why::Hidden => format!("{count} hidden manifest{s}"),
            Why::Ignored => format!("{count} ignored manifest{s}"),
            Why::Excluded => format!("{count} excluded path{s}"),
            Why::Link => format!("{count} link{s} out of the folders that are named"),
            Why::NoFile => format!("{count} path{s} that are no regular files"),
        }
    }
}

/// More bytes than these are not looked into.
const MOST_BYTES: u64 = 1 << 20;

/// The entries of a folder that the walk did not come to, if they hold Kubernetes objects. Few are looked at:
/// what is left out may be as large as the rest.
pub(super) fn hidden_and_ignored(
    folder: &Path,
    seen: &FxHashSet<OsString>,
    is_excluded: &impl Fn(&OsStr, bool) -> bool,
    looks: &mut usize,
) -> Vec<LeftOut> {
    let mut left_out = Vec::new();
    for (path, is_folder) in entries(folder) {
        let name = path.file_name().unwrap_or_default();
        if seen.contains(name) || name == "node_modules" || name == ".git" {
            continue;
        }
        if is_excluded(name, is_folder) {
            left_out.push(LeftOut { why: Why::Excluded, path: show(&path) });
            continue;
        }
        let is_hidden = name.as_encoded_bytes().starts_with(b".");
        let why = if is_hidden { Why::Hidden } else { Why::Ignored };
        let manifests = manifests(path, is_folder, looks);
        left_out.extend(manifests.iter().map(|it| LeftOut { why, path: show(it) }));
    }
    left_out
}

/// A file, or the files below a folder, that hold Kubernetes objects as far as can be seen.
fn manifests(path: PathBuf, is_folder: bool, looks: &mut usize) -> Vec<PathBuf> {
    let mut manifests = Vec::new();
    let mut open = vec![(path, is_folder)];
    while let Some((path, is_folder)) = open.pop() {
        if *looks == 0 {
            break;
        }
        *looks -= 1;
        if is_folder {
            let mut inner = entries(&path);
            inner.retain(|(it, _)| !it.ends_with("node_modules") && !it.ends_with(".git"));
            open.extend(inner.into_iter().rev());
        } else if has_manifest_extension(&path) && is_manifest(&path) {
            manifests.push(path);
        }
    }
    manifests
}

fn is_manifest(path: &Path) -> bool {
    let is_small = fs::metadata(path).is_ok_and(|it| it.is_file() && it.len() <= MOST_BYTES);
    let holds = |text: &[u8], word: &str| memchr::memmem::find(text, word.as_bytes()).is_some();
    is_small && fs::read(path).is_ok_and(|it| holds(&it, "apiVersion") && holds(&it, "kind"))
}

/// The files and folders in a folder, in the order of their names; links are neither.
fn entries(folder: &Path) -> Vec<(PathBuf, bool)> {
    let Ok(entries) = fs::read_dir(folder) else { return Vec::new() };
    let each = entries.flatten().filter_map(|it| {
        let kind = it.file_type().ok()?;
        (kind.is_dir() || kind.is_file()).then(|| (it.path(), kind.is_dir()))
    });
    let mut each: Vec<_> = each.collect();
    each.sort_unstable();
    each
}
