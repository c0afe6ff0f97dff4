//! Role bindings whose role or service account does not exist.

use crate::absence::Wanted;
use crate::api::kind::Kind;
use crate::model::Object;
use crate::rule::{Admission, Check, Cx, Finding, Group, Out, Preset, Rule, Severity};
use crate::text::tree::Node;

/// The rule.
pub(super) static RULE: Rule = Rule {
    id: "dangling-role-binding",
    title: "a binding names a role or service account that is not there",
    severity: Severity::Error,
    group: Group::Routing,
    admission: Admission::Warn,
    presets: &[Preset::Invariants],
    reads: &[
        Kind::RoleBinding,
        Kind::ClusterRoleBinding,
        Kind::Role,
        Kind::ClusterRole,
        Kind::ServiceAccount,
    ],
    like: &["kube-linter:non-existent-service-account"],
    parameters: &[],
    page: include_str!("dangling_role_binding.md"),
    reads_images: None,
    checks: &[Check::World(check)],
};

fn check(cx: &Cx<'_, '_>, out: &mut Out) {
    for kind in [Kind::RoleBinding, Kind::ClusterRoleBinding] {
        for object in cx.model.of_kind(kind) {
            role(cx, object, out);
            for subject in
                object.root.list("subjects").filter(|it| it.text("kind") == Some("ServiceAccount"))
            {
                service_account(cx, object, subject, out);
            }
        }
    }
}

fn role(cx: &Cx<'_, '_>, object: &Object<'_>, out: &mut Out) {
    let Some(name) = object.field(&["roleRef", "name"]) else { return };
    let role = name.str().unwrap_or_default();
    let (kind, namespace) = match object.field(&["roleRef", "kind"]).and_then(Node::str) {
        Some("Role") => (Kind::Role, object.namespace),
        Some("ClusterRole") => (Kind::ClusterRole, ""),
        _ => return,
    };
    missing(cx, object, name, (kind, namespace, role), out);
}

fn service_account(cx: &Cx<'_, '_>, object: &Object<'_>, subject: Node<'_>, out: &mut Out) {
    let Some(name) = subject.get("name") else { return };
    let account = name.str().unwrap_or_default();
    let namespace = subject.text("namespace").unwrap_or(object.namespace);
    // Without a namespace it is none of a binding for the cluster, and the API server refuses that.
    if !namespace.is_empty() {
        missing(cx, object, name, (Kind::ServiceAccount, namespace, account), out);
    }
}

fn missing(
    cx: &Cx<'_, '_>,
    object: &Object<'_>,
    node: Node<'_>,
    wanted: (Kind, &str, &str),
    out: &mut Out,
) {
    let (kind, namespace, name) = wanted;
    if cx.model.find(kind, namespace, name).is_some() {
        return;
    }
    out.report_absent(object, cx.absence_of(Wanted::object(kind, namespace, name)), || {
        let place = if namespace.is_empty() { String::new() } else { format!("{namespace}/") };
        let message =
            format!("`{object}` names `{}/{place}{name}`, which does not exist", kind.name());
        Finding::new(message, object.place(node), format!("no such {}", kind.name()))
            .note("the API server accepts such a binding, and it grants nothing")
            .help("correct the name or namespace, or remove it: whoever creates that name later gets the rights")
    });
}
