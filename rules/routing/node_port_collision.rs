//! Services that ask for one port of the nodes.

use crate::analyze::selection::services::{Exposure, Service};
use crate::api::kind::Kind;
use crate::model::ObjId;
use crate::rule::{Admission, Check, Cx, Finding, Group, Out, Preset, Rule, Severity};
use crate::text::tree::Node;
use std::collections::BTreeMap;

/// The rule.
pub(super) static RULE: Rule = Rule {
    id: "node-port-collision",
    title: "two Services ask for one port of the nodes",
    severity: Severity::Error,
    group: Group::Routing,
    admission: Admission::Deny,
    presets: &[Preset::Invariants],
    reads: &[Kind::Service],
    like: &[],
    parameters: &[],
    page: include_str!("node_port_collision.md"),
    reads_images: None,
    checks: &[Check::World(check)],
};

fn check(cx: &Cx<'_, '_>, out: &mut Out) {
    let mut by_number: BTreeMap<i64, Vec<(ObjId, Node<'_>)>> = BTreeMap::new();
    for service in cx.facts.services().iter() {
        for (number, node) in asked(cx, service) {
            by_number.entry(number).or_default().push((service.object, node));
        }
    }
    for (number, askers) in by_number.into_iter().filter(|it| it.1.len() > 1) {
        out.find(finding(cx, number, &askers));
    }
}

/// The node ports that a Service asks for, each once for all protocols of one of its ports
/// (`pkg/registry/core/service/storage/alloc.go`, initNodePorts).
fn asked<'d>(cx: &Cx<'_, 'd>, service: &Service<'d>) -> Vec<(i64, Node<'d>)> {
    if !matches!(service.exposure, Exposure::NodePort | Exposure::LoadBalancer) {
        return Vec::new();
    }
    let mut of_port: BTreeMap<i64, Vec<i64>> = BTreeMap::new();
    let mut asked = Vec::new();
    for port in &service.ports {
        let Some(node) = port.node.get("nodePort") else { continue };
        let Some(number) = node.int().filter(|it| *it > 0) else { continue };
        let known = of_port.entry(port.port).or_default();
        if !known.contains(&number) {
            known.push(number);
            asked.push((number, node));
        }
    }
    let health = cx.object(service.object).field(&["spec", "healthCheckNodePort"]);
    asked.extend(health.and_then(|it| Some((it.int().filter(|it| *it > 0)?, it))));
    asked
}

fn finding(cx: &Cx<'_, '_>, number: i64, askers: &[(ObjId, Node<'_>)]) -> Finding {
    let names: Vec<_> = askers.iter().map(|it| format!("`{}`", cx.object(it.0))).collect();
    let (last, others) = names.split_last().map_or(("", &[][..]), |it| (it.0.as_str(), it.1));
    let message = match askers {
        [a, b] if a.0 == b.0 => format!("{last} asks for node port {number} twice"),
        _ => format!("{} and {last} ask for node port {number}", others.join(", ")),
    };
    let place = |it: &(ObjId, Node<'_>)| cx.object(it.0).place(it.1);
    let mut finding = Finding::new(message, place(&askers[0]), "asked for here");
    for it in &askers[1..] {
        finding = finding.label(place(it), "and here");
    }
    finding
        .note("a node port belongs to one Service, whatever its namespace and protocol: the API server refuses the second")
        .help("leave `nodePort` out of all but one of them, and Kubernetes chooses free ones")
}
