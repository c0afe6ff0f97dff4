//! Pods that run as the account that every namespace has, with its token.

use crate::analyze::access::account;
use crate::analyze::access::tokens::mounts_token;
use crate::analyze::selection::workloads::Workload;
use crate::api::kind::Kind;
use crate::rule::{Admission, Check, Cx, Finding, Group, Out, Preset, Rule, Severity};
use crate::rules::judged::NAMESPACES;

/// The rule.
pub(super) static RULE: Rule = Rule {
    id: "default-service-account-used",
    title: "a pod runs as the ServiceAccount `default` and mounts its token",
    severity: Severity::Note,
    group: Group::Access,
    admission: Admission::Warn,
    presets: &[Preset::Strict],
    reads: &[Kind::ServiceAccount],
    like: &["kube-linter:default-service-account", "popeye:300"],
    parameters: &[NAMESPACES],
    page: include_str!("default_service_account_used.md"),
    reads_images: None,
    checks: &[Check::World(check)],
};

fn check(cx: &Cx<'_, '_>, out: &mut Out) {
    for workload in cx.facts.workloads().iter() {
        let is_default = account(workload) == "default";
        let is_judged = is_default && cx.is_judged(cx.object(workload.object));
        if is_judged && mounts_token(cx.model, workload) == Some(true) {
            out.find(finding(cx, workload));
        }
    }
}

fn finding(cx: &Cx<'_, '_>, workload: &Workload<'_>) -> Finding {
    let object = cx.object(workload.object);
    let message = format!("`{object}` runs as ServiceAccount `default` and mounts its token");
    let written = ["serviceAccountName", "serviceAccount"].map(|it| workload.pod.get(it));
    let (place, text) = match written.into_iter().flatten().next() {
        Some(it) => (object.place(it), "the account of all pods that name none"),
        None => (object.at(&workload.pod_path("")), "no `serviceAccountName` here"),
    };
    Finding::new(message, place, text)
        .note("the API server cannot tell it from the other pods of the namespace that name no account")
        .help("name an account of its own in `serviceAccountName`, or set `automountServiceAccountToken: false`")
}
