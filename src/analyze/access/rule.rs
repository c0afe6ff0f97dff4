//! One rule of a role, and what it allows.

use super::built_in::BuiltInRule;
use crate::model::ObjId;
use crate::text::tree::Node;

/// A rule of a role.
#[derive(Clone, Debug)]
pub struct RoleRule<'d> {
    /// Where it is written; `None` where the API server brings it.
    pub written: Option<(ObjId, Node<'d>)>,
    verbs: Vec<&'d str>,
    groups: Vec<&'d str>,
    resources: Vec<&'d str>,
    /// The objects that it is for; all, where there are none.
    pub names: Vec<&'d str>,
}

/// What somebody wants to do to a resource.
#[derive(Clone, Copy, Debug)]
pub struct Wish<'w> {
    /// The verb.
    pub verb: &'w str,
    /// The API group; empty for the core group.
    pub group: &'w str,
    /// The resource, with its subresource: `pods/exec`.
    pub resource: &'w str,
}

/// Everything, as a verb, a group or a resource.
pub const ALL: &str = "*";

impl<'d> RoleRule<'d> {
    pub(super) fn parse(object: ObjId, node: Node<'d>) -> RoleRule<'d> {
        let words = |field: &str| node.list(field).filter_map(Node::str).collect();
        RoleRule {
            written: Some((object, node)),
            verbs: words("verbs"),
            groups: words("apiGroups"),
            resources: words("resources"),
            names: words("resourceNames"),
        }
    }

    pub(super) fn built_in(rule: &'static BuiltInRule) -> RoleRule<'d> {
        let words = |text: &'static str| text.split_whitespace().collect();
        let group = |name: &'static str| if name == "core" { "" } else { name };
        RoleRule {
            written: None,
            verbs: words(rule.verbs),
            groups: rule.groups.split_whitespace().map(group).collect(),
            resources: words(rule.resources),
            names: words(rule.names),
        }
    }

    /// Whether it allows this, for some object at least.
    ///
    /// `pkg/apis/rbac/v1/evaluation_helpers.go`: a resource is `*`, the very one, or `*/subresource`; `pods/*` is none. The
    /// names of `create` and `deletecollection` are not in the request, so that a rule for some names does not allow them
    /// (kubernetes.io, "Using RBAC Authorization", "Referring to resources").
    pub fn allows(&self, wish: Wish<'_>) -> bool {
        let has_no_name = matches!(wish.verb, "create" | "deletecollection");
        has(&self.verbs, wish.verb)
            && has(&self.groups, wish.group)
            && self.has_resource(wish.resource)
            && (self.names.is_empty() || !has_no_name)
    }

    /// Whether it allows everything there is.
    pub fn allows_everything(&self) -> bool {
        [&self.verbs, &self.groups, &self.resources].iter().all(|it| it.contains(&ALL))
            && self.names.is_empty()
    }

    fn has_resource(&self, wanted: &str) -> bool {
        let subresource = wanted.split_once('/').map(|(_, it)| it);
        self.resources.iter().any(|it| {
            let of_any = it.strip_prefix("*/").is_some_and(|it| Some(it) == subresource);
            *it == ALL || *it == wanted || of_any
        })
    }
}

fn has(words: &[&str], wanted: &str) -> bool {
    words.iter().any(|it| *it == ALL || *it == wanted)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rule(
        verbs: &'static str,
        groups: &'static str,
        resources: &'static str,
    ) -> RoleRule<'static> {
        let words = |text: &'static str| text.split_whitespace().collect();
        let groups = groups.split(' ').collect();
        let (verbs, resources) = (words(verbs), words(resources));
        RoleRule { written: None, verbs, groups, resources, names: Vec::new() }
    }

    #[track_caller]
    fn check(rule: &RoleRule<'_>, wish: [&str; 3], is_allowed: bool) {
        let [verb, group, resource] = wish;
        assert_eq!(rule.allows(Wish { verb, group, resource }), is_allowed, "{rule:?} {wish:?}");
    }

    #[test]
    fn rules_match_as_the_authoriser_matches_them() {
        let exec = rule("create", "", "pods/exec");
        check(&exec, ["create", "", "pods/exec"], true);
        check(&exec, ["get", "", "pods/exec"], false);
        check(&exec, ["create", "apps", "pods/exec"], false);
        check(&exec, ["create", "", "pods"], false);
        check(&rule("create", "", "pods"), ["create", "", "pods/exec"], false);
        check(&rule("create", "", "pods/*"), ["create", "", "pods/exec"], false);
        check(&rule("create", "", "*/exec"), ["create", "", "pods/exec"], true);
        check(&rule("create", "", "*/exec"), ["create", "", "pods/execute"], false);
        check(&rule("*", "*", "*"), ["create", "", "pods/exec"], true);
        check(&rule("*", "apps batch", "*"), ["get", "", "secrets"], false);
        check(&rule("get", "", "Secrets"), ["get", "", "secrets"], false);
    }

    #[test]
    fn names_are_no_part_of_a_create() {
        let named = RoleRule { names: vec!["one"], ..rule("*", "", "secrets") };
        check(&named, ["get", "", "secrets"], true);
        check(&named, ["create", "", "secrets"], false);
        check(&named, ["deletecollection", "", "secrets"], false);
    }
}
