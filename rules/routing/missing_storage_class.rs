//! Storage classes that claims ask for and the cluster lacks.

use crate::api::kind::Kind;
use crate::rule::{Admission, Check, Cx, Group, Out, Preset, Rule, Severity};
use crate::rules::missing;

/// The rule.
pub(super) static RULE: Rule = Rule {
    id: "missing-storage-class",
    title: "a claim asks for a StorageClass that is not there",
    severity: Severity::Error,
    group: Group::Routing,
    admission: Admission::Warn,
    presets: &[Preset::Invariants],
    reads: &[
        Kind::StorageClass,
        Kind::PersistentVolumeClaim,
        Kind::PersistentVolume,
        Kind::StatefulSet,
    ],
    like: &[],
    parameters: &[],
    page: include_str!("missing_storage_class.md"),
    reads_images: None,
    checks: &[Check::World(check)],
};

fn check(cx: &Cx<'_, '_>, out: &mut Out) {
    missing::report(
        cx,
        out,
        Kind::StorageClass,
        |_| "the claim stays Pending, and with it every pod that mounts it",
    );
}
