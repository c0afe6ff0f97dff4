//! Rendering charts by `helm template`.

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
        values: &[PathBuf],
        release: Option<&str>,
        namespace: &str,
        allow_remote: bool,
    ) -> Result<String, Broken> {
        let mut command = Command::new(&self.program);
        command.arg("template").arg(release.unwrap_or("release-name")).arg(folder);
        command.args(["--namespace", namespace, "--include-crds", "--skip-tests"]);
        values.iter().for_each(|it| {
            command.arg("--values").arg(it);
        });
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

/// Every file of a chart; `None` if one cannot be looked at.
pub(crate) fn files(folder: &Path) -> Option<Vec<PathBuf>> {
    let mut files = Vec::new();
    let mut open = vec![folder.to_path_buf()];
    while let Some(folder) = open.pop() {
        // A link to a parent would go on for ever.
        if folder.components().count() > 200 {
            return None;
        }
        for entry in std::fs::read_dir(folder).ok()? {
            let path = entry.ok()?.path();
            if path.is_dir() {
                open.push(path);
            } else {
                files.push(path);
            }
        }
    }
    Some(files)
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
