//! Containers that serve a Service and have no readiness probe.

use super::super::{images, pods};
use crate::analyze::security::pod::Fault;
use crate::analyze::selection::services::{Service, Target};
use crate::analyze::selection::workloads::Workload;
use crate::api::kind::Kind;
use crate::rule::{Admission, Check, Cx, Group, Out, Preset, Rule, Severity};
use crate::text::tree::Node;

/// The rule.
pub(super) static RULE: Rule = Rule {
    id: "readiness-probe-missing",
    title: "a container gets requests before it is ready for them",
    severity: Severity::Warning,
    group: Group::Object,
    admission: Admission::Warn,
    presets: &[Preset::Recommended],
    reads: &[Kind::Service],
    like: &[
        "kube-linter:no-readiness-probe",
        "kube-score:pod-probes",
        "polaris:readinessProbeMissing",
        "popeye:104",
    ],
    parameters: &[pods::NAMESPACES],
    page: include_str!("readiness_probe_missing.md"),
    reads_images: false,
    checks: &[Check::World(check)],
};

fn check(cx: &Cx<'_, '_>, out: &mut Out) {
    for workload in cx.facts.workloads().iter() {
        let is_run = matches!(workload.kind, Kind::Job | Kind::CronJob);
        // A gate is a condition of the pod that something else sets: it is ready when that says so.
        let has_gate = workload.pod.list("readinessGates").next().is_some();
        if is_run || has_gate || images::is_injected(workload) {
            continue;
        }
        let faults = unprobed(cx, workload);
        let Some((_, service)) = faults.first() else { continue };
        let service = cx.object(service.object);
        let faults: Vec<_> = faults.iter().map(|it| it.0.clone()).collect();
        let faults = pods::judged(cx, workload, faults);
        if !faults.is_empty() {
            let does = ["gets requests before it is ready", "get requests before they are ready"];
            let finding = pods::finding(cx, workload, &faults, does);
            out.find(
                finding
                    .hint(service.whole(), "leads to it")
                    .note("without a readiness probe a container is ready when its process runs: requests reach it before it listens, and a rollout counts it as done")
                    .help("add a `readinessProbe` that succeeds when the container can answer"),
            );
        }
    }
}

/// The containers without a readiness probe that serve the port of a Service, each with that Service.
fn unprobed<'f, 'd>(cx: &Cx<'f, 'd>, workload: &Workload<'d>) -> Vec<(Fault<'d>, &'f Service<'d>)> {
    let containers: Vec<Node<'d>> = pods::lasting(workload).collect();
    let mut faults: Vec<(Fault<'d>, &Service<'d>)> = Vec::new();
    for service in cx.facts.services().of_workload(workload.id) {
        let spec = cx.object(service.object).field(&["spec"]);
        let is_eager = spec.and_then(|it| it.get("publishNotReadyAddresses"));
        if is_eager.and_then(Node::bool) == Some(true) {
            continue;
        }
        for port in &service.ports {
            let Some(container) = server(&containers, port.target, port.protocol) else { continue };
            let is_told = faults.iter().any(|it| it.0.node.index() == container.index());
            if container.get("readinessProbe").is_none() && !is_told {
                let text = format!("serves port {} of `{}`", port.port, service.name);
                faults.push((Fault::lack(container, "readinessProbe", text), service));
            }
        }
    }
    faults
}

/// The container that serves a port: the one that declares it, or the only one there is.
fn server<'d>(containers: &[Node<'d>], target: Target<'_>, protocol: &str) -> Option<Node<'d>> {
    let declares = |container: &&Node<'d>| {
        container.list("ports").any(|port| {
            let is_it = match target {
                Target::Number(number) => {
                    port.get("containerPort").and_then(Node::int) == Some(number)
                }
                Target::Name(name) => port.text("name") == Some(name),
            };
            is_it && port.text("protocol").unwrap_or("TCP") == protocol
        })
    };
    let declared = containers.iter().find(declares).copied();
    match (declared, containers, target) {
        (None, [only], Target::Number(_)) => Some(*only),
        (declared, ..) => declared,
    }
}
