//! Containers on ports of their node.

use super::super::pods;
use crate::analyze::security::standard;
use crate::analyze::selection::workloads::Workload;
use crate::rule::{Admission, Check, Cx, Group, Out, Preset, Rule, Severity};
use crate::text::tree::Node;

/// The rule.
pub(super) static RULE: Rule = Rule {
    id: "host-port",
    title: "a container takes a port of its node",
    severity: Severity::Warning,
    group: Group::Security,
    admission: Admission::Deny,
    presets: &[Preset::Recommended, Preset::PodSecurityBaseline],
    reads: &[],
    like: &["polaris:hostPortSet", "gatekeeper:host-network-ports"],
    parameters: &[pods::NAMESPACES],
    page: include_str!("host_port.md"),
    reads_images: None,
    checks: &[Check::Workload(workload)],
};

fn workload(cx: &Cx<'_, '_>, workload: &Workload<'_>, out: &mut Out) {
    // In the network of the node all ports are the node's, which `host-namespace` says.
    if workload.pod.get("hostNetwork").and_then(Node::bool) == Some(true) {
        return;
    }
    let faults = pods::faults(cx, workload, &standard::HOST_PORTS);
    if !faults.is_empty() {
        let finding = pods::finding(
            cx,
            workload,
            &faults,
            ["takes a port of the node", "take ports of the node"],
        );
        out.find(
            finding
                .note("a node runs one pod with this port, and whoever reaches the node reaches the pod without a Service between them")
                .help("remove `hostPort`, and reach the pods through a Service"),
        );
    }
}
