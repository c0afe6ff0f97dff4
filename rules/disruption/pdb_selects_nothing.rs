//! Budgets that cover no pods.

use crate::absence::{Absence, Wanted};
use crate::analyze::disruption::budgets::Budget;
use crate::analyze::selection::selector::{Operator, Requirement, Selector, Selects};
use crate::analyze::selection::workloads::Workload;
use crate::api::kind::Kind;
use crate::rule::{Admission, Check, Cx, Finding, Group, Out, Place, Preset, Rule, Severity};

/// The rule.
pub(super) static RULE: Rule = Rule {
    id: "pdb-selects-nothing",
    title: "a disruption budget covers no pods",
    severity: Severity::Error,
    group: Group::Disruption,
    admission: Admission::Warn,
    presets: &[Preset::Invariants],
    reads: &[Kind::PodDisruptionBudget],
    like: &[],
    parameters: &[],
    page: include_str!("pdb_selects_nothing.md"),
    reads_images: None,
    checks: &[Check::World(check)],
};

/// How many workloads of a namespace are looked at for a hint.
const LOOKED_AT: usize = 500;

fn check(cx: &Cx<'_, '_>, out: &mut Out) {
    for budget in cx.facts.budgets().iter().filter(|it| it.covers.is_empty()) {
        let object = cx.object(budget.object);
        let Some(selector) = &budget.selector else {
            out.find(unselective(cx, budget));
            continue;
        };
        let wanted = Wanted::LastingPods { namespace: budget.namespace, selector };
        // What the API server refuses selects nothing, whatever runs.
        let absence = match selector.invalid {
            true => Absence::Absent,
            false => cx.absence_of(wanted),
        };
        out.report_absent(object, absence, || finding(cx, budget, selector));
    }
}

/// Without a selector, or with an empty one under policy/v1beta1.
fn unselective(cx: &Cx<'_, '_>, budget: &Budget<'_>) -> Finding {
    let object = cx.object(budget.object);
    let text = if object.field(&["spec", "selector"]).is_some() {
        "empty, which is nothing under policy/v1beta1"
    } else {
        "no selector, which is nothing"
    };
    Finding::new(format!("`{object}` covers no pods"), object.at("spec.selector"), text)
        .note("it protects nobody from a drain")
        .help("select the labels of the pods, or write `selector: {}` under policy/v1 for all pods of the namespace")
}

fn finding(cx: &Cx<'_, '_>, budget: &Budget<'_>, selector: &Selector<'_>) -> Finding {
    let object = cx.object(budget.object);
    let namespace = budget.namespace;
    let label = if selector.invalid {
        "the API server refuses this selector".to_string()
    } else if selector.is_empty() {
        format!("no pods run in namespace `{namespace}`")
    } else {
        format!("no pods of namespace `{namespace}` carry `{selector}`")
    };
    let finding =
        Finding::new(format!("`{object}` covers no pods"), object.at("spec.selector"), label).note(
            "a budget selects by the labels of the pod template, in its own namespace; it protects nobody from a drain",
        );
    if selector.invalid {
        return finding.help("write In and NotIn with values, Exists and DoesNotExist without");
    }
    if let Some(there) = elsewhere(cx, budget, selector) {
        let found = cx.object(there.object);
        return finding
            .hint(pod_labels(cx, there), "these pods would match, in another namespace")
            .help(format!(
                "put the budget into namespace `{}`, where `{found}` runs",
                there.namespace
            ));
    }
    let Some(near) = nearest(cx, budget, selector) else {
        return finding.help("select labels that the pods carry, or remove the budget");
    };
    let there = cx.object(near.object);
    let labels = near.labels.written.iter().map(|(key, value)| format!("{key}={value}"));
    let labels = labels.collect::<Vec<_>>().join(",");
    let text = if selector.matches(&there.labels()) {
        format!("the labels of `{there}` itself match, those of its pods are `{labels}`")
    } else {
        format!("the nearest: these pods carry `{labels}`")
    };
    finding
        .hint(pod_labels(cx, near), text)
        .help(format!("if `{there}` is meant, select labels of its pod template"))
}

fn pod_labels(cx: &Cx<'_, '_>, workload: &Workload<'_>) -> Place {
    let dot = if workload.template_path.is_empty() { "" } else { "." };
    cx.object(workload.object).at(&format!("{}{dot}metadata.labels", workload.template_path))
}

/// Pods of another namespace that match as they are.
fn elsewhere<'c, 'd>(
    cx: &Cx<'c, 'd>,
    budget: &Budget<'_>,
    selector: &Selector<'_>,
) -> Option<&'c Workload<'d>> {
    // Without a label to look for there is nothing that these pods have in common.
    let has_label =
        |it: &Requirement<'_>| matches!(&it.operator, Operator::In(values) if values.len() == 1);
    if !selector.requirements.iter().any(has_label) {
        return None;
    }
    let others = cx.facts.namespaces().iter().filter(|(name, _)| *name != budget.namespace);
    others.take(LOOKED_AT).find_map(|(name, _)| {
        let found = cx.facts.workloads().select(name, selector);
        found.first().map(|(workload, _)| *workload)
    })
}

/// The workload that meets most of the selector, or is named like the budget.
fn nearest<'c, 'd>(
    cx: &Cx<'c, 'd>,
    budget: &Budget<'_>,
    selector: &Selector<'_>,
) -> Option<&'c Workload<'d>> {
    let name = cx.object(budget.object).name;
    let score = |it: &Workload<'_>| {
        let met = selector.requirements.iter().filter(|requirement| {
            let one = Selector { requirements: vec![(*requirement).clone()], invalid: false };
            one.selects(&it.labels) != Selects::None
        });
        let own = selector.matches(&cx.object(it.object).labels());
        2 * met.count() + 3 * usize::from(own) + usize::from(it.name == name)
    };
    let near = cx.facts.workloads().in_namespace(budget.namespace).take(LOOKED_AT);
    let scored = near.map(|it| (score(it), it)).filter(|(score, _)| *score > 0);
    scored.max_by_key(|(score, it)| (*score, std::cmp::Reverse(it.id))).map(|(_, it)| it)
}
