//! Containers (`ValidateContainers` of `pkg/apis/core/validation`).

use super::metadata::{LABEL, SUBDOMAIN};
use super::names::{
    is_config_key, is_dns_label, is_dns_subdomain, is_port_name, is_relaxed_variable, is_variable,
};
use super::volumes::{descends, has_no_way_up};
use super::{Found, downward, given, pod, resources};
use crate::api::version::KubernetesVersion;
use crate::text::tree::Node;
use rustc_hash::FxHashSet;

/// In which of the pod's lists a container stands.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Role {
    /// `containers`.
    Main,
    /// `initContainers`.
    Init,
}

/// What a container has to fit to.
pub(super) struct Surroundings<'d> {
    /// The names of the pod's volumes; `None` where a volume's name is filled in later.
    pub(super) volumes: Option<Vec<&'d str>>,
    pub(super) is_host_network: bool,
}

pub(super) fn container<'d>(
    node: Node<'d>,
    role: Role,
    around: &Surroundings<'d>,
    found: &mut Found<'d>,
) {
    found.form(node.get("name"), is_dns_label, LABEL);
    if node.get("image").is_none_or(|it| it.str() == Some("")) {
        found.missing(node, "image");
    }
    let policies: &[&str] = match role {
        _ if found.settings.version >= KubernetesVersion::minor(34) => {
            &["Always", "Never", "OnFailure"]
        }
        Role::Init => &["Always"],
        Role::Main => &[],
    };
    if role == Role::Init {
        found.word(node.get("restartPolicy"), policies);
    }
    ports(node, around, found);
    let mut names = FxHashSet::default();
    node.list("ports").for_each(|it| found.once(it.get("name"), &mut names, "port"));
    node.list("env").for_each(|it| variable(it, found));
    node.list("envFrom").for_each(|it| variables(it, found));
    mounts(node, around, found);
    devices(node, found);
    if let Some(it) = node.get("resources").filter(|it| it.is_map()) {
        resources::of_container(it, found);
    }
    words(node, found);
    probes(node, role, found);
    security(node, found);
}

fn ports<'d>(node: Node<'d>, around: &Surroundings<'d>, found: &mut Found<'d>) {
    for port in node.list("ports") {
        let what = "15 lower case letters, digits and `-` at most, with a letter among them";
        found.form(port.get("name"), is_port_name, what);
        found.range(port.get("containerPort"), 1, 65535);
        let host = port.get("hostPort").filter(|it| it.int() != Some(0));
        found.range(host, 1, 65535);
        if let Some(host) = host
            && let Some(own) = port.get("containerPort").and_then(Node::int)
            && around.is_host_network
            && host.int().is_some_and(|it| it != own)
        {
            let says = format!("is not the `containerPort`, {own}, as `hostNetwork` asks for");
            found.wrong(host, says, "another port", format!("write {own}, or leave it out"));
        }
    }
}

/// Words that containers are written in.
fn words<'d>(node: Node<'d>, found: &mut Found<'d>) {
    found.word(node.get("imagePullPolicy"), &["Always", "IfNotPresent", "Never"]);
    let policy = node.get("terminationMessagePolicy");
    found.word(policy, &["FallbackToLogsOnError", "File"]);
    let mut names = FxHashSet::default();
    for policy in node.list("resizePolicy") {
        found.word(policy.get("resourceName"), &["cpu", "memory"]);
        found.word(policy.get("restartPolicy"), &["NotRequired", "RestartContainer"]);
        found.once(policy.get("resourceName"), &mut names, "policy");
    }
}

/// Volumes that a container has as devices (`ValidateVolumeDevices`).
fn devices<'d>(node: Node<'d>, found: &mut Found<'d>) {
    let mut paths = FxHashSet::default();
    for device in node.list("volumeDevices") {
        found.form(device.get("devicePath"), has_no_way_up, "a path without `..`");
        found.once(device.get("devicePath"), &mut paths, "device");
    }
}

const SOURCES: [&str; 5] =
    ["configMapKeyRef", "fieldRef", "fileKeyRef", "resourceFieldRef", "secretKeyRef"];

