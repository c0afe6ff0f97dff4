//! Which worlds the targets stand for, and which manifests belong to none of the rendered ones.

use super::graph::{Graph, Inputs};
use super::kustomization::{self, NAMES};
use super::paths::{Names, real};
use super::{Chart, Target, helm};
use crate::load::files::{self, Failure, File};
use crate::load::left_out::LeftOut;
use crate::load::terraform::is_terraform;
use crate::load::test_tools::{assertions, data_of_chart};
use crate::load::walk::Walker;
use rustc_hash::{FxHashMap, FxHashSet};
use std::path::{Path, PathBuf};

/// What the targets stand for.
pub(crate) struct Found {
    /// What is to be rendered, in the order of names.
    pub(crate) jobs: Vec<Job>,
    /// Plain manifests that are a world together, those without a name of their own first.
    pub(crate) groups: Vec<Group>,
    /// What could not be looked at.
    pub(crate) failures: Vec<Failure>,
    /// What is only ever a part of something else, and is part of nothing here.
    pub(crate) unused_inputs: usize,
    /// What else is left out.
    pub(crate) left_out: Vec<LeftOut>,
    /// Assertions of tests.
    pub(crate) fragments: usize,
    /// Files of Terraform.
    pub(crate) terraform: Vec<PathBuf>,
    /// How real paths are named.
    pub(crate) names: Names,
}

/// Plain manifests that are judged together.
#[derive(Default)]
pub(crate) struct Group {
    pub(crate) name: Option<String>,
    pub(crate) namespace: Option<String>,
    pub(crate) files: Vec<File>,
}

/// Something to render.
#[derive(PartialEq, Eq)]
pub(crate) struct Job {
    /// The name of its world.
    pub(crate) name: String,
    /// Its real folder.
    pub(crate) folder: PathBuf,
    /// The namespace of objects that name none.
    pub(crate) namespace: Option<String>,
    /// Whether it may have charts rendered.
    pub(crate) helm: bool,
    pub(crate) kind: JobKind,
    /// Files below it that may be its own: it cannot be read, so nobody knows.
    pub(crate) strays: Vec<File>,
}

/// By which program.
#[derive(PartialEq, Eq)]
pub(crate) enum JobKind {
    Kustomization(Inputs),
    Chart(Chart),
}

impl JobKind {
    /// The files of a kustomization.
    fn files(&self) -> impl Iterator<Item = PathBuf> {
        let inputs = match self {
            JobKind::Kustomization(inputs) => Some(inputs),
            JobKind::Chart(_) => None,
        };
        inputs.into_iter().flat_map(|it| it.files.keys().cloned())
    }
}

/// What lies below a folder that was given.
#[derive(Default)]
struct Below {
    kustomizations: Vec<PathBuf>,
    charts: Vec<PathBuf>,
    manifests: Vec<PathBuf>,
    terraform: Vec<PathBuf>,
}

