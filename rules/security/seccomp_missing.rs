//! Containers whose system calls nothing filters.

use super::super::pods;
use crate::analyze::security::pod::SecuredPod;
use crate::analyze::security::standard;
use crate::analyze::selection::workloads::Workload;
use crate::rule::{Admission, Check, Cx, Group, Out, Preset, Rule, Severity};

/// The rule.
pub(super) static RULE: Rule = Rule {
    id: "seccomp-missing",
    title: "a container runs without a seccomp profile",
    severity: Severity::Warning,
    group: Group::Security,
    admission: Admission::Deny,
    presets: &[Preset::Recommended, Preset::PodSecurityBaseline],
    reads: &[],
    like: &[
        "kube-score:container-seccomp-profile",
        "polaris:linuxHardening",
        "gatekeeper:seccomp",
        "gatekeeper:seccompv2",
    ],
    parameters: &[pods::NAMESPACES],
    page: include_str!("seccomp_missing.md"),
    reads_images: None,
    checks: &[Check::Workload(workload)],
};

fn workload(cx: &Cx<'_, '_>, workload: &Workload<'_>, out: &mut Out) {
    let is_restricted = cx.policy.has_preset(Preset::PodSecurityRestricted);
    // Windows has no seccomp; baseline compares what is written all the same.
    if is_restricted && SecuredPod::new(workload.template).is_windows() {
        return;
    }
    let switched_off = pods::faults(cx, workload, &standard::SECCOMP);
    if !switched_off.is_empty() {
        let does = ["switches seccomp off", "switch seccomp off"];
        let finding = pods::finding(cx, workload, &switched_off, does).severity(Severity::Error);
        return out.find(finding.note(NOTE).help(HELP));
    }
    // The presets that have the rule for what is written alone do not ask for a profile.
    if !cx.asks_for(Preset::Strict) && !is_restricted {
        return;
    }
    let missing = pods::faults(cx, workload, &standard::SECCOMP_RESTRICTED);
    if !missing.is_empty() {
        let does = ["has no seccomp profile", "have no seccomp profile"];
        let finding = pods::finding(cx, workload, &missing, does);
        let note = "without a profile every system call is allowed, unless the kubelet runs with `seccompDefault`";
        out.find(finding.note(note).help(HELP));
    }
}

const NOTE: &str = "every system call is allowed, those that have led out of containers among them";
const HELP: &str = "set `securityContext.seccompProfile: {type: RuntimeDefault}` for the pod, or a `Localhost` profile";