fn variable<'d>(node: Node<'d>, found: &mut Found<'d>) {
    match found.settings.version < KubernetesVersion::minor(32) {
        true => found.form(
            node.get("name"),
            is_variable,
            "letters, digits, `-`, `_` and `.`, not beginning with a digit",
        ),
        false => found.form(
            node.get("name"),
            is_relaxed_variable,
            "characters that can be printed, without `=`",
        ),
    }
    let Some(source) = node.get("valueFrom").filter(|it| it.is_map()) else { return };
    if node.text("value").is_some_and(|it| !it.is_empty()) {
        found.wrong(source, "stands beside `value`", "two values", "keep one of them");
    }
    exactly_one(source, &SOURCES, "source", found);
    if let Some(it) = source.get("fieldRef").filter(|it| it.is_map()) {
        downward::field(it, downward::Use::Variable, found);
    }
    if let Some(it) = source.get("resourceFieldRef").filter(|it| it.is_map()) {
        downward::resource(it, downward::Use::Variable, found);
    }
    for reference in ["configMapKeyRef", "secretKeyRef"].iter().filter_map(|it| source.get(it)) {
        found.required(reference, &["name"]);
        found.form(reference.get("name"), is_dns_subdomain, SUBDOMAIN);
    }
    for key in ["configMapKeyRef", "secretKeyRef"] {
        let key = source.at(&[key, "key"]);
        found.form(key, is_config_key, "letters, digits, `-`, `_` and `.`");
    }
}

fn variables<'d>(node: Node<'d>, found: &mut Found<'d>) {
    exactly_one(node, &["configMapRef", "secretRef"], "source", found);
    for reference in ["configMapRef", "secretRef"].iter().filter_map(|it| node.get(it)) {
        found.required(reference, &["name"]);
        // As a prefix of a name, it may end with a dash (`validateConfigMapEnvSource`).
        let is = |it: &str| is_dns_subdomain(it.strip_suffix('-').unwrap_or(it));
        found.form(reference.get("name"), is, SUBDOMAIN);
    }
    let is = match found.settings.version < KubernetesVersion::minor(32) {
        true => is_variable,
        false => is_relaxed_variable,
    };
    found.form(node.get("prefix"), is, "characters that a variable's name may have");
}

/// One of these keys has to be there, and no more.
pub(super) fn exactly_one<'d>(node: Node<'d>, keys: &[&str], what: &str, found: &mut Found<'d>) {
    match given(node, keys).as_slice() {
        [_] => {}
        [] => {
            let help = format!("set one of {}", keys.join(", "));
            found.wrong(node, format!("has no {what}"), "none of them", help);
        }
        _ => at_most_one(node, keys, what, found),
    }
}

/// No more than one of these keys may be there.
pub(super) fn at_most_one<'d>(node: Node<'d>, keys: &[&str], what: &str, found: &mut Found<'d>) {
    let given = given(node, keys);
    if given.len() > 1 {
        let says = format!("has more than one {what}: {}", given.join(", "));
        found.wrong(node, says, "more than one", "keep one of them");
    }
}

fn mounts<'d>(node: Node<'d>, around: &Surroundings<'d>, found: &mut Found<'d>) {
    let mut paths: Vec<&str> = Vec::new();
    for mount in node.list("volumeMounts").chain(node.list("volumeDevices")) {
        if let (Some(name), Some(volumes)) = (mount.get("name"), &around.volumes)
            && let Some(text) = name.str()
            && !text.is_empty()
            && !volumes.contains(&text)
        {
            let help = match volumes.as_slice() {
                [] => "add it to `volumes` of the pod".to_string(),
                all => format!("volumes of the pod: {}", all.join(", ")),
            };
            let says = format!("is `{text}`, and the pod has no such volume");
            found.wrong(name, says, "no such volume", help);
        }
    }
    for mount in node.list("volumeMounts") {
        let Some(path) = mount.get("mountPath") else { continue };
        let Some(text) = path.str() else { continue };
        if paths.contains(&text) {
            let says = format!("is `{text}`, where another volume is mounted");
            found.wrong(path, says, "two volumes at one path", "mount them at paths of their own");
        }
        paths.push(text);
        found.form(mount.get("subPath"), descends, "a relative path without `..`");
        found.form(mount.get("subPathExpr"), descends, "a relative path without `..`");
        if let Some(expression) = mount.get("subPathExpr").filter(|it| it.str() != Some(""))
            && mount.text("subPath").is_some_and(|it| !it.is_empty())
        {
            found.wrong(expression, "stands beside `subPath`", "two paths", "keep one of them");
        }
    }
}

const PROBES: [&str; 3] = ["livenessProbe", "readinessProbe", "startupProbe"];

