//! Windows containers that are processes of their node.

use super::super::pods;
use crate::analyze::security::standard;
use crate::analyze::selection::workloads::Workload;
use crate::rule::{Admission, Check, Cx, Group, Out, Preset, Rule, Severity};

/// The rule.
pub(super) static RULE: Rule = Rule {
    id: "host-process",
    title: "a container is a process of its Windows node",
    severity: Severity::Error,
    group: Group::Security,
    admission: Admission::Deny,
    presets: &[Preset::Recommended, Preset::PodSecurityBaseline],
    reads: &[],
    like: &["polaris:hostProcess"],
    parameters: &[pods::NAMESPACES],
    page: include_str!("host_process.md"),
    reads_images: None,
    checks: &[Check::Workload(workload)],
};

fn workload(cx: &Cx<'_, '_>, workload: &Workload<'_>, out: &mut Out) {
    let faults = pods::faults(cx, workload, &standard::HOST_PROCESS);
    if !faults.is_empty() {
        let finding = pods::finding(
            cx,
            workload,
            &faults,
            ["runs as a process of the node", "run as processes of the node"],
        );
        out.find(finding.note("it sees the files, the network and the other processes of the node, and may change them").help("remove `hostProcess`, or accept it for an agent that manages nodes: `purlin.dev/ignore.host-process: <reason>`"));
    }
}
