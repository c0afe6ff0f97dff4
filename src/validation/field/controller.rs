//! What makes pods: `pkg/apis/apps/validation` and `pkg/apis/batch/validation`.

use super::metadata::LABEL;
use super::names::{is_dns_label, is_qualified_name};
use super::pod::{self, Owner};
use super::{Found, metadata, storage};
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
    let is_taken_over = kind == Kind::ReplicationController && has_labels(spec);
    if let Some(selector) = selector.filter(|it| !is_taken_over && is_empty(*it, kind)) {
        let says = "selects every pod, and a controller may not";
        found.wrong(selector, says, "empty", "name labels of the template");
    }
    match kind {
        Kind::Deployment => deployment(spec, found),
        Kind::DaemonSet => daemon_set(spec, found),
        Kind::ReplicationController => {
            if selector.is_none() && !has_labels(spec) {
                found.missing(spec, "selector");
            }
            if spec.get("template").is_none() {
                found.missing(spec, "template");
            }
        }
        Kind::StatefulSet => {
            let version = found.settings.version;
            let claims = spec.list("volumeClaimTemplates").filter_map(|it| it.get("spec"));
            // Older ones leave it to the controller that makes the claims.
            for claim in claims.filter(|_| version >= KubernetesVersion::minor(34)) {
                storage::claim(claim, found);
            }
            let service = spec.get("serviceName");
            let service = service.filter(|_| version >= KubernetesVersion::minor(33));
            found.form(service, is_dns_label, LABEL);
            found.word(spec.get("podManagementPolicy"), &["OrderedReady", "Parallel"]);
            found.range(spec.at(&["ordinals", "start"]), 0, i64::MAX);
            found.range(spec.at(&["updateStrategy", "rollingUpdate", "partition"]), 0, i64::MAX);
            let is_other =
                spec.at(&["updateStrategy", "type"]).and_then(Node::str) == Some("OnDelete");
            no_rolling_update(spec.get("updateStrategy").filter(|_| is_other), "OnDelete", found);
        }
        _ => {}
    }
}

/// A ReplicationController without a selector takes the labels of its template (`SetDefaults_ReplicationController`).
fn has_labels(spec: Node<'_>) -> bool {
    spec.at(&["template", "metadata", "labels"]).is_some_and(|it| it.count() > 0)
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
    let share = |key: &str| strategy.and_then(|it| it.at(&["rollingUpdate", key]));
    if let (Some(least), Some(surge)) = (share("maxUnavailable"), share("maxSurge"))
        && is_none(least)
        && is_none(surge)
    {
        let says = "is nothing, and so is `maxSurge`: no pod could be replaced";
        found.wrong(least, says, "nothing beside `maxSurge`", "raise one of them");
    }
    let is_recreate = |it: &Node<'_>| it.text("type") == Some("Recreate");
    no_rolling_update(strategy.filter(is_recreate), "Recreate", found);
}

/// `ValidateRollingUpdateDaemonSet`: one of the two replaces pods.
fn daemon_set<'d>(spec: Node<'d>, found: &mut Found<'d>) {
    let Some(rolling) = spec.at(&["updateStrategy", "rollingUpdate"]).filter(|it| it.is_map())
    else {
        return;
    };
    let (least, surge) = (rolling.get("maxUnavailable"), rolling.get("maxSurge"));
    // 1 and 0 unless they are set (SetDefaults_DaemonSet).
    match (least.is_some_and(is_none), surge.is_none_or(is_none)) {
        (true, true) => {
            let says = "is nothing, and so is `maxSurge`: no pod could be replaced";
            found.wrong(least.unwrap_or(rolling), says, "nothing", "raise one of them");
        }
        (false, false) => {
            let says = "is set beside `maxUnavailable`, and one of them replaces pods";
            found.wrong(surge.unwrap_or(rolling), says, "two ways", "make one of them 0");
        }
        _ => {}
    }
}