fn probes<'d>(node: Node<'d>, role: Role, found: &mut Found<'d>) {
    let is_sidecar = node.text("restartPolicy") == Some("Always");
    if role == Role::Init && !is_sidecar {
        for key in PROBES.iter().chain(&["lifecycle"]) {
            if let Some(it) = node.get(key) {
                let says = "stands in an init container, which has none unless it is a sidecar";
                let help = "remove it, or set `restartPolicy: Always`";
                found.wrong(it, says, "not in an init container", help);
            }
        }
        return;
    }
    for name in PROBES {
        let Some(probe) = node.get(name).filter(|it| it.is_map()) else { continue };
        exactly_one(probe, &["exec", "grpc", "httpGet", "tcpSocket"], "handler", found);
        handler(probe, found);
        const NUMBERS: [&str; 5] = [
            "initialDelaySeconds",
            "timeoutSeconds",
            "periodSeconds",
            "successThreshold",
            "failureThreshold",
        ];
        found.not_negative(probe, &NUMBERS);
        let threshold = probe.get("successThreshold");
        if name != "readinessProbe"
            && let Some(threshold) = threshold
            // Nothing stands for the default.
            && threshold.int().is_some_and(|it| it > 1)
        {
            let says = format!("is not 1, as a {name} asks for");
            found.wrong(threshold, says, "has to be 1", "write 1, or leave it out");
        }
        let grace = probe.get("terminationGracePeriodSeconds");
        match grace {
            Some(grace) if name == "readinessProbe" => {
                let says = "stands in a readinessProbe, which ends no container";
                found.wrong(grace, says, "not in a readinessProbe", "remove it");
            }
            grace => found.range(grace, 1, i64::MAX),
        }
    }
    for hook in ["postStart", "preStop"] {
        let Some(hook) = node.at(&["lifecycle", hook]).filter(|it| it.is_map()) else { continue };
        exactly_one(hook, &["exec", "httpGet", "sleep", "tcpSocket"], "handler", found);
        handler(hook, found);
    }
}

fn handler<'d>(node: Node<'d>, found: &mut Found<'d>) {
    if let Some(exec) = node.get("exec").filter(|it| it.is_map())
        && exec.get("command").is_none_or(|it| it.is_seq() && it.count() == 0)
    {
        found.missing(exec, "command");
    }
    for key in ["httpGet", "tcpSocket"] {
        port(node.at(&[key, "port"]), found);
    }
    let request = node.get("httpGet").filter(|it| it.is_map());
    found.word(request.and_then(|it| it.get("scheme")), &["HTTP", "HTTPS"]);
    for header in request.into_iter().flat_map(|it| it.list("httpHeaders")) {
        found.form(header.get("name"), is_header, "the name of a header");
    }
    found.range(node.at(&["grpc", "port"]), 1, 65535);
}

/// `IsHTTPHeaderName`.
fn is_header(text: &str) -> bool {
    text.bytes().all(|it| it.is_ascii_alphanumeric() || it == b'-')
}

/// A port by its number or name.
pub(super) fn port<'d>(node: Option<Node<'d>>, found: &mut Found<'d>) {
    found.range(node, 1, 65535);
    found.form(node, is_port_name, "a number from 1 to 65535, or the name of a port");
}

fn security<'d>(node: Node<'d>, found: &mut Found<'d>) {
    let Some(context) = node.get("securityContext").filter(|it| it.is_map()) else { return };
    for key in ["runAsUser", "runAsGroup"] {
        found.range(context.get(key), 0, i64::from(i32::MAX));
    }
    found.word(context.get("procMount"), &["Default", "Unmasked"]);
    pod::profiles(context, found);
    let Some(escalation) = context.get("allowPrivilegeEscalation") else { return };
    if escalation.bool() != Some(false) {
        return;
    }
    if context.get("privileged").and_then(Node::bool) == Some(true) {
        let says = "is false beside `privileged: true`, which allows it";
        found.wrong(escalation, says, "contradicts `privileged`", "keep one of them");
    }
    let added = context.get("capabilities").into_iter().flat_map(|it| it.list("add"));
    if added.into_iter().any(|it| it.str() == Some("CAP_SYS_ADMIN")) {
        let says = "is false beside `CAP_SYS_ADMIN`, which allows it";
        found.wrong(escalation, says, "contradicts `capabilities`", "keep one of them");
    }
}
