//! Quotas that do not hold their namespace when all its workloads are at their peaks.

use crate::analyze::capacity::quotas::{Line, Quota};
use crate::analyze::capacity::replicas::pods_of;
use crate::analyze::selection::workloads::WorkloadId;
use crate::api::kind::Kind;
use crate::api::quantity::Quantity;
use crate::rule::{Admission, Check, Cx, Finding, Group, Out, Preset, Rule, Severity};
use rustc_hash::FxHashSet;

/// The rule.
pub(super) static RULE: Rule = Rule {
    id: "quota-below-hpa-max",
    title: "a quota does not hold its namespace at the peaks of all workloads",
    severity: Severity::Error,
    group: Group::Scaling,
    admission: Admission::Deny,
    presets: &[Preset::Invariants],
    reads: &[
        Kind::ResourceQuota,
        Kind::LimitRange,
        Kind::HorizontalPodAutoscaler,
        Kind::ScaledJob,
        Kind::ScaledObject,
        Kind::PersistentVolumeClaim,
        Kind::Service,
        Kind::PriorityClass,
        Kind::RuntimeClass,
        Kind::CustomResourceDefinition,
        Kind::StorageClass,
        Kind::ConfigMap,
        Kind::Secret,
        Kind::ServiceAccount,
    ],
    like: &[],
    parameters: &[],
    page: include_str!("quota_below_hpa_max.md"),
    reads_images: None,
    checks: &[Check::World(check)],
};

fn check(cx: &Cx<'_, '_>, out: &mut Out) {
    for quota in cx.facts.quotas() {
        let over: Vec<_> = quota.lines.iter().filter(|it| it.is_overrun()).collect();
        if !over.is_empty() {
            out.find(finding(cx, quota, &over));
        } else if let Some(missing) = uncounted(cx, quota) {
            out.cannot_tell(cx.object(quota.object), missing);
        }
    }
}

fn finding(cx: &Cx<'_, '_>, quota: &Quota<'_>, over: &[&Line<'_>]) -> Finding {
    let object = cx.object(quota.object);
    let sums: Vec<_> = over.iter().map(|it| format!("`{}` {}", it.resource, it.sum())).collect();
    let message = format!(
        "`{object}` is too small for its namespace with every workload at its peak: {}",
        sums.join(", ")
    );
    let mut lines = over.iter();
    let first = lines.next().map_or(object.at("spec.hard"), |it| object.place(it.node));
    let text = |line: &Line<'_>| format!("{}, {}", line.sum(), line.excess());
    let mut finding =
        Finding::new(message, first, over.first().map_or(String::new(), |it| text(it)));
    for line in lines {
        finding = finding.label(object.place(line.node), text(line));
    }
    for (workload, _) in contributors(over).iter().take(8) {
        if let Some(envelope) = cx.facts.envelope(*workload) {
            let peak = envelope.peak;
            let text = format!("at most {}: {}", pods_of(peak.count), peak.describe());
            finding = finding.label(peak.place(cx.model), text);
        }
    }
    for line in over {
        finding = finding.over(line.resource, line.used() - line.hard);
        finding = finding.note(format!(
            "{}: {} of {}, {}",
            line.resource,
            line.terms(cx.model, cx.facts),
            line.hard.show(line.resource),
            line.excess()
        ));
    }
    // What `quota-below-rollout` will say once the peaks fit is not new then.
    for line in &quota.lines {
        let beyond = line.used() + line.surge() - line.hard;
        finding = finding.over(format!("{} in rollouts", line.resource), beyond);
    }
    if let Some(uncounted) = uncounted(cx, quota) {
        finding = finding.note(format!("not counted: {uncounted}"));
    }
    if !contributors(over).is_empty() {
        finding = finding.note(
            "a quota refuses pods when they are created: the apply succeeds, the autoscaler asks for more, and the missing pods show only in events (FailedCreate)",
        );
    }
    if over.iter().any(|it| it.resource == "count/jobs.batch") {
        finding = finding.note(
            "finished Jobs count as well, and none is removed before there are more of them than the history limits say: once the quota is full no further Job is made",
        );
        return finding.help(format!("{}; or lower the history limits", help(cx, quota, over)));
    }
    finding.help(help(cx, quota, over))
}

