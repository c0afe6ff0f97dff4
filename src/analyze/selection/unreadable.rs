//! What documents that do not parse may hold, by the words in them: a template of a Job is no Deployment, and one that
//! spells out its labels has no others.

use super::selector::{Operator, Requirement, Selector};
use crate::api::kind::Kind;
use crate::load::{Broken, Lost};
use crate::model::Model;
use crate::text::tree::placeholder::has_placeholder;
use rustc_hash::{FxHashMap, FxHashSet};
use std::borrow::Cow;

/// The documents that do not parse, found by what they may hold.
#[derive(Debug, Default)]
pub struct Unreadable<'d> {
    documents: Vec<Document<'d>>,
    /// By kind; those that may hold any kind under the empty name.
    by_kind: FxHashMap<&'d str, OfKind>,
}

#[derive(Debug)]
struct Document<'d> {
    broken: &'d Broken,
    /// `None` where it may be of any kind.
    kind: Option<&'d str>,
    words: Words,
}

/// The documents of one kind, by their places.
#[derive(Debug, Default)]
struct OfKind {
    all: Vec<usize>,
    by_name: FxHashMap<String, usize>,
    /// One whose name is filled in by a template.
    any_name: Option<usize>,
}

/// What a text says.
#[derive(Debug, Default)]
struct Words {
    names: FxHashSet<String>,
    any_name: bool,
    labels: FxHashSet<(String, String)>,
    /// Keys with values that are filled in.
    open_keys: FxHashSet<String>,
    keys: FxHashSet<String>,
    any_label: bool,
}

/// Stands for what a template fills in.
const FILLED_IN: char = '\u{1}';

impl<'d> Unreadable<'d> {
    /// Reads the words of a model's documents that do not parse.
    pub fn new(model: &Model<'d>) -> Unreadable<'d> {
        let mut unreadable = Unreadable::default();
        for broken in model.broken {
            let kind = match &broken.lost {
                Lost::Nothing => continue,
                Lost::Anything => None,
                Lost::Kind(kind) => Some(kind.as_str()),
            };
            let text = &model.loaded.sources.get(broken.source).text;
            let words = Words::of(text.get(broken.document.range()).unwrap_or_default());
            let at = unreadable.documents.len();
            let of_kind = unreadable.by_kind.entry(kind.unwrap_or_default()).or_default();
            of_kind.all.push(at);
            let mut names: Vec<_> = words.names.iter().collect();
            names.sort_unstable();
            for name in names {
                of_kind.by_name.entry(name.clone()).or_insert(at);
            }
            if words.any_name && of_kind.any_name.is_none() {
                of_kind.any_name = Some(at);
            }
            unreadable.documents.push(Document { broken, kind, words });
        }
        unreadable
    }

    /// One that may hold an object of a kind, of this name where one is given.
    pub fn object(&self, kind: &str, name: Option<&str>) -> Option<&'d Broken> {
        [kind, ""].into_iter().filter_map(|it| self.by_kind.get(it)).find_map(|of_kind| {
            let at = match name {
                Some(name) => of_kind.any_name.or_else(|| of_kind.by_name.get(name).copied()),
                None => of_kind.all.first().copied(),
            };
            Some(self.documents[at?].broken)
        })
    }

    /// One that may run pods which a selector selects.
    pub fn pods(
        &self,
        selector: &Selector<'_>,
        may_run: impl Fn(Option<&str>) -> bool,
    ) -> Option<&'d Broken> {
        let mut found = self.documents.iter().filter(|it| may_run(it.kind));
        let may_carry = |it: &&Document<'_>| {
            selector.requirements.iter().all(|requirement| it.words.may_meet(requirement))
        };
        found.find(may_carry).map(|it| it.broken)
    }
}

/// Whether an object of a kind may run pods, and such as stay if that is asked: a kind that nobody here knows may.
pub fn may_run_pods(kind: Option<&str>, workloads: &[Kind]) -> bool {
    let Some(kind) = kind else { return true };
    let is_known = |it: &Kind| it.name() == kind;
    workloads.iter().any(is_known) || !crate::api::kind::KINDS.iter().any(|it| it.name == kind)
}

impl Words {
    fn of(text: &str) -> Words {
        let mut words = Words::default();
        for line in text.lines().filter(|it| !it.trim_start().starts_with('#')) {
            let line = without_templates(line);
            if line.trim_matches(['-', ' ', '"', '\'']) == "\u{1}" {
                // A template of its own may write anything here.
                words.any_label = true;
                words.any_name = true;
            }
            for piece in line.split(['{', '}', '[', ']', ',']) {
                words.add(piece);
            }
        }
        words
    }

    fn add(&mut self, piece: &str) {
        let Some((key, value)) = piece.split_once(": ").or_else(|| piece.trim().split_once(':'))
        else {
            return;
        };
        let plain = |it: &str| it.trim_matches([' ', '\t', '-', '"', '\'']).to_string();
        let (key, value) = (plain(key), plain(value.split(" #").next().unwrap_or(value)));
        let is_open = |it: &str| it.contains(FILLED_IN) || has_placeholder(it);
        if is_open(&key) {
            self.any_label = true;
        } else if is_open(&value) {
            self.any_name |= key == "name" || key == "generateName";
            self.open_keys.insert(key.clone());
        } else {
            if key == "name" {
                self.names.insert(value.clone());
            }
            self.labels.insert((key.clone(), value));
        }
        self.keys.insert(key);
    }

    fn may_meet(&self, requirement: &Requirement<'_>) -> bool {
        if self.any_label || self.open_keys.contains(requirement.key) {
            return true;
        }
        match &requirement.operator {
            Operator::In(values) => values.iter().any(|value| {
                self.labels.contains(&(requirement.key.to_string(), (*value).to_string()))
            }),
            Operator::Exists => self.keys.contains(requirement.key),
            Operator::NotIn(_) | Operator::DoesNotExist => true,
        }
    }
}

/// A line with a mark in the place of each `{{ … }}` that writes something; those that only decide write nothing.
fn without_templates(line: &str) -> Cow<'_, str> {
    if !line.contains("{{") {
        return Cow::Borrowed(line);
    }
    const DECIDING: [&str; 9] =
        ["if", "else", "end", "range", "with", "define", "block", "/*", "break"];
    let mut plain = String::new();
    let mut rest = line;
    while let Some((before, after)) = rest.split_once("{{") {
        plain.push_str(before);
        let (inside, after) = after.split_once("}}").unwrap_or((after, ""));
        let inside = inside.trim_start_matches('-').trim_start();
        let word = inside.split([' ', '}']).next().unwrap_or_default();
        let is_assigned = inside.starts_with('$') && inside.contains(":=");
        let decides = DECIDING.contains(&word) || inside.starts_with("/*");
        if !decides && !is_assigned {
            plain.push(FILLED_IN);
        }
        rest = after;
    }
    plain.push_str(rest);
    Cow::Owned(plain)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_those_that_a_template_leaves() {
        let words = Words::of(
            "{{ range .Teams }}\nkind: Job\nmetadata: {name: {{ .Name }}, labels: {app: job}}\n{{ end }}\n",
        );
        assert!(words.any_name && !words.any_label);
        assert!(words.labels.contains(&("app".into(), "job".into())));
        assert!(words.open_keys.contains("name"));
        let words =
            Words::of("metadata:\n  name: api\n  labels:\n    {{- include \"labels\" . }}\n");
        assert!(words.any_label && words.names.contains("api"));
    }
}
