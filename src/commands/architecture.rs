//! `purlin architecture`: an architecture document and CALM.

use super::check::{policy_file, read_policy, source};
use super::{done, fail, graph, print, tell};
use crate::cli::Architecture;
use purlin::extract::calm::{self, Imported};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// Turns one into the other.
pub(super) fn run(args: &Architecture) -> ExitCode {
    let (text, output) = match &args.from {
        Some(from) => (import(from, args.name.as_deref()), args.output.as_deref()),
        None => (export(args.file.as_deref()), args.to.as_deref()),
    };
    let text = match text {
        Ok(text) => text,
        Err(message) => return fail(message),
    };
    match output.filter(|it| *it != Path::new("-")) {
        None => done(print(text.as_bytes())),
        Some(path) => match std::fs::write(path, text) {
            Ok(()) => ExitCode::SUCCESS,
            Err(error) => fail(format!("cannot write {}: {error}", path.display())),
        },
    }
}

fn import(path: &Path, name: Option<&str>) -> Result<String, String> {
    let source = source(path)?;
    let of_file = path.file_stem().map(|it| it.to_string_lossy().into_owned());
    let name = name.map(str::to_string).or(of_file).unwrap_or_else(|| "architecture".into());
    let imported = calm::import(&source.text, &name);
    let Imported { text, left_out } =
        imported.map_err(|why| format!("{} is no document of CALM: {why}", path.display()))?;
    left_out.iter().for_each(|it| tell(&format!("note: left out: {it}")));
    Ok(text)
}

fn export(file: Option<&Path>) -> Result<String, String> {
    let (mut policy, _) = read_policy(policy_file(None).as_deref())?;
    let of_policy = policy.architecture.clone().map(PathBuf::from);
    let path = file.map(Path::to_path_buf).or(of_policy);
    let path = path.unwrap_or_else(|| PathBuf::from("architecture.yaml"));
    let promises = graph::promises(path, &mut policy)?;
    let [promise] = promises.as_slice() else {
        return Err(format!("{} architectures in one document", promises.len()));
    };
    Ok(format!("{:#}\n", calm::export(promise)))
}
