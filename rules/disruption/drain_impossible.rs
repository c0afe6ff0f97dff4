//! Nodes that cannot be drained: a budget waits for pods that have no other place.

use crate::analyze::disruption::budgets::Budget;
use crate::analyze::placement::READS;
use crate::analyze::placement::cluster::NodeId;
use crate::analyze::placement::losses::each_drained;
use crate::analyze::placement::planned::Planned;
use crate::analyze::placement::scenario::{Event, Refused, Verdict, run_from};
use crate::analyze::placement::world::At;
use crate::rule::{Admission, Check, Cx, Finding, Group, Out, Preset, Rule, Severity};
use std::collections::BTreeSet;

/// The rule.
pub(super) static RULE: Rule = Rule {
    id: "drain-impossible",
    title: "a node cannot be drained: a budget waits for pods that have no other place",
    severity: Severity::Error,
    group: Group::Disruption,
    admission: Admission::Audit,
    presets: &[Preset::Invariants],
    reads: READS,
    like: &[],
    parameters: &[],
    page: include_str!("drain_impossible.md"),
    reads_images: None,
    checks: &[Check::World(check)],
};

/// Draining more nodes than these is not tried.
const MOST_NODES: usize = 64;

fn check(cx: &Cx<'_, '_>, out: &mut Out) {
    let Some(planned) = cx.facts.planned(At::Floor) else { return };
    let mut told = BTreeSet::new();
    // Where every pod that is evicted finds another place at once, and none is missing before, budgets wait for nothing.
    let lacking = lacking(planned);
    let nodes = each_drained(&planned.world, planned.nodes(), &crowded(cx, planned));
    let nodes = nodes.into_iter().flat_map(|it| {
        let waits = !it.pending.is_empty();
        it.nodes.into_iter().filter(|node| waits || lacking.contains(node)).collect::<Vec<_>>()
    });
    let nodes: Vec<NodeId> = nodes.collect();
    for node in nodes.iter().copied().take(MOST_NODES) {
        let (facts, placed) = ((cx.model, cx.facts), (planned.nodes(), planned.fits()));
        let outcome = run_from(&planned.world, facts, At::Floor, placed, &[Event::DrainNode(node)]);
        if outcome.verdict != Verdict::Breaks {
            continue;
        }
        for refused in &outcome.refused {
            let budget = cx.facts.budgets().iter().find(|it| Some(it.object) == refused.budget);
            let Some(budget) = budget.filter(|it| lets_one_go(cx, planned, it)) else { continue };
            if !told.insert((budget.object, node)) {
                continue;
            }
            if planned.is_sure_of(refused.component) {
                let reason = outcome.components[refused.component].reason.clone();
                out.find(finding(cx, planned, budget, refused, reason));
            } else {
                let name = &planned.world.cluster.nodes[node].name;
                let missing =
                    format!("whether node `{name}` can be drained: where the pods stand decides");
                out.cannot_tell(cx.object(budget.object), missing);
            }
        }
    }
    if nodes.len() > MOST_NODES
        && let Some(budget) = cx.facts.budgets().iter().next()
    {
        let missing = format!(
            "whether all {} nodes with several pods of a budget can be drained",
            nodes.len()
        );
        out.cannot_tell(cx.object(budget.object), missing);
    }
}

/// The nodes that hold several pods of one budget: of one pod alone an eviction is all that is needed.
fn crowded(cx: &Cx<'_, '_>, planned: &Planned) -> Vec<NodeId> {
    let mut seen = BTreeSet::new();
    let mut nodes = BTreeSet::new();
    for (pod, node) in planned.world.pods.iter().zip(planned.nodes()) {
        let Some(node) = *node else { continue };
        let workload = planned.world.components[pod.component].workload;
        for budget in cx.facts.budgets().of_workload(workload) {
            if !seen.insert((budget.at, node)) {
                nodes.insert(node);
            }
        }
    }
    nodes.into_iter().collect()
}

/// The nodes that hold pods of which others wait for a node.
fn lacking(planned: &Planned) -> BTreeSet<NodeId> {
    let pods = || planned.world.pods.iter().zip(planned.nodes());
    let waiting: BTreeSet<usize> =
        pods().filter(|it| it.1.is_none()).map(|it| it.0.component).collect();
    pods().filter(|it| waiting.contains(&it.0.component)).filter_map(|it| *it.1).collect()
}

/// Whether a budget lets a pod go while all are in their places; where it does not, `pdb-blocks-drain` says so.
fn lets_one_go(cx: &Cx<'_, '_>, planned: &Planned, budget: &Budget<'_>) -> bool {
    let of = |it: &usize| {
        let workload = planned.world.components[*it].workload;
        cx.facts.budgets().of_workload(workload).any(|it| it.at == budget.at)
    };
    let components = (0..planned.world.components.len()).filter(of);
    let wanted: usize = components.map(|it| planned.world.components[it].wanted).sum();
    budget.demand.is_some_and(|it| it.lets_go(wanted as u64, wanted as u64) > 0)
}

fn finding(
    cx: &Cx<'_, '_>,
    planned: &Planned,
    budget: &Budget<'_>,
    refused: &Refused,
    reason: Option<String>,
) -> Finding {
    let object = cx.object(budget.object);
    let of = &planned.world.components[refused.component];
    let node = &planned.world.cluster.nodes[refused.node].name;
    let place = budget.field.map_or_else(|| object.whole(), |it| object.place(it));
    let workload = cx.object(of.object);
    let mut finding = Finding::new(
        format!(
            "node `{node}` cannot be drained: `{workload}` has several pods there and no place for them elsewhere"
        ),
        place,
        budget.describe(),
    );
    if let Some(bound) = cx.facts.envelope(of.workload).map(|it| it.floor) {
        finding = finding.label(bound.place(cx.model), bound.describe());
    }
    finding =
        finding.note(format!("the eviction of `{}` is refused: {}", refused.pod, refused.why));
    if let Some(reason) = reason {
        finding = finding.note(format!("the pods evicted before stay pending: {reason}"));
    }
    finding.help(
        "leave room for the pods on other nodes, spread them, or let the budget miss more of them",
    )
}
