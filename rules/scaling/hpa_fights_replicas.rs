//! Manifests that set the replicas which an autoscaler owns.

use crate::analyze::capacity::replicas::Cause;
use crate::api::kind::Kind;
use crate::rule::{Admission, Check, Cx, Finding, Group, Out, Preset, Rule, Severity};

/// The rule.
pub(super) static RULE: Rule = Rule {
    id: "hpa-fights-replicas",
    title: "a manifest sets the replicas that an autoscaler owns",
    severity: Severity::Warning,
    group: Group::Scaling,
    admission: Admission::Warn,
    presets: &[Preset::Invariants],
    reads: &[Kind::HorizontalPodAutoscaler, Kind::ScaledObject],
    like: &["kube-score:deployment-targeted-by-hpa-does-not-have-replicas-configured"],
    parameters: &[],
    page: include_str!("hpa_fights_replicas.md"),
    reads_images: None,
    checks: &[Check::World(check)],
};

fn check(cx: &Cx<'_, '_>, out: &mut Out) {
    for workload in cx.facts.workloads().iter() {
        let Some(scaler) = cx.facts.replicas().scalers_of(workload.id).next() else { continue };
        let object = cx.object(workload.controller);
        let replicas = object.field(&["spec", "replicas"]);
        // Zero switches the autoscaler off, which is meant. In a cluster the field is always set, by the autoscaler.
        let Some((node, count)) = replicas.and_then(|it| Some((it, it.int()?))) else { continue };
        if count == 0 || cx.model.is_live(object) {
            continue;
        }
        let autoscaler = cx.object(scaler.object);
        let range = format!("{} to {}", scaler.floor.count, scaler.peak.count);
        let place = if scaler.floor.cause == Cause::Written { scaler.floor } else { scaler.peak };
        out.find(
            Finding::new(
                format!("`{object}` sets `replicas: {count}`, which `{autoscaler}` owns"),
                object.place(node),
                format!("every apply goes back to {count}"),
            )
            .label(place.place(cx.model), format!("scales it from {range}"))
            .note("an apply under load takes the pods away that the autoscaler has added, until it looks again")
            .help("remove `replicas`; on a running workload first take the field out of what the last apply recorded (`kubectl apply edit-last-applied`), as its removal means 1"),
        );
    }
}
