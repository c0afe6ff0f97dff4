//! What lies below the folders that are named: every file that neither `.gitignore` nor `exclude` leaves out, each
//! folder once, and nothing outside of what is named.

use super::files::{Failure, describe, has_manifest_extension, show};
use super::left_out::{LeftOut, Why, hidden_and_ignored};
use ignore::gitignore::{Gitignore, GitignoreBuilder};
use ignore::{DirEntry, WalkBuilder};
use rustc_hash::{FxHashMap, FxHashSet};
use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Looks below folders.
#[derive(Debug)]
pub struct Walker {
    /// What is named, without links.
    named: Vec<PathBuf>,
    exclude: Gitignore,
    /// What was found below a folder, so that several targets in it look at it once.
    found: FxHashMap<PathBuf, Vec<PathBuf>>,
    /// How many more entries of hidden and ignored folders are looked at.
    looks: usize,
    /// What could not be looked at.
    pub failures: Vec<Failure>,
    /// What was left out.
    pub left_out: Vec<LeftOut>,
}

/// What is known of the folder that is walked.
#[derive(Default)]
struct Below {
    files: Vec<DirEntry>,
    /// Links to folders.
    links: Vec<PathBuf>,
    /// The folders that were looked at, without links.
    folders: Arc<Mutex<FxHashSet<PathBuf>>>,
    has_links: bool,
}

impl Below {
    fn folders(&self) -> MutexGuard<'_, FxHashSet<PathBuf>> {
        lock(&self.folders)
    }
}

/// A thread that panicked left only whole entries.
fn lock(folders: &Mutex<FxHashSet<PathBuf>>) -> MutexGuard<'_, FxHashSet<PathBuf>> {
    folders.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Where the system shows its own state: reading there may never end.
const SYSTEM: [&str; 3] = ["/proc", "/sys", "/dev"];

impl Walker {
    /// For these paths, whose entries that match a pattern of `exclude` are left out; the patterns are those of a
    /// `.gitignore` in the folder.
    pub fn new<'p>(
        named: impl Iterator<Item = &'p Path>,
        (folder, exclude): (&Path, &[String]),
    ) -> Walker {
        let folder = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
        let mut patterns = GitignoreBuilder::new(fs::canonicalize(folder).unwrap_or_default());
        for pattern in exclude {
            // The reader of the policy has looked at them.
            let _ = patterns.add_line(None, pattern);
        }
        Walker {
            named: named.filter_map(|it| fs::canonicalize(it).ok()).collect(),
            exclude: patterns.build().unwrap_or_else(|_| Gitignore::empty()),
            found: FxHashMap::default(),
            looks: MOST_LOOKS,
            failures: Vec::new(),
            left_out: Vec::new(),
        }
    }

    /// Every file below a folder that is to be looked at, in the order of their paths.
    pub fn below(&mut self, root: &Path) -> Vec<PathBuf> {
        if let Some(found) = self.found.get(root) {
            return found.clone();
        }
        let mut below = Below::default();
        let real_root = fs::canonicalize(root).unwrap_or_default();
        let mut open = vec![root.to_path_buf()];
        while let Some(folder) = open.pop() {
            self.walk(&folder, &mut below);
            for link in std::mem::take(&mut below.links) {
                let Ok(target) = fs::canonicalize(&link) else { continue };
                if !self.named.iter().any(|it| target.starts_with(it)) {
                    let path = format!("{} -> {}", show(&link), target.display());
                    self.left_out.push(LeftOut { path, why: Why::Link });
                } else if target.starts_with(&real_root) && !below.folders().contains(&target) {
                    // All else that it may lead to is read by its other name.
                    open.push(link);
                }
            }
        }
        if below.has_links {
            once_each(&mut below.files);
            // A link may have led into a folder that is left out by its own name.
            let folders = below.folders();
            self.left_out.retain(|it| {
                let folder = Path::new(&it.path).parent().map(fs::canonicalize);
                it.why > Why::Ignored
                    || !folder.is_some_and(|it| it.is_ok_and(|it| folders.contains(&it)))
            });
        }
        let mut files: Vec<_> = below.files.into_iter().map(DirEntry::into_path).collect();
        files.sort_unstable();
        self.found.insert(root.to_path_buf(), files.clone());
        files
    }

    fn walk(&mut self, folder: &Path, below: &mut Below) {
        let Ok(real) = fs::canonicalize(folder) else { return };
        let exclude = self.exclude.clone();
        let real_path = {
            let (folder, real) = (folder.to_path_buf(), real.clone());
            move |it: &Path| real.join(it.strip_prefix(&folder).unwrap_or(it))
        };
        let is_excluded = {
            let real_path = real_path.clone();
            move |it: &DirEntry| {
                let is_folder = it.file_type().is_some_and(|it| it.is_dir());
                let path = real_path(it.path());
                path.starts_with(exclude.path()) && exclude.matched(&path, is_folder).is_ignore()
            }
        };
        let is_wanted = {
            let (seen, real_path) = (below.folders.clone(), real_path.clone());
            move |it: &DirEntry| {
                it.depth() == 0
                    || it.file_name() != "node_modules"
                        && !is_excluded(it)
                        && !lock(&seen).contains(&real_path(it.path()))
            }
        };
        let mut walk = WalkBuilder::new(folder);
        let own = above(&real);
        walk.require_git(false)
            .sort_by_file_path(std::cmp::Ord::cmp)
            .filter_entry(is_wanted)
            .parents(own == Above::Applies)
            .git_global(own == Above::Applies)
            .git_exclude(own == Above::Applies);
        if own == Above::NothingApplies {
            walk.git_ignore(false).ignore(false);
        }
        let mut entries: FxHashMap<PathBuf, FxHashSet<std::ffi::OsString>> = FxHashMap::default();
        let mut folders = Vec::new();
        for entry in walk.build() {
            let entry = match entry {
                Ok(entry) => entry,
                Err(error) => {
                    self.failures.push(failure(&error, folder));
                    continue;
                }
            };
            if let Some(parent) = entry.path().parent().filter(|_| entry.depth() > 0) {
                let name = entry.file_name().to_os_string();
                entries.entry(parent.to_path_buf()).or_default().insert(name);
            }
            self.take(entry, below, &real_path, &mut folders);
        }
        for folder in folders {
            let seen = entries.remove(&folder).unwrap_or_default();
            let is_excluded = |name: &OsStr, is_folder: bool| {
                let path = real_path(&folder.join(name));
                path.starts_with(self.exclude.path())
                    && self.exclude.matched(&path, is_folder).is_ignore()
            };
            let left = hidden_and_ignored(&folder, &seen, &is_excluded, &mut self.looks);
            self.left_out.extend(left);
        }
    }

    fn take(
        &mut self,
        entry: DirEntry,
        below: &mut Below,
        real_path: &impl Fn(&Path) -> PathBuf,
        folders: &mut Vec<PathBuf>,
    ) {
        let Some(kind) = entry.file_type() else { return };
        let is_link = entry.depth() > 0 && kind.is_symlink();
        let kind = if kind.is_symlink() {
            below.has_links |= is_link;
            match fs::metadata(entry.path()) {
                Ok(it) => it.file_type(),
                Err(error) => {
                    if has_manifest_extension(entry.path()) {
                        let why = describe(&error);
                        let why = format!("a link to something that is not there ({why})");
                        self.failures.push(Failure::read(show(entry.path()), why));
                    }
                    return;
                }
            }
        } else {
            kind
        };
        if kind.is_dir() && is_link {
            below.links.push(entry.into_path());
        } else if kind.is_dir() {
            below.folders().insert(real_path(entry.path()));
            folders.push(entry.into_path());
        } else if kind.is_file() && !(is_link && is_of_system(entry.path())) {
            below.files.push(entry);
        } else if has_manifest_extension(entry.path()) {
            self.left_out.push(LeftOut { path: show(entry.path()), why: Why::NoFile });
        }
    }
}

