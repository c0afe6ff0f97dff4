//! Paths as the system knows them, and as people wrote them.

use crate::load::files::show;
use std::path::{Component, Path, PathBuf};

/// The path without links, `.` and `..`; `None` if nothing is there.
pub(crate) fn real(path: &Path) -> Option<PathBuf> {
    std::fs::canonicalize(path).ok()
}

/// Names real paths as the user would.
#[derive(Debug)]
pub(crate) struct Names {
    /// The paths that were given, really and as written.
    roots: Vec<(PathBuf, PathBuf)>,
    /// The current folder.
    here: PathBuf,
}

impl Names {
    /// For what lies below these paths.
    pub(crate) fn new<'p>(given: impl Iterator<Item = &'p Path>) -> Names {
        let roots = given.filter_map(|it| Some((real(it)?, it.to_path_buf()))).collect();
        Names { roots, here: real(Path::new(".")).unwrap_or_default() }
    }

    /// The name of a real path: below a path that was given as this was written, else from the current folder.
    pub(crate) fn name(&self, path: &Path) -> String {
        let below = |(root, written): &(PathBuf, PathBuf)| {
            let rest = path.strip_prefix(root).ok()?;
            let is_root = rest.as_os_str().is_empty();
            Some(if is_root { written.clone() } else { written.join(rest) })
        };
        let named = self.roots.iter().find_map(below);
        let is_far = self.roots.iter().all(|(_, written)| written.is_absolute());
        let elsewhere = || if is_far { path.to_path_buf() } else { relative(&self.here, path) };
        show(&named.unwrap_or_else(elsewhere))
    }
}

/// The way from one real folder to a real path.
pub(crate) fn relative(from: &Path, to: &Path) -> PathBuf {
    let shared = from.components().zip(to.components()).take_while(|(a, b)| a == b).count();
    // Nothing but the root in common is no neighbourhood.
    let mut way = PathBuf::new();
    for _ in from.components().skip(shared) {
        way.push(Component::ParentDir);
    }
    to.components().skip(shared).for_each(|it| way.push(it));
    if way.as_os_str().is_empty() { PathBuf::from(".") } else { way }
}

/// The path without `.` and `..`.
pub(crate) fn normal(path: &Path) -> PathBuf {
    let mut plain = PathBuf::new();
    for part in path.components() {
        match part {
            Component::CurDir => {}
            Component::ParentDir => {
                plain.pop();
            }
            other => plain.push(other),
        }
    }
    plain
}
