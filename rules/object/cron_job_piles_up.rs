//! CronJobs whose runs may pile up, and those with so short a deadline that they may never start.

use crate::api::kind::Kind;
use crate::model::Object;
use crate::rule::{Admission, Check, Cx, Finding, Group, Out, Preset, Rule, Severity};
use crate::rules::judged::NAMESPACES;
use crate::text::tree::Node;

/// The rule.
pub(super) static RULE: Rule = Rule {
    id: "cron-job-piles-up",
    title: "a CronJob starts runs beside those that hang, or may miss every start",
    severity: Severity::Warning,
    group: Group::Object,
    admission: Admission::Warn,
    presets: &[Preset::Recommended],
    reads: &[Kind::CronJob],
    like: &["kube-score:cronjob-has-deadline"],
    parameters: &[NAMESPACES],
    page: include_str!("cron_job_piles_up.md"),
    reads_images: None,
    checks: &[Check::Object(object)],
};

/// The controller looks at CronJobs every ten seconds: what has to start sooner than that may never
/// (kubernetes.io, "CronJob", "Deadline for delayed Job start").
const LEAST_DEADLINE: i64 = 10;

fn object(cx: &Cx<'_, '_>, object: &Object<'_>, out: &mut Out) {
    if object.kind != Kind::CronJob || !cx.is_judged(object) {
        return;
    }
    let Some(spec) = object.root.get("spec") else { return };
    let deadline = spec.get("startingDeadlineSeconds");
    match deadline.and_then(Node::int) {
        Some(seconds) if seconds < LEAST_DEADLINE => out.find(too_short(object, seconds)),
        Some(_) => {}
        None if deadline.is_none() && piles_up(spec) => out.find(piling_up(object, spec)),
        None => {}
    }
}

/// Whether nothing ends a run that hangs, and the next one starts beside it.
fn piles_up(spec: Node<'_>) -> bool {
    let policy = spec.text("concurrencyPolicy").unwrap_or("Allow");
    let is_ended = spec.at(&["jobTemplate", "spec", "activeDeadlineSeconds"]).is_some();
    policy == "Allow" && !is_ended && spec.get("suspend").and_then(Node::bool) != Some(true)
}

fn piling_up(object: &Object<'_>, spec: Node<'_>) -> Finding {
    let message = format!("`{object}` starts a run beside each one that hangs, without end");
    let finding = Finding::new(message, object.at("spec.schedule"), "a run each time");
    let finding = match spec.get("concurrencyPolicy") {
        // The API server writes it where nobody does, so the finding is known again without it.
        Some(policy) => finding.hint(object.place(policy), "runs may overlap"),
        None => finding.note("`concurrencyPolicy` is `Allow` where none is written"),
    };
    finding
        .note("neither `startingDeadlineSeconds` nor `activeDeadlineSeconds` bounds a run or its start")
        .help("set `concurrencyPolicy: Forbid` or `Replace`, or end a run that hangs by `spec.jobTemplate.spec.activeDeadlineSeconds`")
}

fn too_short(object: &Object<'_>, seconds: i64) -> Finding {
    let message =
        format!("`{object}` may never start: its runs are missed after {seconds} seconds");
    let place = object.at("spec.startingDeadlineSeconds");
    Finding::new(message, place, format!("below {LEAST_DEADLINE}"))
        .severity(Severity::Error)
        .note(format!("the controller looks at CronJobs every {LEAST_DEADLINE} seconds"))
        .help("set at least the time that a late run is still worth, such as 200")
}
