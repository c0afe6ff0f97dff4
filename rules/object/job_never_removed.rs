//! Jobs that stay when they are done, and CronJobs whose finished Jobs two fields remove.

use crate::api::kind::Kind;
use crate::api::schedule::Schedule;
use crate::model::Object;
use crate::rule::{Admission, Check, Cx, Finding, Group, Out, Preset, Rule, Severity};
use crate::rules::judged::NAMESPACES;
use crate::text::tree::Node;

/// The rule.
pub(super) static RULE: Rule = Rule {
    id: "job-never-removed",
    title: "nothing removes a Job that is done, or two settings do",
    severity: Severity::Note,
    group: Group::Object,
    admission: Admission::Warn,
    presets: &[Preset::Recommended],
    reads: &[Kind::CronJob, Kind::Job],
    like: &["kube-linter:job-ttl-seconds-after-finished"],
    parameters: &[NAMESPACES],
    page: include_str!("job_never_removed.md"),
    reads_images: None,
    checks: &[Check::Object(object)],
};

const TTL: &str = "ttlSecondsAfterFinished";

fn object(cx: &Cx<'_, '_>, object: &Object<'_>, out: &mut Out) {
    if !cx.is_judged(object) {
        return;
    }
    out.findings.extend(match object.kind {
        Kind::Job => stays(object),
        Kind::CronJob => removed_early(object),
        _ => None,
    });
}

fn stays(object: &Object<'_>) -> Option<Finding> {
    let has_owner = object.field(&["metadata", "ownerReferences"]).is_some_and(|it| it.count() > 0);
    let is_removed = object.field(&["spec", TTL]).is_some();
    if has_owner || is_removed || is_hook(object) {
        return None;
    }
    let message = format!("nothing removes `{object}` when it is done");
    Some(
        Finding::new(message, object.at("spec"), format!("no `{TTL}` here"))
            .note("it and its pods stay in the cluster, and count against quotas, until somebody deletes them")
            .help(format!("set `{TTL}: 86400`, say")),
    )
}

/// Whether the tool that applies it deletes it: Helm before the next release at the latest, Argo CD as the hook says.
fn is_hook(object: &Object<'_>) -> bool {
    ["helm.sh/hook", "argocd.argoproj.io/hook"].iter().any(|it| object.annotation(it).is_some())
}

/// A CronJob keeps its last Jobs (3 that succeeded, where nothing is said), unless their own time is up before.
fn removed_early(object: &Object<'_>) -> Option<Finding> {
    let spec = object.root.get("spec")?;
    let ttl = spec.at(&["jobTemplate", "spec", TTL])?;
    let seconds = ttl.int()?;
    let limit = spec.get("successfulJobsHistoryLimit");
    let kept = limit.map_or(Some(3), Node::int)?;
    let gap = Schedule::parse(spec.text("schedule")?)?.shortest_gap()?;
    let age = gap.checked_mul(kept)?;
    if seconds >= age {
        return None;
    }
    let message =
        format!("`{object}` keeps {kept} finished Jobs, and removes each after {seconds} seconds");
    let mut finding = Finding::new(message, object.place(ttl), "removes them first");
    finding = match limit {
        // The API server writes it where nobody does.
        Some(limit) => finding.hint(object.place(limit), "never reached"),
        None => finding.note("`successfulJobsHistoryLimit` is 3 where nothing is written"),
    };
    Some(
        finding
            .note(format!("{kept} runs take at least {kept} × {gap} = {age} seconds"))
            .help(format!("leave `{TTL}` out of the template, and say how many are kept")),
    )
}
