//! Containers that can write to their own image.

use super::super::pods;
use crate::analyze::security::pod::{Fault, SecuredPod, own};
use crate::analyze::selection::workloads::Workload;
use crate::rule::{Admission, Check, Cx, Group, Out, Preset, Rule, Severity};

/// The rule.
pub(super) static RULE: Rule = Rule {
    id: "writable-root-filesystem",
    title: "a container can write to its image",
    severity: Severity::Note,
    group: Group::Security,
    admission: Admission::Warn,
    presets: &[Preset::Strict],
    reads: &[],
    like: &[
        "kube-linter:no-read-only-root-fs",
        "kube-score:container-security-context-readonlyrootfilesystem",
        "polaris:notReadOnlyRootFilesystem",
        "gatekeeper:read-only-root-filesystem",
    ],
    parameters: &[pods::NAMESPACES],
    page: include_str!("writable_root_filesystem.md"),
    reads_images: None,
    checks: &[Check::Workload(workload)],
};

fn workload(cx: &Cx<'_, '_>, workload: &Workload<'_>, out: &mut Out) {
    if SecuredPod::new(workload.template).is_windows() {
        return;
    }
    let faults = pods::lasting(workload).filter_map(|it| match own(it, FIELD) {
        Some(field) if field.bool() == Some(true) => None,
        Some(field) => Some(Fault::of(it, field, "its image is writable")),
        None => {
            Some(Fault::lack(it, "securityContext.readOnlyRootFilesystem", "its image is writable"))
        }
    });
    let faults = pods::judged(cx, workload, faults.collect());
    if !faults.is_empty() {
        let does = ["can write to its image", "can write to their images"];
        let finding = pods::finding(cx, workload, &faults, does);
        out.find(
            finding
                .note("who breaks into it can put programs there, and what it writes is lost with the container")
                .help("set `readOnlyRootFilesystem: true`, and mount an `emptyDir` where the program writes, such as `/tmp`"),
        );
    }
}

const FIELD: &str = "readOnlyRootFilesystem";
