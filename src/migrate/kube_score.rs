//! The flags of `kube-score score`, which has no configuration file.
//!
//! `zegl/kube-score`, cmd/kube-score/main.go.

use super::draft::Draft;

const TOOL: &str = "kube-score";

/// Flags that say how it prints and ends.
const OF_OUTPUT: [&str; 8] = [
    "color",
    "exit-one-on-warning",
    "help",
    "output-format",
    "output-version",
    "verbose",
    "o",
    "v",
];

/// Flags without a value.
const SWITCHES: [&str; 9] = [
    "all-default-optional",
    "disable-ignore-checks-annotations",
    "disable-optional-checks-annotations",
    "exit-one-on-warning",
    "help",
    "ignore-container-cpu-limit",
    "ignore-container-memory-limit",
    "v",
    "verbose",
];

/// The checks that are off where no flag asks for them.
const OPTIONAL: [&str; 6] = [
    "container-cpu-requests-equal-limits",
    "container-ephemeral-storage-request-equals-limit",
    "container-memory-requests-equal-limits",
    "container-ports-check",
    "container-resource-requests-equal-limits",
    "container-seccomp-profile",
];

/// The policy that says the same as these flags.
pub fn of_flags(arguments: &[String]) -> Draft {
    let mut draft = Draft::new(TOOL);
    let flags = flags(arguments);
    let has = |name: &str| flags.iter().any(|it| it.0 == name && it.1 != Some("false"));
    let on = |(name, value): &(&str, Option<&str>)| match (*name, *value) {
        ("enable-optional-test", Some(tests)) => tests.split(',').map(String::from).collect(),
        ("all-default-optional", value) if value != Some("false") => {
            OPTIONAL.iter().map(|it| (*it).to_string()).collect()
        }
        _ => Vec::new(),
    };
    flags.iter().flat_map(on).for_each(|it| draft.switch_on(&it));
    for (name, value) in &flags {
        flag(&mut draft, name, *value);
    }
    match (has("ignore-container-cpu-limit"), has("ignore-container-memory-limit")) {
        (true, true) => draft.off("limits-missing"),
        (true, false) => draft.parameter("limits-missing", "resources", "[memory]".into()),
        (false, true) => draft.parameter("limits-missing", "resources", "[cpu]".into()),
        (false, false) => {}
    }
    draft
}

fn flag(draft: &mut Draft, name: &str, value: Option<&str>) {
    let value = value.unwrap_or_default();
    match name {
        "ignore-test" => value.split(',').for_each(|it| draft.switch_off(it)),
        "kubernetes-version" => draft.kubernetes_version(value),
        "min-replicas-deployment" | "min-replicas-hpa" => {
            draft.parameter("single-replica", "minimum", value.into());
        }
        "disable-ignore-checks-annotations" | "disable-optional-checks-annotations" => {
            draft.has_no_equal(
                format!("`--{name}`"),
                "annotations count in a check of files; at admission `admission.annotations: none` leaves them aside",
            );
        }
        "enable-optional-test"
        | "all-default-optional"
        | "ignore-container-cpu-limit"
        | "ignore-container-memory-limit" => {}
        _ if OF_OUTPUT.contains(&name) => {}
        _ => draft.has_no_equal(format!("`--{name}`"), "purlin knows no such flag of kube-score"),
    }
}

/// The flags and their values; what is no flag is a file.
fn flags(arguments: &[String]) -> Vec<(&str, Option<&str>)> {
    let mut flags = Vec::new();
    let mut rest = arguments.iter().peekable();
    while let Some(argument) = rest.next() {
        let Some(flag) = argument.strip_prefix('-') else { continue };
        let flag = flag.strip_prefix('-').unwrap_or(flag);
        match flag.split_once('=') {
            Some((name, value)) => flags.push((name, Some(value))),
            None if SWITCHES.contains(&flag) || flag.is_empty() => flags.push((flag, None)),
            None => flags.push((flag, rest.next().map(String::as_str))),
        }
    }
    flags.retain(|it| !it.0.is_empty());
    flags
}
