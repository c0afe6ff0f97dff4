//! Runs the rules in parallel, applies exceptions, and puts what they found into a total order.

use crate::analyze::Facts;
use crate::exceptions;
use crate::locate::Locator;
use crate::model::Model;
use crate::policy::{Level, Policy};
use crate::rule::{Cx, Finding, Out, Rule, Severity, Unknown};
use crate::rules::RULES;
use rayon::prelude::*;

/// Which rules to run.
#[derive(Clone, Debug, Default)]
pub struct Selection {
    /// Only these rules or groups; empty for all.
    pub only: Vec<String>,
    /// Not these rules or groups.
    pub skip: Vec<String>,
}

impl Selection {
    /// Whether a rule is run: selected here and not switched off by the policy.
    pub fn has(&self, rule: &Rule, policy: &Policy) -> bool {
        let names =
            |list: &[String]| list.iter().any(|it| it == rule.id || it == rule.group.name());
        if names(&self.skip) || !self.only.is_empty() && !names(&self.only) {
            return false;
        }
        let asked_for = self.only.iter().any(|it| it == rule.id);
        asked_for || policy.level(rule.id) != Some(Level::Off)
    }
}

/// What a check found.
#[derive(Debug, Default)]
pub struct Outcome {
    /// What is wrong, in order.
    pub findings: Vec<Finding>,
    /// What cannot be told, in order.
    pub unknown: Vec<Unknown>,
    /// The ids of the rules that were run.
    pub rules: Vec<&'static str>,
    /// How many findings an exception or annotation accepted.
    pub accepted: usize,
    /// How many objects there were.
    pub objects: usize,
}

impl Outcome {
    /// How many findings have this severity.
    pub fn count(&self, severity: Severity) -> usize {
        self.findings.iter().filter(|it| it.severity == Some(severity)).count()
    }

    /// The worst severity found.
    pub fn worst(&self) -> Option<Severity> {
        self.findings.iter().filter_map(|it| it.severity).max()
    }
}

/// Checks a model.
pub fn check(model: &Model<'_>, policy: &Policy, selection: &Selection) -> Outcome {
    let facts = Facts::new(model);
    let selected: Vec<&'static Rule> =
        RULES.iter().copied().filter(|it| selection.has(it, policy)).collect();
    let outs: Vec<Out> = selected.par_iter().map(|rule| run(rule, model, &facts, policy)).collect();
    let mut outcome = Outcome {
        rules: selected.iter().map(|it| it.id).collect(),
        objects: model.len(),
        ..Outcome::default()
    };
    for mut out in outs {
        outcome.findings.append(&mut out.findings);
        outcome.unknown.append(&mut out.unknown);
    }
    outcome.accepted =
        exceptions::apply(model, policy, &selected, &mut outcome.findings, &mut outcome.unknown);
    sort(model, &mut outcome);
    outcome
}

fn run<'d>(rule: &'static Rule, model: &Model<'d>, facts: &Facts<'d>, policy: &Policy) -> Out {
    let mut out = Out::default();
    (rule.check)(&Cx { model, facts, policy, rule }, &mut out);
    let level = match policy.level(rule.id) {
        Some(Level::On(severity)) => Some(severity),
        _ => None,
    };
    for finding in &mut out.findings {
        finding.rule = rule.id;
        finding.severity = Some(level.or(finding.severity).unwrap_or(rule.severity));
    }
    for unknown in &mut out.unknown {
        unknown.rule = rule.id;
    }
    out
}

/// By place, then rule, then message: the same input gives the same bytes, in the order of reading it.
fn sort(model: &Model<'_>, outcome: &mut Outcome) {
    let locator = Locator::new(model);
    let findings = std::mem::take(&mut outcome.findings).into_par_iter();
    let placed = findings.map(|it| {
        let places: Vec<_> = it.labels.iter().map(|label| locator.locate(&label.place)).collect();
        (places, it)
    });
    let mut placed: Vec<_> = placed.collect();
    placed.par_sort_by(|(a, x), (b, y)| (a, x.rule, &x.message).cmp(&(b, y.rule, &y.message)));
    outcome.findings = placed.into_iter().map(|(_, it)| it).collect();
    outcome.unknown.sort();
    outcome.unknown.dedup();
}
