//! More pods that have to be apart than places that admit them.

use crate::analyze::placement::READS;
use crate::analyze::placement::planned::Planned;
use crate::analyze::placement::proof::{Proof, crowded};
use crate::analyze::placement::world::At;
use crate::rule::{Admission, Check, Cx, Finding, Group, Out, Preset, Rule, Severity};
use std::collections::BTreeSet;

/// The rule.
pub(super) static RULE: Rule = Rule {
    id: "anti-affinity-unsatisfiable",
    title: "more pods have to be apart than there are places for them",
    severity: Severity::Error,
    group: Group::Disruption,
    admission: Admission::Audit,
    presets: &[Preset::Invariants],
    reads: READS,
    like: &[],
    parameters: &[],
    page: include_str!("anti_affinity_unsatisfiable.md"),
    reads_images: None,
    checks: &[Check::World(check)],
};

/// Pods that have to be apart.
struct Apart<'p> {
    planned: &'p Planned,
    at: At,
    components: Vec<usize>,
    pods: u32,
    key: String,
    places: usize,
}

fn check(cx: &Cx<'_, '_>, out: &mut Out) {
    let mut told = BTreeSet::new();
    for at in [At::Floor, At::Peak] {
        let Some(planned) = cx.facts.planned(at) else { continue };
        for proof in crowded(&planned.world.cluster, planned.counts()) {
            let Proof::Apart { shapes, pods, key, places } = proof else { continue };
            let components = planned.components(&shapes);
            let group = Apart { planned, at, components, pods, key, places };
            for component in group.components.iter().copied() {
                if told.insert((component, group.key.clone())) {
                    out.find(finding(cx, &group, component));
                }
            }
        }
    }
}

fn finding(cx: &Cx<'_, '_>, group: &Apart<'_>, component: usize) -> Finding {
    let of = |at: usize| &group.planned.world.components[at];
    let workload = cx.facts.workloads().get(of(component).workload);
    let object = cx.object(workload.object);
    let mut terms = workload
        .pod
        .at(&["affinity", "podAntiAffinity"])
        .into_iter()
        .flat_map(|it| it.list("requiredDuringSchedulingIgnoredDuringExecution"));
    let term = terms.find(|it| it.text("topologyKey") == Some(group.key.as_str()));
    let place = term.map_or_else(|| object.whole(), |it| object.place(it));
    let names: Vec<_> =
        group.components.iter().map(|it| format!("`{}`", cx.object(of(*it).object))).collect();
    let places = match (group.key.as_str(), group.places) {
        ("kubernetes.io/hostname", 1) => "1 node admits them".to_string(),
        ("kubernetes.io/hostname", places) => format!("{places} nodes admit them"),
        (_, 1) => "the nodes that admit them are 1 such place".to_string(),
        (_, places) => format!("the nodes that admit them are {places} such places"),
    };
    let mut finding = Finding::new(
        format!(
            "{} pods of {} have to be apart by `{}`, and {places}",
            group.pods,
            names.join(" and "),
            group.key,
        ),
        place,
        format!("one pod for each value of `{}`", group.key),
    );
    if let Some(envelope) = cx.facts.envelope(workload.id) {
        let bound = if group.at == At::Floor { envelope.floor } else { envelope.peak };
        finding = finding.label(bound.place(cx.model), bound.describe());
    }
    let missing = group.pods as usize - group.places;
    let pods = if missing == 1 { "1 pod stays".into() } else { format!("{missing} pods stay") };
    finding
        .note(format!("{} − {} = {missing}: {pods} pending", group.pods, group.places))
        .help("run fewer replicas, add places, or prefer the anti-affinity rather than require it")
}
