//! Containers with SELinux labels of their own.

use super::super::pods;
use crate::analyze::security::standard;
use crate::analyze::selection::workloads::Workload;
use crate::rule::{Admission, Check, Cx, Group, Out, Preset, Rule, Severity};

/// The rule.
pub(super) static RULE: Rule = Rule {
    id: "selinux-override",
    title: "a container has another SELinux label than a container's",
    severity: Severity::Warning,
    group: Group::Security,
    admission: Admission::Deny,
    presets: &[Preset::PodSecurityBaseline],
    reads: &[],
    like: &["gatekeeper:selinux"],
    parameters: &[pods::NAMESPACES],
    page: include_str!("selinux_override.md"),
    reads_images: None,
    checks: &[Check::Workload(workload)],
};

fn workload(cx: &Cx<'_, '_>, workload: &Workload<'_>, out: &mut Out) {
    let faults = pods::faults(cx, workload, &standard::SELINUX);
    if !faults.is_empty() {
        let finding = pods::finding(
            cx,
            workload,
            &faults,
            ["chooses its own SELinux label", "choose their own SELinux label"],
        );
        out.find(finding.note("another user, role or type than the runtime gives may be one that policy lets out of the container").help("remove `user` and `role`, and use a type of containers: `container_t`, `container_init_t`, `container_kvm_t` or `container_engine_t`"));
    }
}
