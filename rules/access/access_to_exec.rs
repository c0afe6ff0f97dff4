//! Bindings whose role lets somebody into running pods.

use crate::rule::{Admission, Check, Cx, Group, Out, Preset, Rule, Severity};
use crate::rules::grants::{self, Lives, Power};
use crate::rules::judged::NAMESPACES;

/// The rule.
pub(super) static RULE: Rule = Rule {
    id: "access-to-exec",
    title: "a binding lets somebody into running pods",
    severity: Severity::Warning,
    group: Group::Access,
    admission: Admission::Warn,
    presets: &[Preset::Recommended],
    reads: grants::READS,
    like: &[
        "kubescape:exec-into-container-v1",
        "kyverno:restrict-clusterrole-nodesproxy",
        "polaris:clusterrolePodExecAttach",
        "polaris:clusterrolebindingPodExecAttach",
        "polaris:rolePodExecAttach",
        "polaris:rolebindingClusterRolePodExecAttach",
        "polaris:rolebindingRolePodExecAttach",
    ],
    parameters: &[NAMESPACES],
    page: include_str!("access_to_exec.md"),
    reads_images: None,
    checks: &[Check::World(check)],
};

const ANY: &[&str] = &["get", "create", "update", "patch", "delete"];

const COMMANDS: &str =
    "who runs a command in a pod has its files, its environment and its ServiceAccount's token";

const PROXIES: &str =
    "requests through the proxy reach every port of the pods, whatever network policies say";

const fn power(
    verbs: &'static [&'static str],
    resource: &'static str,
    leads: &'static str,
) -> Power {
    Power { verbs, group: "", resource, lives: Lives::InNamespaces, leads }
}

/// A request to upgrade to WebSocket is a `get` (`k8s.io/apiserver`, pkg/endpoints/request/requestinfo.go), to SPDY a
/// `create`.
const STREAM: &[&str] = &["create", "get"];

const POWERS: &[Power] = &[
    power(STREAM, "pods/exec", COMMANDS),
    power(STREAM, "pods/attach", COMMANDS),
    power(STREAM, "pods/portforward", PROXIES),
    power(&["update", "patch"], "pods/ephemeralcontainers", COMMANDS),
    power(ANY, "pods/proxy", PROXIES),
    power(ANY, "services/proxy", PROXIES),
    Power {
        verbs: ANY,
        group: "",
        resource: "nodes/proxy",
        lives: Lives::InTheCluster,
        leads: "the kubelet's API behind `nodes/proxy` runs commands in every pod of the node, past admission and the audit log",
    },
];

fn check(cx: &Cx<'_, '_>, out: &mut Out) {
    for grant in grants::grants(cx) {
        let finding = grants::report(cx, grant, &grant.hits(POWERS), Severity::Warning);
        out.findings.extend(finding.map(|it| {
            it.help(
                "leave these resources out of the role, or bind it for as long as somebody debugs",
            )
        }));
    }
}
