//! ServiceAccounts that pods run as and the namespace lacks.

use crate::analyze::references::named::{Reference, Use};
use crate::api::kind::Kind;
use crate::rule::{Admission, Check, Cx, Group, Out, Preset, Rule, Severity};
use crate::rules::missing;

/// The rule.
pub(super) static RULE: Rule = Rule {
    id: "missing-service-account",
    title: "a pod runs as a ServiceAccount that is not there",
    severity: Severity::Error,
    group: Group::Routing,
    admission: Admission::Warn,
    presets: &[Preset::Invariants],
    reads: &[Kind::Secret, Kind::ServiceAccount],
    like: &["kube-linter:non-existent-service-account"],
    parameters: &[],
    page: include_str!("missing_service_account.md"),
    reads_images: None,
    checks: &[Check::World(check)],
};

fn check(cx: &Cx<'_, '_>, out: &mut Out) {
    missing::report(cx, out, Kind::ServiceAccount, consequence);
}

fn consequence(it: &Reference<'_>) -> &'static str {
    match it.purpose {
        Use::Field("serviceAccountName" | "serviceAccount") => {
            "the API server refuses every pod: the workload is accepted and never gets one"
        }
        _ => "the token controller deletes a token Secret whose ServiceAccount is not there",
    }
}
