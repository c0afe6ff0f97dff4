//! Roles and their bindings (`pkg/apis/rbac/validation`).

use super::Found;
use super::metadata::{self, SUBDOMAIN};
use super::names::{is_dns_subdomain, is_path_segment};
use crate::api::kind::Kind;
use crate::text::tree::Node;

const GROUP: &str = "rbac.authorization.k8s.io";

pub(super) fn role<'d>(root: Node<'d>, kind: Kind, found: &mut Found<'d>) {
    if let Some(aggregation) = root.get("aggregationRule").filter(|it| it.is_map()) {
        found.required(aggregation, &["clusterRoleSelectors"]);
        aggregation.list("clusterRoleSelectors").for_each(|it| metadata::selector(Some(it), found));
    }
    let count = |rule: Node<'_>, key: &str| rule.get(key).map_or(0, Node::count);
    for rule in root.list("rules").filter(|it| it.is_map()) {
        let is_url = count(rule, "nonResourceURLs") > 0;
        if is_url {
            let urls = rule.get("nonResourceURLs").unwrap_or(rule);
            if kind == Kind::Role {
                let says = "stands in a Role, and URLs are of no namespace";
                found.wrong(urls, says, "not in a Role", "write a ClusterRole");
            }
            let of_objects = ["apiGroups", "resources", "resourceNames"];
            if of_objects.iter().any(|it| count(rule, it) > 0) {
                let says = "stands beside resources, and a rule is about one of them";
                found.wrong(urls, says, "beside resources", "write two rules");
            }
            continue;
        }
        for key in ["apiGroups", "resources"] {
            if count(rule, key) == 0 {
                found.missing(rule, key);
            }
        }
    }
}

pub(super) fn binding<'d>(root: Node<'d>, kind: Kind, found: &mut Found<'d>) {
    if let Some(reference) = root.get("roleRef").filter(|it| it.is_map()) {
        let kinds: &[&str] = match kind {
            Kind::ClusterRoleBinding => &["ClusterRole"],
            _ => &["ClusterRole", "Role"],
        };
        found.word(reference.get("kind"), kinds);
        found.form(reference.get("name"), is_path_segment, "a name without `/` and `%`");
        // Nothing stands for RBAC's own (SetDefaults_RoleBinding).
        found.word(reference.get("apiGroup"), &[GROUP]);
    }
    for subject in root.list("subjects").filter(|it| it.is_map()) {
        if subject.text("kind") == Some("ServiceAccount") {
            found.form(subject.get("name"), is_dns_subdomain, SUBDOMAIN);
        }
        found.word(subject.get("kind"), &["Group", "ServiceAccount", "User"]);
        let group = subject.get("apiGroup").filter(|it| it.str() != Some(""));
        match subject.text("kind") {
            Some("User" | "Group") => found.word(group, &[GROUP]),
            Some("ServiceAccount") => {
                if let Some(group) = group.filter(|it| it.str().is_some()) {
                    let says = "is set, and accounts are of the core group";
                    found.wrong(group, says, "not for accounts", "remove it, or write `\"\"`");
                }
                let namespace = subject.get("namespace").filter(|it| it.str() != Some(""));
                if kind == Kind::ClusterRoleBinding && namespace.is_none() {
                    found.missing(subject, "namespace");
                }
            }
            _ => {}
        }
    }
}
