//! Pods that a quota refuses because a container does not state what the quota counts.
//!
//! `pkg/quota/v1/evaluator/core/pods.go`, Constraints: CPU and memory alone, every container and init container, unless
//! the pod itself states resources.

use crate::absence::Wanted;
use crate::analyze::capacity::effective_resources::ContainerDemand;
use crate::analyze::capacity::quotas::{Line, Quota};
use crate::analyze::selection::workloads::{Workload, WorkloadId};
use crate::api::kind::Kind;
use crate::api::quantity::Quantity;
use crate::model::Object;
use crate::rule::{Admission, Check, Cx, Finding, Group, Out, Preset, Rule, Severity};
use std::collections::BTreeMap;

/// The rule.
pub(super) static RULE: Rule = Rule {
    id: "quota-rejects-pod",
    title: "a quota refuses the pods of a workload that does not state its resources",
    severity: Severity::Error,
    group: Group::Scaling,
    admission: Admission::Deny,
    presets: &[Preset::Invariants],
    reads: &[Kind::ResourceQuota, Kind::LimitRange, Kind::PriorityClass],
    like: &[],
    parameters: &[],
    page: include_str!("quota_rejects_pod.md"),
    reads_images: None,
    checks: &[Check::World(check)],
};

/// What a container may have to state.
const FIELDS: [&str; 4] = ["requests.cpu", "requests.memory", "limits.cpu", "limits.memory"];

/// A line of a quota, by the index of the field that containers have to state for it.
type Demanded<'c, 'd> = BTreeMap<usize, (&'c Quota<'d>, &'c Line<'d>)>;

fn check(cx: &Cx<'_, '_>, out: &mut Out) {
    let mut demanded: BTreeMap<WorkloadId, Demanded<'_, '_>> = BTreeMap::new();
    for quota in cx.facts.quotas() {
        for line in &quota.lines {
            let Some(field) = field(line.resource) else { continue };
            for workload in &quota.workloads {
                let of_workload = demanded.entry(*workload).or_default();
                of_workload.entry(field).or_insert((quota, line));
            }
        }
    }
    for (workload, demanded) in demanded {
        let workload = cx.facts.workloads().get(workload);
        let is_off = cx.facts.envelope(workload.id).is_some_and(|it| it.peak.count == 0);
        if is_off || cx.facts.demand(workload).is_pod_level {
            continue;
        }
        let Some(finding) = finding(cx, workload, &demanded) else { continue };
        match cx.unseen(Wanted::any(Kind::LimitRange, workload.namespace)) {
            // Its defaults might be what the containers lack.
            Some(missing) => out.cannot_tell(cx.object(workload.object), missing),
            None if has_limit_range(cx, workload.namespace) => out.find(finding),
            // One whose defaults are what they lack comes with the quota, often after it.
            None => out.find(finding.awaits(&[Kind::LimitRange])),
        }
    }
}

fn has_limit_range(cx: &Cx<'_, '_>, namespace: &str) -> bool {
    cx.model.of_kind(Kind::LimitRange).any(|it| it.namespace == namespace)
}

/// What a container has to state for a line: `requests.cpu` for `cpu` too; `None` for what it may leave out.
fn field(line: &str) -> Option<usize> {
    let name = match line {
        "cpu" => "requests.cpu",
        "memory" => "requests.memory",
        other => other,
    };
    FIELDS.iter().position(|it| *it == name)
}

fn states(container: &ContainerDemand<'_>, field: &str) -> bool {
    match field.split_once('.') {
        Some(("requests", resource)) => container.requests.get(resource).is_some(),
        Some((_, resource)) => container.limits.get(resource).is_some(),
        None => true,
    }
}

fn finding(
    cx: &Cx<'_, '_>,
    workload: &Workload<'_>,
    demanded: &Demanded<'_, '_>,
) -> Option<Finding> {
    let object = cx.object(workload.object);
    let lacking: Vec<(&ContainerDemand<'_>, Vec<&str>)> = cx
        .facts
        .demand(workload)
        .containers
        .iter()
        .map(|it| {
            let lacks = demanded.keys().map(|it| FIELDS[*it]).filter(|field| !states(it, field));
            (it, lacks.collect::<Vec<_>>())
        })
        .filter(|(_, lacks)| !lacks.is_empty())
        .collect();
    let (first, first_lacks) = lacking.first()?;
    let quotas = quota_names(cx, demanded, &lacking);
    let message = match lacking.len() {
        1 => format!(
            "{quotas} refuses every pod of `{object}`: container `{}` does not state {}",
            first.name,
            first_lacks.join(", ")
        ),
        count => format!(
            "{quotas} refuses every pod of `{object}`: {count} containers do not state what it counts"
        ),
    };
    let mut finding = Finding::new(message, place(object, first), lacks(first_lacks));
    for (container, field) in lacking.iter().flat_map(|(it, all)| all.iter().map(move |f| (it, f)))
    {
        finding = finding.over(format!("`{}` {field}", container.name), Quantity::units(1));
    }
    for (container, fields) in &lacking[1..] {
        finding = finding.label(place(object, container), lacks(fields));
    }
    for (field, (quota, line)) in demanded {
        let field = FIELDS[*field];
        if lacking.iter().any(|(_, fields)| fields.contains(&field)) {
            let place = cx.object(quota.object).place(line.node);
            finding = finding.label(place, format!("so every container states {field}"));
        }
    }
    let each = lacking.iter().map(|(it, fields)| format!("`{}`: {}", it.name, fields.join(", ")));
    let what = if lacking.len() == 1 {
        format!("state {} of container `{}`", first_lacks.join(", "), first.name)
    } else {
        format!("state, by container, {}", each.collect::<Vec<_>>().join("; "))
    };
    Some(
        finding
            .note("a quota on CPU or memory takes pods only if every container, init containers included, states that request or limit after all defaults; the apply of the workload itself succeeds")
            .help(format!("{what}; or give namespace `{}` a LimitRange with defaults", workload.namespace)),
    )
}

fn quota_names(
    cx: &Cx<'_, '_>,
    demanded: &Demanded<'_, '_>,
    lacking: &[(&ContainerDemand<'_>, Vec<&str>)],
) -> String {
    let lacks = |it: &usize| lacking.iter().any(|(_, fields)| fields.contains(&FIELDS[*it]));
    let quotas =
        demanded.iter().filter(|(field, _)| lacks(field)).map(|(_, (quota, _))| quota.object);
    let first = quotas.min().map(|it| cx.object(it).to_string());
    format!("`{}`", first.unwrap_or_default())
}

fn lacks(fields: &[&str]) -> String {
    format!("states no {}", fields.join(", no "))
}

/// Where the container's resources stand, or would.
fn place(object: &Object<'_>, container: &ContainerDemand<'_>) -> crate::model::Place {
    let node = container.node.get("resources").or(container.node.get("name"));
    object.place(node.unwrap_or(container.node))
}
