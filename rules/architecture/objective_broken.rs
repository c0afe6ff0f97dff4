//! Objectives that do not hold when what they are about happens.

use super::workload_of;
use crate::analyze::placement::READS;
use crate::analyze::placement::losses::equal_nodes;
use crate::analyze::placement::node::ClusterNode;
use crate::analyze::placement::place::Fits;
use crate::analyze::placement::planned::Planned;
use crate::analyze::placement::scenario::{Event, Fate, Outcome, run_from};
use crate::analyze::placement::words::words;
use crate::analyze::placement::world::{At, World};
use crate::architecture::Promise;
use crate::architecture::statements::{Expectation, Objective, Section};
use crate::architecture::time;
use crate::rule::{Admission, Check, Cx, Finding, Group, Out, Preset, Rule, Severity};
use crate::rules::nodes::planned;
use crate::text::tree::Node;

/// The rule.
pub(super) static RULE: Rule = Rule {
    id: "objective-broken",
    title: "an objective of the architecture does not hold",
    severity: Severity::Error,
    group: Group::Architecture,
    admission: Admission::Audit,
    presets: &[Preset::Invariants],
    reads: READS,
    like: &[],
    parameters: &[],
    page: include_str!("objective_broken.md"),
    reads_images: None,
    checks: &[Check::Section(Section::Objectives, check)],
};

fn check(cx: &Cx<'_, '_>, out: &mut Out) {
    let promises: Vec<&Promise> = cx.promises().chain(cx.stated()).collect();
    for promise in promises {
        for (it, node) in promise.value.objectives.iter().zip(promise.root().list("objectives")) {
            let of = Of { cx, promise, node };
            of.objective(it, out);
        }
    }
}

struct Of<'o, 'c, 'd> {
    cx: &'o Cx<'c, 'd>,
    promise: &'o Promise,
    node: Node<'o>,
}

