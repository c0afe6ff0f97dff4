//! Autoscalers whose bounds leave no room, and replicas outside them.

use crate::analyze::capacity::replicas::{Cause, Scaler};
use crate::api::kind::Kind;
use crate::api::version::KubernetesVersion;
use crate::rule::{Admission, Check, Cx, Finding, Group, Out, Preset, Rule, Severity};

/// The rule.
pub(super) static RULE: Rule = Rule {
    id: "hpa-bounds",
    title: "an autoscaler's bounds contradict each other, or the replicas of its target",
    severity: Severity::Error,
    group: Group::Scaling,
    admission: Admission::Deny,
    presets: &[Preset::Invariants],
    reads: &[Kind::HorizontalPodAutoscaler, Kind::ScaledObject],
    like: &["polaris:hpaMaxAvailability"],
    parameters: &[],
    page: include_str!("hpa_bounds.md"),
    reads_images: None,
    checks: &[Check::World(check)],
};

/// Since when autoscalers may scale to nothing.
const SCALES_TO_NOTHING: KubernetesVersion = KubernetesVersion::minor(37);

fn check(cx: &Cx<'_, '_>, out: &mut Out) {
    for scaler in cx.facts.replicas().scalers() {
        let object = cx.object(scaler.object);
        let (floor, peak) = (scaler.floor, scaler.peak);
        if peak.cause == Cause::Default && object.kind == Kind::HorizontalPodAutoscaler {
            // The field is required: that is the schema's business.
            continue;
        }
        if floor.count > peak.count {
            out.find(
                Finding::new(
                    format!(
                        "`{object}` has a minimum above its maximum: {} > {}",
                        floor.count, peak.count
                    ),
                    floor.place(cx.model),
                    floor.describe(),
                )
                .label(peak.place(cx.model), peak.describe())
                .note("it is refused, or makes no autoscaler")
                .help(format!("set {} to at least {}", peak.field(), floor.count)),
            );
            continue;
        }
        if floor.count == peak.count {
            out.find(
                Finding::new(
                    format!(
                        "`{object}` has no room to scale: minimum and maximum are {}",
                        peak.count
                    ),
                    peak.place(cx.model),
                    peak.describe(),
                )
                .label(floor.place(cx.model), floor.describe())
                .severity(Severity::Warning)
                .help(format!(
                    "raise {} above {}, or remove the autoscaler",
                    peak.field(),
                    floor.count
                )),
            );
        }
        if floor.count == 0 && object.kind == Kind::HorizontalPodAutoscaler {
            out.findings.extend(to_nothing(cx, scaler));
        }
        out.findings.extend(outside(cx, scaler));
    }
}

/// A minimum of 0. The gate HPAScaleToZero is on since 1.37, and asks for a metric that is there without pods
/// (`pkg/apis/autoscaling/validation`, minReplicasLowerBound).
fn to_nothing(cx: &Cx<'_, '_>, scaler: &Scaler<'_>) -> Option<Finding> {
    let object = cx.object(scaler.object);
    let mut metrics = object.field(&["spec"])?.list("metrics");
    let is_served = metrics.any(|it| matches!(it.text("type"), Some("Object" | "External")));
    let is_on = cx.kubernetes_version() >= SCALES_TO_NOTHING;
    if is_on && is_served {
        return None;
    }
    let floor = scaler.floor;
    let by = if is_on { "without a metric of type Object or External" } else { "by default" };
    let finding = Finding::new(
        format!("`{object}` has a minimum of 0, which clusters refuse {by}"),
        floor.place(cx.model),
        floor.describe(),
    );
    let note = "it takes the feature gate HPAScaleToZero, which is on since 1.37, and a metric of type Object or External";
    let severity = if is_on { Severity::Error } else { Severity::Warning };
    let finding = finding.severity(severity).note(note);
    Some(finding.help("set `minReplicas: 1`, or scale with KEDA"))
}

/// Replicas that the manifest sets and the autoscaler changes at once.
fn outside(cx: &Cx<'_, '_>, scaler: &Scaler<'_>) -> Option<Finding> {
    let object = cx.object(scaler.object);
    let target = cx.object(cx.facts.workloads().get(scaler.target?).controller);
    let node = target.field(&["spec", "replicas"])?;
    let count = u64::try_from(node.int()?).ok()?;
    let (floor, peak) = (scaler.floor, scaler.peak);
    // Zero switches the autoscaler off.
    if count == 0 || cx.model.is_live(target) || (floor.count..=peak.count).contains(&count) {
        return None;
    }
    let (bound, what) =
        if count < floor.count { (floor, "raises it") } else { (peak, "lowers it") };
    Some(
        Finding::new(
            format!(
                "`{target}` sets `replicas: {count}`, outside the {} to {} of `{object}`",
                floor.count, peak.count
            ),
            target.place(node),
            format!("the autoscaler {what} to {} at once", bound.count),
        )
        .label(bound.place(cx.model), bound.describe())
        .help("remove `replicas` and let the autoscaler set it; if the number is meant, change the bounds"),
    )
}
