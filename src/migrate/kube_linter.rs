//! `.kube-linter.yaml`: which checks are on, what is left out, and checks made of templates.
//!
//! `stackrox/kube-linter`, pkg/config/config.go, and its documentation of checks and templates.

use super::draft::{Draft, quoted, rules_of};
use crate::policy::Preset;
use crate::rules::built_in;
use crate::text::tree::Node;

const TOOL: &str = "kube-linter";

/// The checks that are on where the configuration does not say otherwise.
const DEFAULT: &[&str] = &[
    "dangling-service",
    "deprecated-service-account-field",
    "docker-sock",
    "drop-net-raw-capability",
    "duplicate-env-var",
    "env-var-secret",
    "host-ipc",
    "host-network",
    "host-pid",
    "invalid-target-ports",
    "job-ttl-seconds-after-finished",
    "latest-tag",
    "liveness-port",
    "mismatching-selector",
    "no-anti-affinity",
    "no-extensions-v1beta",
    "no-read-only-root-fs",
    "non-existent-service-account",
    "pdb-max-unavailable",
    "pdb-min-available",
    "pdb-unhealthy-pod-eviction-policy",
    "privilege-escalation-container",
    "privileged-container",
    "readiness-port",
    "run-as-non-root",
    "sensitive-host-mounts",
    "ssh-port",
    "startup-port",
    "unsafe-sysctls",
    "unset-cpu-requirements",
    "unset-memory-requirements",
];

/// What it calls everything that runs pods.
const DEPLOYMENT_LIKE: [&str; 9] = [
    "CronJob",
    "DaemonSet",
    "Deployment",
    "DeploymentConfig",
    "Job",
    "Pod",
    "ReplicaSet",
    "ReplicationController",
    "StatefulSet",
];

pub(super) fn draft(root: Node<'_>) -> Draft {
    let mut draft = Draft::new(TOOL);
    if let Some(checks) = root.get("checks") {
        self::checks(checks, &mut draft);
    } else {
        DEFAULT.iter().for_each(|it| draft.switch_on(it));
    }
    for check in root.list("customChecks") {
        custom(check, &mut draft);
    }
    draft
}

fn checks(checks: Node<'_>, draft: &mut Draft) {
    let is_set = |key: &str| checks.get(key).and_then(Node::bool) == Some(true);
    let names = |key: &str| checks.list(key).filter_map(Node::str).collect::<Vec<_>>();
    let (included, excluded) = (names("include"), names("exclude"));
    let mut on: Vec<&str> = match (is_set("addAllBuiltIn"), is_set("doNotAutoAddDefaults")) {
        (true, _) => all(),
        (false, false) => DEFAULT.to_vec(),
        (false, true) => Vec::new(),
    };
    if is_set("doNotAutoAddDefaults") && !is_set("addAllBuiltIn") {
        draft.extends(Preset::Invariants);
    }
    on.extend(included);
    on.retain(|it| !excluded.contains(it));
    on.sort_unstable();
    on.dedup();
    on.iter().for_each(|it| draft.switch_on(it));
    excluded.iter().for_each(|it| draft.switch_off(it));
    for path in names("ignorePaths") {
        match path.starts_with('~') || path.split('/').any(|it| it == "..") {
            true => draft.has_no_equal(
                format!("the path `{path}`"),
                "`exclude` has paths below the folder of purlin.yaml alone",
            ),
            false => draft.exclude(path),
        }
    }
}

/// Every check of its own that some rule covers.
fn all() -> Vec<&'static str> {
    let likes = built_in().iter().flat_map(|it| it.like.iter());
    likes.filter_map(|it| it.strip_prefix("kube-linter:")).collect()
}

