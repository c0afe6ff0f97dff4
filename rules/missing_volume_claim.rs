//! Claims that pods mount and the namespace lacks.

use crate::missing;
use crate::model::kind::Kind;
use crate::rule::{Admission, Cx, Group, Out, Rule, Severity};

/// The rule.
pub(super) static RULE: Rule = Rule {
    id: "missing-volume-claim",
    title: "a pod mounts a PersistentVolumeClaim that is not there",
    severity: Severity::Error,
    group: Group::Routing,
    admission: Admission::Warn,
    reads: &[Kind::PersistentVolumeClaim, Kind::StatefulSet],
    like: &[],
    parameters: &[],
    page: include_str!("missing_volume_claim.md"),
    check,
};

fn check(cx: &Cx<'_, '_>, out: &mut Out) {
    missing::report(
        cx,
        out,
        Kind::PersistentVolumeClaim,
        |_| "the scheduler leaves the pod Pending until the claim is there",
    );
}
