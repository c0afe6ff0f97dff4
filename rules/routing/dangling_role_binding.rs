//! Role bindings whose role or service account does not exist.

use crate::absence::Absence;
use crate::api::kind::Kind;
use crate::model::Object;
use crate::rule::{Admission, Check, Cx, Finding, Group, Out, Rule, Severity};
use crate::text::tree::Node;

/// The rule.
pub(super) static RULE: Rule = Rule {
    id: "dangling-role-binding",
    title: "a binding names a role or service account that is not there",
    severity: Severity::Error,
    group: Group::Routing,
    admission: Admission::Warn,
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
    reads_images: false,
    checks: &[Check::World(check)],
};

/// Every cluster has these, and all that begin with `system:`.
const BUILT_IN: [&str; 4] = ["admin", "cluster-admin", "edit", "view"];

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
        Some("Role") if object.namespace == "kube-system" && is_of_the_api_server(role) => return,
        Some("Role") => (Kind::Role, object.namespace),
        Some("ClusterRole") if BUILT_IN.contains(&role) || role.starts_with("system:") => return,
        Some("ClusterRole") => (Kind::ClusterRole, ""),
        _ => return,
    };
    missing(cx, object, name, (kind, namespace, role), out);
}

/// Roles that the API server makes in `kube-system` (`plugin/pkg/auth/authorizer/rbac/bootstrappolicy/namespace_policy.go`).
fn is_of_the_api_server(role: &str) -> bool {
    role.starts_with("system:") || role == "extension-apiserver-authentication-reader"
}

fn service_account(cx: &Cx<'_, '_>, object: &Object<'_>, subject: Node<'_>, out: &mut Out) {
    let Some(name) = subject.get("name") else { return };
    let account = name.str().unwrap_or_default();
    let namespace = subject.text("namespace").unwrap_or(object.namespace);
    // Every namespace has one.
    if account != "default" {
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
    match cx.absence_of(kind, namespace, name) {
        Absence::Elsewhere => {}
        Absence::CannotTell(missing) => out.cannot_tell(object, missing),
        Absence::Absent => {
            let place = if namespace.is_empty() { String::new() } else { format!("{namespace}/") };
            let message =
                format!("`{object}` names `{}/{place}{name}`, which does not exist", kind.name());
            out.find(
                Finding::new(message, object.place(node), format!("no such {}", kind.name()))
                    .note("the API server accepts such a binding, and it grants nothing")
                    .help("correct the name or namespace, or remove it: whoever creates that name later gets the rights"),
            );
        }
    }
}
