//! Which kustomizations there are, which include which, and all that each is built from.

use super::kustomization::{self, Content, Kustomization, Reference};
use rayon::prelude::*;
use rustc_hash::FxHashSet;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// Kustomizations by their real folders; those that could not be read by why.
#[derive(Debug, Default)]
pub(crate) struct Graph {
    by_folder: BTreeMap<PathBuf, Result<Kustomization, String>>,
}

/// All that a kustomization is built from.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Inputs {
    /// The files, its own and those of what it includes.
    pub(crate) files: BTreeMap<PathBuf, Content>,
    /// The files that kustomizations name, each with the kustomization's own.
    pub(crate) named: Vec<(PathBuf, Reference)>,
    /// What it would fetch: the file and line that says so, and what.
    pub(crate) remote: Vec<(PathBuf, usize, String)>,
    /// Why it cannot be built: the file, the line, and why.
    pub(crate) refused: Vec<(PathBuf, usize, String)>,
    /// The charts that it has rendered: the file and line that says so.
    pub(crate) charts: Vec<(PathBuf, usize)>,
    /// Whether the result follows from the files alone.
    pub(crate) is_pure: bool,
    /// The namespace that it puts all of its objects into.
    pub(crate) namespace: Option<String>,
    /// Those of its files that components bring.
    pub(crate) of_components: Vec<PathBuf>,
}

impl Graph {
    /// The kustomizations in these folders, and all that they include.
    pub(crate) fn read(folders: Vec<PathBuf>) -> Graph {
        let mut graph = Graph::default();
        let mut open = folders;
        while !open.is_empty() {
            open.sort_unstable();
            open.dedup();
            open.retain(|it| !graph.by_folder.contains_key(it));
            let read: Vec<_> =
                open.into_par_iter().map(|it| (kustomization::read(&it), it)).collect();
            open = read
                .iter()
                .filter_map(|(it, _)| it.as_ref().ok())
                .flat_map(|it| it.folders.clone())
                .collect();
            graph.by_folder.extend(read.into_iter().map(|(read, folder)| (folder, read)));
        }
        graph
    }

    /// The kustomization in a folder.
    pub(crate) fn get(&self, folder: &Path) -> Option<&Kustomization> {
        self.by_folder.get(folder)?.as_ref().ok()
    }

    /// The folders of kustomizations of which nobody can say what they name.
    pub(crate) fn unreadable(&self) -> FxHashSet<&Path> {
        let unreadable = self.by_folder.iter().filter(|(_, it)| match it {
            Ok(it) => it.is_unreadable,
            Err(_) => true,
        });
        unreadable.map(|(folder, _)| folder.as_path()).collect()
    }

    /// Whether there is a kustomization in this folder.
    pub(crate) fn has(&self, folder: &Path) -> bool {
        self.by_folder.contains_key(folder)
    }

    /// The kustomizations that are built as parts of others: all but those that none includes, and of a circle, or of what
    /// only an unused component includes, one each.
    pub(crate) fn parts(&self) -> FxHashSet<&Path> {
        let all = self.by_folder.values().flatten();
        let included: FxHashSet<&Path> =
            all.flat_map(|it| it.folders.iter().map(PathBuf::as_path)).collect();
        let is_component = |it: &Path| self.get(it).is_some_and(|it| it.is_component);
        let folders = || self.by_folder.keys().map(PathBuf::as_path).filter(|it| !is_component(it));
        let (mut parts, mut seen) = (FxHashSet::default(), FxHashSet::default());
        let roots = folders().filter(|it| !included.contains(it));
        for root in roots.chain(folders().filter(|it| included.contains(it))) {
            if !seen.insert(root) {
                continue;
            }
            let mut open = vec![root];
            while let Some(folder) = open.pop() {
                let inner = self.get(folder).map_or(&[][..], |it| &it.folders);
                let inner = inner.iter().map(PathBuf::as_path).filter(|it| *it != root);
                let new: Vec<_> = inner.filter(|it| seen.insert(*it)).collect();
                parts.extend(new.iter().copied());
                open.extend(new);
            }
        }
        parts
    }

    /// The files that kustomizations are built from.
    pub(crate) fn files(&self) -> FxHashSet<&Path> {
        let all = self.by_folder.values().flatten().filter(|it| !it.is_object);
        all.flat_map(|it| {
            it.files.iter().map(|it| &it.path).chain([&it.file]).map(PathBuf::as_path)
        })
        .collect()
    }

    /// All that the kustomization in this folder is built from.
    pub(crate) fn inputs(&self, folder: &Path) -> Inputs {
        let namespace = self.get(folder).and_then(|it| it.namespace.clone());
        let mut inputs = Inputs { is_pure: true, namespace, ..Inputs::default() };
        let mut seen = FxHashSet::default();
        let mut open = vec![folder];
        while let Some(folder) = open.pop() {
            if !seen.insert(folder) {
                continue;
            }
            let it = match self.by_folder.get(folder) {
                Some(Ok(it)) => it,
                Some(Err(why)) => {
                    inputs.refused.push((folder.to_path_buf(), 0, why.clone()));
                    continue;
                }
                None => continue,
            };
            inputs.files.insert(it.file.clone(), Content::Yaml);
            for to in &it.files {
                // What is read for one purpose is read, whatever else it is for.
                let content = inputs.files.entry(to.path.clone()).or_insert(to.content);
                *content = to.content.min(*content);
            }
            if it.is_component {
                inputs.of_components.extend(it.files.iter().map(|to| to.path.clone()));
            }
            inputs.named.extend(it.files.iter().map(|to| (it.file.clone(), to.clone())));
            inputs.is_pure &= it.is_pure;
            inputs.charts.extend(it.charts.map(|line| (it.file.clone(), line)));
            let at = |(line, what): &(usize, String)| (it.file.clone(), *line, what.clone());
            inputs.remote.extend(it.remote.iter().map(at));
            inputs.refused.extend(it.refused.iter().map(at));
            open.extend(it.folders.iter().rev().map(PathBuf::as_path));
        }
        inputs
    }
}
