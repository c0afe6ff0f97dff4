//! Pods in the network, the processes or the shared memory of their node.

use super::super::pods;
use crate::analyze::security::standard;
use crate::analyze::selection::workloads::Workload;
use crate::api::kind::Kind;
use crate::rule::{Admission, Check, Cx, Group, Out, Preset, Rule, Severity};

/// The rule.
pub(super) static RULE: Rule = Rule {
    id: "host-namespace",
    title: "a pod shares a namespace of its node",
    severity: Severity::Error,
    group: Group::Security,
    admission: Admission::Deny,
    presets: &[Preset::Recommended, Preset::PodSecurityBaseline],
    reads: &[],
    like: &[
        "kube-linter:host-ipc",
        "kube-linter:host-network",
        "kube-linter:host-pid",
        "polaris:hostIPCSet",
        "polaris:hostNetworkSet",
        "polaris:hostPIDSet",
    ],
    parameters: &[pods::NAMESPACES],
    page: include_str!("host_namespace.md"),
    reads_images: None,
    checks: &[Check::Workload(workload)],
};

fn workload(cx: &Cx<'_, '_>, workload: &Workload<'_>, out: &mut Out) {
    let faults = pods::faults(cx, workload, &standard::HOST_NAMESPACES);
    let Some(first) = faults.first() else { return };
    let is_network_alone = faults.len() == 1 && first.text.contains("network");
    let shared: Vec<_> = faults.iter().map(|it| it.text.as_str()).collect();
    let does = shared.join(", ");
    let finding = pods::finding(cx, workload, &faults, [&does, &does]);
    // Agents of nodes serve the network of their node: that is what they are for.
    let finding = match workload.kind == Kind::DaemonSet && is_network_alone {
        true => finding.severity(Severity::Warning),
        false => finding,
    };
    out.find(match is_network_alone {
        true => finding
            .note("it listens on the addresses of the node, sees its traffic, and network policies do not hold it")
            .help("remove `hostNetwork`, and reach the pod through a Service or a `hostPort`"),
        false => finding
            .note("it sees the processes or the memory of everything on the node, and may read their secrets")
            .help("remove the field; what only one pod shares can be shared with `shareProcessNamespace` or an `emptyDir` in memory"),
    });
}
