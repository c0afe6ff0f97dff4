//! What several tests need: running a check on texts or files, and snapshots.

use purlin::analyze::Facts;
use purlin::architecture;
use purlin::check::worlds;
use purlin::check::{Outcome, Selection, check};
use purlin::load::{self, Loaded};
use purlin::model::Model;
use purlin::policy::Policy;
use purlin::policy_file;
use purlin::run::Run;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// The project's folder.
pub(crate) fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// A path below the project's folder, from where the tests run.
pub(crate) fn fixture(path: &str) -> PathBuf {
    root().join("fixtures").join(path)
}

/// Only this rule.
pub(crate) fn only(rule: &str) -> Selection {
    Selection { only: vec![rule.to_string()], skip: Vec::new(), ..Selection::default() }
}

/// The policy in this file, or the empty one.
pub(crate) fn policy(path: &Path) -> Policy {
    let Ok(text) = std::fs::read_to_string(path) else { return Policy::default() };
    let read = policy_file::read(&Arc::from(text), purlin::rules::built_in());
    read.unwrap_or_else(|it| panic!("{}: {it:?}", path.display())).value
}

/// Loads files or folders, named from the project's folder.
pub(crate) fn load_paths(paths: &[PathBuf]) -> Loaded {
    let loaded = load::load(paths);
    assert_eq!(loaded.failures, []);
    let named =
        loaded.sources.iter().map(|(_, it)| (relative(&it.name), it.text.clone())).collect();
    load::load_texts(named)
}

fn relative(name: &str) -> String {
    let prefix = format!("{}/", root().display());
    name.strip_prefix(&prefix).unwrap_or(name).to_string()
}

/// Checks texts and hands the outcome on.
pub(crate) fn with_texts<T>(
    texts: &[(&str, &str)],
    selection: &Selection,
    then: impl FnOnce(&Model<'_>, &Outcome) -> T,
) -> T {
    with_loaded(&load_texts(texts), &Policy::default(), selection, then)
}

/// Loads texts, each with its name.
pub(crate) fn load_texts(texts: &[(&str, &str)]) -> Loaded {
    let texts = texts.iter().map(|(name, text)| ((*name).to_string(), Arc::from(*text))).collect();
    load::load_texts(texts)
}

/// What is so on the day of the tests.
pub(crate) fn run() -> Run {
    Run { today: Some("2026-06-01".parse().unwrap()), ..Run::default() }
}

/// Checks what was loaded, by the architecture documents in it, and hands the outcome on.
pub(crate) fn with_promises<T>(
    mut loaded: Loaded,
    policy: &Policy,
    selection: &Selection,
    then: impl FnOnce(&Model<'_>, &Outcome) -> T,
) -> T {
    let gathered = architecture::gather(&mut loaded);
    let mut policy = policy.clone();
    architecture::govern(&mut policy, &gathered.promises).unwrap();
    let nodes = architecture::nodes(&gathered.promises).unwrap();
    let run = Run { architecture: gathered, nodes, ..run() };
    let (model, outcome) = worlds::check(&loaded, "default", &policy, &run, selection);
    then(&model, &outcome)
}

/// Checks what was loaded and hands the outcome on.
pub(crate) fn with_loaded<T>(
    loaded: &Loaded,
    policy: &Policy,
    selection: &Selection,
    then: impl FnOnce(&Model<'_>, &Outcome) -> T,
) -> T {
    let model = Model::new(loaded, "default");
    let outcome = check(&model, policy, &run(), selection);
    then(&model, &outcome)
}

/// The model of one text.
pub(crate) fn model_of<T>(text: &str, then: impl FnOnce(&Model<'_>) -> T) -> T {
    let loaded = load_texts(&[("it.yaml", text)]);
    assert!(loaded.broken.is_empty(), "{text}");
    then(&Model::new(&loaded, "default"))
}

/// The facts of one text.
pub(crate) fn facts_of<T>(text: &str, then: impl FnOnce(&Model<'_>, &Facts<'_>) -> T) -> T {
    model_of(text, |model| then(model, &Facts::new(model)))
}

/// Compares with a file, or writes it under `UPDATE=1`.
pub(crate) fn snapshot(path: &Path, actual: &str) {
    if std::env::var_os("UPDATE").is_some() {
        std::fs::write(path, actual).unwrap();
        return;
    }
    let expected = std::fs::read_to_string(path).unwrap_or_default();
    assert!(
        expected == actual,
        "{} differs (UPDATE=1 cargo test writes it)\n--- expected\n{expected}\n--- actual\n{actual}",
        path.display()
    );
}
