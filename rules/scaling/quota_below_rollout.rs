//! Quotas that hold the peaks but not the pods that rollouts add.

use crate::analyze::capacity::quotas::{Line, Quota};
use crate::analyze::capacity::rollout::Rollout;
use crate::analyze::selection::workloads::WorkloadId;
use crate::rule::{Admission, Check, Cx, Finding, Group, Out, Preset, Rule, Severity};
use std::collections::BTreeMap;

/// The rule.
pub(super) static RULE: Rule = Rule {
    id: "quota-below-rollout",
    title: "a quota holds the peaks but not the pods that rollouts add",
    severity: Severity::Warning,
    group: Group::Scaling,
    admission: Admission::Deny,
    presets: &[Preset::Invariants],
    reads: super::quota_below_hpa_max::RULE.reads,
    like: &[],
    parameters: &[],
    page: include_str!("quota_below_rollout.md"),
    reads_images: None,
    checks: &[Check::World(check)],
};

fn check(cx: &Cx<'_, '_>, out: &mut Out) {
    for quota in cx.facts.quotas() {
        if quota.lines.iter().any(Line::is_overrun) {
            // `quota-below-hpa-max` speaks of it.
            continue;
        }
        let is_over = |it: &&Line<'_>| it.used() + it.surge() > it.hard;
        let over: Vec<_> = quota.lines.iter().filter(is_over).collect();
        if !over.is_empty() {
            out.find(finding(cx, quota, &over));
            continue;
        }
        let is_full = |it: &&Line<'_>| it.used() + it.terminating() > it.hard;
        let full: Vec<_> = quota.lines.iter().filter(is_full).collect();
        if !full.is_empty() {
            out.find(slow(cx, quota, &full));
        }
    }
}

/// Rollouts that take old pods away first: each of these counts until its grace is over
/// (`pkg/quota/v1/evaluator/core/pods.go`, QuotaV1Pod), and so long its replacement is refused.
fn slow(cx: &Cx<'_, '_>, quota: &Quota<'_>, full: &[&Line<'_>]) -> Finding {
    let object = cx.object(quota.object);
    let names: Vec<_> = full.iter().map(|it| format!("`{}`", it.resource)).collect();
    let message = format!(
        "`{object}` has no room for pods that terminate beside their replacements: {}",
        names.join(", ")
    );
    let text = |line: &Line<'_>| {
        let resource = line.resource;
        format!(
            "{} of {} at the peaks, {} more while old pods terminate",
            line.used().show(resource),
            line.hard.show(resource),
            line.terminating().show(resource)
        )
    };
    let place = |line: &Line<'_>| object.place(line.node);
    let first =
        full.first().map_or((object.at("spec.hard"), String::new()), |it| (place(it), text(it)));
    let mut finding = Finding::new(message, first.0, first.1).severity(Severity::Note);
    for line in full.iter().skip(1) {
        finding = finding.label(place(line), text(line));
    }
    let charges = full.iter().flat_map(|it| &it.charges).filter(|it| it.terminating > 0);
    let replaced: BTreeMap<_, _> =
        charges.filter_map(|it| Some((it.workload()?, it.terminating))).collect();
    for (workload, count) in replaced.iter().take(8) {
        let workload = cx.object(cx.facts.workloads().get(*workload).object);
        let place = workload.at("spec.strategy.rollingUpdate.maxSurge");
        finding = finding.label(place, format!("adds none, and replaces {count} at once"));
    }
    for line in full {
        let beyond = line.used() + line.terminating() - line.hard;
        finding = finding.over(format!("{} while pods terminate", line.resource), beyond);
    }
    let raise: Vec<_> = full
        .iter()
        .map(|it| {
            format!("`{}: {}`", it.resource, (it.used() + it.terminating()).show(it.resource))
        })
        .collect();
    finding
        .note("a pod that terminates counts until its grace is over: its replacement is refused meanwhile and tried again ever more seldom, so the rollout goes on slowly")
        .help(format!("raise the quota to {}", raise.join(", ")))
}

