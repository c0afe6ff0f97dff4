//! ConfigMaps that pods need and the namespace lacks.

use crate::analyze::references::named::{Reference, Use};
use crate::api::kind::Kind;
use crate::rule::{Admission, Check, Cx, Group, Out, Preset, Rule, Severity};
use crate::rules::missing;

/// The rule.
pub(super) static RULE: Rule = Rule {
    id: "missing-config-map",
    title: "a pod needs a ConfigMap that is not there",
    severity: Severity::Error,
    group: Group::Routing,
    admission: Admission::Warn,
    presets: &[Preset::Invariants],
    reads: &[Kind::ConfigMap],
    like: &["kube-linter:env-value-from"],
    parameters: &[],
    page: include_str!("missing_config_map.md"),
    reads_images: None,
    checks: &[Check::World(check)],
};

fn check(cx: &Cx<'_, '_>, out: &mut Out) {
    missing::report(cx, out, Kind::ConfigMap, consequence);
}

fn consequence(it: &Reference<'_>) -> &'static str {
    match it.purpose {
        Use::Variable(..) | Use::Variables(_) => {
            "the container stays in CreateContainerConfigError until it is there"
        }
        _ => "the pod stays in ContainerCreating until it is there: the volume cannot be mounted",
    }
}
