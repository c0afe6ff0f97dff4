//! What a finding is known by from one run to the next: baselines and code scanning compare it.

use crate::finding::{Finding, Label};
use crate::model::{Model, Object, Place};
use crate::path::{FieldPath, Step};
use rayon::prelude::*;
use rustc_hash::FxHashMap;
use sha2::{Digest, Sha256};
use std::fmt::Write as _;

/// The fingerprints of findings. They stay the same when lines move, files are renamed, objects or named list items are
/// reordered, and numbers change: a finding is known by its rule and the fields it points to.
pub fn fingerprints(model: &Model<'_>, findings: &[Finding]) -> Vec<String> {
    let identities: Vec<String> = findings.par_iter().map(|it| identity(model, it)).collect();
    let mut seen: FxHashMap<&str, usize> = FxHashMap::default();
    let mut times = Vec::with_capacity(findings.len());
    for identity in &identities {
        // Several on the same fields are told apart by their order alone.
        let count = seen.entry(identity).or_default();
        *count += 1;
        times.push(*count);
    }
    let counted = identities.par_iter().zip(times);
    counted.map(|(identity, times)| hash(&format!("{identity}\n{times}"))).collect()
}

fn identity(model: &Model<'_>, finding: &Finding) -> String {
    let mut places: Vec<String> =
        finding.labels.iter().map(|it| place(model, finding, it)).collect();
    // The primary place leads; the others have no order of their own.
    places[1..].sort();
    format!("{}\n{}", finding.rule, places.join("\n"))
}

fn place(model: &Model<'_>, finding: &Finding, label: &Label) -> String {
    match &label.place {
        Place::Field { object, path } => {
            let object = model.object(*object);
            format!("{object} {}", stable_path(object, path))
        }
        // Text that is no object is known by its file.
        Place::Text { source, .. } => {
            format!("{} {}", model.loaded.sources.get(*source).name, finding.message)
        }
    }
}

/// The path with the names of list items, where they have one, instead of their numbers.
fn stable_path(object: &Object<'_>, path: &FieldPath) -> String {
    let mut here = Some(object.root);
    let mut text = String::new();
    for step in path.steps() {
        let _ = match step {
            Step::Key(key) => {
                here = here.and_then(|it| it.get(key));
                write!(text, "/{key}")
            }
            Step::Index(index) => {
                here = here.and_then(|it| it.items().nth(*index as usize));
                match here.and_then(|it| it.text("name")) {
                    Some(name) => write!(text, "[{name}]"),
                    None => write!(text, "[{index}]"),
                }
            }
        };
    }
    text
}

fn hash(text: &str) -> String {
    Sha256::digest(text).iter().take(16).fold(String::new(), |mut hex, byte| {
        let _ = write!(hex, "{byte:02x}");
        hex
    })
}