fn finding(cx: &Cx<'_, '_>, quota: &Quota<'_>, over: &[&Line<'_>]) -> Finding {
    let object = cx.object(quota.object);
    let sum = |line: &Line<'_>| {
        let all = (line.used() + line.surge()).show(line.resource);
        format!("{all} of {}", line.hard.show(line.resource))
    };
    let sums: Vec<_> = over.iter().map(|it| format!("`{}` {}", it.resource, sum(it))).collect();
    let message = format!(
        "`{object}` holds its namespace at the peaks, but not while it rolls out: {}",
        sums.join(", ")
    );
    let text = |line: &Line<'_>| {
        let resource = line.resource;
        format!(
            "{} at the peaks, {} more in rollouts",
            line.used().show(resource),
            line.surge().show(resource)
        )
    };
    let mut lines = over.iter();
    let first = lines
        .next()
        .map_or((object.at("spec.hard"), String::new()), |it| (object.place(it.node), text(it)));
    let mut finding = Finding::new(message, first.0, first.1);
    for line in lines {
        finding = finding.label(object.place(line.node), text(line));
    }
    let surging = surging(over);
    for (workload, surge) in surging.iter().take(8) {
        let workload = cx.facts.workloads().get(*workload);
        let field = match Rollout::of(cx.model, workload) {
            Rollout::Beside => "spec.strategy",
            Rollout::Canary { .. } => "spec.strategy.canary.maxSurge",
            _ => "spec.strategy.rollingUpdate.maxSurge",
        };
        let place = cx.object(workload.controller).at(field);
        finding = finding.label(place, format!("{surge} more while it rolls out"));
    }
    for line in over {
        let surges = line.charges.iter().filter_map(|it| {
            let name = cx.facts.workloads().get(it.workload()?).name;
            (it.surge > 0)
                .then(|| format!("{} × {} ({name})", it.surge, it.each.show(line.resource)))
        });
        let surges: Vec<_> = surges.take(8).collect();
        let beyond = line.used() + line.surge() - line.hard;
        finding = finding.over(format!("{} in rollouts", line.resource), beyond);
        finding = finding.note(format!(
            "{}: {} at the peaks + {} = {}, {}",
            line.resource,
            line.used().show(line.resource),
            surges.join(" + "),
            sum(line),
            line.beyond(line.used() + line.surge())
        ));
    }
    let stuck = stuck(cx, over, &surging);
    let note = if stuck.is_empty() {
        "the sum is that of all rollouts at once, as after a change of what they have in common; each one alone goes on".into()
    } else {
        format!(
            "there is no room for one pod more of {}, and maxUnavailable lets none go first: at its peak its rollout never ends",
            stuck.join(", ")
        )
    };
    let raise: Vec<_> = over
        .iter()
        .map(|it| format!("`{}: {}`", it.resource, (it.used() + it.surge()).show(it.resource)))
        .collect();
    finding.note(note).help(format!(
        "raise the quota to {}; or set `maxSurge: 0` and `maxUnavailable: 1`, which goes as fast as old pods terminate; or lower a maximum",
        raise.join(", ")
    ))
}

/// The workloads whose rollouts share in the overrun, and by how many pods.
fn surging(over: &[&Line<'_>]) -> Vec<(WorkloadId, u64)> {
    let charges = over.iter().flat_map(|it| &it.charges).filter(|it| it.surge > 0);
    let surging: BTreeMap<_, _> =
        charges.filter_map(|it| Some((it.workload()?, it.surge))).collect();
    surging.into_iter().collect()
}

/// Those that cannot go on at all: no room for one pod, and none may go before another has come.
fn stuck(cx: &Cx<'_, '_>, over: &[&Line<'_>], surging: &[(WorkloadId, u64)]) -> Vec<String> {
    let stuck = surging.iter().filter(|(id, _)| {
        let workload = cx.facts.workloads().get(*id);
        let peak = cx.facts.envelope(*id).map_or(0, |it| it.peak.count);
        let goes_first = Rollout::of(cx.model, workload).unavailable(peak) > 0;
        !goes_first && over.iter().any(|line| line.used() + line.each(*id) > line.hard)
    });
    stuck
        .take(8)
        .map(|(id, _)| format!("`{}`", cx.object(cx.facts.workloads().get(*id).object)))
        .collect()
}
