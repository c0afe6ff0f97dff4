//! Renders what was found, in parallel, unless it is in the cache.

use super::cache::{Digests, Slot, prune};
use super::find::{Found, Job, JobKind};
use super::graph::Inputs;
use super::paths::{normal, real, relative};
use super::program::Broken;
use super::{Chart, Options, Progress, helm, kustomize};
use crate::load::files::regular;
use rayon::prelude::*;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use tempfile::TempDir;

/// What a program printed for a job.
pub(crate) struct Rendered {
    /// The text.
    pub(crate) text: String,
    /// The real folder that paths in it start from.
    base: PathBuf,
    /// The real folder that was rendered, which may have been elsewhere.
    folder: PathBuf,
}

impl Rendered {
    /// What a path in the text stands for, where the rendered folder is this one.
    pub(crate) fn real_path(&self, path: &Path, folder: &Path) -> PathBuf {
        let there = normal(&self.base.join(path));
        if self.folder == folder {
            return there;
        }
        normal(&folder.join(relative(&self.folder, &there)))
    }
}

/// What all jobs share: the options, and the programs, found and asked for their versions when first needed.
struct Tools<'o> {
    found: &'o Found,
    options: &'o Options,
    progress: &'o (dyn Fn(Progress<'_>) + Sync),
    digests: Digests,
    begun: AtomicUsize,
    /// Whether a program did not come to an end.
    is_stuck: AtomicBool,
    /// Whether anything was put into the cache.
    has_kept: AtomicBool,
    kustomize: OnceLock<Option<kustomize::Tool>>,
    kustomize_version: OnceLock<Option<String>>,
    helm: OnceLock<Option<helm::Tool>>,
    helm_version: OnceLock<Option<String>>,
}

impl Tools<'_> {
    /// Runs a program for a job, unless one has hung: the next would, too, and each takes its time.
    fn run(
        &self,
        job: &Job,
        at: usize,
        program: impl FnOnce() -> Result<String, Broken>,
    ) -> Result<String, String> {
        if self.is_stuck.load(Ordering::Relaxed) {
            return Err("not tried, as another did not come to an end".into());
        }
        (self.progress)(Progress { at, of: self.found.jobs.len(), name: &job.name });
        program().map_err(|broken| {
            self.is_stuck.fetch_or(broken.is_stuck, Ordering::Relaxed);
            broken.why
        })
    }

    fn kustomize(&self) -> Result<&kustomize::Tool, String> {
        let tool = self.kustomize.get_or_init(kustomize::Tool::find);
        tool.as_ref().ok_or_else(|| {
            "neither `kustomize` nor `kubectl` is installed; install one, or leave kustomizations unjudged with --no-render".into()
        })
    }

    fn helm(&self) -> Result<&helm::Tool, String> {
        let tool = self.helm.get_or_init(helm::Tool::find);
        tool.as_ref().ok_or_else(|| {
            "`helm` is not installed; install it, or leave charts unjudged with --no-render".into()
        })
    }
}