impl Of<'_, '_, '_> {
    fn objective(&self, it: &Objective, out: &mut Out) {
        if it.peak.is_some() {
            return self.peak(out);
        }
        if let Some(who) = &it.rollout {
            return self.rollout(&who.0, it, out);
        }
        let (event, is_loss) = match (&it.fail, &it.drain) {
            (Some(event), _) => (event, true),
            (None, Some(event)) => (event, false),
            (None, None) => return,
        };
        if self.cx.run.nodes_of(self.cx.model).is_none() {
            return;
        }
        let Some(planned) = planned(self.cx, At::Floor, out) else { return };
        let world = &planned.world;
        let equal = || equal_nodes(world, planned.nodes());
        let events = match events(&world.cluster.nodes, event, is_loss, equal) {
            Ok(events) => events,
            Err(wrong) => {
                return out.find(Finding::new(
                    wrong,
                    self.at(&[if is_loss { "fail" } else { "drain" }]),
                    "names nothing",
                ));
            }
        };
        for (name, event) in events {
            let (facts, placed) =
                ((self.cx.model, self.cx.facts), (planned.nodes(), planned.fits()));
            let outcome = run_from(world, facts, At::Floor, placed, &[event]);
            self.judge(it, (world, &name, is_loss), &outcome, out);
        }
    }

    fn at(&self, path: &[&str]) -> crate::model::Place {
        self.promise.place(self.cx.model, self.node.at(path).unwrap_or(self.node))
    }

    /// The place of a component among the pods.
    fn component(&self, world: &World, name: &str) -> Option<usize> {
        let component = self.promise.value.components.get(name)?;
        let workload = workload_of(self.cx, &self.promise.workload(name, component)?)?;
        world.components.iter().position(|it| it.workload == workload.id)
    }

    fn judge(
        &self,
        objective: &Objective,
        (world, name, is_loss): (&World, &str, bool),
        outcome: &Outcome,
        out: &mut Out,
    ) {
        let what = if is_loss { format!("without {name}") } else { format!("to drain {name}") };
        for (component, keep) in &objective.keep {
            let Some(at) = self.component(world, component) else { continue };
            let Some(own) = outcome.components.iter().find(|it| it.component == at) else {
                continue;
            };
            if own.after >= *keep as usize {
                continue;
            }
            let message = format!(
                "{what}, {} of `{component}` run, and {keep} are to be kept",
                pods(own.after)
            );
            let finding =
                Finding::new(message, self.at(&["keep", component]), format!("{keep} promised"));
            out.find(
                self.shown(finding, component).note(self.why(own.reason.as_deref(), own.before)),
            );
        }
        for (component, expected) in &objective.expect {
            let Some(at) = self.component(world, component) else { continue };
            let Some(own) = outcome.components.iter().find(|it| it.component == at) else {
                continue;
            };
            let fate = fate(own.fate);
            let is_better = own.fate as usize <= rank(*expected);
            if fate == expected.name() || rank(*expected) == 1 && own.fate == Fate::Unaffected {
                continue;
            }
            let message =
                format!("{what}, `{component}` is {fate}, and {} is expected", expected.name());
            let finding = Finding::new(
                message,
                self.at(&["expect", component]),
                format!("{} expected", expected.name()),
            );
            let finding = self.shown(finding, component).note(format!(
                "{} of {} run after it{}",
                own.after,
                own.before,
                own.reason.as_ref().map(|it| format!(": {it}")).unwrap_or_default()
            ));
            out.find(if is_better { finding.severity(Severity::Note) } else { finding });
        }
        let is_bare = objective.keep.is_empty() && objective.expect.is_empty();
        for refused in outcome.refused.iter().filter(|_| !is_loss).take(3) {
            let of = &world.components[refused.component];
            let node = &world.cluster.nodes[refused.node].name;
            let message = format!(
                "node `{node}` cannot be drained: the eviction of `{}` is refused",
                refused.pod
            );
            let mut finding = Finding::new(message, self.at(&["drain"]), "promised here")
                .note(refused.why.clone());
            finding = match refused.budget {
                Some(budget) => finding.label(self.cx.object(budget).at("spec"), "the budget"),
                None => finding.label(self.cx.object(of.object).whole(), "its workload"),
            };
            out.find(finding);
        }
        if !is_bare || !outcome.refused.is_empty() {
            return;
        }
        for own in outcome.components.iter().filter(|it| it.pending > 0 || it.fate == Fate::Down) {
            let of = &world.components[own.component];
            let object = self.cx.object(of.object);
            let message = format!(
                "{what}, {} of `{object}` find no place",
                pods(own.pending.max(own.before - own.after.min(own.before)))
            );
            let finding = Finding::new(
                message,
                self.at(&[if is_loss { "fail" } else { "drain" }]),
                "promised here",
            )
            .label(object.whole(), "has no place");
            out.find(finding.note(self.why(own.reason.as_deref(), own.before)));
        }
    }

    fn why(&self, reason: Option<&str>, before: usize) -> String {
        match reason {
            Some(reason) => format!("of {before} before: {reason}"),
            None => format!("of {before} before"),
        }
    }

    /// The label that shows the component.
    fn shown(&self, finding: Finding, name: &str) -> Finding {
        let component = self.promise.value.components.get(name);
        let workload = component.and_then(|it| self.promise.workload(name, it));
        match workload.and_then(|it| workload_of(self.cx, &it)) {
            Some(it) => finding.label(self.cx.object(it.object).whole(), "this component"),
            None => finding,
        }
    }

    /// All autoscalers at their most.
    fn peak(&self, out: &mut Out) {
        if self.cx.run.nodes_of(self.cx.model).is_none() {
            return;
        }
        let Some(planned) = planned(self.cx, At::Peak, out) else { return };
        if matches!(planned.fits(), Fits::All(_)) {
            return;
        }
        let pending = planned.pending().into_iter().enumerate();
        let pending: Vec<_> = pending.filter(|it| it.1 > 0).collect();
        let told: Vec<_> = pending
            .iter()
            .map(|(at, count)| format!("{count} of `{}`", planned.world.components[*at].short))
            .collect();
        let message = format!("not all pods fit at the peak: {} have no node", told.join(", "));
        let mut finding = Finding::new(message, self.at(&["peak"]), "promised here");
        for (at, _) in pending.iter().take(6) {
            let of = &planned.world.components[*at];
            let place = match self.cx.facts.envelope(of.workload) {
                Some(it) => it.peak.place(self.cx.model),
                None => self.cx.object(of.object).whole(),
            };
            finding = finding.label(place, format!("{} pods", of.wanted));
        }
        out.find(proofs_of(planned).into_iter().fold(finding, Finding::note));
    }

    fn rollout(&self, who: &str, objective: &Objective, out: &mut Out) {
        use crate::analyze::capacity::rollout::Rollout;
        let Some(allowed) = objective.unavailable else { return };
        let components = self.promise.workloads().filter(|it| who == "all" || it.0 == who);
        for (name, _, workload) in components {
            let Some(workload) = workload_of(self.cx, &workload) else { continue };
            let Some(envelope) = self.cx.facts.envelope(workload.id) else { continue };
            let count = envelope.floor.count;
            let down = Rollout::of(self.cx.model, workload).unavailable(count);
            // A single member that is replaced in place is down meanwhile, whatever anybody promises.
            if down <= u64::from(allowed) || count == 0 {
                continue;
            }
            let object = self.cx.object(workload.object);
            let message = format!(
                "a rollout of `{name}` takes {down} of {count} pods down at once, and {allowed} are allowed"
            );
            out.find(
                Finding::new(message, self.at(&["unavailable"]), format!("{allowed} promised"))
                    .label(object.whole(), "replaces its pods so")
                    .help("let it add a pod before it takes one away: `maxSurge: 1`, `maxUnavailable: 0`"),
            );
        }
    }
}

