//! Roles that say `*` where names were due.

use crate::api::kind::{KINDS, Kind};
use crate::model::Object;
use crate::rule::{Admission, Check, Cx, Finding, Group, Out, Preset, Rule, Severity};
use crate::rules::judged::NAMESPACES;
use crate::text::tree::Node;

/// The rule.
pub(super) static RULE: Rule = Rule {
    id: "access-by-wildcard",
    title: "a role allows by `*` what nobody listed",
    severity: Severity::Warning,
    group: Group::Access,
    admission: Admission::Warn,
    presets: &[Preset::Recommended],
    reads: &[Kind::Role, Kind::ClusterRole],
    like: &[
        "kube-linter:wildcard-in-rules",
        "kyverno:restrict-wildcard-resources",
        "kyverno:restrict-wildcard-verbs",
    ],
    parameters: &[NAMESPACES],
    page: include_str!("access_by_wildcard.md"),
    reads_images: None,
    checks: &[Check::Object(object)],
};

fn object(cx: &Cx<'_, '_>, object: &Object<'_>, out: &mut Out) {
    let is_made = |(key, _): &(&str, &str)| *key == "kubernetes.io/bootstrapping";
    let is_filled_in = object.field(&["aggregationRule"]).is_some();
    if is_filled_in || !cx.is_judged(object) || object.labels().iter().any(is_made) {
        return;
    }
    let mut found = object.root.list("rules").flat_map(wildcards);
    let Some((node, text)) = found.next() else { return };
    let message = format!("`{object}` allows by `*` what nobody listed");
    let mut finding = Finding::new(message, object.place(node), text);
    for (node, text) in found {
        finding = finding.label(object.place(node), text);
    }
    out.find(
        finding
            .note("what is added to the API later, by a new version or another operator, is allowed as well")
            .help("list the verbs, resources and groups that are used"),
    );
}

/// The fields of a rule that say `*`, and what that means.
fn wildcards(rule: Node<'_>) -> Vec<(Node<'_>, &'static str)> {
    let stands = |field: &str| rule.list(field).find(|it| it.str() == Some("*"));
    let resources =
        stands("resources").map(|it| (it, "every resource, Secrets and subresources too"));
    let verbs = stands("verbs").map(|it| (it, "every verb, those that escalate too"));
    let groups = stands("apiGroups").filter(|_| resources.is_none() && !is_of_core(rule));
    let groups = groups.map(|it| (it, "resources of these names in every group"));
    [groups, resources, verbs].into_iter().flatten().collect()
}

/// Whether all resources of a rule are some of the core group, whose names no other group has.
fn is_of_core(rule: Node<'_>) -> bool {
    rule.list("resources").filter_map(Node::str).all(|it| {
        let resource = it.split('/').next().unwrap_or(it);
        KINDS.iter().any(|it| it.resource == resource && it.groups == [""])
    })
}
