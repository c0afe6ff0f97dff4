//! Network policies that select no pods.

use crate::absence::Wanted;
use crate::analyze::network::policies::NetworkPolicy;
use crate::analyze::selection::workloads::Workload;
use crate::api::kind::Kind;
use crate::rule::{Admission, Check, Cx, Finding, Group, Out, Preset, Rule, Severity};

/// The rule.
pub(super) static RULE: Rule = Rule {
    id: "policy-selects-nothing",
    title: "a network policy selects no pods",
    severity: Severity::Warning,
    group: Group::Network,
    admission: Admission::Warn,
    presets: &[Preset::Invariants],
    reads: &[Kind::NetworkPolicy],
    like: &["kube-linter:dangling-networkpolicy", "kube-score:networkpolicy-targets-pod"],
    parameters: &[],
    page: include_str!("policy_selects_nothing.md"),
    reads_images: None,
    checks: &[Check::World(check)],
};

fn check(cx: &Cx<'_, '_>, out: &mut Out) {
    for policy in cx.facts.policies().iter() {
        // One for all pods waits for those to come; one that the API server refuses does nothing at all.
        if policy.selects_all() || policy.selector.invalid || !policy.selects.is_empty() {
            continue;
        }
        let in_host_network = cx.facts.workloads().select(policy.namespace, &policy.selector);
        if !in_host_network.is_empty() {
            let workloads: Vec<_> = in_host_network.into_iter().map(|(it, _)| it).collect();
            out.find(of_host_network(cx, policy, &workloads));
            continue;
        }
        let object = cx.object(policy.object);
        let wanted = Wanted::Pods { namespace: policy.namespace, selector: &policy.selector };
        out.report_absent(object, cx.absence_of(wanted), || finding(cx, policy));
    }
}

fn finding(cx: &Cx<'_, '_>, policy: &NetworkPolicy<'_>) -> Finding {
    let object = cx.object(policy.object);
    let count = cx.facts.workloads().in_namespace(policy.namespace).count();
    Finding::new(
        format!("`{object}` selects no pods: none in namespace `{}` has the labels `{}`", policy.namespace, policy.selector),
        object.at("spec.podSelector"),
        "selects nothing",
    )
    .note(format!("compared with the pod templates of {count} workloads; a policy selects in its own namespace alone"))
    .note("what it was meant to isolate is not isolated by it, and what it was meant to allow is not allowed")
    .help("select labels that the pods carry, or delete the policy")
}

/// Its only pods are ones that no policy holds.
fn of_host_network(
    cx: &Cx<'_, '_>,
    policy: &NetworkPolicy<'_>,
    workloads: &[&Workload<'_>],
) -> Finding {
    let object = cx.object(policy.object);
    let message =
        format!("`{object}` has no effect: all pods that it selects are in the host's network");
    let mut finding =
        Finding::new(message, object.at("spec.podSelector"), "selects these pods alone");
    for workload in workloads.iter().take(8) {
        let place = cx.object(workload.object).at(&workload.pod_path("hostNetwork"));
        finding = finding.label(place, "no policy holds these pods");
    }
    finding
        .note("traffic of such a pod is its node's own, which NetworkPolicies do not see")
        .help("take the pods out of the host's network, or use the node's firewall or the network plugin's host policies")
}
