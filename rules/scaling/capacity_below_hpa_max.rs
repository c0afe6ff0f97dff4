//! Autoscalers that may ask for more pods than the nodes hold.

use crate::analyze::placement::READS;
use crate::analyze::placement::place::{Fits, Most};
use crate::analyze::placement::planned::Planned;
use crate::analyze::placement::proof::Proof;
use crate::analyze::placement::words::words;
use crate::analyze::placement::world::At;
use crate::rule::{Admission, Check, Cx, Finding, Group, Out, Preset, Rule, Severity};
use crate::rules::nodes::{count, planned};

/// The rule.
pub(super) static RULE: Rule = Rule {
    id: "capacity-below-hpa-max",
    title: "the nodes do not hold the pods that autoscalers may ask for",
    severity: Severity::Error,
    group: Group::Scaling,
    admission: Admission::Audit,
    presets: &[Preset::Invariants],
    reads: READS,
    like: &[],
    parameters: &[],
    page: include_str!("capacity_below_hpa_max.md"),
    reads_images: None,
    checks: &[Check::World(check)],
};

/// More autoscalers than these are not pointed at.
const MOST_LABELS: usize = 5;

fn check(cx: &Cx<'_, '_>, out: &mut Out) {
    let Some(planned) = planned(cx, At::Peak, out) else { return };
    // What does not even fit at its floor is no autoscaler's doing.
    let fits_at_floor =
        cx.facts.planned(At::Floor).is_some_and(|it| matches!(it.fits(), Fits::All(_)));
    if !fits_at_floor || matches!(planned.fits(), Fits::All(_)) {
        return;
    }
    let scaled = planned.world.components.iter().enumerate();
    let scaled: Vec<usize> =
        scaled.filter(|(_, it)| it.wanted > it.floor).map(|(at, _)| at).collect();
    let mut places = Most::new(&planned.world);
    // Where fewer pods of any one would not do, all of them ask for too much together.
    if planned.is_short() && scaled.iter().all(|it| places.is_hopeless(*it)) {
        out.findings.extend(together(cx, planned, &scaled));
        return;
    }
    let pending = planned.pending();
    let mut are_too_many = false;
    let mut unknown = Vec::new();
    for component in scaled.iter().copied().filter(|it| pending[*it] > 0) {
        let of = &planned.world.components[component];
        match places.of(component) {
            Some(most) if most < of.wanted => {
                out.find(finding(cx, planned, (component, most), &scaled));
            }
            Some(_) => {}
            None if planned.fits() == Fits::NotAll => are_too_many = true,
            None => unknown.push(component),
        }
    }
    if are_too_many {
        out.findings.extend(together(cx, planned, &scaled));
    }
    cannot_tell(cx, planned, &unknown, out);
}

/// One question for all autoscalers whose pods may or may not find places.
fn cannot_tell(cx: &Cx<'_, '_>, planned: &Planned, unknown: &[usize], out: &mut Out) {
    let Some(first) = unknown.first().map(|it| &planned.world.components[*it]) else { return };
    let wanted: usize = unknown.iter().map(|it| planned.world.components[*it].wanted).sum();
    let of = match unknown.len() {
        1 => String::new(),
        all => format!(" of {all} autoscalers"),
    };
    let nodes = count(planned.world.cluster.nodes.len());
    let missing =
        format!("whether {wanted} pods{of} fit on {nodes}: not every way to place them was tried");
    out.cannot_tell(cx.object(first.object), missing);
}

/// Autoscalers that ask for too much together, each of which would have to ask for less.
fn together(cx: &Cx<'_, '_>, planned: &Planned, scaled: &[usize]) -> Option<Finding> {
    let proofs = planned.proofs();
    let bound = |component: &usize| {
        let of = &planned.world.components[*component];
        Some((of, cx.facts.envelope(of.workload)?.peak))
    };
    // The one that asks for the most pods stands for all.
    let mut by_size = scaled.to_vec();
    by_size.sort_by_key(|it| std::cmp::Reverse(planned.world.components[*it].wanted));
    let mut bounds = by_size.iter().filter_map(bound);
    let (_, first) = bounds.next()?;
    let nodes = count(planned.world.cluster.nodes.len());
    let wanted: usize = scaled.iter().map(|it| planned.world.components[*it].wanted).sum();
    let mut finding = Finding::new(
        format!(
            "the {wanted} pods that {} autoscalers may ask for do not fit on {nodes}",
            scaled.len()
        ),
        first.place(cx.model),
        first.describe(),
    );
    for (_, bound) in bounds.take(MOST_LABELS) {
        finding = finding.label(bound.place(cx.model), bound.describe());
    }
    let name = |at: usize| planned.world.components[at].short.clone();
    for proof in proofs {
        finding = finding.note(words(&planned.world, proof, &name));
    }
    Some(finding.help("lower several of the maxima, or add nodes"))
}

fn finding(
    cx: &Cx<'_, '_>,
    planned: &Planned,
    (component, most): (usize, usize),
    scaled: &[usize],
) -> Finding {
    let of = &planned.world.components[component];
    let object = cx.object(of.object);
    let nodes = count(planned.world.cluster.nodes.len());
    let bound = |component: usize| {
        let of = &planned.world.components[component];
        cx.facts.envelope(of.workload).map(|it| it.peak)
    };
    let own = bound(component);
    let place = own.map_or_else(|| object.whole(), |it| it.place(cx.model));
    let beside = if scaled.len() > 1 { " beside the others at their most" } else { "" };
    let mut finding = Finding::new(
        format!("{most} of the {} pods that `{object}` may have fit on {nodes}{beside}", of.wanted),
        place,
        own.map_or_else(String::new, |it| it.describe()),
    );
    if own.is_some_and(|it| it.object != of.object) {
        finding = finding.label(object.whole(), "is scaled");
    }
    let proofs = planned.proofs();
    if let Some(Proof::Sum { pods, .. }) = proofs.first() {
        let shapes: Vec<_> = pods.iter().map(|it| it.0).collect();
        for other in planned.components(&shapes).into_iter().filter(|it| *it != component) {
            if let Some(bound) = bound(other).filter(|_| scaled.contains(&other)) {
                finding = finding.label(bound.place(cx.model), bound.describe());
            }
        }
    }
    let name = |at: usize| planned.world.components[at].short.clone();
    for proof in proofs {
        finding = finding.note(words(&planned.world, proof, &name));
    }
    if proofs.is_empty() {
        finding = finding.note("every way to place them was tried");
    }
    finding.help(format!("lower the maximum to {most}, or add nodes"))
}
