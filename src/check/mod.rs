//! Runs the rules in parallel, applies exceptions, and puts what they found into a total order.

pub mod baseline;
pub mod exceptions;
pub mod fingerprint;
pub mod focus;
pub mod locate;
pub mod needs;
mod nodes;
pub mod provenance;
mod visit;
pub mod worlds;

use crate::analyze::Facts;
use crate::analyze::world::{Around, Neighbour};
use crate::architecture;
use crate::model::Model;
use crate::policy::Policy;
use crate::rule::{Cx, Finding, Place, Rule, RuleSet, Severity, Unknown};
use crate::rules::built_in;
use crate::run::Run;
use exceptions::Applied;
use fingerprint::{fingerprint, fingerprint_questions};
use locate::Locator;
use rayon::prelude::*;

/// Which rules to run.
#[derive(Clone, Debug)]
pub struct Selection {
    /// The rules that there are.
    pub rules: RuleSet,
    /// Only these rules or groups; empty for all.
    pub only: Vec<String>,
    /// Not these rules or groups.
    pub skip: Vec<String>,
}

/// Those that purlin brings.
impl Default for Selection {
    fn default() -> Selection {
        Selection { rules: built_in().clone(), only: Vec::new(), skip: Vec::new() }
    }
}

impl Selection {
    /// Whether a rule is run: selected here and on by the policy.
    pub fn has(&self, rule: &Rule, policy: &Policy) -> bool {
        let names =
            |list: &[String]| list.iter().any(|it| it == rule.id || it == rule.group.name());
        if names(&self.skip) || !self.only.is_empty() && !names(&self.only) {
            return false;
        }
        let asked_for = self.only.iter().any(|it| it == rule.id);
        asked_for || is_on(rule, policy)
    }
}

/// What a check found.
#[derive(Debug, Default)]
pub struct Outcome {
    /// What is wrong, in order.
    pub findings: Vec<Finding>,
    /// What cannot be told, in order.
    pub unknown: Vec<Unknown>,
    /// The rules that there were, run or not.
    pub rule_set: RuleSet,
    /// The ids of the rules that were run.
    pub rules: Vec<&'static str>,
    /// How many findings an exception or annotation accepted.
    pub accepted: usize,
    /// What a baseline held back; `None` without one.
    pub baseline: Option<Known>,
    /// How many findings a focus left out; `None` without one.
    pub outside_focus: Option<usize>,
    /// How many objects there were.
    pub objects: usize,
    /// The names of the worlds that were judged; empty where everything was one.
    pub worlds: Vec<String>,
}

/// What a baseline did to an outcome.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Known {
    /// How many findings it held back.
    pub known: usize,
    /// How many questions it held back.
    pub questions: usize,
    /// How many of what it knows was not found, of the rules that were run.
    pub not_found: usize,
}

impl Outcome {
    /// How many findings have this severity.
    pub fn count(&self, severity: Severity) -> usize {
        self.findings.iter().filter(|it| it.severity == Some(severity)).count()
    }

    /// The findings that a terminal is told.
    pub fn told(&self) -> impl Iterator<Item = &Finding> {
        self.findings.iter().filter(|it| !it.is_told)
    }

    /// The worst severity found.
    pub fn worst(&self) -> Option<Severity> {
        self.findings.iter().filter_map(|it| it.severity).max()
    }
}

/// Checks a model.
pub fn check(model: &Model<'_>, policy: &Policy, run: &Run, selection: &Selection) -> Outcome {
    let selected = selected(policy, selection);
    let run = &running(run, &selected);
    let facts = facts(model, policy, run);
    let world = Neighbour { name: "", model, facts: &facts };
    let around = Around::only(model.loaded);
    let mut judged = judge(world, &around, (policy, run), &selected);
    let applied = &judged.applied;
    let rules = (&selection.rules, &selected[..]);
    let stale = exceptions::stale_exceptions(model, (policy, run), rules, &applied.used);
    judged.findings.extend(stale);
    judged.findings.extend(applied.idle_annotations(model, policy, rules));
    let mut outcome = Outcome {
        rule_set: selection.rules.clone(),
        rules: selected.iter().map(|it| it.id).collect(),
        objects: model.len(),
        accepted: judged.applied.accepted.len(),
        findings: judged.findings,
        unknown: judged.unknown,
        ..Outcome::default()
    };
    sort(model, &mut outcome);
    fingerprint(model, &mut outcome.findings);
    fingerprint_questions(model, &mut outcome.unknown);
    outcome
}

