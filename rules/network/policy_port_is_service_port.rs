//! Network policies that name the port of a Service where the pods listen on another.

use crate::analyze::network::policies::Direction;
use crate::analyze::network::policy_ports::Unserved;
use crate::analyze::selection::services::{Service, ServiceId};
use crate::api::kind::{Kind, WORKLOADS};
use crate::rule::{Admission, Check, Cx, Finding, Group, Out, Preset, Rule, Severity};

/// The rule.
pub(super) static RULE: Rule = Rule {
    id: "policy-port-is-service-port",
    title: "a network policy names the Service's port, and the pods listen on another",
    severity: Severity::Error,
    group: Group::Network,
    admission: Admission::Deny,
    presets: &[Preset::Invariants],
    reads: &[Kind::NetworkPolicy, Kind::Service],
    like: &[],
    parameters: &[],
    page: include_str!("policy_port_is_service_port.md"),
    reads_images: None,
    checks: &[Check::World(check)],
};

fn check(cx: &Cx<'_, '_>, out: &mut Out) {
    for of_policy in cx.facts.unserved().chunk_by(|a, b| a.policy == b.policy) {
        let of_services = of_policy.iter().filter_map(|it| Some((it, it.service?)));
        out.find_some(of_services.map(|(it, service)| finding(cx, it, service)));
    }
}

fn finding(cx: &Cx<'_, '_>, it: &Unserved<'_>, (service, target): (ServiceId, i64)) -> Finding {
    let policy = cx.object(cx.facts.policies().get(it.policy).object);
    let service = cx.facts.services().get(service);
    let service_object = cx.object(service.object);
    let node = it.port.node.get("port").unwrap_or(it.port.node);
    let number = node.scalar().unwrap_or_default();
    let message = format!(
        "`{policy}` opens port {number}, which is that of `{service_object}`: its pods listen on {target}"
    );
    let mut finding = Finding::new(message, policy.place(node), "no pod listens here");
    if let Some(port) = service.ports.iter().find(|it| it.port.to_string() == number) {
        let place = service_object.place(port.node);
        finding = finding.label(place, format!("leads to port {target} of the pods"));
    }
    let ports = it.workloads.first().map(|it| (it, cx.facts.ports(*it)));
    if let Some((workload, port)) =
        ports.and_then(|(id, it)| Some((id, it.numbered(target, it_protocol(it, target)?)?)))
    {
        let object = cx.object(cx.facts.workloads().get(*workload).object);
        finding = finding.label(object.place(port.node), "the port that traffic arrives on");
    }
    if may_be_served(cx, it, service) {
        finding = finding.awaits(WORKLOADS);
    }
    finding
        .note("policies are asked once the Service's address and port have become those of a pod, so the number opens nothing")
        .help(format!("name port {target}, or the port's name"))
}

/// Whether a workload that is not there yet may serve the port: the policy selects pods that are not behind the Service.
fn may_be_served(cx: &Cx<'_, '_>, it: &Unserved<'_>, service: &Service<'_>) -> bool {
    let policy = cx.facts.policies().get(it.policy);
    let Some(behind) = &service.selector else { return false };
    it.direction == Direction::Ingress
        && !behind.requirements.iter().all(|it| policy.selector.requirements.contains(it))
}

/// The protocol under which pods declare a number.
fn it_protocol<'d>(
    ports: &crate::analyze::selection::ports::PodPorts<'d>,
    number: i64,
) -> Option<&'d str> {
    ports.iter().find(|it| it.number == number).map(|it| it.protocol)
}
