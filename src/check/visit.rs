//! Runs rules: those of one object share out the objects, all others the rules.

use super::needs;
use crate::analyze::selection::workloads::Workload;
use crate::analyze::world::{Around, Neighbour};
use crate::api::kind::{KINDS, Kind};
use crate::model::{Model, Object};
use crate::policy::{Level, Policy};
use crate::rule::{Check, Cx, Finding, Out, Place, Rule, Unknown};
use crate::run::Run;
use crate::text::visible::visible;
use rayon::prelude::*;
use std::borrow::Cow;

/// What each of some rules says of one world, in the order of the rules.
pub(super) fn all<'d>(
    world: Neighbour<'_, 'd>,
    around: &Around<'_, 'd>,
    (policy, run): (&Policy, &Run),
    rules: &[&'static Rule],
) -> Vec<Out> {
    let Neighbour { model, facts, .. } = world;
    let cx = |at: usize| Cx { model, facts, around, policy, run, rule: rules[at] };
    let visitor = Visitor::new(rules);
    let objects: Vec<&Object<'d>> = model.objects().filter(|it| visitor.visits(it.kind)).collect();
    let workloads: Vec<&Workload<'d>> = match visitor.workloads.is_empty() {
        true => Vec::new(),
        false => facts.workloads().iter().collect(),
    };
    let of_objects = objects.chunks(AT_ONCE).map(Task::Objects);
    let of_workloads = workloads.chunks(AT_ONCE).map(Task::Workloads);
    let tasks: Vec<Task<'_, '_, 'd>> =
        of_objects.chain(of_workloads).chain((0..rules.len()).map(Task::World)).collect();
    let said: Vec<Vec<(usize, Out)>> = tasks.par_iter().map(|it| visitor.run(it, &cx)).collect();
    let mut outs: Vec<Out> = rules.iter().map(|_| Out::default()).collect();
    for (at, out) in said.into_iter().flatten() {
        outs[at].findings.extend(out.findings);
        outs[at].unknown.extend(out.unknown);
    }
    outs.iter_mut().enumerate().for_each(|(at, out)| finish(&cx(at), out));
    outs
}

/// What one rule says of one world.
pub(super) fn one(cx: &Cx<'_, '_>) -> Out {
    let mut out = Out::default();
    cx.rule.run(cx, &mut out);
    finish(cx, &mut out);
    out
}

/// How many objects are looked at in one go: enough that handing them out costs little beside looking at them.
const AT_ONCE: usize = 128;

/// A share of the work.
enum Task<'t, 'c, 'd> {
    Objects(&'t [&'c Object<'d>]),
    Workloads(&'t [&'c Workload<'d>]),
    /// The rule at this place, as far as it looks at the whole world.
    World(usize),
}

type OfObject = fn(&Cx<'_, '_>, &Object<'_>, &mut Out);
type OfWorkload = fn(&Cx<'_, '_>, &Workload<'_>, &mut Out);

/// What is asked of one object at a time, with the place of the rule that asks.
struct Visitor {
    by_kind: Vec<Vec<(usize, OfObject)>>,
    workloads: Vec<(usize, OfWorkload)>,
}

impl Visitor {
    fn new(rules: &[&'static Rule]) -> Visitor {
        let mut by_kind = vec![Vec::new(); KINDS.len() + 1];
        let mut workloads = Vec::new();
        for (at, rule) in rules.iter().enumerate() {
            for check in rule.checks {
                match check {
                    Check::Object(check) => {
                        rule.reads.iter().for_each(|it| by_kind[*it as usize].push((at, *check)));
                    }
                    Check::Workload(check) => workloads.push((at, *check)),
                    Check::World(_) | Check::Section(..) => {}
                }
            }
        }
        Visitor { by_kind, workloads }
    }

    fn visits(&self, kind: Kind) -> bool {
        !self.by_kind[kind as usize].is_empty()
    }

    /// What the rules say that have a part in a task.
    fn run<'c, 'd: 'c>(
        &self,
        task: &Task<'_, '_, 'd>,
        cx: &impl Fn(usize) -> Cx<'c, 'd>,
    ) -> Vec<(usize, Out)> {
        let mut said: Vec<(usize, Out)> = Vec::new();
        match task {
            Task::World(at) => {
                let cx = cx(*at);
                let mut out = Out::default();
                for check in cx.rule.checks {
                    if let Check::World(check) | Check::Section(_, check) = check {
                        check(&cx, &mut out);
                    }
                }
                said.push((*at, out));
            }
            Task::Objects(objects) => {
                for object in *objects {
                    for (at, check) in &self.by_kind[object.kind as usize] {
                        check(&cx(*at), object, out_of(*at, &mut said));
                    }
                }
            }
            Task::Workloads(workloads) => {
                for (at, check) in &self.workloads {
                    let (cx, out) = (cx(*at), out_of(*at, &mut said));
                    workloads.iter().for_each(|it| check(&cx, it, out));
                }
            }
        }
        said
    }
}

/// Where a rule's part of a task goes. A handful of rules have one, so the last places are looked at first.
fn out_of(at: usize, said: &mut Vec<(usize, Out)>) -> &mut Out {
    let place = said.iter().rposition(|it| it.0 == at).unwrap_or_else(|| {
        said.push((at, Out::default()));
        said.len() - 1
    });
    &mut said[place].1
}

/// Gives what a rule said its name and severity.
fn finish(cx: &Cx<'_, '_>, out: &mut Out) {
    let rule = cx.rule;
    let level = match cx.policy.level_in(rule.id, cx.model.name) {
        Some(Level::On(severity)) => Some(severity),
        // Who asks for a rule that is off everywhere gets it.
        Some(Level::Off) if !cx.policy.is_off(rule.id) => {
            *out = Out::default();
            return;
        }
        _ => None,
    };
    for finding in &mut out.findings {
        show(finding);
        finding.rule = rule.id;
        finding.severity = Some(level.or(finding.severity).unwrap_or(rule.severity));
    }
    for unknown in &mut out.unknown {
        make_visible(&mut unknown.missing);
        unknown.rule = rule.id;
    }
    withhold(rule, cx.model, out);
}

/// Shows what a terminal would obey, or hide, of other people's texts that a finding quotes, so that nobody forges lines of
/// a report.
pub(super) fn show(finding: &mut Finding) {
    let Finding { message, notes, help, labels, .. } = finding;
    let labels = labels.iter_mut().map(|it| &mut it.text);
    let texts = labels.chain([message]).chain(notes.iter_mut()).chain(help.as_mut());
    texts.for_each(make_visible);
}

fn make_visible(text: &mut String) {
    if let Cow::Owned(shown) = visible(text) {
        *text = shown;
    }
}

/// Where a kind that a rule reads may not be listed, what is not known of may put right what the rule finds.
fn withhold(rule: &'static Rule, model: &Model<'_>, out: &mut Out) {
    let Some(coverage) = model.loaded.coverage.as_ref().filter(|_| !out.findings.is_empty()) else {
        return;
    };
    let lack = needs::of(rule).find_map(|it| coverage.lack_of(it.name()));
    let Some(lack) = lack else { return };
    for finding in std::mem::take(&mut out.findings) {
        match finding.labels[0].place {
            Place::Field { object, .. } => {
                out.unknown
                    .push(Unknown { rule: rule.id, ..Unknown::new(object, lack.to_string()) });
            }
            // Text that does not parse is wrong whatever the cluster holds.
            Place::Text { .. } => out.findings.push(finding),
        }
    }
}