/// Looks at targets.
pub(crate) fn find(targets: &[Target], exclude: (&Path, &[String])) -> Found {
    let names = Names::new(targets.iter().map(|it| it.path.as_path()));
    let mut found = Found {
        jobs: Vec::new(),
        groups: vec![Group::default()],
        failures: Vec::new(),
        unused_inputs: 0,
        left_out: Vec::new(),
        fragments: 0,
        terraform: Vec::new(),
        names,
    };
    let mut walker = Walker::new(targets.iter().map(|it| it.path.as_path()), exclude);
    let mut belows = Vec::new();
    for target in targets {
        let below = look(target, &mut walker, &mut found);
        belows.push((target, below));
    }
    found.failures.append(&mut walker.failures);
    found.left_out.append(&mut walker.left_out);
    let mut folders: Vec<PathBuf> =
        belows.iter().flat_map(|(_, it)| it.kustomizations.clone()).collect();
    let charts: FxHashSet<PathBuf> = belows.iter().flat_map(|(_, it)| it.charts.clone()).collect();
    // A template is no kustomization, whatever it is called.
    folders.retain(|it| !charts.iter().any(|chart| it.starts_with(chart.join("templates"))));
    let graph = Graph::read(folders);
    let parts = graph.parts();
    let inputs = graph.files();
    let unreadable = graph.unreadable();
    for (target, below) in &belows {
        let given = real(&target.path);
        let is_given = |folder: &PathBuf| {
            given.as_ref() == Some(folder)
                || given.as_ref().and_then(|it| it.parent()) == Some(folder.as_path())
        };
        let Chart { values, release, set, .. } = &target.chart;
        let is_for_charts = !values.is_empty() || release.is_some() || !set.is_empty();
        if is_for_charts && given.is_some() && !below.charts.iter().any(is_given) {
            let why = "`values`, `set` and `release` are for a chart, and this is none".into();
            found.failures.push(Failure::read(files::show(&target.path), why));
        }
        for folder in &below.kustomizations {
            let folder = folder.clone();
            if let Some(it) = graph.get(&folder).filter(|it| it.is_object) {
                let file = File { name: found.names.name(&it.file), path: Some(it.file.clone()) };
                found.group_of(target).files.push(file);
                continue;
            }
            let is_given = is_given(&folder);
            let is_part = graph.get(&folder).is_some_and(|it| it.is_component)
                || parts.contains(folder.as_path()) && !is_given;
            if is_part || charts.iter().any(|it| folder.starts_with(it.join("templates"))) {
                continue;
            }
            let kind = JobKind::Kustomization(graph.inputs(&folder));
            found.add_job(target, is_given, folder, kind);
        }
        for folder in &below.charts {
            let folder = folder.clone();
            let is_given = is_given(&folder);
            let parts = folder.ancestors().skip(1).filter(|it| it.ends_with("charts"));
            let is_part = parts.filter_map(Path::parent).any(|it| charts.contains(it));
            if is_part && !is_given || helm::is_library(&folder) {
                continue;
            }
            let chart = if is_given { target.chart.clone() } else { Chart::default() };
            let kind = JobKind::Chart(chart);
            found.add_job(target, is_given, folder, kind);
        }
    }
    let data: FxHashSet<PathBuf> = charts.iter().flat_map(|it| data_of_chart(it)).collect();
    let manifests = belows.iter().flat_map(|(_, it)| &it.manifests);
    let assertions = assertions(manifests.map(PathBuf::as_path));
    let used: FxHashSet<PathBuf> = found.jobs.iter().flat_map(|it| it.kind.files()).collect();
    for (target, mut below) in belows {
        found.terraform.append(&mut below.terraform);
        let mut real_folders: FxHashMap<PathBuf, PathBuf> = FxHashMap::default();
        let has_rendered = !inputs.is_empty() || !charts.is_empty();
        for path in below.manifests {
            if has_rendered {
                let parent = path.parent().unwrap_or(Path::new("")).to_path_buf();
                let folder = real_folders.entry(parent.clone()).or_insert_with(|| {
                    let parent =
                        if parent.as_os_str().is_empty() { Path::new(".") } else { &parent };
                    real(parent).unwrap_or_default()
                });
                let path = folder.join(path.file_name().unwrap_or_default());
                if inputs.contains(path.as_path()) {
                    found.unused_inputs += usize::from(!used.contains(&path));
                    continue;
                }
                let is_data = || path.ancestors().any(|it| data.contains(it));
                if charts.iter().any(|it| is_of_chart(it, &path)) || is_data() {
                    continue;
                }
            }
            if assertions.contains(&path) {
                found.fragments += 1;
                continue;
            }
            let name = files::show(&path);
            let file = File { name, path: Some(path) };
            match found.may_own(&graph, &unreadable, &file) {
                Some(job) => found.jobs[job].strays.push(file),
                None => found.group_of(target).files.push(file),
            }
        }
    }
    found.jobs.sort_by(|a, b| (&a.name, &a.folder).cmp(&(&b.name, &b.folder)));
    found.jobs.dedup();
    for group in &mut found.groups {
        group.files.sort();
        group.files.dedup();
    }
    found.groups.retain(|it| !it.files.is_empty());
    found
}

