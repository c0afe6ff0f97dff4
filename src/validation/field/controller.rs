//! What makes pods: `pkg/apis/apps/validation` and `pkg/apis/batch/validation`.

use super::pod::{self, Owner};
use super::{Found, metadata};
use crate::api::kind::Kind;
use crate::api::version::KubernetesVersion;
use crate::text::tree::Node;

pub(super) fn controller<'d>(spec: Node<'d>, kind: Kind, found: &mut Found<'d>) {
    let claims = spec.list("volumeClaimTemplates").filter_map(|it| it.at(&["metadata", "name"]));
    let owner = Owner::Controller(claims.filter_map(Node::str).collect());
    if let Some(template) = spec.get("template").filter(|it| it.is_map()) {
        pod::template(template, &owner, found);
    }
    found.not_negative(spec, &["minReadySeconds", "revisionHistoryLimit"]);
    let selector = spec.get("selector").filter(|it| it.is_map());
    match kind {
        Kind::ReplicationController => metadata::label_map(selector, found),
        _ => metadata::selector(selector, found),
    }
    if let Some(selector) = selector.filter(|it| is_empty(*it, kind)) {
        let says = "selects every pod, and a controller may not";
        found.wrong(selector, says, "empty", "name labels of the template");
    }
    match kind {
        Kind::Deployment => deployment(spec, found),
        Kind::StatefulSet => {
            found.range(spec.at(&["updateStrategy", "rollingUpdate", "partition"]), 0, i64::MAX);
            let is_other =
                spec.at(&["updateStrategy", "type"]).and_then(Node::str) == Some("OnDelete");
            no_rolling_update(spec.get("updateStrategy").filter(|_| is_other), "OnDelete", found);
        }
        _ => {}
    }
}

fn is_empty(selector: Node<'_>, kind: Kind) -> bool {
    match kind {
        Kind::ReplicationController => selector.count() == 0,
        _ => ["matchLabels", "matchExpressions"]
            .iter()
            .all(|it| selector.get(it).is_none_or(|it| it.count() == 0)),
    }
}

fn deployment<'d>(spec: Node<'d>, found: &mut Found<'d>) {
    found.not_negative(spec, &["progressDeadlineSeconds"]);
    let ready = spec.get("minReadySeconds").and_then(Node::int).unwrap_or(0);
    // 600 seconds, unless it is set (SetDefaults_Deployment).
    let deadline = spec.get("progressDeadlineSeconds");
    if let Some(deadline) = deadline
        && deadline.int().is_some_and(|it| it >= 0 && it <= ready)
    {
        let says = format!("is no more than `minReadySeconds`, {ready}");
        found.wrong(deadline, says, "too short", format!("write more than {ready}"));
    }
    let strategy = spec.get("strategy").filter(|it| it.is_map());
    let is_recreate = |it: &Node<'_>| it.text("type") == Some("Recreate");
    no_rolling_update(strategy.filter(is_recreate), "Recreate", found);
}

fn no_rolling_update<'d>(strategy: Option<Node<'d>>, kind: &str, found: &mut Found<'d>) {
    if let Some(it) = strategy.and_then(|it| it.get("rollingUpdate")) {
        let says = format!("stands beside `type: {kind}`");
        let help = "remove it, or write `type: RollingUpdate`";
        found.wrong(it, says, "of another strategy", help);
    }
}

pub(super) fn job<'d>(root: Node<'d>, spec: Node<'d>, found: &mut Found<'d>) {
    job_spec(spec, found);
    let is_manual = spec.get("manualSelector").and_then(Node::bool) == Some(true);
    let name = root.at(&["metadata", "name"]).and_then(Node::str);
    // Labels that the API server gives the pods itself may be asked for (`ValidateGeneratedSelector`).
    let is_given = |key: &str, value: Node<'_>| {
        matches!(key, "job-name" | "batch.kubernetes.io/job-name")
            && (name.is_none() || value.str() == name)
    };
    let is_other = |it: &Node<'_>| {
        let labels = it.get("matchLabels").into_iter().flat_map(Node::pairs);
        labels.into_iter().any(|(key, value)| !is_given(key, value))
    };
    if let Some(selector) = spec.get("selector").filter(|it| !is_manual && is_other(it)) {
        let says = "is set, and the API server makes one for each Job";
        found.wrong(
            selector,
            says,
            "not for you to set",
            "remove it, or set `manualSelector: true`",
        );
    }
}

fn job_spec<'d>(spec: Node<'d>, found: &mut Found<'d>) {
    if let Some(template) = spec.get("template").filter(|it| it.is_map()) {
        pod::template(template, &Owner::Job, found);
    }
    const NUMBERS: [&str; 5] = [
        "activeDeadlineSeconds",
        "backoffLimit",
        "backoffLimitPerIndex",
        "maxFailedIndexes",
        "ttlSecondsAfterFinished",
    ];
    found.not_negative(spec, &NUMBERS);
    if spec.text("completionMode") == Some("Indexed") && spec.get("completions").is_none() {
        found.missing(spec, "completions");
    }
}

