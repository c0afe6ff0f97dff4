//! What a finding is known by from one run to the next: baselines and code scanning compare it.

use crate::api::kind::Kind;
use crate::check::locate::Locator;
use crate::finding::{Finding, Label, Unknown};
use crate::model::{Model, Object, Place, without_hash};
use crate::text::path::{FieldPath, Step};
use crate::text::tree::Node;
use rayon::prelude::*;
use rustc_hash::FxHashMap;
use sha2::{Digest, Sha256};
use std::fmt::Write as _;

/// Gives findings, which stand in order, their fingerprints. They stay the same when lines move, files are renamed,
/// objects or named list items are reordered, and numbers or generated contents change: a finding is known by its rule and the fields it
/// points to, whichever of them comes first, without what is only a hint. So it is the same from files, from a cluster and
/// in what the webhook sees of one.
pub fn fingerprint(model: &Model<'_>, findings: &mut [Finding]) {
    let locator = Locator::new(model);
    let identities: Vec<String> = findings.par_iter().map(|it| identity(&locator, it)).collect();
    let mut seen: FxHashMap<&str, usize> = FxHashMap::default();
    let mut times = Vec::with_capacity(findings.len());
    for identity in &identities {
        // Several on the same fields are told apart by their order alone.
        let count = seen.entry(identity).or_default();
        *count += 1;
        times.push(*count);
    }
    findings.par_iter_mut().zip(&identities).zip(times).for_each(|((finding, identity), times)| {
        finding.fingerprint = hash(&format!("{identity}\n{times}"));
    });
}

/// Gives questions their fingerprints: one is known by who asks, the object, and its words without the numbers.
pub fn fingerprint_questions(model: &Model<'_>, unknown: &mut [Unknown]) {
    unknown.par_iter_mut().for_each(|it| {
        let object = generated_once(model.object(it.object));
        let asks = numberless(&it.missing);
        it.fingerprint = hash(&format!("question\n{}\n{object}\n{asks}", it.rule));
    });
}

/// The object under a name that stays: what is generated is named after its contents, and these change.
fn generated_once<'d>(object: &Object<'d>) -> Object<'d> {
    let name = without_hash(object.kind, object.name).unwrap_or(object.name);
    Object { name, ..*object }
}

fn identity(locator: &Locator<'_, '_>, finding: &Finding) -> String {
    let labels = finding.labels.iter().filter(|it| !it.is_hint);
    let mut places: Vec<String> = labels.map(|it| place(locator, finding, it)).collect();
    // Which of several equal ones is the primary one depends on the order of reading them.
    places.sort();
    format!("{}\n{}", finding.rule, places.join("\n"))
}

fn place(locator: &Locator<'_, '_>, finding: &Finding, label: &Label) -> String {
    let model = locator.model();
    match &label.place {
        Place::Field { object, path } => {
            let object = generated_once(model.object(*object));
            format!("{object} {}", stable_path(&object, path))
        }
        // Text that is no field is known by its object or else its line, since its file may be renamed.
        Place::Text { source, span } => match locator.object(&label.place) {
            Some(object) => format!("{} {}", model.object(object), numberless(&finding.message)),
            None => {
                let source = model.loaded.sources.get(*source);
                let line = &source.text[source.line_range(source.line_of(span.start))];
                format!("{} {}", line.trim(), numberless(&finding.message))
            }
        },
    }
}

/// A message may name lines, and these move.
fn numberless(message: &str) -> String {
    message.split(|it: char| it.is_ascii_digit()).filter(|it| !it.is_empty()).collect()
}

/// The path with the names of list items, where they have one, instead of their numbers, and as far as it does not
/// depend on what the API server fills in.
fn stable_path(object: &Object<'_>, path: &FieldPath) -> String {
    let mut here = Some(object.root);
    let mut steps: Vec<String> = Vec::new();
    for step in path.steps() {
        steps.push(match step {
            Step::Key(key) => {
                here = here.and_then(|it| it.get(key));
                format!("/{key}")
            }
            Step::Index(index) => {
                here = here.and_then(|it| it.item(*index as usize));
                match here.and_then(|it| identity_of(object, it)) {
                    Some(name) => format!("[{name}]"),
                    None => format!("[{index}]"),
                }
            }
        });
    }
    match steps.as_slice() {
        // The port of the pods, and that of the nodes.
        [spec, ports, _, ..]
            if object.kind == Kind::Service && spec == "/spec" && ports == "/ports" =>
        {
            steps.truncate(3);
        }
        // `resources: {}`, and what is pointed to where there is none.
        [.., item, last]
            if item.starts_with('[')
                && (last == "/name"
                    || last == "/resources" && here.is_some_and(|it| it.count() == 0)) =>
        {
            steps.pop();
        }
        _ => {}
    }
    steps.concat()
}

/// What tells an item of a list from the others: its name; in documents of purlin's own also what it is about.
fn identity_of(object: &Object<'_>, item: Node<'_>) -> Option<String> {
    if let Some(name) = item.text("name") {
        return Some(name.to_string());
    }
    let fields = OWN_IDENTITIES.iter().filter(|_| object.id.is_own());
    let parts = fields.filter_map(|it| Some(format!("{it}={}", item.get(it)?.scalar()?)));
    let parts: Vec<_> = parts.collect();
    (!parts.is_empty()).then(|| parts.join(" "))
}

/// Fields by which documents of purlin's own tell the items of their lists apart: exceptions, targets and flows.
const OWN_IDENTITIES: [&str; 5] = ["rule", "object", "path", "from", "to"];

fn hash(text: &str) -> String {
    Sha256::digest(text).iter().take(16).fold(String::new(), |mut hex, byte| {
        let _ = write!(hex, "{byte:02x}");
        hex
    })
}
