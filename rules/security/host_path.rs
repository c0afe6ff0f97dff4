//! Folders and files of the node in pods and volumes.

use super::super::pods;
use crate::analyze::security::pod::{Fault, SecuredPod};
use crate::analyze::security::standard;
use crate::analyze::selection::workloads::Workload;
use crate::api::kind::Kind;
use crate::model::Object;
use crate::rule::{Admission, Check, Cx, Finding, Group, Out, Parameter, Preset, Rule, Severity};
use crate::text::tree::Node;

/// The rule.
pub(super) static RULE: Rule = Rule {
    id: "host-path",
    title: "a pod mounts files of its node",
    severity: Severity::Warning,
    group: Group::Security,
    admission: Admission::Deny,
    presets: &[Preset::Recommended, Preset::PodSecurityBaseline],
    reads: &[Kind::PersistentVolume],
    like: &[
        "kube-linter:docker-sock",
        "kube-linter:sensitive-host-mounts",
        "kube-linter:writable-host-mount",
        "polaris:hostPathSet",
        "gatekeeper:host-filesystem",
        "kyverno:disallow-cri-sock-mount",
        "kyverno:ensure-readonly-hostpath",
    ],
    parameters: &[
        pods::NAMESPACES,
        Parameter {
            name: "allowed",
            about: "folders of the node that pods may mount, with all that is in them",
            default: &[],
        },
    ],
    page: include_str!("host_path.md"),
    reads_images: None,
    checks: &[Check::Workload(workload), Check::Object(volume)],
};

fn workload(cx: &Cx<'_, '_>, workload: &Workload<'_>, out: &mut Out) {
    let mut faults = pods::faults(cx, workload, &standard::HOST_PATHS);
    if faults.is_empty() {
        return;
    }
    let allowed = cx.parameter("allowed");
    faults.retain(|it| !is_allowed(&path(it), &allowed));
    // What is worst comes first: the finding is about that.
    let risk = |it: &Fault<'_>| severity(&path(it), is_read_only(workload, it));
    faults.sort_by_key(|it| std::cmp::Reverse(risk(it)));
    let Some(worst) = faults.first().map(risk) else { return };
    let shown: Vec<_> = faults.iter().map(|it| format!("`{}`", path(it))).collect();
    let does = format!("mounts {} of the node", shown.join(", "));
    let finding = pods::finding(cx, workload, &faults, [&does, &does]).severity(worst);
    out.find(finding.note(note(worst)).help(HELP));
}

fn volume(cx: &Cx<'_, '_>, object: &Object<'_>, out: &mut Out) {
    let Some(source) = object.field(&["spec", "hostPath"]) else { return };
    let node = source.get("path").unwrap_or(source);
    let path = clean(source.text("path").unwrap_or_default());
    if is_allowed(&path, &cx.parameter("allowed")) {
        return;
    }
    let severity = severity(&path, false);
    let message = format!("`{object}` is `{path}` of whichever node its pod runs on");
    let finding = Finding::new(message, object.place(node), "a folder of the node");
    out.find(
        finding
            .severity(severity)
            .note(note(severity))
            .help("use a storage class, or a `local` volume, which names its node"),
    );
}

const HELP: &str = "use a claim, an `emptyDir`, a `configMap` or a `projected` volume; mount what an agent of the node has to read with `readOnly: true`";

fn note(severity: Severity) -> &'static str {
    match severity {
        Severity::Error => "who writes there, or talks to the runtime there, is root on the node",
        Severity::Warning => {
            "what is written there stays on the node, and other pods with the folder read and change it"
        }
        Severity::Note => "it can only be read, and it tells of the node and its other pods",
    }
}

/// The path that a fault of a volume names, cleaned.
fn path(fault: &Fault<'_>) -> String {
    clean(fault.node.str().unwrap_or_default())
}

/// Whatever is below them rules the node.
const SENSITIVE: [&str; 10] = [
    "/boot",
    "/dev",
    "/etc",
    "/lib",
    "/proc",
    "/root",
    "/sys",
    "/usr",
    "/var/lib/etcd",
    "/var/lib/kubelet",
];

const SOCKETS: [&str; 4] = ["docker.sock", "containerd.sock", "crio.sock", "podman.sock"];

fn severity(path: &str, is_read_only: bool) -> Severity {
    let is_socket = path.rsplit('/').next().is_some_and(|it| SOCKETS.contains(&it));
    let is_sensitive = path == "/" || SENSITIVE.iter().any(|it| is_below(path, it));
    match (is_socket || is_sensitive, is_read_only) {
        (true, _) => Severity::Error,
        (false, true) => Severity::Note,
        (false, false) => Severity::Warning,
    }
}

/// Whether every container that mounts the volume of a fault can only read it; one that nobody mounts may be mounted
/// tomorrow.
fn is_read_only(workload: &Workload<'_>, fault: &Fault<'_>) -> bool {
    let mut volumes = workload.pod.list("volumes");
    let volume = volumes.find(|it| it.get("hostPath").is_some_and(|it| holds(it, fault.node)));
    let Some(name) = volume.and_then(|it| it.text("name")) else { return false };
    let containers = SecuredPod::new(workload.template).containers();
    let mounts = containers.flat_map(|it| it.list("volumeMounts"));
    let mut mounts = mounts.filter(|it| it.text("name") == Some(name)).peekable();
    mounts.peek().is_some()
        && mounts.all(|it| it.get("readOnly").and_then(Node::bool) == Some(true))
}

fn holds(source: Node<'_>, node: Node<'_>) -> bool {
    source.index() == node.index()
        || source.get("path").is_some_and(|it| it.index() == node.index())
}

fn is_allowed(path: &str, allowed: &[&str]) -> bool {
    allowed.iter().any(|it| is_below(path, &clean(it)))
}

/// Whether it is this folder, or in it.
fn is_below(path: &str, folder: &str) -> bool {
    folder == "/"
        || path.strip_prefix(folder).is_some_and(|it| it.is_empty() || it.starts_with('/'))
}

/// The path without `.`, `..` and empty parts, as the node resolves it.
fn clean(path: &str) -> String {
    let mut parts: Vec<&str> = Vec::new();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." => drop(parts.pop()),
            part => parts.push(part),
        }
    }
    format!("/{}", parts.join("/"))
}
