//! What stands between a pod and the kernel of its node: AppArmor, SELinux, seccomp, `/proc` and sysctls.

use crate::analyze::security::pod::{Fault, SecuredPod, own};
use crate::text::tree::Node;

/// Profiles that leave a container confined.
const CONFINED: [&str; 2] = ["RuntimeDefault", "Localhost"];

/// The annotations that were there before the fields.
const APP_ARMOR_ANNOTATION: &str = "container.apparmor.security.beta.kubernetes.io/";

/// `policy/check_appArmorProfile.go`.
pub(in crate::analyze::security) fn app_armor(pod: SecuredPod<'_>, _: u32) -> Vec<Fault<'_>> {
    let mut faults = unconfined(pod, "appArmorProfile");
    for (key, value) in pod.annotations().filter(|it| it.0.starts_with(APP_ARMOR_ANNOTATION)) {
        let text = value.str().unwrap_or_default();
        if !text.is_empty() && text != "runtime/default" && !text.starts_with("localhost/") {
            let name = &key[APP_ARMOR_ANNOTATION.len()..];
            let mut containers = pod.containers();
            let container = containers.find(|it| it.text("name") == Some(name));
            faults.push(Fault { container, ..pod.fault(value, format!("`{text}`")) });
        }
    }
    faults
}

/// The profiles of pod and containers that confine nothing. A profile without a type is none either.
fn unconfined<'d>(pod: SecuredPod<'d>, field: &str) -> Vec<Fault<'d>> {
    let wrong = |profile: Option<Node<'d>>| {
        let profile = profile?;
        let kind = profile.get("type");
        let text = kind.and_then(Node::str).unwrap_or_default();
        let is_wrong = !CONFINED.contains(&text);
        is_wrong.then(|| (kind.unwrap_or(profile), format!("the profile is `{text}`")))
    };
    let mut faults = Vec::new();
    faults.extend(wrong(pod.own(field)).map(|(node, text)| pod.fault(node, text)));
    for container in pod.containers() {
        let own = wrong(own(container, field));
        faults.extend(own.map(|(node, text)| Fault::of(container, node, text)));
    }
    faults
}

const SECCOMP_ANNOTATION: &str = "seccomp.security.alpha.kubernetes.io/pod";
const SECCOMP_ANNOTATION_OF_CONTAINER: &str = "container.seccomp.security.alpha.kubernetes.io/";

/// `policy/check_seccompProfile_baseline.go`. Before 1.19 there were annotations only.
pub(in crate::analyze::security) fn seccomp_baseline(
    pod: SecuredPod<'_>,
    minor: u32,
) -> Vec<Fault<'_>> {
    if minor >= 19 {
        return unconfined(pod, "seccompProfile");
    }
    let is_wrong = |value: &str| {
        !matches!(value, "runtime/default" | "docker/default") && !value.starts_with("localhost/")
    };
    let mut faults = Vec::new();
    for (key, value) in pod.annotations() {
        let text = value.str().unwrap_or_default();
        let name = key.strip_prefix(SECCOMP_ANNOTATION_OF_CONTAINER);
        let mut containers = pod.containers();
        let container = containers.find(|it| name.is_some() && it.text("name") == name);
        if is_wrong(text) && (key == SECCOMP_ANNOTATION || container.is_some()) {
            faults.push(Fault { container, ..pod.fault(value, format!("`{text}`")) });
        }
    }
    faults
}

/// `policy/check_seccompProfile_restricted.go`. What is written counts before what is missing.
pub(in crate::analyze::security) fn seccomp_restricted(
    pod: SecuredPod<'_>,
    minor: u32,
) -> Vec<Fault<'_>> {
    if pod.is_windows() && minor >= 25 {
        return Vec::new();
    }
    let faults = unconfined(pod, "seccompProfile");
    if !faults.is_empty() {
        return faults;
    }
    let lacking = pod.containers().filter(|it| pod.effective(*it, "seccompProfile").is_none());
    lacking.map(|it| Fault::lack(it, "securityContext.seccompProfile", "no profile")).collect()
}

