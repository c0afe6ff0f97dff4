//! What is deployed together: kustomizations and charts rendered by their own programs, and plain manifests.
//!
//! Each kustomization that no other one includes is a world, each chart is one, and the manifests that belong to
//! neither are one together. `graph` and `find` say which there are, `kustomize` and `helm` render them, `cache` keeps
//! what they rendered, and this module reads the results beside the plain manifests.

mod assemble;
mod cache;
mod complaint;
mod find;
mod graph;
mod helm;
mod kustomization;
mod kustomize;
pub mod kustomize_inputs;
pub(super) mod paths;
mod program;
mod render;

pub use cache::default_folder as default_cache;

use crate::load::Loaded;
use std::path::PathBuf;

/// Something to check: a path, and how to render it if that can be chosen.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Target {
    /// A file, a folder, a kustomization, a chart, or `-` for standard input.
    pub path: PathBuf,
    /// What to call its world, where it is one.
    pub name: Option<String>,
    /// How a chart is rendered.
    pub chart: Chart,
    /// Whether kustomizations may have charts rendered (`helmCharts`).
    pub helm: bool,
    /// The namespace of objects that name none.
    pub namespace: Option<String>,
}

/// How a chart is rendered.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Chart {
    /// The files of its values.
    pub values: Vec<PathBuf>,
    /// The name of its release.
    pub release: Option<String>,
    /// Single values, as `--set` of helm takes them.
    pub set: Vec<String>,
    /// The version of Kubernetes that templates see.
    pub kube_version: Option<String>,
    /// The APIs beside Kubernetes' own that templates see.
    pub api_versions: Vec<String>,
}

/// How to render.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Options {
    /// The namespace of objects that name none.
    pub namespace: String,
    /// Whether kustomizations may fetch what they include.
    pub allow_remote: bool,
    /// Where to keep what was rendered.
    pub cache: Option<PathBuf>,
    /// Patterns of what is left out below folders, as in a `.gitignore`.
    pub exclude: Vec<String>,
    /// The folder that they start from.
    pub exclude_from: PathBuf,
}

/// What is rendered now.
#[derive(Clone, Copy, Debug)]
pub struct Progress<'n> {
    /// The how manyeth it is.
    pub at: usize,
    /// Of so many.
    pub of: usize,
    /// What it is called.
    pub name: &'n str,
}

/// Reads targets, and renders what is to be rendered.
pub fn load(
    targets: &[Target],
    options: &Options,
    progress: &(dyn Fn(Progress<'_>) + Sync),
) -> Loaded {
    let found = find::find(targets, (&options.exclude_from, &options.exclude));
    let is_plain = found.jobs.is_empty();
    let rendered = render::all(&found, options, progress);
    let mut loaded = assemble::assemble(found, rendered);
    // Plain manifests alone are not a world among others.
    if is_plain
        && loaded.worlds.len() == 1
        && loaded.worlds[0].namespaces.iter().all(|it| it.1.is_none())
    {
        loaded.worlds.clear();
    }
    loaded
}
