//! Bindings whose role lets somebody read Secrets.

use crate::rule::{Admission, Check, Cx, Group, Out, Preset, Rule, Severity};
use crate::rules::grants::{self, Grant, Hit, Lives, Power};
use crate::rules::judged::NAMESPACES;

/// The rule.
pub(super) static RULE: Rule = Rule {
    id: "access-to-secrets",
    title: "a binding lets somebody read Secrets",
    severity: Severity::Warning,
    group: Group::Access,
    admission: Admission::Warn,
    presets: &[Preset::Recommended],
    reads: grants::READS,
    like: &["kube-linter:access-to-secrets", "kyverno:restrict-secret-role-verbs"],
    parameters: &[NAMESPACES],
    page: include_str!("access_to_secrets.md"),
    reads_images: None,
    checks: &[Check::World(check)],
};

const POWERS: &[Power] = &[Power {
    verbs: &["get", "list", "watch"],
    group: "",
    resource: "secrets",
    lives: Lives::InNamespaces,
    leads: "a list of Secrets has their contents, so `list` and `watch` read them all",
}];

fn check(cx: &Cx<'_, '_>, out: &mut Out) {
    for grant in grants::grants(cx) {
        let hits = grant.hits(POWERS);
        let finding = grants::report(cx, grant, &hits, severity(grant, &hits));
        out.findings.extend(finding.map(|it| {
            it.help("name the Secrets that are needed in `resourceNames` and allow `get` alone, or mount them")
        }));
    }
}

/// Who lists the Secrets of the cluster has the tokens and passwords of everybody in it.
fn severity(grant: Grant<'_, '_>, hits: &[Hit<'_, '_>]) -> Severity {
    let lists_all =
        |it: &Hit<'_, '_>| it.rule.names.is_empty() && it.verbs.iter().any(|it| *it != "get");
    match grant.is_cluster_wide() && hits.iter().any(lists_all) {
        true => Severity::Error,
        false => Severity::Warning,
    }
}
