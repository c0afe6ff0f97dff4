//! Bindings that give rights to everybody.

use crate::analyze::access::FOR_EVERYONE;
use crate::analyze::access::subjects::{Subject, Who};
use crate::api::kind::Kind;
use crate::rule::{Admission, Check, Cx, Finding, Group, Out, Preset, Rule, Severity};
use crate::rules::grants;
use crate::rules::judged::NAMESPACES;

/// The rule.
pub(super) static RULE: Rule = Rule {
    id: "access-for-everyone",
    title: "a binding gives rights to everybody who reaches the API server",
    severity: Severity::Error,
    group: Group::Access,
    admission: Admission::Deny,
    presets: &[Preset::Invariants],
    reads: &[Kind::RoleBinding, Kind::ClusterRoleBinding],
    like: &[
        "gatekeeper:disallowanonymous",
        "kubescape:anonymous-access-enabled",
        "kyverno:restrict-binding-system-groups",
    ],
    parameters: &[NAMESPACES],
    page: include_str!("access_for_everyone.md"),
    reads_images: None,
    checks: &[Check::World(check)],
};

fn check(cx: &Cx<'_, '_>, out: &mut Out) {
    for binding in cx.facts.access().bindings() {
        let object = cx.object(binding.object);
        if !grants::is_judged(cx, object) || FOR_EVERYONE.contains(&binding.role_name) {
            continue;
        }
        let mut everybody = binding.subjects.iter().filter_map(|it| Some((it, who(it)?)));
        let Some((first, (name, meaning))) = everybody.next() else { continue };
        let role = binding.role_name;
        let message = format!("`{object}` gives {name} the rights of `{role}`");
        let mut finding = Finding::new(message, object.place(first.node), meaning)
            .label(object.at("roleRef"), "these rights");
        for (subject, (_, meaning)) in everybody {
            finding = finding.label(object.place(subject.node), meaning);
        }
        out.find(finding.help("name the accounts, users or groups that need it"));
    }
}

fn who(subject: &Subject<'_>) -> Option<(&'static str, &'static str)> {
    match subject.who {
        Who::Anonymous => {
            Some(("everybody", "whoever reaches the API server, without a credential"))
        }
        Who::Authenticated => Some((
            "everybody with a credential",
            "every user, every node and the pods of every namespace",
        )),
        _ => None,
    }
}
