//! Renders what was found, in parallel, unless it is in the cache.

use super::cache::{Digests, Slot};
use super::find::{Found, Job, JobKind};
use super::graph::Inputs;
use super::paths::{Names, real};
use super::{Options, helm, kustomize};
use rayon::prelude::*;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use tempfile::TempDir;

/// What a program printed for a job.
pub(crate) struct Rendered {
    /// The text.
    pub(crate) text: String,
    /// The real folder that paths in it start from.
    pub(crate) base: PathBuf,
}

/// The programs, found and asked for their versions when first needed.
#[derive(Default)]
struct Tools {
    kustomize: OnceLock<Option<kustomize::Tool>>,
    kustomize_version: OnceLock<Option<String>>,
    helm: OnceLock<Option<helm::Tool>>,
    helm_version: OnceLock<Option<String>>,
}

impl Tools {
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
pub(crate) fn all(found: &Found, options: &Options) -> Vec<Result<Rendered, String>> {
    let tools = Tools::default();
    let scratch = TempDir::with_prefix("purlin-");
    let digests = Digests::default();
    let each = found.jobs.par_iter().enumerate().map(|(at, job)| match &job.kind {
        JobKind::Kustomization(inputs) => {
            let scratch = scratch.as_ref().map_err(|it| format!("no temporary folder: {it}"))?;
            let scratch = real(scratch.path()).ok_or("no temporary folder")?.join(at.to_string());
            build(job, inputs, &tools, &scratch, &found.names, options, &digests)
        }
        JobKind::Chart { values, release } => {
            template(job, values, release.as_deref(), &tools, options, &digests)
        }
    });
    each.collect()
}

fn build(
    job: &Job,
    inputs: &Inputs,
    tools: &Tools,
    scratch: &Path,
    names: &Names,
    options: &Options,
    digests: &Digests,
) -> Result<Rendered, String> {
    let at = |file: &Path, line: usize| match line {
        0 => names.name(file),
        _ => format!("{}:{line}", names.name(file)),
    };
    if let Some((file, line, why)) = inputs.refused.first() {
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
    let tool = tools.kustomize()?;
    let slot = options.cache.as_deref().filter(|_| inputs.is_pure && inputs.remote.is_empty());
    let slot = slot.and_then(|folder| {
        let version = tools.kustomize_version.get_or_init(|| tool.version()).as_deref()?;
        let parts = ["kustomize 1", version, job.folder.to_str()?];
        Slot::new(folder, &parts, inputs.files.keys().cloned().collect(), digests)
    });
    let kept = slot.as_ref().and_then(Slot::get);
    if let Some((base, text)) = kept.as_deref().and_then(|it| it.split_once('\n')) {
        return Ok(Rendered { text: text.to_string(), base: PathBuf::from(base) });
    }
    fs::create_dir(scratch).map_err(|it| format!("no temporary folder: {it}"))?;
    let text = tool.build(&job.folder, scratch, options.allow_remote, names)?;
    if let Some((slot, base)) = slot.zip(scratch.to_str()) {
        slot.put(&format!("{base}\n{text}"));
    }
    Ok(Rendered { text, base: scratch.to_path_buf() })
}

fn template(
    job: &Job,
    values: &[PathBuf],
    release: Option<&str>,
    tools: &Tools,
    options: &Options,
    digests: &Digests,
) -> Result<Rendered, String> {
    if let Some(missing) = values.iter().find(|it| !it.is_file()) {
        return Err(format!("`{}`, a file of values, is not there", missing.display()));
    }
    let tool = tools.helm()?;
    let namespace = job.namespace.as_deref().unwrap_or(&options.namespace);
    let slot = options.cache.as_deref().and_then(|folder| {
        let version = tools.helm_version.get_or_init(|| tool.version()).as_deref()?;
        let mut parts = vec!["helm 1", version, namespace, release.unwrap_or_default()];
        parts.push(job.folder.to_str()?);
        let mut files = helm::files(&job.folder)?;
        for path in values {
            parts.push(path.to_str()?);
            files.push(path.clone());
        }
        Slot::new(folder, &parts, files, digests)
    });
    let base = job.folder.clone();
    if let Some(text) = slot.as_ref().and_then(Slot::get) {
        return Ok(Rendered { text, base });
    }
    let text = tool.template(&job.folder, values, release, namespace, options.allow_remote)?;
    if let Some(slot) = slot {
        slot.put(&text);
    }
    Ok(Rendered { text, base })
}