/// The rules to run, by name.
pub(crate) fn selected(policy: &Policy, selection: &Selection) -> Vec<&'static Rule> {
    selection.rules.iter().filter(|it| selection.has(it, policy)).collect()
}

/// The run, with what rules it is of.
pub(crate) fn running(run: &Run, selected: &[&'static Rule]) -> Run {
    Run { rules: selected.iter().map(|it| it.id).collect(), ..run.clone() }
}

/// What the rules say of one world, in no order.
#[derive(Debug, Default)]
pub(crate) struct Judged {
    /// What is wrong and was not accepted.
    pub(crate) findings: Vec<Finding>,
    /// What cannot be told.
    pub(crate) unknown: Vec<Unknown>,
    /// What exceptions did.
    pub(crate) applied: Applied,
}

/// The facts of one world, none of them computed yet.
pub(crate) fn facts<'d>(model: &'d Model<'d>, policy: &Policy, run: &Run) -> Facts<'d> {
    let network = run.network_of(model).unwrap_or(&policy.network);
    let server = model.loaded.coverage.as_ref().and_then(|it| it.server);
    let facts =
        Facts::new(model).with_network(network).with_version(policy.kubernetes_version(server));
    facts.with_nodes(nodes::all(model, policy, run))
}

/// Runs rules on one world.
pub(crate) fn judge<'d>(
    world: Neighbour<'_, 'd>,
    around: &Around<'_, 'd>,
    (policy, run): (&Policy, &Run),
    selected: &[&'static Rule],
) -> Judged {
    let outs = visit::all(world, around, (policy, run), selected);
    let mut judged = Judged::default();
    for mut out in outs {
        judged.findings.append(&mut out.findings);
        judged.unknown.append(&mut out.unknown);
    }
    if around.stands_as_it_is {
        mark(world.model, &mut judged.findings);
    }
    judged.applied = exceptions::apply(
        world.model,
        (policy, run),
        selected,
        &mut judged.findings,
        &mut judged.unknown,
    );
    if world.model.is_stated() {
        architecture::point_into(world.model, &mut judged.findings);
        judged.unknown.clear();
    }
    judged
}

/// A note to what is found in files that are read as they stand.
pub(crate) const AS_IT_STANDS: &str =
    "read as it stands: what it is a part of could not be rendered, and may change it";

/// Says of what is found in files that are read as they stand that what they would be built into may differ.
fn mark(model: &Model<'_>, findings: &mut [Finding]) {
    let is_as_it_stands = |place: &Place| match place {
        Place::Field { object, .. } => model.object(*object).document.origin.is_none(),
        Place::Text { .. } => false,
    };
    for finding in findings {
        if finding.labels.iter().any(|it| is_as_it_stands(&it.place)) {
            finding.notes.push(AS_IT_STANDS.into());
        }
    }
}

/// Whether the policy has a rule run somewhere: it sets the rule, and not to off wherever it might run, or a preset that is
/// chosen has it.
pub fn is_on(rule: &Rule, policy: &Policy) -> bool {
    match policy.is_configured(rule.id) {
        true => !policy.is_off(rule.id),
        false => rule.presets.iter().any(|it| policy.has_preset(*it)),
    }
}

/// What some rules find in a model and nobody accepted, one rule after the other: in a small world that is quicker than
/// sharing them out.
pub fn findings(
    model: &Model<'_>,
    policy: &Policy,
    run: &Run,
    rules: &[&'static Rule],
) -> Vec<Finding> {
    found(model, (policy, run), rules, exceptions::Counts::All)
}

/// The same, with only the exceptions of the policy where annotations do not count.
pub fn found(
    model: &Model<'_>,
    (policy, run): (&Policy, &Run),
    rules: &[&'static Rule],
    exceptions: exceptions::Counts,
) -> Vec<Finding> {
    let facts = facts(model, policy, run);
    let around = Around::default();
    let cx = |rule| Cx { model, facts: &facts, around: &around, policy, run, rule };
    let each = rules.iter().flat_map(|rule| visit::one(&cx(rule)).findings);
    let mut findings: Vec<Finding> = each.collect();
    if !findings.is_empty() {
        exceptions::accept(model, (policy, run), (rules, exceptions), &mut findings);
    }
    findings
}

/// By place, then rule, then message: the same input gives the same bytes, in the order of reading it.
pub(crate) fn sort(model: &Model<'_>, outcome: &mut Outcome) {
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
