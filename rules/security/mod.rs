//! What pods may do.

use crate::rule::Rule;

mod apparmor_disabled;
mod capabilities_kept;
mod capability_added;
mod host_namespace;
mod host_path;
mod host_port;
mod host_process;
mod pod_rejected_by_pod_security;
mod pod_security_not_enforced;
mod privilege_escalation;
mod privileged_container;
mod probe_to_other_host;
mod proc_unmasked;
mod restricted_volume;
mod runs_as_root;
mod seccomp_missing;
mod secret_in_repository;
mod selinux_override;
mod unsafe_sysctl;
mod writable_root_filesystem;

/// The rules of this group, by id.
pub(super) const RULES: &[&Rule] = &[
    &apparmor_disabled::RULE,
    &capabilities_kept::RULE,
    &capability_added::RULE,
    &host_namespace::RULE,
    &host_path::RULE,
    &host_port::RULE,
    &host_process::RULE,
    &pod_rejected_by_pod_security::RULE,
    &pod_security_not_enforced::RULE,
    &privilege_escalation::RULE,
    &privileged_container::RULE,
    &probe_to_other_host::RULE,
    &proc_unmasked::RULE,
    &restricted_volume::RULE,
    &runs_as_root::RULE,
    &seccomp_missing::RULE,
    &secret_in_repository::RULE,
    &selinux_override::RULE,
    &unsafe_sysctl::RULE,
    &writable_root_filesystem::RULE,
];
