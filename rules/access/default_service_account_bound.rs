//! Bindings that give rights to the account of pods that name none, or to all accounts.

use crate::analyze::access::FOR_EVERYONE;
use crate::analyze::access::subjects::Who;
use crate::api::kind::Kind;
use crate::rule::{Admission, Check, Cx, Finding, Group, Out, Preset, Rule, Severity};
use crate::rules::grants;
use crate::rules::judged::NAMESPACES;

/// The rule.
pub(super) static RULE: Rule = Rule {
    id: "default-service-account-bound",
    title: "a binding gives rights to every pod that names no account",
    severity: Severity::Warning,
    group: Group::Access,
    admission: Admission::Deny,
    presets: &[Preset::Recommended],
    reads: &[Kind::RoleBinding, Kind::ClusterRoleBinding],
    like: &["kubescape:ensure-default-service-accounts-has-only-default-roles", "popeye:308"],
    parameters: &[NAMESPACES],
    page: include_str!("default_service_account_bound.md"),
    reads_images: None,
    checks: &[Check::World(check)],
};

fn check(cx: &Cx<'_, '_>, out: &mut Out) {
    for binding in cx.facts.access().bindings() {
        let object = cx.object(binding.object);
        if !grants::is_judged(cx, object) || FOR_EVERYONE.contains(&binding.role_name) {
            continue;
        }
        let whom = |who: Who<'_>| match who {
            Who::Account(namespace, "default") if cx.is_judged_namespace(namespace) => {
                Some(format!("every pod of `{namespace}` that names no account"))
            }
            Who::AccountsOf(namespace) if cx.is_judged_namespace(namespace) => {
                Some(format!("every pod of `{namespace}`"))
            }
            Who::AllAccounts => Some("every pod of the cluster".into()),
            _ => None,
        };
        let mut found = binding.subjects.iter().filter_map(|it| Some((it, whom(it.who)?)));
        let Some((first, pods)) = found.next() else { continue };
        let role = binding.role_name;
        let message = format!("`{object}` gives {pods} the rights of `{role}`");
        let mut finding =
            Finding::new(message, object.place(first.node), "pods get this account unasked")
                .label(object.at("roleRef"), "these rights");
        for (subject, pods) in found {
            finding = finding.label(object.place(subject.node), pods);
        }
        let workloads = cx.facts.access().workloads(first.who);
        if let Some(first) = workloads.first() {
            let workload = cx.object(cx.facts.workloads().get(*first).object);
            let others = match workloads.len() - 1 {
                0 => String::new(),
                more => format!(" and {more} more"),
            };
            finding = finding.note(format!("the pods of `{workload}`{others} get them today"));
        }
        out.find(
            finding.help(
                "make a ServiceAccount for the workload that needs the rights, and bind that",
            ),
        );
    }
}
