//! Containers that AppArmor does not confine.

use super::super::pods;
use crate::analyze::security::standard;
use crate::analyze::selection::workloads::Workload;
use crate::rule::{Admission, Check, Cx, Group, Out, Preset, Rule, Severity};

/// The rule.
pub(super) static RULE: Rule = Rule {
    id: "apparmor-disabled",
    title: "a container runs without AppArmor",
    severity: Severity::Error,
    group: Group::Security,
    admission: Admission::Deny,
    presets: &[Preset::Recommended, Preset::PodSecurityBaseline],
    reads: &[],
    like: &["polaris:linuxHardening", "gatekeeper:apparmor"],
    parameters: &[pods::NAMESPACES],
    page: include_str!("apparmor_disabled.md"),
    reads_images: None,
    checks: &[Check::Workload(workload)],
};

fn workload(cx: &Cx<'_, '_>, workload: &Workload<'_>, out: &mut Out) {
    let faults = pods::faults(cx, workload, &standard::APP_ARMOR);
    if !faults.is_empty() {
        let finding =
            pods::finding(cx, workload, &faults, ["switches AppArmor off", "switch AppArmor off"]);
        out.find(finding.note("the profile of the runtime keeps a process that broke out of its program from the files and mounts of the node").help("remove the profile, or name `RuntimeDefault` or a `Localhost` profile that is made for the program"));
    }
}