fn pods(count: usize) -> String {
    if count == 1 { "1 pod".into() } else { format!("{count} pods") }
}

/// Why there is no place for all.
fn proofs_of(planned: &Planned) -> Vec<String> {
    let name = |at: usize| planned.world.components[at].short.clone();
    planned.proofs().iter().map(|it| words(&planned.world, it, &name)).collect()
}

fn fate(fate: Fate) -> &'static str {
    match fate {
        Fate::Unaffected => "unaffected",
        Fate::Rescheduled => "rescheduled",
        Fate::Degraded => "degraded",
        Fate::Down => "down",
    }
}

/// From what is best to what is worst.
fn rank(expected: Expectation) -> usize {
    match expected {
        Expectation::Unaffected => 0,
        Expectation::Rescheduled => 1,
        Expectation::Degraded => 2,
        Expectation::Down => 3,
    }
}

/// What is lost or drained, one after the other, each with its name; what names no node is a mistake.
fn events(
    nodes: &[ClusterNode],
    event: &time::Event,
    is_loss: bool,
    equal: impl FnOnce() -> Vec<Vec<usize>>,
) -> Result<Vec<(String, Event)>, String> {
    let one = |at: usize| if is_loss { Event::FailNode(at) } else { Event::DrainNode(at) };
    let named = |at: usize| (format!("node `{}`", nodes[at].name), one(at));
    let zone = |name: &str| (format!("zone `{name}`"), Event::FailZone(name.to_string()));
    match event {
        time::Event::EachNode if !is_loss => Ok(vec![("every node".into(), Event::DrainAll)]),
        // One is lost for all that are equal.
        time::Event::EachNode => Ok(equal()
            .into_iter()
            .map(|nodes| match nodes.len() - 1 {
                0 => named(nodes[0]),
                others => {
                    let (name, event) = named(nodes[0]);
                    (format!("{name}, or one of {others} like it"), event)
                }
            })
            .collect()),
        time::Event::Node(name) => {
            let at = nodes.iter().position(|it| it.name == *name);
            let known =
                || nodes.iter().take(10).map(|it| it.name.as_str()).collect::<Vec<_>>().join(", ");
            at.map(|at| vec![named(at)])
                .ok_or_else(|| format!("there is no node `{name}`; there are {}", known()))
        }
        time::Event::EachZone => {
            let mut zones: Vec<_> = nodes.iter().filter_map(ClusterNode::zone).collect();
            zones.sort_unstable();
            zones.dedup();
            Ok(zones.into_iter().map(zone).collect())
        }
        time::Event::Zone(name) => match nodes.iter().any(|it| it.zone() == Some(name)) {
            true => Ok(vec![zone(name)]),
            false => Err(format!("no node is in zone `{name}`")),
        },
    }
}