impl Found {
    fn add_job(&mut self, target: &Target, is_given: bool, folder: PathBuf, kind: JobKind) {
        let name = target.name.clone().filter(|_| is_given);
        let name = name.unwrap_or_else(|| self.names.name(&folder));
        let namespace = target.namespace.clone();
        self.jobs.push(Job {
            name,
            folder,
            namespace,
            helm: target.helm,
            kind,
            strays: Vec::new(),
        });
    }

    /// The kustomization that cannot be read and that a file below it may belong to: the nearest around it.
    fn may_own(&self, graph: &Graph, unreadable: &FxHashSet<&Path>, file: &File) -> Option<usize> {
        if unreadable.is_empty() {
            return None;
        }
        let path = real(file.path.as_deref()?)?;
        let folder = path.ancestors().skip(1).find(|it| graph.has(it))?;
        let is_unreadable = unreadable.contains(folder);
        self.jobs.iter().position(|it| it.folder == folder).filter(|_| is_unreadable)
    }

    /// The plain manifests of a target: those of targets without a name are one world.
    fn group_of(&mut self, target: &Target) -> &mut Group {
        if target.name.is_none() {
            return &mut self.groups[0];
        }
        let is_it = |it: &Group| it.name == target.name && it.namespace == target.namespace;
        let at = self.groups.iter().position(is_it).unwrap_or_else(|| {
            let (name, namespace) = (target.name.clone(), target.namespace.clone());
            self.groups.push(Group { name, namespace, files: Vec::new() });
            self.groups.len() - 1
        });
        &mut self.groups[at]
    }
}

/// Looks at what a path stands for; what is plainly a manifest goes to its group at once.
fn look(target: &Target, walker: &mut Walker, found: &mut Found) -> Below {
    let path = &target.path;
    let mut below = Below::default();
    if path.as_os_str() == "-" {
        found.group_of(target).files.push(File { name: "<stdin>".into(), path: None });
        return below;
    }
    let named = path.file_name().unwrap_or_default();
    let folder =
        path.parent().map(|it| if it.as_os_str().is_empty() { Path::new(".") } else { it });
    if !path.is_dir() {
        let folder = folder.and_then(real).filter(|_| path.is_file());
        match folder {
            Some(folder) if NAMES.iter().any(|it| named == *it) => {
                below.kustomizations.push(folder)
            }
            Some(folder) if named == "Chart.yaml" => below.charts.push(folder),
            _ => {
                let file = File { name: files::show(path), path: Some(path.clone()) };
                found.group_of(target).files.push(file);
            }
        }
        return below;
    }
    // A kustomization or a chart that is named as a target is that and nothing else.
    if target.name.is_some()
        && let Some(folder) = real(path)
    {
        if kustomization::file_in(&folder).is_some() {
            below.kustomizations.push(folder);
            return below;
        }
        if folder.join("Chart.yaml").is_file() {
            below.charts.push(folder);
            return below;
        }
    }
    for path in walker.below(path) {
        let name = path.file_name().unwrap_or_default();
        let folder = || path.parent().and_then(real);
        if NAMES.iter().any(|it| name == *it) {
            below.kustomizations.extend(folder());
        } else if name == "Chart.yaml" {
            below.charts.extend(folder());
        } else if is_terraform(&path) {
            below.terraform.push(path);
        } else if files::has_manifest_extension(&path) {
            below.manifests.push(path);
        }
    }
    below.kustomizations.dedup();
    below
}

/// Whether a file is a part of a chart, and no manifest.
fn is_of_chart(chart: &Path, path: &Path) -> bool {
    let Ok(rest) = path.strip_prefix(chart) else { return false };
    let first = rest.iter().next().unwrap_or_default();
    let is_values = rest.iter().count() == 1 && first.to_string_lossy().starts_with("values");
    is_values || first == "templates" || first == "charts" || first == "crds" || first == "ci"
}