/// A check made of a template.
fn custom(check: Node<'_>, draft: &mut Draft) {
    let name = check.text("name").unwrap_or("?");
    let template = check.text("template").unwrap_or_default();
    let kinds = kinds(check);
    let params = check.get("params");
    let text = |key: &str| params.and_then(|it| it.get(key)).and_then(Node::scalar);
    let list = |key: &str| -> Vec<&str> {
        params.into_iter().flat_map(|it| it.list(key)).filter_map(Node::str).collect()
    };
    match template {
        "required-label" => metadata(draft, "required", ("label", "object"), &kinds, params),
        "required-annotation" => {
            metadata(draft, "required", ("annotation", "object"), &kinds, params)
        }
        "forbidden-annotation" => {
            metadata(draft, "forbidden", ("annotation", "object"), &kinds, params)
        }
        "statefulset-volumeclaimtemplate-annotation" => {
            let place = ("annotation", "volumeClaimTemplates");
            metadata(draft, "required", place, &["StatefulSet"], params);
        }
        "minimum-replicas" | "hpa-minimum-replicas" => {
            let least = text("minReplicas").unwrap_or("2".into());
            draft.parameter("single-replica", "minimum", least.into_owned());
            draft.parameter("single-replica", "without-service", "true".into());
        }
        "forbidden-service-types" => {
            for name in list("forbiddenServiceTypes") {
                draft.item("exposed-node-port", "types", &quoted(name));
            }
        }
        "priority-class-name" => {
            for name in list("acceptedPriorityClassNames").into_iter().filter(|it| !it.is_empty()) {
                draft.item("priority-class-not-set", "allowed", &quoted(name));
            }
        }
        "image-pull-policy" => draft.switch_on("template: image-pull-policy"),
        _ => match of_template(template) {
            Some(check) if params.is_none_or(|it| it.count() == 0) => draft.switch_on(check),
            Some(check) => {
                draft.switch_on(check);
                draft.has_no_equal(
                    format!("the parameters of `{name}`"),
                    format!("what covers `{check}` is on, as purlin judges it"),
                );
            }
            None => draft.has_no_equal(
                format!("`{name}`"),
                format!("no rule has the parameters of the template `{template}`"),
            ),
        },
    }
}

fn metadata(
    draft: &mut Draft,
    list: &'static str,
    (what, at): (&str, &str),
    kinds: &[&str],
    params: Option<Node<'_>>,
) {
    let text = |key: &str| params.and_then(|it| it.get(key)).and_then(Node::scalar);
    let Some(key) = text("key") else { return };
    if key.contains(['*', '^', '$', '(', '[', '+', '|']) || key.starts_with('!') {
        let why = "`metadata-missing` names the key itself, and no pattern of keys";
        return draft.has_no_equal(format!("the key `{key}`"), why);
    }
    let mut item = String::new();
    if !kinds.is_empty() {
        item.push_str(&format!("kinds: [{}], ", kinds.join(", ")));
    }
    item.push_str(&format!("{what}: {}", quoted(&key)));
    match text("value") {
        Some(value) if value.starts_with('!') => {
            draft.has_no_equal(
                format!("the value `{value}` of `{key}`"),
                "a pattern cannot be negated",
            );
        }
        // Its patterns match anywhere in the value.
        Some(value) if !value.is_empty() => {
            let whole = value.strip_prefix('^').map_or(format!(".*(?:{value})"), String::from);
            let whole = match whole.strip_suffix('$') {
                Some(it) => it.to_string(),
                None => format!("(?:{whole}).*"),
            };
            item.push_str(&format!(", matches: {}", quoted(&whole)));
        }
        _ => {}
    }
    if at != "object" {
        item.push_str(&format!(", at: {at}"));
    }
    draft.item("metadata-missing", list, &format!("{{{item}}}"));
}

/// The kinds that a check of one's own is for; none for any.
fn kinds<'d>(check: Node<'d>) -> Vec<&'d str> {
    let scope = check.get("scope").into_iter();
    let named: Vec<_> = scope.flat_map(|it| it.list("objectKinds")).filter_map(Node::str).collect();
    let mut kinds = Vec::new();
    for name in named {
        match name {
            "Any" => return Vec::new(),
            "DeploymentLike" => kinds.extend(DEPLOYMENT_LIKE),
            name => kinds.push(name),
        }
    }
    kinds
}

/// The check of its own that is made of a template, where a rule covers it.
fn of_template(template: &str) -> Option<&'static str> {
    let named = match template {
        "anti-affinity" => "no-anti-affinity",
        "cpu-requirements" => "unset-cpu-requirements",
        "disallowed-api-obj" => "no-extensions-v1beta",
        "env-var" => "env-var-secret",
        "host-mounts" => "sensitive-host-mounts",
        "liveness-probe" => "no-liveness-probe",
        "memory-requirements" => "unset-memory-requirements",
        "ports" => "ssh-port",
        "privileged" => "privileged-container",
        "readiness-probe" => "no-readiness-probe",
        "read-only-root-fs" => "no-read-only-root-fs",
        "service-account" => "default-service-account",
        "target-port" => "invalid-target-ports",
        "update-configuration" => "no-rolling-update-strategy",
        "verify-container-capabilities" => "drop-net-raw-capability",
        other => other,
    };
    all().into_iter().find(|it| *it == named && !rules_of(TOOL, it).is_empty())
}
