//! File names as code hosts know them: from the repository's own folder, wherever in it purlin was started.

use std::path::{Component, Path, PathBuf};

/// The folder of a repository, and the current one; the empty one where there is no repository.
#[derive(Clone, Debug, Default)]
pub struct Repository {
    root: PathBuf,
    here: PathBuf,
}

/// A file's name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Name {
    /// From the repository's folder.
    Inside(String),
    /// From the root of the file system.
    Outside(String),
}

impl Repository {
    /// Both as absolute paths.
    pub fn new(root: PathBuf, here: PathBuf) -> Repository {
        Repository { root, here }
    }

    /// The name of a file that was read by this one.
    pub(super) fn name(&self, file: &str) -> Name {
        // Standard input has no path.
        if file.starts_with('<') {
            return Name::Inside(file.to_string());
        }
        let path = plain(&self.here.join(file));
        match path.strip_prefix(&self.root) {
            Ok(inside) if !inside.is_absolute() => Name::Inside(slashes(inside)),
            _ => Name::Outside(slashes(&path)),
        }
    }
}

/// Windows has other separators than URIs and annotations.
fn slashes(path: &Path) -> String {
    let text = path.to_string_lossy();
    if cfg!(windows) { text.replace('\\', "/") } else { text.into_owned() }
}

/// The path without `.` and, where that can be told, `..`.
fn plain(path: &Path) -> PathBuf {
    let mut plain = PathBuf::new();
    for part in path.components() {
        match part {
            Component::CurDir => {}
            Component::ParentDir if plain.file_name().is_some() => {
                plain.pop();
            }
            other => plain.push(other),
        }
    }
    plain
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_those_of_the_repository() {
        let repository = Repository::new("/r".into(), "/r/apps".into());
        let inside = |it: &str| Name::Inside(it.to_string());
        assert_eq!(repository.name("a.yaml"), inside("apps/a.yaml"));
        assert_eq!(repository.name("./x/../a.yaml"), inside("apps/a.yaml"));
        assert_eq!(repository.name("../infra/a.yaml"), inside("infra/a.yaml"));
        assert_eq!(repository.name("/r/infra/a.yaml"), inside("infra/a.yaml"));
        assert_eq!(repository.name("<stdin>"), inside("<stdin>"));
        assert_eq!(repository.name("/etc/a.yaml"), Name::Outside("/etc/a.yaml".into()));
        assert_eq!(repository.name("../../a.yaml"), Name::Outside("/a.yaml".into()));
        let none = Repository::default();
        assert_eq!(none.name("../a.yaml"), inside("../a.yaml"));
        assert_eq!(none.name("/etc/a.yaml"), Name::Outside("/etc/a.yaml".into()));
    }
}
