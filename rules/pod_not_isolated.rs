//! Pods that no policy selects.

use crate::absence::Absence;
use crate::analyze::policies::{DIRECTIONS, Direction, is_in_host_network};
use crate::analyze::reach::{Above, Effect};
use crate::model::kind::Kind;
use crate::model::quantity::Quantity;
use crate::rule::{Admission, Cx, Finding, Group, Out, Rule, Severity};

/// The rule.
pub(super) static RULE: Rule = Rule {
    id: "pod-not-isolated",
    title: "no network policy selects a pod",
    severity: Severity::Warning,
    group: Group::Network,
    admission: Admission::Warn,
    reads: &[
        Kind::AdminNetworkPolicy,
        Kind::BaselineAdminNetworkPolicy,
        Kind::ClusterNetworkPolicy,
        Kind::Namespace,
        Kind::NetworkPolicy,
    ],
    like: &[
        "kube-linter:non-isolated-pod",
        "kube-score:pod-networkpolicy",
        "polaris:missingNetworkPolicy",
    ],
    parameters: &[],
    page: include_str!("pod_not_isolated.md"),
    check,
};

fn check(cx: &Cx<'_, '_>, out: &mut Out) {
    let (policies, above) = (cx.facts.policies(), Above::new(cx.model));
    for workload in cx.facts.workloads().iter() {
        // No policy holds pods in the host's network, and the cluster's own are not the user's to isolate.
        if is_in_host_network(workload) || workload.namespace == "kube-system" {
            continue;
        }
        let is_closed_above =
            |it: &Direction| above.of_workload(cx.facts, workload, *it, Effect::Closes).is_some();
        let open: Vec<_> = DIRECTIONS
            .iter()
            .filter(|it| policies.isolating(workload.id, **it).next().is_none())
            .filter(|it| !is_closed_above(it))
            .map(ToString::to_string)
            .collect();
        if open.is_empty() {
            continue;
        }
        let object = cx.object(workload.object);
        match cx.absence_of_policies(workload.namespace) {
            Absence::Elsewhere => continue,
            Absence::CannotTell(missing) => {
                out.cannot_tell(object, missing);
                continue;
            }
            Absence::Absent => {}
        }
        let directions = open.join(" and ");
        let count = policies.in_namespace(workload.namespace).count();
        let namespace = workload.namespace;
        let note = match count {
            0 => format!("namespace `{namespace}` has no NetworkPolicy"),
            1 => format!(
                "the NetworkPolicy of namespace `{namespace}` does not select it for {directions}"
            ),
            _ => format!(
                "none of the {count} NetworkPolicies of namespace `{namespace}` selects it for {directions}"
            ),
        };
        let labels = if workload.template_path.is_empty() {
            "metadata.labels".to_string()
        } else {
            format!("{}.metadata.labels", workload.template_path)
        };
        let mut finding = Finding::new(
            format!("no policy isolates the pods of `{object}` for {directions}"),
            object.at(&labels),
            format!("no policy for {directions} selects them"),
        );
        for it in &open {
            finding = finding.over(format!("isolation for {it}"), Quantity::units(1));
        }
        out.find(finding.note(note).help(format!(
            "add a default deny for {directions} to `{namespace}`, and a policy for the flows of `{}`",
            workload.name
        )));
    }
}