/// Renders every job, in their order: what was printed, or why nothing was.
pub(crate) fn all(
    found: &Found,
    options: &Options,
    progress: &(dyn Fn(Progress<'_>) + Sync),
) -> Vec<Result<Rendered, String>> {
    let tools = Tools {
        found,
        options,
        progress,
        digests: Digests::default(),
        begun: AtomicUsize::new(0),
        is_stuck: AtomicBool::new(false),
        has_kept: AtomicBool::new(false),
        kustomize: OnceLock::new(),
        kustomize_version: OnceLock::new(),
        helm: OnceLock::new(),
        helm_version: OnceLock::new(),
    };
    let scratch = TempDir::with_prefix("purlin-");
    let each = found.jobs.par_iter().enumerate().map(|(at, job)| match &job.kind {
        JobKind::Kustomization(inputs) => {
            let scratch = scratch.as_ref().map_err(|it| format!("no temporary folder: {it}"))?;
            let scratch = real(scratch.path()).ok_or("no temporary folder")?.join(at.to_string());
            build(job, inputs, &tools, &scratch)
        }
        JobKind::Chart(chart) => template(job, chart, &tools),
    });
    let all = each.collect();
    if let Some(folder) = options.cache.as_deref().filter(|_| tools.has_kept.into_inner()) {
        prune(folder);
    }
    all
}

fn build(
    job: &Job,
    inputs: &Inputs,
    tools: &Tools<'_>,
    scratch: &Path,
) -> Result<Rendered, String> {
    let (names, options) = (&tools.found.names, tools.options);
    let count = tools.begun.fetch_add(1, Ordering::Relaxed) + 1;
    let at = |file: &Path, line: usize| match line {
        0 => names.name(file),
        _ => format!("{}:{line}", names.name(file)),
    };
    if let Some((file, line, why)) = inputs.refused.first() {
        if *file == job.folder {
            return Err(why.clone());
        }
        return Err(format!("{}: {why}", at(file, *line)));
    }
    if let Some((file, line, what)) = inputs.remote.first()
        && !options.allow_remote
    {
        return Err(format!(
            "{}: `{what}` is not on this disk, and nothing is fetched unless --allow-remote or `allowRemote: true` in purlin.yaml says so",
            at(file, *line)
        ));
    }
    if let Some((file, line)) = inputs.charts.first().filter(|_| !job.helm) {
        return Err(format!(
            "{}: `helmCharts` is rendered by helm, which runs where the target in purlin.yaml says `helm: true`; \
             or give the chart itself, or pipe `kustomize build --enable-helm` into `purlin check -`",
            at(file, *line)
        ));
    }
    let tool = tools.kustomize()?;
    let slot = options.cache.as_deref().filter(|_| inputs.is_pure && inputs.remote.is_empty());
    let slot = slot.and_then(|folder| {
        let version = tools.kustomize_version.get_or_init(|| tool.version()).as_deref()?;
        let parts = ["kustomize 2", version];
        Slot::new(
            folder,
            &parts,
            &job.folder,
            inputs.files.keys().cloned().collect(),
            &tools.digests,
        )
    });
    let kept = slot.as_ref().and_then(Slot::get);
    let kept = kept.as_deref().and_then(|it| {
        let (base, rest) = it.split_once('\n')?;
        let (folder, text) = rest.split_once('\n')?;
        Some(Rendered { text: text.into(), base: base.into(), folder: folder.into() })
    });
    if let Some(kept) = kept {
        return Ok(kept);
    }
    fs::create_dir(scratch).map_err(|it| format!("no temporary folder: {it}"))?;
    let build = || tool.build(&job.folder, scratch, (options.allow_remote, job.helm), names);
    let text = tools.run(job, count, build)?;
    if let Some(((slot, base), folder)) = slot.zip(scratch.to_str()).zip(job.folder.to_str()) {
        slot.put(&format!("{base}\n{folder}\n{text}"));
        tools.has_kept.store(true, Ordering::Relaxed);
    }
    Ok(Rendered { text, base: scratch.to_path_buf(), folder: job.folder.clone() })
}

fn template(job: &Job, chart: &Chart, tools: &Tools<'_>) -> Result<Rendered, String> {
    let values = &chart.values;
    let options = tools.options;
    let count = tools.begun.fetch_add(1, Ordering::Relaxed) + 1;
    for it in values {
        let name = it.display();
        if !it.exists() {
            return Err(format!("`{name}`, a file of values, is not there"));
        }
        regular(it).map_err(|why| format!("`{name}`, a file of values, is {why}"))?;
    }
    let files = helm::files(&job.folder)?;
    let tool = tools.helm()?;
    let namespace = job.namespace.as_deref().unwrap_or(&options.namespace);
    let slot = options.cache.as_deref().and_then(|folder| {
        let version = tools.helm_version.get_or_init(|| tool.version()).as_deref()?;
        let ways: Vec<PathBuf> = values
            .iter()
            .map(|it| Some(relative(&job.folder, &real(it)?)))
            .collect::<Option<_>>()?;
        let release = chart.release.as_deref().unwrap_or_default();
        let mut parts = vec!["helm 3", version, namespace, release];
        parts.push(chart.kube_version.as_deref().unwrap_or_default());
        for list in [&chart.set, &chart.api_versions] {
            parts.extend(list.iter().map(String::as_str));
            // Where a list ends; no item is empty.
            parts.push("");
        }
        // The last of them has the last word, so their order counts.
        for way in &ways {
            parts.push(way.to_str()?);
        }
        let mut files = files.clone();
        files.extend(values.iter().filter_map(|it| real(it)));
        Slot::new(folder, &parts, &job.folder, files, &tools.digests)
    });
    let (base, folder) = (job.folder.clone(), job.folder.clone());
    if let Some(text) = slot.as_ref().and_then(Slot::get) {
        return Ok(Rendered { text, base, folder });
    }
    let template = || tool.template(&job.folder, chart, namespace, options.allow_remote);
    let text = tools.run(job, count, template)?;
    if let Some(slot) = slot {
        slot.put(&text);
        tools.has_kept.store(true, Ordering::Relaxed);
    }
    Ok(Rendered { text, base, folder })
}
