//! Ingress classes that Ingresses name and the cluster lacks.

use crate::api::kind::Kind;
use crate::rule::{Admission, Check, Cx, Group, Out, Preset, Rule, Severity};
use crate::rules::missing;

/// The rule.
pub(super) static RULE: Rule = Rule {
    id: "missing-ingress-class",
    title: "an Ingress names an IngressClass that is not there",
    severity: Severity::Error,
    group: Group::Routing,
    admission: Admission::Warn,
    presets: &[Preset::Invariants],
    reads: &[Kind::IngressClass, Kind::Ingress],
    like: &[],
    parameters: &[],
    page: include_str!("missing_ingress_class.md"),
    reads_images: None,
    checks: &[Check::World(check)],
};

fn check(cx: &Cx<'_, '_>, out: &mut Out) {
    missing::report(
        cx,
        out,
        Kind::IngressClass,
        |_| "no controller takes the Ingress: it never gets an address",
    );
}
