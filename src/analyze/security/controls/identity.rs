//! As whom the processes of a pod run, and what they may become.

use crate::analyze::security::pod::{Fault, SecuredPod, own};
use crate::text::tree::Node;

/// `policy/check_privileged.go`.
pub(in crate::analyze::security) fn privileged(pod: SecuredPod<'_>, _: u32) -> Vec<Fault<'_>> {
    let containers = pod.containers();
    containers
        .filter_map(|it| Some(Fault::of(it, is_privileged(it)?, "all rights on the node")))
        .collect()
}

/// The field by which a container has all rights on its node.
pub fn is_privileged(container: Node<'_>) -> Option<Node<'_>> {
    own(container, "privileged").filter(|it| it.bool() == Some(true))
}

/// The capabilities that a container may add under baseline: those that runtimes give without being asked.
const DEFAULT: [&str; 13] = [
    "AUDIT_WRITE",
    "CHOWN",
    "DAC_OVERRIDE",
    "FOWNER",
    "FSETID",
    "KILL",
    "MKNOD",
    "NET_BIND_SERVICE",
    "SETFCAP",
    "SETGID",
    "SETPCAP",
    "SETUID",
    "SYS_CHROOT",
];

/// The one that a container may add under restricted.
pub const RESTRICTED: [&str; 1] = ["NET_BIND_SERVICE"];

/// `policy/check_capabilities_baseline.go`. The names count as they are spelled: `CAP_CHOWN` is none of them.
pub(in crate::analyze::security) fn added_capabilities(
    pod: SecuredPod<'_>,
    _: u32,
) -> Vec<Fault<'_>> {
    added(pod, &DEFAULT)
}

/// The capabilities that containers add beside these.
pub fn added<'d>(pod: SecuredPod<'d>, allowed: &[&str]) -> Vec<Fault<'d>> {
    let mut faults = Vec::new();
    for container in pod.containers() {
        for name in own(container, "capabilities").into_iter().flat_map(|it| it.list("add")) {
            let Some(text) = name.str().filter(|it| !allowed.contains(it)) else { continue };
            faults.push(Fault::of(container, name, format!("adds `{text}`")));
        }
    }
    faults
}

/// `policy/check_capabilities_restricted.go`.
pub(in crate::analyze::security) fn restricted_capabilities(
    pod: SecuredPod<'_>,
    minor: u32,
) -> Vec<Fault<'_>> {
    if pod.is_windows() && minor >= 25 {
        return Vec::new();
    }
    let mut faults = kept_capabilities(pod, &["ALL"]);
    faults.extend(added(pod, &RESTRICTED));
    faults
}

/// The containers that do not drop each of some capabilities, or all there are. Names count as they are spelled.
pub fn kept_capabilities<'d>(pod: SecuredPod<'d>, wanted: &[&str]) -> Vec<Fault<'d>> {
    let mut faults = Vec::new();
    for container in pod.containers() {
        let list = own(container, "capabilities").and_then(|it| it.get("drop"));
        let dropped: Vec<_> =
            list.into_iter().flat_map(Node::items).filter_map(Node::str).collect();
        let is_kept = |it: &&&str| !dropped.contains(*it) && !dropped.contains(&"ALL");
        let Some(kept) = wanted.iter().find(is_kept) else { continue };
        let text = format!("does not drop `{kept}`");
        faults.push(match list {
            Some(node) => Fault::of(container, node, text),
            None => Fault::lack(container, "securityContext.capabilities.drop", text),
        });
    }
    faults
}

/// `policy/check_allowPrivilegeEscalation.go`.
pub(in crate::analyze::security) fn privilege_escalation(
    pod: SecuredPod<'_>,
    minor: u32,
) -> Vec<Fault<'_>> {
    if pod.is_windows() && minor >= 25 {
        return Vec::new();
    }
    let mut faults = Vec::new();
    for container in pod.containers() {
        match own(container, "allowPrivilegeEscalation") {
            Some(it) if it.bool() == Some(false) => {}
            Some(it) => faults.push(Fault::of(container, it, "may gain rights")),
            None => faults.push(Fault::lack(
                container,
                "securityContext.allowPrivilegeEscalation",
                "may gain rights",
            )),
        }
    }
    faults
}

/// `policy/check_runAsNonRoot.go`. What is written counts before what is missing.
pub(in crate::analyze::security) fn non_root(pod: SecuredPod<'_>, minor: u32) -> Vec<Fault<'_>> {
    if pod.has_user_namespace() && minor >= 35 {
        return Vec::new();
    }
    let is_false = |it: &Node<'_>| it.bool() == Some(false);
    let of_pod = pod.own("runAsNonRoot");
    let mut faults = Vec::new();
    faults.extend(of_pod.filter(is_false).map(|it| pod.fault(it, "root is allowed")));
    for container in pod.containers() {
        let own = own(container, "runAsNonRoot").filter(is_false);
        faults.extend(own.map(|it| Fault::of(container, it, "root is allowed")));
    }
    if !faults.is_empty() {
        return faults;
    }
    let lacking = pod.containers().filter(|it| pod.effective(*it, "runAsNonRoot").is_none());
    let missing = "securityContext.runAsNonRoot";
    lacking.map(|it| Fault::lack(it, missing, "root is not ruled out")).collect()
}

/// `policy/check_runAsUser.go`. The pod's 0 counts even where every container overrides it.
pub(in crate::analyze::security) fn user(pod: SecuredPod<'_>, minor: u32) -> Vec<Fault<'_>> {
    if pod.has_user_namespace() && minor >= 35 {
        return Vec::new();
    }
    let is_root = |it: &Node<'_>| it.int() == Some(0);
    let of_pod = pod.own("runAsUser").filter(is_root);
    let mut faults: Vec<_> = of_pod.map(|it| pod.fault(it, "0 is root")).into_iter().collect();
    for container in pod.containers() {
        let own = own(container, "runAsUser").filter(is_root);
        faults.extend(own.map(|it| Fault::of(container, it, "0 is root")));
    }
    faults
}
