//! Containers whose processes may gain rights that they did not start with.

use super::super::pods;
use super::runs_as_root::may_run_as_root;
use crate::analyze::security::controls::identity::is_privileged;
use crate::analyze::security::pod::{Fault, SecuredPod, own};
use crate::analyze::security::standard;
use crate::analyze::selection::workloads::Workload;
use crate::rule::{Admission, Check, Cx, Group, Out, Preset, Rule, Severity};
use crate::text::tree::Node;

/// The rule.
pub(super) static RULE: Rule = Rule {
    id: "privilege-escalation",
    title: "a process of a container may gain rights",
    severity: Severity::Warning,
    group: Group::Security,
    admission: Admission::Deny,
    presets: &[Preset::Recommended, Preset::PodSecurityRestricted],
    reads: &[],
    like: &[
        "kube-linter:privilege-escalation-container",
        "polaris:privilegeEscalationAllowed",
        "gatekeeper:allow-privilege-escalation",
    ],
    parameters: &[pods::NAMESPACES],
    page: include_str!("privilege_escalation.md"),
    reads_images: None,
    checks: &[Check::Workload(workload)],
};

fn workload(cx: &Cx<'_, '_>, workload: &Workload<'_>, out: &mut Out) {
    let mut faults = pods::faults(cx, workload, &standard::PRIVILEGE_ESCALATION);
    if !cx.policy.has_preset(Preset::PodSecurityRestricted) {
        let pod = SecuredPod::new(workload.template);
        faults.retain(|it| it.container.is_some_and(|container| is_risk(pod, container, it)));
    }
    if !faults.is_empty() {
        let does = ["may gain rights", "may gain rights"];
        let finding = pods::finding(cx, workload, &faults, does);
        out.find(
            finding
                .note("a program with the set-user-ID bit, `sudo` among them, makes root of whoever runs it; `allowPrivilegeEscalation` is true where nothing is written")
                .help("set `allowPrivilegeEscalation: false`"),
        );
    }
}

/// Whether somebody wrote it, or it comes with what the container has or is; where nothing is written and no process is
/// root, it is a risk of an image alone.
fn is_risk(pod: SecuredPod<'_>, container: Node<'_>, fault: &Fault<'_>) -> bool {
    fault.missing.is_empty()
        || is_privileged(container).is_some()
        || adds_sys_admin(container)
        || may_run_as_root(pod, container)
}

/// Either makes the kernel ignore the field (`pkg/securitycontext/util.go`, AddNoNewPrivileges; the API server refuses
/// both beside `false`).
fn adds_sys_admin(container: Node<'_>) -> bool {
    let added = own(container, "capabilities").into_iter().flat_map(|it| it.list("add"));
    added.filter_map(Node::str).any(|it| matches!(it, "SYS_ADMIN" | "CAP_SYS_ADMIN"))
}
