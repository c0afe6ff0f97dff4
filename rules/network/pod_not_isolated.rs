//! Pods that no policy selects.

use super::default_deny_missing;
use super::default_deny_missing::state;
use crate::absence::{Absence, Wanted};
use crate::analyze::network::other_policies::why;
use crate::analyze::network::policies::{DIRECTIONS, Direction, is_in_host_network};
use crate::analyze::network::reach::{Above, Effect};
use crate::analyze::selection::workloads::Workload;
use crate::api::kind::Kind;
use crate::api::quantity::Quantity;
use crate::policy::Level;
use crate::rule::{Admission, Check, Cx, Finding, Group, Out, Preset, Rule, Severity};
use std::collections::BTreeMap;

/// The rule.
pub(super) static RULE: Rule = Rule {
    id: "pod-not-isolated",
    title: "no network policy selects a pod",
    severity: Severity::Warning,
    group: Group::Network,
    admission: Admission::Warn,
    presets: &[Preset::Invariants],
    reads: &[
        Kind::AdminNetworkPolicy,
        Kind::BaselineAdminNetworkPolicy,
        Kind::ClusterNetworkPolicy,
        Kind::Custom,
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
    reads_images: None,
    checks: &[Check::World(check)],
};

fn check(cx: &Cx<'_, '_>, out: &mut Out) {
    let above = Above::new(cx.model);
    // Where another rule finds the same of the whole namespace, people are told that.
    let id = default_deny_missing::RULE.id;
    let is_off = cx.policy.level_in(id, cx.model.name) == Some(Level::Off);
    let is_told = cx.run.rules.contains(id) && !is_off;
    let mut told: BTreeMap<&str, Vec<Direction>> = BTreeMap::new();
    for workload in cx.facts.workloads().iter() {
        // No policy holds pods in the host's network, and the cluster's own are not the user's to isolate.
        if is_in_host_network(workload) || workload.namespace == "kube-system" {
            continue;
        }
        let open = open(cx, &above, workload);
        if open.is_empty() {
            continue;
        }
        let object = cx.object(workload.object);
        match cx.absence_of(Wanted::Policies { namespace: workload.namespace }) {
            Absence::Elsewhere => continue,
            Absence::CannotTell(missing) => {
                out.cannot_tell(object, missing);
                continue;
            }
            Absence::Absent => {}
        }
        let other = |it: &Direction| cx.facts.other_policies().closing(workload.id, *it);
        if let Some(policy) = open.iter().find_map(other) {
            let who = why(cx.object(policy));
            out.cannot_tell(object, format!("whether a policy isolates its pods: {who}"));
        }
        let open: Vec<_> = open.into_iter().filter(|it| other(it).is_none()).collect();
        if open.is_empty() {
            continue;
        }
        let told = told.entry(workload.namespace).or_insert_with(|| {
            let found = state(cx, &above, workload.namespace).open.into_iter();
            found.filter(|it| !it.workloads.is_empty()).map(|it| it.direction).collect()
        });
        let is_told = is_told && open.iter().all(|it| told.contains(it));
        out.find(finding(cx, workload, &open).told(is_told));
    }
}

/// In which directions no policy that is judged isolates the pods of a workload.
fn open<'d>(cx: &Cx<'_, 'd>, above: &Above<'d>, workload: &Workload<'d>) -> Vec<Direction> {
    let is_open = |it: &Direction| {
        cx.facts.policies().isolating(workload.id, *it).next().is_none()
            && above.of_workload(cx.facts, workload, *it, Effect::Closes).is_none()
    };
    DIRECTIONS.into_iter().filter(is_open).collect()
}

fn finding(cx: &Cx<'_, '_>, workload: &Workload<'_>, open: &[Direction]) -> Finding {
    let object = cx.object(workload.object);
    let names: Vec<_> = open.iter().map(ToString::to_string).collect();
    let directions = names.join(" and ");
    let namespace = workload.namespace;
    let note = match cx.facts.policies().in_namespace(namespace).count() {
        0 => format!("namespace `{namespace}` has no NetworkPolicy"),
        1 => format!(
            "the NetworkPolicy of namespace `{namespace}` does not select it for {directions}"
        ),
        count => format!(
            "none of the {count} NetworkPolicies of namespace `{namespace}` selects it for {directions}"
        ),
    };
    let mut finding = Finding::new(
        format!("no policy isolates the pods of `{object}` for {directions}"),
        object.at(&workload.labels_path()),
        format!("no policy for {directions} selects them"),
    );
    for it in &names {
        finding = finding.over(format!("isolation for {it}"), Quantity::units(1));
    }
    finding.note(note).help(format!(
        "add a default deny for {directions} to `{namespace}`, and a policy for the flows of `{}`",
        workload.name
    ))
}
