//! Zones whose loss leaves nothing of what a Service leads to, and no place for new pods.

use super::node_loss_stops_service::finding;
use crate::analyze::placement::READS;
use crate::analyze::placement::cluster::NodeId;
use crate::analyze::placement::node::ZONE;
use crate::analyze::placement::planned::Planned;
use crate::analyze::placement::world::At;
use crate::rule::{Admission, Check, Cx, Finding, Group, Out, Preset, Rule, Severity};
use crate::text::tree::Node;
use std::collections::BTreeMap;

/// The rule.
pub(super) static RULE: Rule = Rule {
    id: "zone-loss-stops-service",
    title: "the loss of one zone stops a Service, and no other zone takes its pods",
    severity: Severity::Warning,
    group: Group::Disruption,
    admission: Admission::Audit,
    presets: &[Preset::Invariants],
    reads: READS,
    like: &[],
    parameters: &[],
    page: include_str!("zone_loss_stops_service.md"),
    reads_images: None,
    checks: &[Check::World(check)],
};

fn check(cx: &Cx<'_, '_>, out: &mut Out) {
    let Some(planned) = cx.facts.planned(At::Floor) else { return };
    let mut zones: BTreeMap<&str, Vec<NodeId>> = BTreeMap::new();
    for (at, node) in planned.world.cluster.nodes.iter().enumerate() {
        if let Some(zone) = node.zone() {
            zones.entry(zone).or_default().push(at);
        }
    }
    let all = planned.world.cluster.nodes.len();
    if let [(zone, nodes)] = zones.iter().collect::<Vec<_>>().as_slice()
        && nodes.len() == all
    {
        out.findings.extend(spread_over_one(cx, planned, zone));
        return;
    }
    let mut losses = planned.losses();
    for (zone, nodes) in zones {
        let name = format!("zone `{zone}`");
        for (component, why) in losses.stopped(&nodes) {
            // What one of its nodes stops is told there.
            let node = losses.only_node(component);
            let is_of_one =
                node.is_some_and(|it| losses.stopped(&[it]).iter().any(|it| it.0 == component));
            if !is_of_one {
                out.findings.extend(finding(cx, planned, (component, &nodes), &name, why));
            }
        }
    }
}

/// What is meant to be spread over zones, where there is one.
fn spread_over_one(cx: &Cx<'_, '_>, planned: &Planned, zone: &str) -> Vec<Finding> {
    let mut found = Vec::new();
    for component in planned.world.components.iter().filter(|it| it.wanted > 1) {
        let workload = cx.facts.workloads().get(component.workload);
        let object = cx.object(workload.object);
        let mut constraints = workload.pod.list("topologySpreadConstraints");
        let is_over_zones = |it: &Node<'_>| it.text("topologyKey") == Some(ZONE);
        if let Some(constraint) = constraints.find(is_over_zones)
            && cx.facts.services().alike_of(workload.id).next().is_some()
        {
            found.push(
                Finding::new(
                    format!("`{object}` is spread over zones, and all nodes are in zone `{zone}`"),
                    object.place(constraint),
                    "spreads over one zone",
                )
                .note(format!("the loss of zone `{zone}` leaves 0 of {} pods", component.wanted))
                .help(
                    "add nodes in other zones, or state what the cluster is: remove the constraint",
                ),
            );
        }
    }
    found
}
