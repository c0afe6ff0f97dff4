//! Containers without a liveness probe.

use super::super::pods;
use crate::analyze::security::pod::Fault;
use crate::analyze::selection::workloads::Workload;
use crate::api::kind::Kind;
use crate::rule::{Admission, Check, Cx, Group, Out, Preset, Rule, Severity};

/// The rule.
pub(super) static RULE: Rule = Rule {
    id: "liveness-probe-missing",
    title: "a container that hangs is not restarted",
    severity: Severity::Note,
    group: Group::Object,
    admission: Admission::Warn,
    presets: &[Preset::Strict],
    reads: &[],
    like: &[
        "kube-linter:no-liveness-probe",
        "polaris:livenessProbeMissing",
        "popeye:102",
        "popeye:103",
    ],
    parameters: &[pods::NAMESPACES],
    page: include_str!("liveness_probe_missing.md"),
    reads_images: None,
    checks: &[Check::Workload(workload)],
};

fn workload(cx: &Cx<'_, '_>, workload: &Workload<'_>, out: &mut Out) {
    if !matches!(workload.kind, Kind::Deployment | Kind::StatefulSet | Kind::DaemonSet) {
        return;
    }
    let containers = workload.pod.list("containers");
    let lacking = containers.filter(|it| it.get("livenessProbe").is_none());
    let faults = lacking.map(|it| Fault::lack(it, "livenessProbe", "no `livenessProbe`"));
    let faults = pods::judged(cx, workload, faults.collect());
    if !faults.is_empty() {
        let does = ["is not restarted when it hangs", "are not restarted when they hang"];
        let finding = pods::finding(cx, workload, &faults, does);
        out.find(
            finding
                .note("the kubelet restarts what exits; a process that runs and does nothing stays")
                .help("add a `livenessProbe` that fails only where a restart helps"),
        );
    }
}