/// `policy/check_seLinuxOptions.go`.
pub(in crate::analyze::security) fn selinux(pod: SecuredPod<'_>, minor: u32) -> Vec<Fault<'_>> {
    let of_pod = pod.own("seLinuxOptions").into_iter();
    let of_pod = of_pod.flat_map(|it| overrides(it, minor)).map(|it| pod.fault(it.0, it.1));
    let mut faults: Vec<_> = of_pod.collect();
    for container in pod.containers() {
        let own = own(container, "seLinuxOptions").into_iter().flat_map(|it| overrides(it, minor));
        faults.extend(own.map(|(node, text)| Fault::of(container, node, text)));
    }
    faults
}

/// The options that give a process another label than a container's.
fn overrides(options: Node<'_>, minor: u32) -> Vec<(Node<'_>, String)> {
    let is_container = |kind: &str| match kind {
        "" | "container_t" | "container_init_t" | "container_kvm_t" => true,
        "container_engine_t" => minor >= 31,
        _ => false,
    };
    let said = |key| options.get(key).and_then(|it| Some((it, it.str()?)));
    let kind = said("type").filter(|it| !is_container(it.1));
    let others = ["user", "role"].into_iter();
    let others = others.filter_map(|key| said(key).filter(|it| !it.1.is_empty()));
    kind.into_iter().chain(others).map(|(node, text)| (node, format!("`{text}`"))).collect()
}

/// `policy/check_procMount_baseline.go`.
pub(in crate::analyze::security) fn proc_mount_baseline(
    pod: SecuredPod<'_>,
    minor: u32,
) -> Vec<Fault<'_>> {
    if pod.has_user_namespace() && minor >= 35 {
        return Vec::new();
    }
    proc_mount(pod, minor)
}

/// `policy/check_procMount_restricted.go`.
pub(in crate::analyze::security) fn proc_mount(pod: SecuredPod<'_>, _: u32) -> Vec<Fault<'_>> {
    let mut faults = Vec::new();
    for container in pod.containers() {
        let own = own(container, "procMount").filter(|it| it.str() != Some("Default"));
        faults.extend(own.map(|it| Fault::of(container, it, "the kernel's files are not masked")));
    }
    faults
}

/// The sysctls that count for one pod alone, and the minor version that took them for it.
const SYSCTLS: [(&str, u32); 14] = [
    ("kernel.shm_rmid_forced", 0),
    ("net.ipv4.ip_local_port_range", 0),
    ("net.ipv4.tcp_syncookies", 0),
    ("net.ipv4.ping_group_range", 0),
    ("net.ipv4.ip_unprivileged_port_start", 0),
    ("net.ipv4.ip_local_reserved_ports", 27),
    ("net.ipv4.tcp_keepalive_time", 29),
    ("net.ipv4.tcp_fin_timeout", 29),
    ("net.ipv4.tcp_keepalive_intvl", 29),
    ("net.ipv4.tcp_keepalive_probes", 29),
    ("net.ipv4.tcp_rmem", 32),
    ("net.ipv4.tcp_wmem", 32),
    ("net.ipv4.tcp_slow_start_after_idle", 37),
    ("net.ipv4.tcp_notsent_lowat", 37),
];

/// `policy/check_sysctls.go`.
pub(in crate::analyze::security) fn sysctls(pod: SecuredPod<'_>, minor: u32) -> Vec<Fault<'_>> {
    let is_safe = |name: &str| SYSCTLS.iter().any(|it| it.0 == name && it.1 <= minor);
    let sysctls = pod.own("sysctls").into_iter().flat_map(Node::items);
    let unsafe_ones = sysctls.filter(|it| !is_safe(it.text("name").unwrap_or_default()));
    unsafe_ones
        .map(|it| {
            let name = it.get("name").unwrap_or(it);
            pod.fault(name, "not one of the safe sysctls")
        })
        .collect()
}
