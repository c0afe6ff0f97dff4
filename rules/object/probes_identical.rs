//! Liveness probes that ask the same as the readiness probe, and give up as soon.

use super::super::pods;
use crate::analyze::security::pod::{Fault, SecuredPod};
use crate::analyze::selection::workloads::Workload;
use crate::rule::{Admission, Check, Cx, Group, Out, Preset, Rule, Severity};
use crate::text::tree::Node;

/// The rule.
pub(super) static RULE: Rule = Rule {
    id: "probes-identical",
    title: "what is not ready is restarted",
    severity: Severity::Warning,
    group: Group::Object,
    admission: Admission::Warn,
    presets: &[Preset::Recommended],
    reads: &[],
    like: &[
        "kube-score:pod-probes",
        "kube-score:pod-probes-identical",
        "kyverno:ensure-probes-different",
    ],
    parameters: &[pods::NAMESPACES],
    page: include_str!("probes_identical.md"),
    reads_images: None,
    checks: &[Check::Workload(workload)],
};

fn workload(cx: &Cx<'_, '_>, workload: &Workload<'_>, out: &mut Out) {
    let containers = SecuredPod::new(workload.template).containers();
    let faults = pods::judged(cx, workload, containers.filter_map(identical).collect());
    if !faults.is_empty() {
        let does = ["is restarted where it is not ready", "are restarted where they are not ready"];
        let finding = pods::finding(cx, workload, &faults, does);
        out.find(
            finding
                .note("a container that is busy, or waits for its database, is to get no requests for a while; the same answer restarts it, which makes it worse")
                .help("let liveness ask for less, or give up later: a larger `failureThreshold`"),
        );
    }
}

fn identical(container: Node<'_>) -> Option<Fault<'_>> {
    let liveness = container.get("livenessProbe")?;
    let readiness = container.get("readinessProbe")?;
    let is_same = handler(container, liveness)? == handler(container, readiness)?;
    let (dies, leaves) = (gives_up(liveness), gives_up(readiness));
    let text = format!("gives up after {dies} s, readiness after {leaves} s");
    (is_same && dies <= leaves).then(|| Fault::of(container, liveness, text))
}

/// After how many seconds of failures a probe gives up, from the start of the container (`pkg/apis/core/v1/defaults.go`,
/// SetDefaults_Probe).
fn gives_up(probe: Node<'_>) -> i64 {
    let number = |key: &str, default: i64| {
        probe.get(key).and_then(Node::int).filter(|it| *it != 0).unwrap_or(default)
    };
    let failing = number("periodSeconds", 10).saturating_mul(number("failureThreshold", 3));
    number("initialDelaySeconds", 0).saturating_add(failing)
}

/// What a probe asks, in one form whichever way it is written.
fn handler(container: Node<'_>, probe: Node<'_>) -> Option<Vec<String>> {
    let text = |node: Node<'_>, key: &str, default: &str| {
        node.get(key).and_then(Node::scalar).map_or(default.to_string(), |it| it.to_string())
    };
    let port = |node: Node<'_>| number_of(container, &text(node, "port", ""));
    if let Some(get) = probe.get("httpGet") {
        let scheme = text(get, "scheme", "HTTP");
        let mut asked = vec!["http".into(), scheme, text(get, "host", ""), port(get)];
        asked.push(Some(text(get, "path", "/")).filter(|it| !it.is_empty()).unwrap_or("/".into()));
        let headers = get.list("httpHeaders");
        asked.extend(
            headers.map(|it| format!("{}: {}", text(it, "name", ""), text(it, "value", ""))),
        );
        return Some(asked);
    }
    if let Some(socket) = probe.get("tcpSocket") {
        return Some(vec!["tcp".into(), text(socket, "host", ""), port(socket)]);
    }
    if let Some(grpc) = probe.get("grpc") {
        return Some(vec!["grpc".into(), port(grpc), text(grpc, "service", "")]);
    }
    let command = probe.get("exec")?.list("command").filter_map(|it| it.str().map(String::from));
    Some(std::iter::once("exec".to_string()).chain(command).collect())
}

/// The number of a port that the container has a name for.
fn number_of(container: Node<'_>, port: &str) -> String {
    let mut ports = container.list("ports");
    let named = ports.find(|it| it.text("name") == Some(port));
    let number = named.and_then(|it| it.get("containerPort")).and_then(Node::int);
    number.map_or(port.to_string(), |it| it.to_string())
}