/// Whether a count or a share of pods is nothing.
fn is_none(node: Node<'_>) -> bool {
    node.int() == Some(0) || matches!(node.str(), Some("0%" | "00%"))
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
    let is_indexed = spec.text("completionMode") == Some("Indexed");
    if is_indexed && spec.get("completions").is_none() {
        found.missing(spec, "completions");
    }
    for key in ["backoffLimitPerIndex", "maxFailedIndexes", "successPolicy"] {
        if let Some(it) = spec.get(key).filter(|_| !is_indexed) {
            let says = "is set, and the Job is not `Indexed`";
            found.wrong(
                it,
                says,
                "only for `Indexed`",
                "set `completionMode: Indexed`, or remove it",
            );
        }
    }
    let per_index = spec.get("backoffLimitPerIndex");
    if let Some(most) = spec.get("maxFailedIndexes").filter(|_| is_indexed && per_index.is_none()) {
        let says = "stands without `backoffLimitPerIndex`";
        found.wrong(most, says, "for nothing", "set `backoffLimitPerIndex`, or remove it");
    }
    let count = spec.get("completions").and_then(Node::int);
    if is_indexed && let Some(count) = count {
        found.range(spec.get("maxFailedIndexes"), 0, count);
    }
    let replacement = spec.get("podReplacementPolicy");
    found.word(replacement, &["Failed", "TerminatingOrFailed"]);
    if let Some(policy) = spec.get("podFailurePolicy").filter(|it| it.is_map()) {
        failure_policy(spec, policy, found);
        if let Some(it) = replacement.filter(|it| it.str() == Some("TerminatingOrFailed")) {
            let says = "is not `Failed`, as `podFailurePolicy` asks for";
            found.wrong(it, says, "has to be `Failed`", "write `Failed`, or remove it");
        }
    }
    let policy = spec.get("successPolicy").filter(|it| it.is_map());
    for rule in policy.into_iter().flat_map(|it| it.list("rules")) {
        if rule.get("succeededCount").is_none() && rule.get("succeededIndexes").is_none() {
            let says = "has neither `succeededCount` nor `succeededIndexes`";
            found.wrong(rule, says, "nothing that it asks for", "set one of them");
        }
        found.range(rule.get("succeededCount"), 1, count.unwrap_or(i64::MAX));
    }
    let what = "a domain and a path: `example.com/controller`";
    let is = |it: &str| it.len() <= 63 && super::cluster::is_domain_prefixed(it);
    found.form(spec.get("managedBy"), is, what);
}

/// `validatePodFailurePolicy` of `pkg/apis/batch/validation`.
fn failure_policy<'d>(spec: Node<'d>, policy: Node<'d>, found: &mut Found<'d>) {
    let pod = spec.at(&["template", "spec"]);
    if let Some(policy) =
        pod.and_then(|it| it.get("restartPolicy")).filter(|it| it.str() == Some("OnFailure"))
    {
        let says = "is not `Never`, as `podFailurePolicy` asks for";
        found.wrong(policy, says, "has to be `Never`", "write `Never`");
    }
    let lists = ["containers", "initContainers"].into_iter();
    let names: Vec<_> = lists
        .flat_map(|list| pod.into_iter().flat_map(move |it| it.list(list)))
        .filter_map(|it| it.text("name"))
        .collect();
    let is_per_index = spec.get("backoffLimitPerIndex").is_some();
    for rule in policy.list("rules").filter(|it| it.is_map()) {
        let actions: &[&str] = match is_per_index {
            true => &["Count", "FailIndex", "FailJob", "Ignore"],
            false => &["Count", "FailJob", "Ignore"],
        };
        found.word(rule.get("action"), actions);
        let codes = rule.get("onExitCodes").filter(|it| it.is_map());
        let conditions = rule.get("onPodConditions").filter(|it| it.count() > 0);
        if codes.is_some() == conditions.is_some() {
            let says = "has to have one of `onExitCodes` and `onPodConditions`";
            found.wrong(rule, says, "not one of them", "keep one of them");
        }
        for condition in conditions.into_iter().flat_map(Node::items) {
            found.form(condition.get("type"), is_qualified_name, "the name of a condition");
            found.word(condition.get("status"), &["False", "True", "Unknown"]);
        }
        let Some(codes) = codes else { continue };
        found.word(codes.get("operator"), &["In", "NotIn"]);
        let container = codes.get("containerName").filter(|it| it.str() != Some(""));
        if let Some(container) = container
            && container.str().is_some_and(|it| !names.contains(&it))
        {
            let says = "names a container that the pod does not have";
            found.wrong(container, says, "no such container", "name one of the pod's containers");
        }
        let mut before = i64::MIN;
        let operator = codes.text("operator");
        for value in codes.list("values") {
            let Some(number) = value.int() else { continue };
            if number <= before || number == 0 && operator == Some("In") {
                let says = "is 0, or no more than the one before it";
                found.wrong(
                    value,
                    says,
                    "not in order",
                    "write each code once, from small to large",
                );
            }
            before = number;
        }
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
    found.word(spec.get("concurrencyPolicy"), &["Allow", "Forbid", "Replace"]);
    if let Some(zone) = spec.get("timeZone").filter(|it| it.str().is_some_and(is_no_zone)) {
        let says = "is no time zone of the IANA database";
        found.wrong(
            zone,
            says,
            "no such time zone",
            "write one as `Europe/Berlin`, or leave it out",
        );
    }
    if let Some(job) = spec.at(&["jobTemplate", "spec"]).filter(|it| it.is_map()) {
        job_spec(job, found);
        let manual = job.get("manualSelector");
        if let Some(manual) = manual.filter(|it| it.bool() == Some(true)) {
            let says = "is true, and Jobs of a CronJob have selectors of their own";
            found.wrong(manual, says, "not in a CronJob", "remove it");
        }
    }
}

/// What is no name of a time zone whatever the database holds (`validateTimeZone`).
fn is_no_zone(text: &str) -> bool {
    let is_allowed = |it: char| it.is_ascii_alphanumeric() || matches!(it, '/' | '_' | '+' | '-');
    text.is_empty() || text.eq_ignore_ascii_case("local") || !text.chars().all(is_allowed)
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
