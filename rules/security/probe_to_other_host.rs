//! Probes and hooks that go to another host than their pod.

use super::super::pods;
use crate::analyze::security::standard;
use crate::analyze::selection::workloads::Workload;
use crate::rule::{Admission, Check, Cx, Group, Out, Preset, Rule, Severity};

/// The rule.
pub(super) static RULE: Rule = Rule {
    id: "probe-to-other-host",
    title: "a probe or a hook of a container goes to another host",
    severity: Severity::Warning,
    group: Group::Security,
    admission: Admission::Deny,
    presets: &[Preset::Recommended, Preset::PodSecurityBaseline],
    reads: &[],
    like: &["gatekeeper:host-probes-lifecycle"],
    parameters: &[pods::NAMESPACES],
    page: include_str!("probe_to_other_host.md"),
    reads_images: None,
    checks: &[Check::Workload(workload)],
};

fn workload(cx: &Cx<'_, '_>, workload: &Workload<'_>, out: &mut Out) {
    let faults = pods::faults(cx, workload, &standard::HOST_PROBES);
    if !faults.is_empty() {
        let finding = pods::finding(
            cx,
            workload,
            &faults,
            [
                "has a probe or a hook that goes to another host",
                "have probes or hooks that go to other hosts",
            ],
        );
        out.find(finding.note("the kubelet makes the request from the network of the node, which reaches what the pod may not, and the answer says nothing of the pod").help("remove `host`: the address of the pod is the default; a name that the server wants to see goes into the header `Host`"));
    }
}
