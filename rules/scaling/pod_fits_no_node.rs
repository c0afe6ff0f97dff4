//! Pods that none of the nodes would take, were they alone.

use crate::analyze::placement::READS;
use crate::analyze::placement::cluster::{NodeId, ShapeId};
use crate::analyze::placement::planned::Planned;
use crate::analyze::placement::proof::{Proof, unplaceable};
use crate::analyze::placement::world::At;
use crate::api::kind::Kind;
use crate::rule::{Admission, Check, Cx, Finding, Group, Out, Preset, Rule, Severity};
use crate::rules::nodes::count;
use std::collections::BTreeSet;

/// The rule.
pub(super) static RULE: Rule = Rule {
    id: "pod-fits-no-node",
    title: "no node takes a pod, even with no other pod there",
    severity: Severity::Error,
    group: Group::Scaling,
    admission: Admission::Audit,
    presets: &[Preset::Invariants],
    reads: READS,
    like: &[],
    parameters: &[],
    page: include_str!("pod_fits_no_node.md"),
    reads_images: None,
    checks: &[Check::World(check)],
};

fn check(cx: &Cx<'_, '_>, out: &mut Out) {
    let mut told = BTreeSet::new();
    for planned in [At::Floor, At::Peak].into_iter().filter_map(|it| cx.facts.planned(it)) {
        for proof in unplaceable(&planned.world.cluster, planned.counts()) {
            let (shape, nodes) = match proof {
                Proof::NoNode { shape } => {
                    (shape, (0..planned.world.cluster.nodes.len()).collect())
                }
                Proof::NotThere { shape, nodes } => (shape, nodes),
                _ => continue,
            };
            for component in planned.components(&[shape]) {
                if told.insert(component) {
                    out.find(finding(cx, planned, component, (shape, &nodes)));
                }
            }
        }
    }
}

fn finding(
    cx: &Cx<'_, '_>,
    planned: &Planned,
    component: usize,
    (shape, nodes): (ShapeId, &[NodeId]),
) -> Finding {
    let of = &planned.world.components[component];
    let workload = cx.facts.workloads().get(of.workload);
    let object = cx.object(workload.object);
    let why = planned.why_none(shape, nodes.iter().copied());
    // The place of what most nodes object to.
    let field = match why.split(": ").nth(1).unwrap_or_default() {
        it if it.starts_with("not chosen") && workload.pod.get("nodeSelector").is_some() => {
            "nodeSelector"
        }
        it if it.starts_with("not chosen") => "affinity",
        it if it.starts_with("taint") => "tolerations",
        it if it.contains("volume") => "volumes",
        _ => "containers",
    };
    let nodes = count(nodes.len());
    let daemon = match of.kind {
        Kind::DaemonSet => " on its node",
        _ => "",
    };
    Finding::new(
        format!("no node takes a pod of `{object}`{daemon}, were it alone there"),
        object.at(&workload.pod_path(field)),
        format!("fits none of {nodes}"),
    )
    .note(why)
    .help("let the pod choose, tolerate and request what a node has, or add such a node")
}
