//! Anti-affinity and spread terms whose selector matches neither the workload's own pods nor any other.

use crate::absence::{Absence, Wanted};
use crate::analyze::disruption::spread::{Reach, Term, terms};
use crate::analyze::selection::workloads::Workload;
use crate::api::kind::WORKLOADS;
use crate::rule::{Admission, Check, Cx, Finding, Group, Out, Preset, Rule, Severity};

/// The rule.
pub(super) static RULE: Rule = Rule {
    id: "anti-affinity-matches-nothing",
    title: "an anti-affinity or spread term matches no pods",
    severity: Severity::Error,
    group: Group::Disruption,
    admission: Admission::Deny,
    presets: &[Preset::Invariants],
    reads: &[],
    like: &[
        "kube-linter:no-anti-affinity",
        "kube-score:deployment-has-host-podantiaffinity",
        "kube-score:pod-topology-spread-constraints",
        "kube-score:statefulset-has-host-podantiaffinity",
    ],
    parameters: &[],
    page: include_str!("anti_affinity_matches_nothing.md"),
    reads_images: None,
    checks: &[Check::World(check)],
};

fn check(cx: &Cx<'_, '_>, out: &mut Out) {
    for workload in cx.facts.workloads().iter() {
        let (matching, others): (Vec<_>, Vec<_>) =
            terms(workload).into_iter().partition(|it| it.may_match(workload));
        for term in &others {
            judge(cx, workload, term, matching.first(), out);
        }
    }
}

/// Judges a term that does not match the workload's own pods; `other` is one that does.
fn judge(
    cx: &Cx<'_, '_>,
    workload: &Workload<'_>,
    term: &Term<'_>,
    other: Option<&Term<'_>>,
    out: &mut Out,
) {
    let object = cx.object(workload.object);
    let Some(selector) = &term.selector else {
        let message = format!("a term of `{object}` has no `labelSelector`, so it matches no pods");
        let finding = Finding::new(message, object.place(term.node), "no labelSelector");
        return out.find(finding.help(help(workload)));
    };
    let Reach::Named(namespaces) = &term.reach else {
        // Over namespaces that nobody listed, nobody can say that there is no such pod.
        return out
            .cannot_tell(object, format!("whether any namespace has pods with `{selector}`"));
    };
    if namespaces.iter().any(|it| !cx.facts.workloads().select(it, selector).is_empty()) {
        return;
    }
    for namespace in namespaces {
        match cx.absence_of(Wanted::Pods { namespace, selector }) {
            Absence::CannotTell(missing) => return out.cannot_tell(object, missing),
            Absence::Elsewhere => return,
            Absence::Absent => {}
        }
    }
    let labels: Vec<_> =
        workload.labels.written.iter().map(|(key, value)| format!("{key}={value}")).collect();
    let message =
        format!("a term of `{object}` keeps away from pods with `{selector}`, and there are none");
    let place = term.node.get("labelSelector").unwrap_or(term.node);
    let mut finding = Finding::new(message, object.place(place), "matches no pods")
        .label(object.at(&workload.labels_path()), format!("its own pods: {}", labels.join(",")));
    // A constraint is about the workload's own pods, a term may be about others that are still to come.
    if !term.is_constraint {
        finding = finding.awaits(WORKLOADS);
    }
    out.find(match other {
        None => finding
            .note("a term that matches nothing holds nothing apart: all replicas may share a node")
            .help(help(workload)),
        Some(other) => finding
            .label(object.place(other.node), "this term does match its own pods")
            .severity(Severity::Warning)
            .note("a term that matches nothing holds nothing apart; another one does")
            .help("remove the term, or select labels that pods carry"),
    });
}

fn help(workload: &Workload<'_>) -> String {
    match workload.labels.written.first() {
        Some((key, value)) => {
            format!("select the labels of its pods, as `matchLabels: {{{key}: {value}}}`")
        }
        None => "give the pods a label and select it".into(),
    }
}