/// More entries of hidden and ignored folders than these are not looked at.
const MOST_LOOKS: usize = 5_000;

fn is_of_system(path: &Path) -> bool {
    fs::canonicalize(path).is_ok_and(|it| SYSTEM.iter().any(|system| it.starts_with(system)))
}

/// A file that links give several names is read once, by its shortest.
fn once_each(files: &mut Vec<DirEntry>) {
    let mut seen = FxHashSet::default();
    files.sort_by_key(|it| (it.path_is_symlink(), it.depth()));
    files.retain(|it| fs::canonicalize(it.path()).map_or(true, |path| seen.insert(path)));
}

/// Which ignore files count below a folder that is named.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Above {
    /// Those above it too.
    Applies,
    /// Only those in it: what is above would leave all of it out, and naming it says otherwise.
    OwnApplies,
    /// None: its own would leave all of it out, as a tool writes it into a folder of its own.
    NothingApplies,
}

/// Asks whether a folder, or anything in it, is left out by the ignore files in it and above, the nearest first.
fn above(real: &Path) -> Above {
    let anything = real.join("purlin-looks-for-a-name-that-is-not-there");
    for folder in real.ancestors() {
        for name in [".ignore", ".gitignore", ".git/info/exclude"] {
            let file = folder.join(name);
            if !file.is_file() {
                continue;
            }
            let mut patterns = GitignoreBuilder::new(folder);
            patterns.add(file);
            let Ok(patterns) = patterns.build() else { continue };
            let answer = patterns.matched_path_or_any_parents(&anything, false);
            match (answer.is_ignore(), answer.is_whitelist(), folder == real) {
                (true, _, true) => return Above::NothingApplies,
                (true, _, false) => return Above::OwnApplies,
                (_, true, _) => return Above::Applies,
                _ => {}
            }
        }
    }
    Above::Applies
}

fn failure(error: &ignore::Error, root: &Path) -> Failure {
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
            _ => break,
        }
    }
    let why = innermost.io_error().map_or_else(|| innermost.to_string(), describe);
    Failure::read(show(&path), why)
}
