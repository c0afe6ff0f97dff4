//! What a pod shares with its node: namespaces, ports, processes of Windows, and probes that go elsewhere.

use crate::analyze::security::pod::{Fault, SecuredPod, own};
use crate::text::tree::Node;

/// The fields, and what each shares.
const NAMESPACES: [(&str, &str); 3] = [
    ("hostNetwork", "shares the network of the node"),
    ("hostPID", "shares the processes of the node"),
    ("hostIPC", "shares the memory segments of the node"),
];

/// `policy/check_hostNamespaces.go`.
pub(in crate::analyze::security) fn namespaces(pod: SecuredPod<'_>, _: u32) -> Vec<Fault<'_>> {
    let set = NAMESPACES.iter().filter_map(|(field, text)| {
        let node = pod.spec.get(field).filter(|it| it.bool() == Some(true))?;
        Some(pod.fault(node, *text))
    });
    set.collect()
}

/// `policy/check_hostPorts.go`. In the network of the node the API server makes every port one of the node
/// (`pkg/apis/core/v1/defaults.go`, defaultHostNetworkPorts).
pub(in crate::analyze::security) fn ports(pod: SecuredPod<'_>, _: u32) -> Vec<Fault<'_>> {
    let is_of_node = pod.spec.get("hostNetwork").and_then(Node::bool) == Some(true);
    let mut faults = Vec::new();
    for container in pod.containers() {
        for port in container.list("ports") {
            let number = |key| port.get(key).filter(|it| it.int().is_some_and(|it| it != 0));
            let filled_in = || number("containerPort").filter(|_| is_of_node);
            if let Some(node) = number("hostPort").or_else(filled_in) {
                let text = format!("port {} of the node", node.int().unwrap_or_default());
                faults.push(Fault::of(container, node, text));
            }
        }
    }
    faults
}

/// What has a handler in a container.
const HANDLERS: [&[&str]; 5] = [
    &["livenessProbe"],
    &["readinessProbe"],
    &["startupProbe"],
    &["lifecycle", "postStart"],
    &["lifecycle", "preStop"],
];

/// `policy/check_hostProbesAndhostLifecycle.go`. A grpc handler has no host.
pub(in crate::analyze::security) fn probes(pod: SecuredPod<'_>, _: u32) -> Vec<Fault<'_>> {
    let mut faults = Vec::new();
    for container in pod.containers() {
        for handler in HANDLERS.iter().filter_map(|it| container.at(it)) {
            for action in ["httpGet", "tcpSocket"] {
                let host = handler.at(&[action, "host"]);
                let Some(host) = host.filter(|it| it.str().is_some_and(|it| !it.is_empty())) else {
                    continue;
                };
                let text = format!("goes to `{}`", host.str().unwrap_or_default());
                faults.push(Fault::of(container, host, text));
            }
        }
    }
    faults
}

/// `policy/check_windowsHostProcess.go`.
pub(in crate::analyze::security) fn process(pod: SecuredPod<'_>, _: u32) -> Vec<Fault<'_>> {
    let text = "a process of the node";
    let mut faults = Vec::new();
    if let Some(node) = host_process(pod.own("windowsOptions")) {
        faults.push(pod.fault(node, text));
    }
    for container in pod.containers() {
        if let Some(node) = host_process(own(container, "windowsOptions")) {
            faults.push(Fault::of(container, node, text));
        }
    }
    faults
}

fn host_process(options: Option<Node<'_>>) -> Option<Node<'_>> {
    options?.get("hostProcess").filter(|it| it.bool() == Some(true))
}
