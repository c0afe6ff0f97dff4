//! Containers that see all of `/proc`.

use super::super::pods;
use crate::analyze::security::standard;
use crate::analyze::selection::workloads::Workload;
use crate::rule::{Admission, Check, Cx, Group, Out, Preset, Rule, Severity};

/// The rule.
pub(super) static RULE: Rule = Rule {
    id: "proc-unmasked",
    title: "a container sees all of `/proc`",
    severity: Severity::Error,
    group: Group::Security,
    admission: Admission::Deny,
    presets: &[Preset::Recommended, Preset::PodSecurityBaseline],
    reads: &[],
    like: &["kube-linter:unsafe-proc-mount", "polaris:procMount", "gatekeeper:proc-mount"],
    parameters: &[pods::NAMESPACES],
    page: include_str!("proc_unmasked.md"),
    reads_images: None,
    checks: &[Check::Workload(workload)],
};

fn workload(cx: &Cx<'_, '_>, workload: &Workload<'_>, out: &mut Out) {
    // Restricted refuses it in a user namespace as well.
    let control = match cx.policy.has_preset(Preset::PodSecurityRestricted) {
        true => &standard::PROC_MOUNT_RESTRICTED,
        false => &standard::PROC_MOUNT,
    };
    let mut faults = pods::faults(cx, workload, control);
    if faults.is_empty() {
        faults = pods::faults(cx, workload, &standard::PROC_MOUNT);
    }
    if !faults.is_empty() {
        let finding =
            pods::finding(cx, workload, &faults, ["sees all of `/proc`", "see all of `/proc`"]);
        out.find(
            finding
                .note("the runtime hides what tells of the node and what changes its kernel, such as `/proc/kcore` and `/proc/sysrq-trigger`")
                .help("remove `procMount`; a pod that builds or runs containers needs it in a user namespace only: `hostUsers: false`"),
        );
    }
}
