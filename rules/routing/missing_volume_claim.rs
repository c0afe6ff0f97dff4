//! Claims that pods mount and the namespace lacks.

use crate::api::kind::Kind;
use crate::rule::{Admission, Check, Cx, Group, Out, Preset, Rule, Severity};
use crate::rules::missing;

/// The rule.
pub(super) static RULE: Rule = Rule {
    id: "missing-volume-claim",
    title: "a pod mounts a PersistentVolumeClaim that is not there",
    severity: Severity::Error,
    group: Group::Routing,
    admission: Admission::Warn,
    presets: &[Preset::Invariants],
    reads: &[Kind::PersistentVolumeClaim, Kind::StatefulSet],
    like: &[],
    parameters: &[],
    page: include_str!("missing_volume_claim.md"),
    reads_images: None,
    checks: &[Check::World(check)],
};

fn check(cx: &Cx<'_, '_>, out: &mut Out) {
    missing::report(
        cx,
        out,
        Kind::PersistentVolumeClaim,
        |_| "the scheduler leaves the pod Pending until the claim is there",
    );
}
