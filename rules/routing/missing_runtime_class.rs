//! Runtime classes that pods name and the cluster lacks.

use crate::api::kind::Kind;
use crate::rule::{Admission, Check, Cx, Group, Out, Preset, Rule, Severity};
use crate::rules::missing;

/// The rule.
pub(super) static RULE: Rule = Rule {
    id: "missing-runtime-class",
    title: "a pod names a RuntimeClass that is not there",
    severity: Severity::Error,
    group: Group::Routing,
    admission: Admission::Warn,
    presets: &[Preset::Invariants],
    reads: &[Kind::RuntimeClass],
    like: &[],
    parameters: &[],
    page: include_str!("missing_runtime_class.md"),
    reads_images: None,
    checks: &[Check::World(check)],
};

fn check(cx: &Cx<'_, '_>, out: &mut Out) {
    missing::report(
        cx,
        out,
        Kind::RuntimeClass,
        |_| "the API server refuses every pod: the workload is accepted and never gets one",
    );
}
