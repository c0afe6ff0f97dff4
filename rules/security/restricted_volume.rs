//! Volumes of types that restricted pods have no need of.

use super::super::pods;
use crate::analyze::security::standard;
use crate::analyze::selection::workloads::Workload;
use crate::rule::{Admission, Check, Cx, Group, Out, Preset, Rule, Severity};

/// The rule.
pub(super) static RULE: Rule = Rule {
    id: "restricted-volume",
    title: "a pod mounts storage past claims and drivers",
    severity: Severity::Warning,
    group: Group::Security,
    admission: Admission::Deny,
    presets: &[Preset::Strict, Preset::PodSecurityRestricted],
    reads: &[],
    like: &["gatekeeper:volumes", "gatekeeper:flexvolume-drivers"],
    parameters: &[pods::NAMESPACES],
    page: include_str!("restricted_volume.md"),
    reads_images: None,
    checks: &[Check::Workload(workload)],
};

fn workload(cx: &Cx<'_, '_>, workload: &Workload<'_>, out: &mut Out) {
    let mut faults = pods::faults(cx, workload, &standard::RESTRICTED_VOLUMES);
    // A folder of the node has a rule of its own, `host-path`.
    if !cx.policy.has_preset(Preset::PodSecurityRestricted) {
        faults.retain(|it| !it.text.contains("`hostPath`"));
    }
    if !faults.is_empty() {
        let does = ["mounts a volume of a restricted type", "mount volumes of a restricted type"];
        let finding = pods::finding(cx, workload, &faults, does);
        out.find(
            finding
                .note("the kubelet mounts it with what the pod says, and neither claim nor class bounds it")
                .help("use a `persistentVolumeClaim`, `ephemeral` or `csi` volume"),
        );
    }
}
