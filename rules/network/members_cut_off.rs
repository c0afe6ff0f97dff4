//! Members of a cluster that network policies close to each other.

use crate::analyze::network::policies::Direction;
use crate::analyze::network::reach::ask::is_one_pod;
use crate::analyze::network::reach::{Effect, EndpointId, Verdict};
use crate::analyze::references::redis_cluster::RedisCluster;
use crate::analyze::selection::workloads::Workload;
use crate::api::kind::Kind;
use crate::api::ports::Protocol;
use crate::intended_flows::{Flow, flows};
use crate::model::ObjId;
use crate::rule::{Admission, Check, Cx, Finding, Group, ImagePart, Out, Preset, Rule, Severity};
use crate::text::tree::Node;
use std::cell::LazyCell;
use std::collections::BTreeSet;

/// The rule.
pub(super) static RULE: Rule = Rule {
    id: "members-cut-off",
    title: "the members of a cluster may not reach each other",
    severity: Severity::Error,
    group: Group::Network,
    admission: Admission::Deny,
    presets: &[Preset::Invariants],
    reads: &[
        Kind::AdminNetworkPolicy,
        Kind::BaselineAdminNetworkPolicy,
        Kind::ClusterNetworkPolicy,
        Kind::ConfigMap,
        Kind::Custom,
        Kind::HorizontalPodAutoscaler,
        Kind::Namespace,
        Kind::NetworkPolicy,
        Kind::ScaledObject,
    ],
    like: &[],
    parameters: &[],
    page: include_str!("members_cut_off.md"),
    reads_images: Some(ImagePart::Repository),
    checks: &[Check::World(check)],
};

/// Members of a Redis cluster.
struct Members<'c, 'd> {
    workload: &'c Workload<'d>,
    container: Node<'d>,
    ports: RedisCluster,
    end: EndpointId,
}

fn check(cx: &Cx<'_, '_>, out: &mut Out) {
    // Few worlds have such members.
    let declared = LazyCell::new(|| flows(cx.model, cx.facts, cx.policy));
    for workload in cx.facts.workloads().iter() {
        let Some(members) = members(cx, workload) else { continue };
        // Of a flow that is declared between them, `flow-missing` speaks.
        if !declared.iter().any(|it| is_between(cx, it, members.end)) {
            judge(cx, &members, out);
        }
    }
}

fn members<'c, 'd>(cx: &Cx<'c, 'd>, workload: &'c Workload<'d>) -> Option<Members<'c, 'd>> {
    let mut all = workload.containers();
    let (container, ports) =
        all.find_map(|it| Some((it, RedisCluster::of(cx.model, workload, it)?)))?;
    let end = cx.facts.reach().of_workload(workload.id)?;
    (!is_one_pod(cx.facts, workload.id)).then_some(Members { workload, container, ports, end })
}

fn is_between(cx: &Cx<'_, '_>, flow: &Flow<'_>, members: EndpointId) -> bool {
    let is_end = |it| cx.facts.reach().of_party(cx.facts, it).contains(&members);
    is_end(&flow.from) && is_end(&flow.to)
}

fn judge(cx: &Cx<'_, '_>, members: &Members<'_, '_>, out: &mut Out) {
    let reach = cx.facts.reach();
    let judged = reach.judge(members.end, members.end);
    let ports = [members.ports.port, members.ports.bus];
    let closed: Vec<_> =
        ports.into_iter().filter(|it| judged.get(Protocol::Tcp, *it) == Verdict::Deny).collect();
    if closed.is_empty() {
        let undefined = ports.into_iter().find_map(|it| match judged.get(Protocol::Tcp, it) {
            Verdict::Undefined(reason) => Some(reason),
            _ => None,
        });
        if let Some(reason) = undefined {
            let missing =
                format!("whether its members may reach each other: {}", reason.told(cx.model));
            out.cannot_tell(cx.object(members.workload.object), missing);
        }
        return;
    }
    let because =
        closed.iter().flat_map(|it| reach.because(members.end, members.end, Protocol::Tcp, *it));
    let because = because.filter(|it| it.effect == Effect::Closes);
    let by: BTreeSet<_> = because.map(|it| (it.policy, it.direction)).collect();
    match cx.unseen_policies(by.iter().map(|it| it.0)) {
        Some(missing) => out.cannot_tell(cx.object(members.workload.object), missing),
        None => out.find(finding(cx, members, &closed, &by)),
    }
}

fn finding(
    cx: &Cx<'_, '_>,
    members: &Members<'_, '_>,
    closed: &[u16],
    by: &BTreeSet<(ObjId, Direction)>,
) -> Finding {
    let object = cx.object(members.workload.object);
    let numbers: Vec<_> = closed.iter().map(ToString::to_string).collect();
    let (word, numbers) = (if closed.len() > 1 { "ports" } else { "port" }, numbers.join(" and "));
    let message = format!(
        "the members of `{object}`, a Redis cluster, may not reach each other on {word} {numbers}"
    );
    let RedisCluster { port, bus } = members.ports;
    let mut declared = members.container.list("ports");
    let place = declared
        .find(|it| it.get("containerPort").and_then(Node::int) == Some(i64::from(bus)))
        .unwrap_or(members.container);
    let mut finding =
        Finding::new(message, object.place(place), format!("members call each other on {bus}"));
    for (policy, direction) in by.iter().take(6) {
        let place = cx.object(*policy).at(&format!("spec.{direction}"));
        finding = finding.label(place, format!("closes the {direction}"));
    }
    // What no NetworkPolicy opens another one may; what a policy of the administrator denies stays denied.
    if by.iter().all(|it| cx.object(it.0).kind == Kind::NetworkPolicy) {
        finding = finding.awaits(&[Kind::NetworkPolicy]);
    }
    let todo = match by.iter().any(|it| it.1 == Direction::Egress) {
        true => "let these pods out to themselves and in from themselves",
        false => "let these pods in from themselves",
    };
    finding
        .note(format!("each member keeps a connection to every other on the bus, port {bus}: without it the cluster does not form, and none takes over from another; replicas and slots that move use the port of the clients, {port}"))
        .help(format!("{todo} on ports {port} and {bus}"))
}