pub(super) fn cron_job<'d>(root: Node<'d>, spec: Node<'d>, found: &mut Found<'d>) {
    if let Some(name) = root.at(&["metadata", "name"])
        && name.str().is_some_and(|it| it.len() > 52)
    {
        // The controller adds eleven characters to name a Job.
        let says = "is longer than 52 characters, and its Jobs get longer names";
        found.wrong(name, says, "too long", "shorten it");
    }
    found.not_negative(
        spec,
        &["startingDeadlineSeconds", "successfulJobsHistoryLimit", "failedJobsHistoryLimit"],
    );
    schedule(spec, found);
    if let Some(job) = spec.at(&["jobTemplate", "spec"]).filter(|it| it.is_map()) {
        job_spec(job, found);
        let manual = job.get("manualSelector");
        if let Some(manual) = manual.filter(|it| it.bool() == Some(true)) {
            let says = "is true, and Jobs of a CronJob have selectors of their own";
            found.wrong(manual, says, "not in a CronJob", "remove it");
        }
    }
}

/// What robfig/cron reads (`ParseStandard`): five fields, or a name.
fn schedule<'d>(spec: Node<'d>, found: &mut Found<'d>) {
    let Some(schedule) = spec.get("schedule") else { return };
    let Some(text) = schedule.str().filter(|it| !it.is_empty()) else { return };
    let has_zone = text.contains("TZ");
    if has_zone {
        // Refused for new objects since 1.27, whatever stands in `timeZone`.
        let is_refused = found.settings.version >= KubernetesVersion::minor(27);
        if is_refused {
            let says = "names a time zone, which belongs into `timeZone`";
            found.wrong(schedule, says, "a time zone", "set `timeZone`, and leave it out here");
        }
        return;
    }
    if !is_schedule(text) {
        let says = format!("is `{text}`, which is no schedule of cron");
        let help = "write minute, hour, day of the month, month and day of the week: `0 3 * * *`";
        found.wrong(schedule, says, "no schedule", help);
    }
}

fn is_schedule(text: &str) -> bool {
    const NAMES: [&str; 7] =
        ["@yearly", "@annually", "@monthly", "@weekly", "@daily", "@midnight", "@hourly"];
    if let Some(every) = text.strip_prefix("@every ") {
        // A duration of Go; its units are not looked at.
        return every.trim().starts_with(|it: char| it.is_ascii_digit() || it == '.' || it == '+');
    }
    if text.starts_with('@') {
        return NAMES.contains(&text);
    }
    const MONTHS: &str = "jan feb mar apr may jun jul aug sep oct nov dec";
    const DAYS: &str = "sun mon tue wed thu fri sat";
    let bounds = [(0, 59, ""), (0, 23, ""), (1, 31, ""), (1, 12, MONTHS), (0, 6, DAYS)];
    let fields: Vec<_> = text.split_whitespace().collect();
    fields.len() == 5
        && fields.iter().zip(bounds).all(|(field, (least, most, names))| {
            field.split(',').filter(|it| !it.is_empty()).all(|it| is_range(it, least, most, names))
        })
}

/// `*`, `?`, a number or a range, perhaps with a step (robfig/cron, `getRange`).
fn is_range(text: &str, least: u32, most: u32, names: &str) -> bool {
    let (range, step) = match text.split_once('/') {
        Some((range, step)) => (range, Some(step)),
        None => (text, None),
    };
    let is_step = step.is_none_or(|it| it.parse::<u32>().is_ok_and(|it| it > 0));
    let number = |text: &str| {
        let named = names.split(' ').position(|it| it.eq_ignore_ascii_case(text) && !it.is_empty());
        let first = least.min(1);
        let named = named.map(|it| it as u32 + if most == 12 { first } else { 0 });
        named.or_else(|| text.parse().ok())
    };
    let is_whole = matches!(range, "*" | "?");
    let is_part = || match range.split_once('-') {
        Some((from, to)) => match (number(from), number(to)) {
            (Some(from), Some(to)) => least <= from && from <= to && to <= most,
            _ => false,
        },
        None => number(range).is_some_and(|it| (least..=most).contains(&it)),
    };
    is_step && (is_whole || is_part())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn schedules_are_read_as_cron_does() {
        for text in [
            "0 3 * * *",
            "*/5 0-6,12 ? jan-mar mon",
            "@hourly",
            "@every 1h",
            "1,2 * * * 6",
            "0 0 1 12 0",
        ] {
            assert!(is_schedule(text), "{text}");
        }
        for text in [
            "0 3 * *",
            "60 * * * *",
            "* * * * 7",
            "* * 0 * *",
            "@often",
            "*/0 * * * *",
            "a * * * *",
            "5-1 * * * *",
            "* * * * * *",
        ] {
            assert!(!is_schedule(text), "{text}");
        }
    }
}
