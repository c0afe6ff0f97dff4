//! Containers that may take all memory of their node.

use super::super::pods;
use super::requests_missing::{LIMITS, report};
use crate::api::kind::Kind;
use crate::rule::{Admission, Check, Cx, Group, Out, Parameter, Preset, Rule, Severity};

/// The rule.
pub(super) static RULE: Rule = Rule {
    id: "limits-missing",
    title: "a container has no memory limit",
    severity: Severity::Warning,
    group: Group::Object,
    admission: Admission::Warn,
    presets: &[Preset::Recommended],
    reads: &[Kind::LimitRange],
    like: &[
        "kube-linter:unset-memory-requirements",
        "kube-score:container-resources",
        "polaris:cpuLimitsMissing",
        "polaris:memoryLimitsMissing",
        "popeye:107",
        "kyverno:require-cpu-limits",
    ],
    parameters: &[
        pods::NAMESPACES,
        Parameter {
            name: "resources",
            about: "what containers have to be limited to",
            default: &["memory"],
        },
    ],
    page: include_str!("limits_missing.md"),
    reads_images: None,
    checks: &[Check::World(check)],
};

fn check(cx: &Cx<'_, '_>, out: &mut Out) {
    report(cx, out, LIMITS, |finding| {
        finding
            .note("a leak takes the memory of the whole node, and the kernel picks which of its pods dies")
            .help("set `resources.limits.memory` to the most that the container may use")
    });
}
