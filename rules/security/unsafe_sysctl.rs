//! Settings of the kernel that reach beyond the pod.

use super::super::pods;
use crate::analyze::security::pod::{Fault, SecuredPod};
use crate::analyze::security::standard;
use crate::analyze::selection::workloads::Workload;
use crate::rule::{Admission, Check, Cx, Group, Out, Preset, Rule, Severity};
use crate::text::tree::Node;

/// The rule.
pub(super) static RULE: Rule = Rule {
    id: "unsafe-sysctl",
    title: "a pod changes the kernel of its node",
    severity: Severity::Error,
    group: Group::Security,
    admission: Admission::Deny,
    presets: &[Preset::Recommended, Preset::PodSecurityBaseline],
    reads: &[],
    like: &[
        "kube-linter:unsafe-sysctls",
        "gatekeeper:forbidden-sysctls",
        "kyverno:prevent-cr8escape",
    ],
    parameters: &[pods::NAMESPACES],
    page: include_str!("unsafe_sysctl.md"),
    reads_images: None,
    checks: &[Check::Workload(workload)],
};

fn workload(cx: &Cx<'_, '_>, workload: &Workload<'_>, out: &mut Out) {
    let smuggled = pods::judged(cx, workload, smuggled(workload));
    if !smuggled.is_empty() {
        let does = "sets a sysctl whose value holds another";
        let finding = pods::finding(cx, workload, &smuggled, [does, does]);
        out.find(
            finding
                .note("CRI-O splits values at `+` and takes what follows for sysctls of the node: `kernel.core_pattern` runs a program as root there (CVE-2022-0811)")
                .help("write one value for one sysctl"),
        );
    }
    let faults = pods::faults(cx, workload, &standard::SYSCTLS);
    if !faults.is_empty() {
        let names = faults.iter().filter_map(|it| it.node.str()).map(|it| format!("`{it}`"));
        let does = format!("sets {}", names.collect::<Vec<_>>().join(", "));
        let finding = pods::finding(cx, workload, &faults, [&does, &does]);
        out.find(
            finding
                .note("it is none of the sysctls that count for one pod alone: it changes the node, or takes from its other pods; kubelets refuse the pod unless they are told to allow it (`--allowed-unsafe-sysctls`)")
                .help("remove it, or set it on nodes of their own"),
        );
    }
}

/// Values that a runtime may split into several.
fn smuggled<'d>(workload: &Workload<'d>) -> Vec<Fault<'d>> {
    let pod = SecuredPod::new(workload.template);
    let sysctls = pod.own("sysctls").into_iter().flat_map(Node::items);
    let values = sysctls.filter_map(|it| it.get("value"));
    let split = values.filter(|it| it.str().is_some_and(|it| it.contains(['+', '='])));
    split
        .map(|node| Fault { container: None, node, missing: "", text: "holds `+` or `=`".into() })
        .collect()
}
