//! Files that look like manifests and are never applied: the assertions of test tools, and the data of charts.

use super::read_tree;
use crate::text::tree::Node;
use rustc_hash::{FxHashMap, FxHashSet};
use std::fs;
use std::path::{Path, PathBuf};

/// The files among these that a test tool compares objects with.
pub(super) fn assertions<'p>(files: impl Iterator<Item = &'p Path>) -> FxHashSet<PathBuf> {
    let mut numbered: FxHashMap<&Path, Numbered<'_>> = FxHashMap::default();
    let mut found = FxHashSet::default();
    for file in files {
        let name = file.file_name().unwrap_or_default().to_string_lossy();
        if matches!(&*name, "chainsaw-test.yaml" | "chainsaw-test.yml") {
            found.extend(of_chainsaw(file));
            continue;
        }
        let Some(step) = step(&name) else { continue };
        let here = numbered.entry(file.parent().unwrap_or(Path::new(""))).or_default();
        match step {
            Step::Assertion => here.assertions.push(file),
            Step::Apply => here.has_steps = true,
        }
    }
    let of_tests = numbered.into_values().filter(|it| it.has_steps);
    found.extend(of_tests.flat_map(|it| it.assertions).map(Path::to_path_buf));
    found
}

/// The numbered files of a folder.
#[derive(Default)]
struct Numbered<'p> {
    assertions: Vec<&'p Path>,
    has_steps: bool,
}

/// What a step of a kuttl test does.
enum Step {
    /// `03-install.yaml` is applied.
    Apply,
    /// `03-assert.yaml` and `03-errors.yaml` are waited for, and waited for to be gone.
    Assertion,
}

/// Files of a test are numbered by their steps (`kudobuilder/kuttl`, pkg/test/utils, fileNameRegex).
fn step(name: &str) -> Option<Step> {
    let stem = name.strip_suffix(".yaml").or_else(|| name.strip_suffix(".yml"))?;
    let (number, what) = stem.split_once('-')?;
    if number.is_empty() || !number.bytes().all(|it| it.is_ascii_digit()) {
        return None;
    }
    let what = what.to_ascii_lowercase();
    let word = what.split(['-', '.', '_']).next().unwrap_or_default();
    let is_assertion = matches!(word, "assert" | "asserts" | "error" | "errors");
    Some(if is_assertion { Step::Assertion } else { Step::Apply })
}

/// The files that the steps of a Chainsaw test name under `assert` and `error`.
fn of_chainsaw(file: &Path) -> Vec<PathBuf> {
    let Some(tree) = read_tree(file) else { return Vec::new() };
    let folder = file.parent().unwrap_or(Path::new(""));
    let mut found = Vec::new();
    let mut open = vec![tree.root()];
    while let Some(node) = open.pop() {
        for (key, value) in node.pairs() {
            if matches!(key, "assert" | "error") {
                found.extend(value.text("file").map(|it| folder.join(it)));
            }
        }
        open.extend(node.items());
        open.extend(node.entries().map(|(_, value): (Node<'_>, _)| value));
    }
    found
}

/// The paths below a chart whose files its templates read as they are: data, whatever they look like. `files` is the
/// name that charts give such a folder, and what else `.Files` names is data as well.
pub(super) fn data_of_chart(chart: &Path) -> Vec<PathBuf> {
    let mut data = vec![chart.join("files")];
    let mut open = vec![chart.join("templates")];
    while let Some(folder) = open.pop() {
        for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
            match entry.file_type() {
                Ok(kind) if kind.is_dir() => open.push(entry.path()),
                Ok(kind) if kind.is_file() => {
                    let text = fs::read_to_string(entry.path()).unwrap_or_default();
                    data.extend(read_by(&text).map(|it| chart.join(it)));
                }
                _ => {}
            }
        }
    }
    data
}

/// What a template reads by `.Files.Get "a"`, `.Files.Glob "b/*.yaml"` and the like: the path before a wildcard.
fn read_by(template: &str) -> impl Iterator<Item = &str> {
    let calls = template.match_indices(".Files.").map(|(at, word)| &template[at + word.len()..]);
    calls.filter_map(|rest| {
        let (_, argument) = rest.lines().next()?.split_once(['"', '`'])?;
        let path = argument.split(['"', '`']).next()?;
        let plain = match path.find(['*', '?', '[', '{']) {
            Some(at) => &path[..path[..at].rfind('/').unwrap_or(0)],
            None => path,
        };
        (!plain.is_empty() && plain != "templates").then_some(plain)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn assertions_are_known_by_a_step_beside_them() {
        let paths = |names: &[&str]| names.iter().map(PathBuf::from).collect::<Vec<_>>();
        let found = |names: &[&str]| {
            let files = paths(names);
            let mut found: Vec<_> =
                assertions(files.iter().map(PathBuf::as_path)).into_iter().collect();
            found.sort();
            found
        };
        let all = ["t/00-assert.yaml", "t/00-install.yaml", "t/01-errors.yml", "u/a-assert.yaml"];
        assert_eq!(found(&all), paths(&["t/00-assert.yaml", "t/01-errors.yml"]));
        assert_eq!(found(&["t/00-assert.yaml", "u/00-install.yaml"]), paths(&[]));
    }

    #[test]
    fn templates_read_files_by_their_paths() {
        let text = "{{ .Files.Get \"conf/a.yaml\" }}\n{{ (.Files.Glob \"boards/*.yaml\").AsConfig }}\n\
                    {{ .Files.Get .Values.name }}\n{{ .Files.Glob \"**\" }}\n";
        assert_eq!(read_by(text).collect::<Vec<_>>(), ["conf/a.yaml", "boards"]);
    }
}
