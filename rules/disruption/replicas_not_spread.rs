//! Workloads with several replicas that may all land on one node.

use super::pdb_missing::may_go_to_nothing;
use crate::analyze::capacity::replicas::pods_of;
use crate::analyze::disruption::spread::{takes_host_port, terms};
use crate::api::kind::Kind;
use crate::rule::{Admission, Check, Cx, Finding, Group, Out, Preset, Rule, Severity};

/// The rule.
pub(super) static RULE: Rule = Rule {
    id: "replicas-not-spread",
    title: "nothing keeps the replicas of a workload on different nodes",
    severity: Severity::Warning,
    group: Group::Disruption,
    admission: Admission::Warn,
    presets: &[Preset::Invariants],
    reads: &[Kind::HorizontalPodAutoscaler, Kind::ScaledObject, Kind::Service],
    like: &[
        "kube-linter:no-anti-affinity",
        "kube-score:deployment-has-host-podantiaffinity",
        "kube-score:statefulset-has-host-podantiaffinity",
        "polaris:topologySpreadConstraint",
    ],
    parameters: &[],
    page: include_str!("replicas_not_spread.md"),
    reads_images: None,
    checks: &[Check::World(check)],
};

fn check(cx: &Cx<'_, '_>, out: &mut Out) {
    for workload in cx.facts.workloads().iter() {
        // Pods of Jobs come and go, and a DaemonSet has one a node.
        if matches!(workload.kind, Kind::Job | Kind::CronJob | Kind::DaemonSet | Kind::Pod) {
            continue;
        }
        let Some(peak) =
            cx.facts.envelope(workload.id).map(|it| it.peak).filter(|it| it.count >= 2)
        else {
            continue;
        };
        if may_go_to_nothing(cx, workload) {
            continue;
        }
        let terms = terms(workload);
        if takes_host_port(workload) || terms.iter().any(|it| it.keeps_own_apart(workload)) {
            continue;
        }
        let object = cx.object(workload.object);
        let message =
            format!("nothing keeps the {} pods of `{object}` on different nodes", peak.count);
        let path = workload.pod_path("topologySpreadConstraints");
        let mut finding =
            Finding::new(message, object.at(&path), "no anti-affinity or spread for its own pods")
                .label(
                    peak.place(cx.model),
                    format!("at most {}: {}", pods_of(peak.count), peak.describe()),
                );
        for term in terms.iter().take(3) {
            finding = finding.label(object.place(term.node), "this does not keep them apart");
        }
        let label = workload
            .labels
            .written
            .first()
            .map_or("app: …".to_string(), |(key, value)| format!("{key}: {value}"));
        out.find(
            finding
                .note("the scheduler prefers different nodes by itself, but promises nothing: one node may hold them all and take them all down")
                .help(format!(
                    "add a topology spread constraint over `kubernetes.io/hostname` with `whenUnsatisfiable: ScheduleAnyway` and `labelSelector: {{matchLabels: {{{label}}}}}`, or a preferred anti-affinity"
                )),
        );
    }
}
