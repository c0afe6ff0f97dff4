//! Containers that add capabilities to those that runtimes give.

use super::super::pods;
use crate::analyze::security::controls::identity::{RESTRICTED, added};
use crate::analyze::security::pod::{Fault, SecuredPod};
use crate::analyze::security::standard;
use crate::analyze::selection::workloads::Workload;
use crate::rule::{Admission, Check, Cx, Group, Out, Preset, Rule, Severity};

/// The rule.
pub(super) static RULE: Rule = Rule {
    id: "capability-added",
    title: "a container adds a capability",
    severity: Severity::Error,
    group: Group::Security,
    admission: Admission::Deny,
    presets: &[Preset::Recommended, Preset::PodSecurityBaseline],
    reads: &[],
    like: &["polaris:dangerousCapabilities", "gatekeeper:capabilities"],
    parameters: &[pods::NAMESPACES],
    page: include_str!("capability_added.md"),
    reads_images: None,
    checks: &[Check::Workload(workload)],
};

/// What the network needs of those who tend it; it leads to no other pod's files.
const OF_NETWORKS: [&str; 2] = ["NET_ADMIN", "NET_RAW"];

fn workload(cx: &Cx<'_, '_>, workload: &Workload<'_>, out: &mut Out) {
    let is_restricted = cx.policy.has_preset(Preset::PodSecurityRestricted);
    let pod = SecuredPod::new(workload.template);
    let faults = match is_restricted {
        // Restricted asks nothing of Windows, which has no capabilities.
        true if pod.is_windows() => Vec::new(),
        true => pods::judged(cx, workload, added(pod, &RESTRICTED)),
        false => pods::faults(cx, workload, &standard::CAPABILITIES),
    };
    if faults.is_empty() {
        return;
    }
    let name = |it: &Fault<'_>| it.node.str().unwrap_or_default().to_string();
    let mut names: Vec<_> = faults.iter().map(name).collect();
    names.sort();
    names.dedup();
    let is_of_networks = names.iter().all(|it| OF_NETWORKS.contains(&it.as_str()));
    let listed = names.iter().map(|it| format!("`{it}`")).collect::<Vec<_>>().join(", ");
    let does = [format!("adds {listed}"), format!("add {listed}")];
    let finding = pods::finding(cx, workload, &faults, [&does[0], &does[1]]);
    let finding = match is_of_networks {
        true => finding.severity(Severity::Warning),
        false => finding,
    };
    let finding = finding.note(note(&names));
    let asks = if is_restricted { "`NET_BIND_SERVICE`" } else { "those that the runtime gives" };
    out.find(
        finding.help(format!("remove it from `capabilities.add`, which is to hold {asks} at most")),
    );
}

/// What comes of the worst of them.
fn note(names: &[String]) -> &'static str {
    let has = |wanted: &[&str]| names.iter().any(|it| wanted.contains(&it.as_str()));
    if has(&["SYS_ADMIN", "ALL"]) {
        "it is as good as `privileged`: mounts, devices and namespaces of the node can be had"
    } else if has(&["SYS_PTRACE", "SYS_MODULE", "SYS_RAWIO", "DAC_READ_SEARCH", "BPF", "PERFMON"]) {
        "it leads out of the container: to the memory of other processes, the files of the node, or its kernel"
    } else if names
        .iter()
        .any(|it| it.starts_with("CAP_") || it.bytes().any(|it| it.is_ascii_lowercase()))
    {
        "Pod Security compares names as they are spelled: in capitals, without `CAP_`"
    } else if has(&OF_NETWORKS) {
        "it may change the routes of its network, or pretend to be another pod to its neighbours"
    } else {
        "runtimes leave it out because programs in containers do not need it"
    }
}
