//! Vertical autoscalers whose target does not exist.

use super::hpa_target_missing::missing;
use crate::api::kind::Kind;
use crate::rule::{Admission, Check, Cx, Group, Out, Preset, Rule, Severity};

/// The rule.
pub(super) static RULE: Rule = Rule {
    id: "vpa-target-missing",
    title: "a vertical autoscaler's target does not exist",
    severity: Severity::Error,
    group: Group::Scaling,
    admission: Admission::Warn,
    presets: &[Preset::Invariants],
    reads: &[Kind::VerticalPodAutoscaler],
    like: &[],
    parameters: &[],
    page: include_str!("vpa_target_missing.md"),
    reads_images: None,
    checks: &[Check::World(check)],
};

fn check(cx: &Cx<'_, '_>, out: &mut Out) {
    for vertical in cx.facts.verticals().iter().filter(|it| it.target.is_none()) {
        let Some(reference) = vertical.target_ref else { continue };
        let Some(name) = reference.text("name") else { continue };
        missing(
            cx,
            out,
            cx.object(vertical.object),
            (reference, name),
            "sizes",
            "a vertical autoscaler without a target recommends nothing, and says so only in its conditions (ConfigUnsupported)",
        );
    }
}
