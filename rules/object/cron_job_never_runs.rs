//! CronJobs whose schedule is a date that never comes.

use crate::api::kind::Kind;
use crate::api::schedule::Schedule;
use crate::model::Object;
use crate::rule::{Admission, Check, Cx, Finding, Group, Out, Preset, Rule, Severity};
use crate::rules::judged::NAMESPACES;

/// The rule.
pub(super) static RULE: Rule = Rule {
    id: "cron-job-never-runs",
    title: "the schedule of a CronJob is a date that never comes",
    severity: Severity::Error,
    group: Group::Object,
    admission: Admission::Deny,
    presets: &[Preset::Invariants],
    reads: &[Kind::CronJob],
    like: &[],
    parameters: &[NAMESPACES],
    page: include_str!("cron_job_never_runs.md"),
    reads_images: None,
    checks: &[Check::Object(object)],
};

fn object(cx: &Cx<'_, '_>, object: &Object<'_>, out: &mut Out) {
    let Some(schedule) = object.field(&["spec", "schedule"]).filter(|_| cx.is_judged(object))
    else {
        return;
    };
    let Some(text) = schedule.str() else { return };
    // What is no schedule at all the API server refuses.
    if Schedule::parse(text).is_none_or(|it| it.ever_runs()) {
        return;
    }
    let message = format!("`{object}` never runs: no month that it names has such a day");
    out.find(
        Finding::new(message, object.place(schedule), format!("`{text}` is no date of any year"))
            .note("the API server takes the schedule, since each of its fields is right by itself")
            .help("name a day that the month has; for the last of each month run on the 28th, or on the first of the next"),
    );
}