/// The workloads that share in the overrun lines, by how much of them they take, most first.
fn contributors(over: &[&Line<'_>]) -> Vec<(WorkloadId, f64)> {
    let mut shares: Vec<(WorkloadId, f64)> = Vec::new();
    for line in over {
        let used = line.used();
        let charges = line.charges.iter().filter(|it| it.count > 0);
        shares.extend(charges.filter_map(|it| Some((it.workload()?, it.total().ratio(used)))));
    }
    shares.sort_by_key(|(workload, _)| *workload);
    shares.dedup_by(|later, first| {
        let is_same = later.0 == first.0;
        first.1 += if is_same { later.1 } else { 0.0 };
        is_same
    });
    shares.sort_by(|(_, a), (_, b)| b.total_cmp(a));
    shares
}

/// The largest maximum that fits for the workload that takes most, and what the quota would have to be instead.
fn help(cx: &Cx<'_, '_>, quota: &Quota<'_>, over: &[&Line<'_>]) -> String {
    let raise: Vec<_> = over
        .iter()
        .map(|it| format!("`{}: {}`", it.resource, it.used().show(it.resource)))
        .collect();
    let raise = format!("raise the quota to {}", raise.join(", "));
    let contributors = contributors(over);
    let Some((workload, _)) = contributors.first() else { return raise };
    let Some((fit, envelope)) = quota.fit(*workload).zip(cx.facts.envelope(*workload)) else {
        return raise;
    };
    let object = cx.object(cx.facts.workloads().get(*workload).object);
    let line = fit.line.resource;
    if fit.left.is_negative() {
        return format!(
            "`{line}` is too small even without `{object}`, the largest share; {raise}"
        );
    }
    if fit.count == 0 {
        return format!(
            "with the others at their peaks there is no room for one pod of `{object}` (`{line}`); {raise}"
        );
    }
    let others = if contributors.len() > 1 { "with the others at their peaks " } else { "" };
    let full = if fit.left == Quantity::ZERO {
        full(cx, quota, fit.line, fit.count)
    } else {
        String::new()
    };
    let floor = envelope.floor;
    let below = if fit.count < floor.count && floor.path != envelope.peak.path {
        format!(", which is less than its {}", floor.describe())
    } else {
        String::new()
    };
    format!(
        "{others}`{object}` fits {} at most (`{}: {}`){below}; `{line}` binds{full}; or {raise}",
        times(fit.count),
        envelope.peak.field(),
        fit.count
    )
}

/// That a line would be full to the last bit, and for whom there would be nothing left.
fn full(cx: &Cx<'_, '_>, quota: &Quota<'_>, line: &Line<'_>, count: u64) -> String {
    let charged: FxHashSet<_> = line.charges.iter().filter_map(|it| it.workload()).collect();
    let silent: Vec<_> = quota
        .workloads
        .iter()
        .filter(|it| !charged.contains(it) && !quota.uncounted.contains(it))
        .map(|it| format!("`{}`", cx.facts.workloads().get(*it).name))
        .collect();
    match silent.as_slice() {
        [] => " and is then full".into(),
        [.., last] if silent.len() <= 4 => {
            let rest = &silent[..silent.len() - 1];
            let names = if rest.is_empty() {
                last.clone()
            } else {
                format!("{} or {last}", rest.join(", "))
            };
            format!(
                " and is then full, so {} at most as soon as {names} states any",
                times(count - 1)
            )
        }
        _ => format!(
            " and is then full, so {} at most as soon as one of the {} workloads that state none states any",
            times(count - 1),
            silent.len()
        ),
    }
}

fn times(count: u64) -> String {
    match count {
        1 => "once".into(),
        2 => "twice".into(),
        _ => format!("{count} times"),
    }
}

/// That nobody told how many nodes run the pods of DaemonSets, and how many of these the quota has room for.
fn uncounted(cx: &Cx<'_, '_>, quota: &Quota<'_>) -> Option<String> {
    let rooms = quota.uncounted.iter().map(|it| {
        let object = cx.object(cx.facts.workloads().get(*it).object);
        let room = quota.fit(*it).map_or(0, |it| it.count);
        format!("how many nodes run `{object}` (there is room for {room} of its pods)")
    });
    let rooms: Vec<_> = rooms.collect();
    (!rooms.is_empty()).then(|| rooms.join(", "))
}
