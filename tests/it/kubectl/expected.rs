//! What a check of files says, which is what the webhook has to say.

use crate::cluster::same::why_only_files;
use crate::support::with_loaded;
use crate::systems::is_bad;
use purlin::check::Selection;
use purlin::load::{Loaded, load_texts};
use purlin::policy::Policy;
use purlin::policy_file;
use purlin::rule::{Admission, Finding, Place, Rule, Severity};
use purlin::rules;
use std::collections::BTreeSet;
use std::sync::Arc;

/// A finding of a check.
pub(super) struct Expected {
    pub(super) rule: &'static Rule,
    pub(super) message: String,
    /// The objects that it names.
    pub(super) objects: BTreeSet<String>,
    /// Whether the webhook denies it: it is certain, and no mere risk.
    pub(super) is_denied: bool,
    /// The sums.
    pub(super) notes: Vec<String>,
    /// Why a cluster cannot say so.
    pub(super) only_files: Option<&'static str>,
}

/// The errors and warnings of a world that is complete, as a cluster is.
pub(super) fn found(texts: Vec<(String, Arc<str>)>) -> Vec<Expected> {
    found_in(&load_texts(texts), &Selection::default())
}

/// The errors and warnings of what was loaded.
pub(super) fn found_in(loaded: &Loaded, selection: &Selection) -> Vec<Expected> {
    with_loaded(loaded, &complete(), selection, |model, outcome| {
        let bad = outcome.findings.iter().filter(|it| is_bad(it));
        bad.filter_map(|it| {
            let objects = it.labels.iter().filter_map(|it| match &it.place {
                Place::Field { object, .. } => Some(model.object(*object).to_string()),
                Place::Text { .. } => None,
            });
            Some(Expected {
                rule: rules::built_in().find(it.rule)?,
                // The API server chooses the port.
                message: it.message.replace("on a port of every node", "of every node"),
                objects: objects.collect(),
                is_denied: !it.is_guess
                    && it.severity == Some(Severity::Error)
                    && rules::built_in().find(it.rule)?.admission == Admission::Deny,
                notes: it.notes.clone(),
                only_files: why_only_files(&format!("{}: {}", it.rule, it.message))
                    .or_else(|| why_not_at_admission(it)),
            })
        })
        .collect()
    })
}

/// Kinds that purlin has no name for are read by a check, and not watched by the webhook.
fn why_not_at_admission(it: &Finding) -> Option<&'static str> {
    let is_custom =
        it.rule == "dangling-reference" && it.message.ends_with("which the cluster does not have");
    is_custom.then_some("the webhook does not watch kinds that purlin has no name for")
}

/// Those of them that a cluster can say.
pub(super) fn expected(texts: Vec<(String, Arc<str>)>) -> Vec<Expected> {
    found(texts).into_iter().filter(|it| it.only_files.is_none()).collect()
}

/// Those that were not known.
pub(super) fn find_new(found: Vec<Expected>, known: &[Expected]) -> Vec<Expected> {
    let is_new = |it: &Expected| !known.iter().any(|other| other.message == it.message);
    found.into_iter().filter(is_new).collect()
}

fn complete() -> Policy {
    let text = "apiVersion: purlin.dev/v1alpha1\nkind: Policy\ncomplete: ['*']\n";
    policy_file::read(&Arc::from(text), purlin::rules::built_in()).unwrap().value
}

impl Expected {
    /// Whether a denial says it, with every object and every sum.
    pub(super) fn is_denied_by(&self, text: &str) -> bool {
        let says = |it: &str| text.lines().any(|line| says(line, it));
        text.starts_with(&format!("{}: ", self.rule.id))
            && says(&self.message)
            && self.objects.iter().all(|it| text.contains(it.as_str()))
            && self.notes.iter().all(|it| says(it))
    }

    /// Whether a warning says it, with two objects where there are several.
    pub(super) fn is_warned_of_by(&self, text: &str) -> bool {
        self.is_told_by(text) && self.is_about(text)
    }

    /// Whether a warning is of the same rule, about two of the objects where there are several.
    pub(super) fn is_about(&self, text: &str) -> bool {
        let named = self.objects.iter().filter(|it| text.contains(it.as_str())).count();
        text.starts_with(&format!("{}: ", self.rule.id)) && named >= self.objects.len().min(2)
    }

    /// Whether both say the same of the same objects.
    pub(super) fn is_same(&self, other: &Expected) -> bool {
        self.is_told_by(&other.message)
            && self.objects == other.objects
            && self.notes.iter().all(|it| other.notes.iter().any(|note| says(note, it)))
    }

    /// Whether a text says what is wrong.
    pub(super) fn is_told_by(&self, text: &str) -> bool {
        says(text, &self.message)
    }
}

/// Whether a line holds all the words of another; the order of lists may differ.
fn says(line: &str, other: &str) -> bool {
    let mut left = words(line);
    words(other).into_iter().all(|word| match left.iter().position(|it| *it == word) {
        Some(at) => {
            left.swap_remove(at);
            true
        }
        None => false,
    })
}

fn words(text: &str) -> Vec<&str> {
    text.split(|it: char| it.is_whitespace() || ",;()".contains(it))
        .filter(|it| !it.is_empty())
        .collect()
}
