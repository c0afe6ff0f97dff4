//! Rendering charts by `helm template`.

use super::Chart;
use super::program::{self, Broken, refuse_network, run};
use crate::load::files;
use crate::load::read::decode;
use crate::load::read::yaml;
use crate::load::read::yaml::Syntax;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

/// Rendering takes longer than this only where something hangs.
const MOST: Duration = Duration::from_secs(120);

/// Whether a chart only lends its templates to others.
pub(crate) fn is_library(folder: &Path) -> bool {
    let open = files::File { name: String::new(), path: Some(folder.join("Chart.yaml")) };
    let Ok(text) = files::read(&open).and_then(decode::decode) else { return false };
    let parsed = yaml::parse(&text, 0..text.len(), Syntax::Yaml).ok().flatten();
    parsed.is_some_and(|it| it.tree.root().text("type") == Some("library"))
}

/// The program that renders charts.
#[derive(Debug)]
pub(crate) struct Tool {
    program: PathBuf,
}

impl Tool {
    /// `helm`, if it is there.
    pub(crate) fn find() -> Option<Tool> {
        program::find("helm").map(|program| Tool { program })
    }

    /// What it says its version is.
    pub(crate) fn version(&self) -> Option<String> {
        run(Command::new(&self.program).args(["version", "--short"]), MOST).ok()
    }

    /// Renders the chart in a folder.
    pub(crate) fn template(
        &self,
        folder: &Path,
        chart: &Chart,
        namespace: &str,
        allow_remote: bool,
    ) -> Result<String, Broken> {
        let mut command = Command::new(&self.program);
        let release = chart.release.as_deref().unwrap_or("release-name");
        command.arg("template").arg(release).arg(folder);
        command.args(["--namespace", namespace, "--include-crds", "--skip-tests"]);
        chart.values.iter().for_each(|it| {
            command.arg("--values").arg(it);
        });
        let api_versions = chart.api_versions.iter().map(|it| ("--api-versions", it));
        let options = chart.set.iter().map(|it| ("--set", it)).chain(api_versions);
        for (option, value) in
            options.chain(chart.kube_version.iter().map(|it| ("--kube-version", it)))
        {
            command.args([option, value]);
        }
        // The namespace and the cluster of the moment are no part of the chart.
        command.env_remove("HELM_NAMESPACE").env_remove("HELM_KUBECONTEXT");
        if !allow_remote {
            refuse_network(&mut command);
        }
        run(&mut command, MOST).map_err(|it| {
            let why = it.why.replace("Use --debug flag to render out invalid YAML", "");
            Broken { why: why.trim().into(), ..it }
        })
    }
}

/// More files and folders than these are no chart, but a link to something around it, which helm would follow.
const MOST_ENTRIES: usize = 20_000;

/// Every file of a chart.
///
/// # Errors
///
/// What of it helm would read without an end, or cannot be read.
pub(crate) fn files(folder: &Path) -> Result<Vec<PathBuf>, String> {
    let failed = |it: &Path, error| format!("{}: {}", it.display(), files::describe(&error));
    let mut files = Vec::new();
    let (mut entries, mut open) = (0, vec![folder.to_path_buf()]);
    while let Some(folder) = open.pop() {
        for entry in std::fs::read_dir(&folder).map_err(|it| failed(&folder, it))? {
            entries += 1;
            if entries > MOST_ENTRIES {
                return Err(format!(
                    "a chart of more than {MOST_ENTRIES} files: a link may lead out of it"
                ));
            }
            let path = entry.map_err(|it| failed(&folder, it))?.path();
            match path.is_dir() {
                true => open.push(path),
                false => files.push(path),
            }
        }
    }
    // Helm would wait for what a pipe never says.
    for path in files.iter().filter(|it| it.exists()) {
        files::regular(path).map_err(|it| format!("`{}` is {it}", path.display()))?;
    }
    Ok(files)
}

/// The files of a chart that may change every object: all but the templates that are objects themselves, the values
/// that nobody asked for, and what is for people.
pub(crate) fn settings(folder: &Path) -> Vec<PathBuf> {
    let is_setting = |path: &PathBuf| {
        let inside = path.strip_prefix(folder).unwrap_or(path);
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let is_below = |part: &str| inside.iter().any(|it| it == part);
        match path.extension().and_then(|it| it.to_str()) {
            Some("md" | "txt") => false,
            _ if is_below("ci") || is_below("crds") => false,
            Some("tpl") => true,
            _ if is_below("templates") => name.starts_with('_'),
            _ => !name.starts_with('.') && (name == "values.yaml" || !name.starts_with("values")),
        }
    };
    let mut files = files(folder).unwrap_or_default();
    files.retain(is_setting);
    files
}

/// An object that was rendered.
#[derive(Debug)]
pub(crate) struct Rendered {
    /// Its text.
    pub(crate) text: String,
    /// Its template, from the chart's folder.
    pub(crate) template: Option<PathBuf>,
}

/// Takes what was rendered apart.
pub(crate) fn objects(text: &str) -> Vec<Rendered> {
    let text = text.strip_prefix("---\n").unwrap_or(text);
    let mut last = None;
    let each = text.split("\n---\n").filter(|it| !it.trim().is_empty());
    each.map(|object| {
        let source = object.lines().find_map(|it| it.strip_prefix("# Source: "));
        // `name/templates/a.yaml`: the chart by its name, which is not always that of its folder. A template with
        // several documents is named before each.
        let template = source.and_then(|it| it.split_once('/')).map(|it| PathBuf::from(it.1));
        last = template.or(last.take());
        Rendered { text: object.to_string(), template: last.clone() }
    })
    .collect()
}
