//! The levels and versions of the Pod Security Standards, and which controls they are made of.
//!
//! `policy/registry.go`, `api/helpers.go`, `api/constants.go`.

use super::controls::{host, identity, kernel, volumes};
use super::pod::{Fault, SecuredPod};
use std::fmt;

/// How much a namespace asks of its pods.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// Nothing.
    Privileged,
    /// That they take no known way out of their containers.
    Baseline,
    /// Whatever hardening there is besides.
    Restricted,
}

impl Level {
    /// The level of this name.
    pub fn parse(text: &str) -> Option<Level> {
        [Level::Privileged, Level::Baseline, Level::Restricted]
            .into_iter()
            .find(|it| it.name() == text)
    }

    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Level::Privileged => "privileged",
            Level::Baseline => "baseline",
            Level::Restricted => "restricted",
        }
    }
}

/// The minor version of Kubernetes whose controls count.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Version(u32);

/// The last minor version that changed a control.
pub const NEWEST: u32 = 37;

impl Version {
    /// The newest there is, whichever that is.
    pub const LATEST: Version = Version(u32::MAX);

    /// The version 1.x.
    pub fn minor(minor: u32) -> Version {
        Version(minor)
    }

    /// `latest` or `v1.x`, as `^v1\.([0-9]|[1-9][0-9]*)$` has it (`api/helpers.go`, ParseVersion).
    pub fn parse(text: &str) -> Option<Version> {
        if text == "latest" {
            return Some(Version::LATEST);
        }
        let minor = text.strip_prefix("v1.")?;
        let is_number = minor.bytes().all(|it| it.is_ascii_digit());
        let is_plain = minor == "0" || !minor.starts_with('0');
        minor.parse().ok().filter(|_| is_number && is_plain).map(Version)
    }

    /// The minor version whose controls count: versions to come count as the newest.
    fn effective(self) -> u32 {
        self.0.min(NEWEST)
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Version::LATEST => f.write_str("latest"),
            Version(minor) => write!(f, "v1.{minor}"),
        }
    }
}

/// What a control finds in a pod under a minor version.
type Judge = for<'d> fn(SecuredPod<'d>, u32) -> Vec<Fault<'d>>;

/// One thing that a level asks of pods.
#[derive(Debug)]
pub struct Control {
    /// What Pod Security Admission calls it.
    pub id: &'static str,
    /// What it is about, as Pod Security Admission says why it refuses a pod.
    pub reason: &'static str,
    /// The level that asks for it first.
    pub level: Level,
    /// The first minor version that has it.
    since: u32,
    /// The controls of a lower level that it stands in place of.
    overrides: &'static [&'static Control],
    judge: Judge,
}

impl Control {
    /// The fields that it refuses in a pod.
    pub fn faults<'d>(&self, pod: SecuredPod<'d>, version: Version) -> Vec<Fault<'d>> {
        match version.effective() {
            minor if minor >= self.since => (self.judge)(pod, minor),
            _ => Vec::new(),
        }
    }
}

macro_rules! controls {
    ($($name:ident $level:ident $since:literal $(over $over:ident)?, $id:literal, $reason:literal, $judge:path;)*) => {
        $(
            #[doc = concat!("The control `", $id, "`.")]
            pub static $name: Control = Control {
                id: $id,
                reason: $reason,
                level: Level::$level,
                since: $since,
                overrides: &[$(&$over)?],
                judge: $judge,
            };
        )*

        /// All of them: baseline first, by name, as their results are reported.
        pub static CONTROLS: &[&Control] = &[$(&$name,)*];
    };
}

controls! {
    APP_ARMOR Baseline 0, "appArmorProfile", "forbidden AppArmor profile", kernel::app_armor;
    CAPABILITIES Baseline 0, "capabilities_baseline", "non-default capabilities", identity::added_capabilities;
    HOST_NAMESPACES Baseline 0, "hostNamespaces", "host namespaces", host::namespaces;
    HOST_PATHS Baseline 0, "hostPathVolumes", "hostPath volumes", volumes::host_paths;
    HOST_PORTS Baseline 0, "hostPorts", "hostPort", host::ports;
    HOST_PROBES Baseline 34, "hostProbesAndHostLifecycle", "probe or lifecycle host", host::probes;
    PRIVILEGED Baseline 0, "privileged", "privileged", identity::privileged;
    PROC_MOUNT Baseline 0, "procMount", "procMount", kernel::proc_mount_baseline;
    SELINUX Baseline 0, "seLinuxOptions", "seLinuxOptions", kernel::selinux;
    SECCOMP Baseline 0, "seccompProfile_baseline", "seccompProfile", kernel::seccomp_baseline;
    SYSCTLS Baseline 0, "sysctls", "forbidden sysctls", kernel::sysctls;
    HOST_PROCESS Baseline 0, "windowsHostProcess", "hostProcess", host::process;
    PRIVILEGE_ESCALATION Restricted 8, "allowPrivilegeEscalation", "allowPrivilegeEscalation != false", identity::privilege_escalation;
    CAPABILITIES_RESTRICTED Restricted 22 over CAPABILITIES, "capabilities_restricted", "unrestricted capabilities", identity::restricted_capabilities;
    PROC_MOUNT_RESTRICTED Restricted 35 over PROC_MOUNT, "procMount_restricted", "procMount", kernel::proc_mount;
    RESTRICTED_VOLUMES Restricted 0 over HOST_PATHS, "restrictedVolumes", "restricted volume types", volumes::restricted;
    NON_ROOT Restricted 0, "runAsNonRoot", "runAsNonRoot != true", identity::non_root;
    USER Restricted 23, "runAsUser", "runAsUser=0", identity::user;
    SECCOMP_RESTRICTED Restricted 19 over SECCOMP, "seccompProfile_restricted", "seccompProfile", kernel::seccomp_restricted;
}

/// A control that a pod fails.
#[derive(Clone, Debug)]
pub struct Failure<'d> {
    /// The control.
    pub control: &'static Control,
    /// The fields that it refuses.
    pub faults: Vec<Fault<'d>>,
}

/// The controls of a level and version that a pod fails.
pub fn failures<'d>(
    pod: SecuredPod<'d>,
    level: Level,
    version: Version,
) -> impl Iterator<Item = Failure<'d>> {
    let minor = version.effective();
    let asked = move || CONTROLS.iter().filter(move |it| it.level <= level && it.since <= minor);
    let is_overridden = move |it: &&'static Control| {
        asked().any(|by| by.overrides.iter().any(|over| std::ptr::eq(*over, *it)))
    };
    let controls = asked().copied().filter(move |it| !is_overridden(it));
    let failures =
        controls.map(move |control| Failure { control, faults: control.faults(pod, version) });
    failures.filter(|it| !it.faults.is_empty())
}

/// The strictest level of the newest version that a pod passes.
pub fn passes(pod: SecuredPod<'_>) -> Level {
    let is_passed = |level: &Level| failures(pod, *level, Version::LATEST).next().is_none();
    [Level::Restricted, Level::Baseline].into_iter().find(is_passed).unwrap_or(Level::Privileged)
}
