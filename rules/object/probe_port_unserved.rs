//! Probes and hooks that name a port their container does not define.

use super::super::pods;
use crate::analyze::security::pod::{Fault, SecuredPod};
use crate::analyze::selection::workloads::Workload;
use crate::policy::closest;
use crate::rule::{Admission, Check, Cx, Group, Out, Preset, Rule, Severity};
use crate::text::tree::Node;

/// The rule.
pub(super) static RULE: Rule = Rule {
    id: "probe-port-unserved",
    title: "a probe asks a port that its container does not have",
    severity: Severity::Error,
    group: Group::Object,
    admission: Admission::Deny,
    presets: &[Preset::Invariants],
    reads: &[],
    like: &["kube-linter:liveness-port", "kube-linter:readiness-port", "kube-linter:startup-port"],
    parameters: &[pods::NAMESPACES],
    page: include_str!("probe_port_unserved.md"),
    reads_images: None,
    checks: &[Check::Workload(workload)],
};

fn workload(cx: &Cx<'_, '_>, workload: &Workload<'_>, out: &mut Out) {
    let mut unnamed = Vec::new();
    let mut undeclared = Vec::new();
    for container in SecuredPod::new(workload.template).containers() {
        for port in ports(container) {
            match port.scalar().map(|it| it.parse::<i64>().map_err(|_| it)) {
                Some(Ok(number)) if !is_declared(workload, number) => undeclared.push(Fault::of(
                    container,
                    port,
                    format!("no container declares {number}"),
                )),
                Some(Err(name)) if !names(container).any(|it| it == name) => {
                    unnamed.push(Fault::of(container, port, text(container, &name)));
                }
                _ => {}
            }
        }
    }
    let unnamed = pods::judged(cx, workload, unnamed);
    if !unnamed.is_empty() {
        let does = [
            "is asked at a port that it does not define",
            "are asked at ports that they do not define",
        ];
        let finding = pods::finding(cx, workload, &unnamed, does);
        return out.find(
            finding
                .note("a name is looked up among the ports of the container itself, not of its neighbours, and the kubelet fails the probe for ever")
                .help(help(&unnamed)),
        );
    }
    let undeclared = pods::judged(cx, workload, undeclared);
    if !undeclared.is_empty() {
        let does = [
            "is asked at a port that nothing declares",
            "are asked at ports that nothing declares",
        ];
        let finding = pods::finding(cx, workload, &undeclared, does).severity(Severity::Note);
        out.find(
            finding
                .note("a port need not be declared, and the pod declares others")
                .help("compare the number with what the container listens on"),
        );
    }
}

/// The ports that the kubelet asks a container at. A numeric string counts as a number (`pkg/probe/util.go`,
/// ResolveContainerPort).
fn ports(container: Node<'_>) -> Vec<Node<'_>> {
    const HANDLERS: [&[&str]; 5] = [
        &["livenessProbe"],
        &["readinessProbe"],
        &["startupProbe"],
        &["lifecycle", "postStart"],
        &["lifecycle", "preStop"],
    ];
    let handlers = HANDLERS.iter().filter_map(|it| container.at(it));
    // A handler that goes to another host says nothing of the ports here.
    let actions = handlers.flat_map(|it| ["httpGet", "tcpSocket", "grpc"].map(|key| it.get(key)));
    let own = actions.flatten().filter(|it| it.text("host").is_none_or(str::is_empty));
    own.filter_map(|it| it.get("port")).collect()
}

fn names<'d>(container: Node<'d>) -> impl Iterator<Item = &'d str> {
    container.list("ports").filter_map(|it| it.text("name"))
}

/// Whether a container that runs as long as the pod declares a number, or none declares any.
fn is_declared(workload: &Workload<'_>, number: i64) -> bool {
    let declared = pods::lasting(workload).flat_map(|it| it.list("ports"));
    let mut numbers = declared.filter_map(|it| it.get("containerPort")?.int()).peekable();
    numbers.peek().is_none() || numbers.any(|it| it == number)
}

fn text(container: Node<'_>, name: &str) -> String {
    match names(container).map(|it| format!("`{it}`")).collect::<Vec<_>>() {
        names if names.is_empty() => format!("no port `{name}`, nor any other with a name"),
        names => format!("no port `{name}`; there is {}", names.join(", ")),
    }
}

fn help(faults: &[Fault<'_>]) -> String {
    let name = |it: &Fault<'_>| it.node.str().unwrap_or_default().to_string();
    let near = faults.iter().find_map(|it| closest(&name(it), names(it.container?)));
    match near {
        Some(near) => format!("name `{near}` if that is meant"),
        None => "add the port to the container, or write its number".into(),
    }
}
