//! Nodes whose loss leaves nothing of what a Service leads to, and no place for new pods.

use crate::analyze::placement::READS;
use crate::analyze::placement::cluster::NodeId;
use crate::analyze::placement::planned::Planned;
use crate::analyze::placement::volume::VolumeState;
use crate::analyze::placement::world::At;
use crate::analyze::selection::services::ServiceId;
use crate::api::kind::Kind;
use crate::rule::{Admission, Check, Cx, Finding, Group, Out, Preset, Rule, Severity};
use crate::rules::nodes::is_expected;

/// The rule.
pub(super) static RULE: Rule = Rule {
    id: "node-loss-stops-service",
    title: "the loss of one node stops a Service, and no other node takes its pods",
    severity: Severity::Warning,
    group: Group::Disruption,
    admission: Admission::Audit,
    presets: &[Preset::Invariants],
    reads: READS,
    like: &[],
    parameters: &[],
    page: include_str!("node_loss_stops_service.md"),
    reads_images: None,
    checks: &[Check::World(check)],
};

fn check(cx: &Cx<'_, '_>, out: &mut Out) {
    let Some(planned) = cx.facts.planned(At::Floor) else { return };
    // Of a single node all is lost, which says nothing of what runs there.
    if planned.world.cluster.nodes.len() < 2 {
        return;
    }
    let mut losses = planned.losses();
    for node in planned.alone() {
        let name = format!("node `{}`", planned.world.cluster.nodes[node].name);
        for (component, why) in losses.stopped(&[node]) {
            out.findings.extend(finding(cx, planned, (component, &[node]), &name, why));
        }
    }
}

/// What is said of a component that stops; nothing where no Service leads to it.
pub(super) fn finding(
    cx: &Cx<'_, '_>,
    planned: &Planned,
    (component, lost): (usize, &[NodeId]),
    name: &str,
    why: String,
) -> Option<Finding> {
    let of = &planned.world.components[component];
    let mut services = cx.facts.services().alike_of(of.workload);
    let service = services.find_map(|(_, it)| it.members.first().copied())?;
    let service = cx.object(cx.facts.services().get(ServiceId(service)).object);
    let object = cx.object(of.object);
    if is_expected(cx, object, name) {
        return None;
    }
    let bound = cx.facts.envelope(of.workload).map(|it| it.floor);
    let place = bound.map_or_else(|| object.whole(), |it| it.place(cx.model));
    let message = format!(
        "the loss of {name} leaves 0 of {} pods of `{object}`, and no other node takes one",
        of.wanted
    );
    let text = bound.map_or_else(String::new, |it| it.describe());
    let mut finding =
        Finding::new(message, place, text).label(service.whole(), "leads to its pods");
    if bound.is_some_and(|it| it.object != of.object) {
        finding = finding.label(object.whole(), "runs there");
    }
    for volume in volumes(planned, component) {
        if let Some(volume) = cx.model.find(Kind::PersistentVolume, "", &volume) {
            let of = if lost.len() == 1 { "stays on that node" } else { "stays in that zone" };
            finding = finding.label(volume.at("spec.nodeAffinity"), of);
        }
    }
    Some(finding.note(why).help(
        "replicate the data to pods with volumes elsewhere, use storage that other nodes reach, or leave room for the pods on other nodes",
    ))
}

/// The volumes that its pods are bound to.
fn volumes(planned: &Planned, component: usize) -> Vec<String> {
    let pods = planned.world.pods.iter().filter(|it| it.component == component);
    let needs = pods.flat_map(|it| &planned.world.cluster.shapes[it.shape].volumes);
    let mut names: Vec<String> = needs
        .filter_map(|it| match &it.state {
            VolumeState::Bound { volume, terms: Some(_), .. } => Some(volume.clone()),
            _ => None,
        })
        .collect();
    names.sort();
    names.dedup();
    names
}
