//! Ingresses and routes to pods that network policies close to their controller.

use crate::analyze::network::access::{Caller, Gate, callers, gate, may_serve};
use crate::analyze::references::backends::Backend;
use crate::analyze::selection::services::{Service, ServicePort};
use crate::analyze::selection::workloads::WorkloadId;
use crate::api::kind::Kind;
use crate::api::ports::Protocol;
use crate::model::ObjId;
use crate::rule::{Admission, Check, Cx, Finding, Group, Out, Preset, Rule, Severity};
use std::collections::BTreeSet;

/// The rule.
pub(super) static RULE: Rule = Rule {
    id: "ingress-cut-off",
    title: "an Ingress or route leads to pods that its controller may not reach",
    severity: Severity::Error,
    group: Group::Network,
    admission: Admission::Deny,
    presets: &[Preset::Invariants],
    reads: &[
        Kind::AdminNetworkPolicy,
        Kind::BaselineAdminNetworkPolicy,
        Kind::ClusterNetworkPolicy,
        Kind::Custom,
        Kind::GRPCRoute,
        Kind::HTTPRoute,
        Kind::Ingress,
        Kind::Namespace,
        Kind::NetworkPolicy,
        Kind::Node,
        Kind::Route,
        Kind::Service,
        Kind::TCPRoute,
        Kind::TLSRoute,
        Kind::UDPRoute,
    ],
    like: &[],
    parameters: &[],
    page: include_str!("ingress_cut_off.md"),
    reads_images: None,
    checks: &[Check::World(check)],
};

fn check(cx: &Cx<'_, '_>, out: &mut Out) {
    let callers = callers(cx.facts, Caller::Controller);
    // Several paths may lead to one port.
    let mut seen: BTreeSet<(ObjId, WorkloadId, i64)> = BTreeSet::new();
    for backend in cx.facts.backends() {
        let service = cx.facts.services().find(backend.namespace, backend.service);
        let Some(service) = service else { continue };
        for port in backend.ports(cx.model, service) {
            for (workload, _) in service.selects.iter() {
                let Some(number) = port.on(cx.facts.ports(*workload)) else { continue };
                if seen.insert((backend.object, *workload, number)) {
                    judge(cx, backend, service, port, (*workload, number), &callers, out);
                }
            }
        }
    }
}

fn judge(
    cx: &Cx<'_, '_>,
    backend: &Backend<'_>,
    service: &Service<'_>,
    port: &ServicePort<'_>,
    (workload, number): (WorkloadId, i64),
    callers: &[WorkloadId],
    out: &mut Out,
) {
    let object = cx.object(backend.object);
    let Some(protocol) = Protocol::parse(port.protocol) else { return };
    let Ok(port_number) = u16::try_from(number) else { return };
    // Of a port that the pods do not serve, another rule speaks.
    if !may_serve(cx.facts, workload, protocol, number) {
        return;
    }
    let (caller, by) =
        match gate(cx.facts, (Caller::Controller, callers), workload, protocol, port_number) {
            Gate::Open => return,
            Gate::CannotTell(reason) => {
                return out.cannot_tell(
                    object,
                    format!("whether its controller gets through: {}", reason.told(cx.model)),
                );
            }
            Gate::Closed { caller, by } => (caller, by),
        };
    if let Some(missing) = cx.unseen_policies(by.iter().map(|it| it.0)) {
        return out.cannot_tell(object, missing);
    }
    let pods = cx.object(cx.facts.workloads().get(workload).object);
    let whose = match caller {
        Some(it) => format!("`{}`", cx.object(cx.facts.workloads().get(it).object)),
        None => "its controller".to_string(),
    };
    let message = format!(
        "`{object}` leads to `{pods}`, which {whose} may not reach on port {number}/{protocol}"
    );
    let mut finding = Finding::new(
        message,
        object.place(backend.name),
        format!("port {number} of its pods is closed"),
    );
    finding = finding
        .label(cx.object(service.object).place(port.node), format!("leads to port {number}"));
    finding = finding.label(pods.whole(), "these pods answer");
    for (policy, direction) in by.iter().take(6) {
        let policy = cx.object(*policy);
        let place = policy.at(&format!("spec.{direction}"));
        finding = finding.label(place, format!("closes its {direction}"));
    }
    // What no NetworkPolicy opens another one may; what a policy of the administrator denies stays denied.
    if by.iter().all(|(it, _)| cx.object(*it).kind == Kind::NetworkPolicy) {
        finding = finding.awaits(&[Kind::NetworkPolicy]);
    }
    let note = match caller {
        Some(_) => format!(
            "{whose} is the controller, by its labels; a request needs its egress and the ingress of the pods"
        ),
        None => format!(
            "the controller's pods are not in the input, and no policy lets anybody from outside namespace `{}` in on this port",
            service.namespace
        ),
    };
    out.find(finding.note(note).help(format!(
        "let the controller's pods in on port {number}: a peer with both `namespaceSelector` and `podSelector`"
    )));
}
