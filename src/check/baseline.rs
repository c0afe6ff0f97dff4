//! Findings and questions that were there when purlin was adopted: they are held back, and new ones are told.
//!
//! The file has one a line, sorted, and is meant to be committed and reviewed. Only the fingerprint at the start
//! of a line counts; what follows is for people.

use crate::check::locate::Locator;
use crate::check::{Known, Outcome};
use crate::finding::{Label, Unknown};
use crate::model::Place;
use crate::text::visible::visible;
use rustc_hash::{FxHashMap, FxHashSet};
use std::fmt;

const HEADER: &str = "# purlin baseline 1\n\
    # Findings that are known and do not fail a check, one a line; `purlin check --write-baseline` writes them anew.\n";

/// Findings that are known.
#[derive(Clone, Debug, Default)]
pub struct Baseline {
    entries: Vec<Entry>,
}

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Entry {
    rule: String,
    /// Where its primary place is, for people.
    place: String,
    fingerprint: String,
}

impl Baseline {
    /// Reads a baseline file.
    ///
    /// # Errors
    ///
    /// The first line (1-based) that is none of a baseline, and why.
    pub fn parse(text: &str) -> Result<Baseline, (usize, String)> {
        let mut lines = text.lines().enumerate().map(|(at, it)| (at + 1, it.trim_end()));
        match lines.next().map_or("", |it| it.1).strip_prefix("# purlin baseline ") {
            Some("1") => {}
            Some(version) => {
                return Err((
                    1,
                    format!("a baseline of version {version}, and this purlin reads 1"),
                ));
            }
            None => return Err((1, "a baseline begins with `# purlin baseline 1`".into())),
        }
        let mut entries = Vec::new();
        for (number, line) in lines.filter(|(_, it)| !it.is_empty() && !it.starts_with('#')) {
            entries.push(entry(line).map_err(|why| (number, why))?);
        }
        Ok(Baseline { entries })
    }

    /// Adds what was found and asked.
    pub fn record(&mut self, locator: &Locator<'_, '_>, outcome: &Outcome) {
        for it in &outcome.findings {
            let place = place(locator, &it.labels[0]);
            self.entries.extend(it.fingerprints().map(|fingerprint| Entry {
                rule: it.rule.to_string(),
                place: place.clone(),
                fingerprint: fingerprint.clone(),
            }));
        }
        self.entries.extend(outcome.unknown.iter().map(|it| Entry {
            rule: it.rule.to_string(),
            place: question(locator, it),
            fingerprint: it.fingerprint.clone(),
        }));
        self.entries.sort();
    }

    /// Adds what another baseline knows of rules that were not run.
    pub fn keep_others(&mut self, other: &Baseline, rules_run: &[&str]) {
        let others = other.entries.iter().filter(|it| !rules_run.contains(&it.rule.as_str()));
        self.entries.extend(others.cloned());
        self.entries.sort();
    }

    /// Takes what is known out of what was found, each entry once, and counts it. What is left of the baseline is what
    /// was not found: several outcomes may be held to one.
    pub fn hold_back(&mut self, outcome: &mut Outcome) {
        let mut left: FxHashMap<&str, usize> = FxHashMap::default();
        for entry in &self.entries {
            *left.entry(&entry.fingerprint).or_default() += 1;
        }
        let mut found: FxHashMap<String, usize> = FxHashMap::default();
        let before = outcome.findings.len();
        // One of several worlds is known where it is known in all of them.
        outcome.findings.retain(|it| {
            let is_known =
                it.fingerprints().all(|it| left.get(it.as_str()).is_some_and(|it| *it > 0));
            for fingerprint in it.fingerprints().filter(|_| is_known) {
                left.get_mut(fingerprint.as_str()).into_iter().for_each(|it| *it -= 1);
                *found.entry(fingerprint.clone()).or_default() += 1;
            }
            !is_known
        });
        let asked = outcome.unknown.len();
        outcome.unknown.retain(|it| {
            let is_known = left.get_mut(it.fingerprint.as_str()).filter(|it| **it > 0);
            let Some(left) = is_known else { return true };
            *left -= 1;
            *found.entry(it.fingerprint.clone()).or_default() += 1;
            false
        });
        let questions = asked - outcome.unknown.len();
        self.entries.retain(|it| match found.get_mut(&it.fingerprint) {
            Some(count) if *count > 0 => {
                *count -= 1;
                false
            }
            _ => true,
        });
        let run = |it: &&Entry| outcome.rules.contains(&it.rule.as_str());
        let not_found = self.entries.iter().filter(run).count();
        outcome.baseline =
            Some(Known { known: before - outcome.findings.len(), questions, not_found });
    }

    /// The fingerprints of what it knows.
    pub fn fingerprints(&self) -> FxHashSet<String> {
        self.entries.iter().map(|it| it.fingerprint.clone()).collect()
    }

    /// How many findings and questions it knows that an earlier one did not, and the other way round.
    pub fn changes(&self, earlier: &Baseline) -> (usize, usize) {
        let mut times: FxHashMap<&str, isize> = FxHashMap::default();
        self.entries.iter().for_each(|it| *times.entry(&it.fingerprint).or_default() += 1);
        earlier.entries.iter().for_each(|it| *times.entry(&it.fingerprint).or_default() -= 1);
        let sum = |sign: isize| -> isize { times.values().map(|it| (it * sign).max(0)).sum() };
        (sum(1).unsigned_abs(), sum(-1).unsigned_abs())
    }

    /// How many findings and questions it knows.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether it knows none.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }
}

impl fmt::Display for Baseline {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(HEADER)?;
        for it in &self.entries {
            writeln!(f, "{} {} {}", it.fingerprint, it.rule, it.place)?;
        }
        Ok(())
    }
}

/// Reads a line: fingerprint, rule, and where it was found.
fn entry(line: &str) -> Result<Entry, String> {
    if ["<<<<<<<", "=======", ">>>>>>>", "|||||||"].iter().any(|it| line.starts_with(it)) {
        return Err("a merge that is not finished: keep the lines of both sides".into());
    }
    let mut words = line.splitn(3, ' ');
    let (fingerprint, rule) = (words.next().unwrap_or(""), words.next().unwrap_or(""));
    let is_fingerprint = fingerprint.len() == 32
        && fingerprint.bytes().all(|it| matches!(it, b'0'..=b'9' | b'a'..=b'f'));
    if !is_fingerprint || rule.is_empty() {
        return Err("a line begins with a fingerprint of 32 hexadecimal digits and a rule".into());
    }
    let place = words.next().unwrap_or("").to_string();
    Ok(Entry { rule: rule.to_string(), place, fingerprint: fingerprint.to_string() })
}

/// What a person knows a question by.
fn question(locator: &Locator<'_, '_>, it: &Unknown) -> String {
    let object = locator.model().object(it.object);
    visible(&format!("{object} cannot tell: {}", it.missing)).trim_end().to_string()
}

/// What a person knows the place by.
fn place(locator: &Locator<'_, '_>, label: &Label) -> String {
    let model = locator.model();
    let text = match (&label.place, locator.object(&label.place)) {
        (Place::Field { path, .. }, Some(object)) => format!("{} {path}", model.object(object)),
        (Place::Text { .. }, Some(object)) => model.object(object).to_string(),
        (Place::Text { source, .. }, None) => model.loaded.sources.get(*source).name.clone(),
        (Place::Field { .. }, None) => String::new(),
    };
    visible(&text).trim_end().to_string()
}
