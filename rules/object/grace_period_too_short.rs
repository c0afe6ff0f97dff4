//! Pods that are killed while their preStop hook waits.

use super::super::pods;
use crate::analyze::security::pod::Fault;
use crate::analyze::selection::workloads::Workload;
use crate::api::kind::Kind;
use crate::rule::{Admission, Check, Cx, Group, Out, Preset, Rule, Severity};
use crate::text::tree::Node;

/// The rule.
pub(super) static RULE: Rule = Rule {
    id: "grace-period-too-short",
    title: "a pod is killed before it has stopped",
    severity: Severity::Warning,
    group: Group::Object,
    admission: Admission::Warn,
    presets: &[Preset::Recommended],
    reads: &[],
    like: &[],
    parameters: &[pods::NAMESPACES],
    page: include_str!("grace_period_too_short.md"),
    reads_images: None,
    checks: &[Check::Workload(workload)],
};

fn workload(cx: &Cx<'_, '_>, workload: &Workload<'_>, out: &mut Out) {
    let grace = workload.pod.get(FIELD);
    let seconds = grace.and_then(Node::int).unwrap_or(DEFAULT);
    let mut faults: Vec<Fault<'_>> =
        pods::lasting(workload).flat_map(|it| cut_short(it, seconds)).collect();
    let is_stateful = workload.kind == Kind::StatefulSet
        && cx.object(workload.object).field(&["spec", "volumeClaimTemplates"]).is_some();
    if let Some(node) = grace.filter(|_| is_stateful && seconds == 0) {
        let text = "killed at once, with its volumes open".into();
        faults.push(Fault { container: None, node, missing: "", text });
    }
    let faults = pods::judged(cx, workload, faults);
    if !faults.is_empty() {
        let does = ["is killed before it has stopped", "are killed before they have stopped"];
        let finding = pods::finding(cx, workload, &faults, does);
        out.find(
            finding
                .note("the grace period starts with the preStop hook, and what is left of it after that is the time that the process has to end")
                .help(format!("set `{FIELD}` to the length of the hook and the time that the process takes to end, together")),
        );
    }
}

const FIELD: &str = "terminationGracePeriodSeconds";

/// `pkg/apis/core/v1/defaults.go`, SetDefaults_PodSpec.
const DEFAULT: i64 = 30;

/// The hook of a container that takes all of a grace period: the pod's, or that of a probe, which counts where the probe
/// kills it.
fn cut_short<'d>(container: Node<'d>, seconds: i64) -> Vec<Fault<'d>> {
    let Some(hook) = container.at(&["lifecycle", "preStop"]) else { return Vec::new() };
    let Some((sleep, node)) = sleep(hook) else { return Vec::new() };
    let told = |grace: i64| format!("sleeps {sleep} s of {grace} s");
    let of_pod = (sleep >= seconds as f64).then(|| Fault::of(container, node, told(seconds)));
    let probes = ["livenessProbe", "startupProbe"].into_iter().filter_map(|it| container.get(it));
    let of_probes = probes.filter_map(|it| {
        let grace = it.get(FIELD)?;
        let seconds = grace.int()?;
        (sleep >= seconds as f64).then(|| Fault::of(container, grace, told(seconds)))
    });
    of_pod.into_iter().chain(of_probes).collect()
}

/// How long a hook sleeps at least, where it says so in a number.
fn sleep(hook: Node<'_>) -> Option<(f64, Node<'_>)> {
    if let Some(node) = hook.at(&["sleep", "seconds"]) {
        return Some((node.int()? as f64, node));
    }
    let command = hook.get("exec")?.get("command")?;
    let words: Vec<&str> = command
        .items()
        .filter_map(Node::str)
        .flat_map(|it| it.split(|it: char| it.is_whitespace() || matches!(it, ';' | '&' | '|')))
        .filter(|it| !it.is_empty())
        .collect();
    let pairs =
        words.windows(2).filter(|it| matches!(it[0], "sleep" | "/bin/sleep" | "/usr/bin/sleep"));
    let longest = pairs.filter_map(|it| duration(it[1])).fold(0.0, f64::max);
    (longest > 0.0).then_some((longest, command))
}

/// `20`, `20s`, `1.5m`.
fn duration(text: &str) -> Option<f64> {
    let (number, unit) = match text.strip_suffix(['s', 'm', 'h']) {
        Some(number) => (number, &text[number.len()..]),
        None => (text, "s"),
    };
    let factor = match unit {
        "m" => 60.0,
        "h" => 3600.0,
        _ => 1.0,
    };
    let number: f64 = number.parse().ok()?;
    number.is_finite().then_some(number * factor)
}
