//! Names, labels, annotations and selectors.

use super::Found;
use super::cluster::is_address;
use super::names::{
    is_annotation_key, is_dns_1035_label, is_dns_label, is_dns_subdomain, is_label_value,
    is_path_segment, is_qualified_name,
};
use crate::api::kind::Kind;
use crate::api::schema;
use crate::api::version::KubernetesVersion;
use crate::text::tree::Node;

pub(super) const SUBDOMAIN: &str =
    "lower case letters, digits, `-` and `.`, with a letter or digit at both ends";
pub(super) const LABEL: &str =
    "63 lower case letters, digits and `-` at most, with a letter or digit at both ends";

/// The metadata of an object.
pub(super) fn object<'d>(root: Node<'d>, kind: Kind, found: &mut Found<'d>) {
    let Some(metadata) = root.get("metadata").filter(|it| it.is_map()) else {
        return unnamed(root, root, kind, found);
    };
    unnamed(root, metadata, kind, found);
    found.form(metadata.get("namespace"), is_dns_label, LABEL);
    let (is, what) = match kind {
        Kind::Custom => form_of_others(root),
        _ => name_form(kind, found.settings.version),
    };
    found.form(metadata.get("name"), is, what);
    labels(metadata, found);
    owners(metadata, found);
    for finalizer in metadata.list("finalizers") {
        found.required_form(finalizer, is_qualified_name, "a name: `example.com/name`");
    }
}

/// `ValidateOwnerReferences` of `apimachinery/pkg/api/validation`.
fn owners<'d>(metadata: Node<'d>, found: &mut Found<'d>) {
    let mut controllers = 0;
    for owner in metadata.list("ownerReferences").filter(|it| it.is_map()) {
        let is = |it: &str| it.matches('/').count() <= 1;
        found.form(owner.get("apiVersion"), is, "a group and a version: `apps/v1`");
        if owner.text("apiVersion") == Some("v1") && owner.text("kind") == Some("Event") {
            found.wrong(owner, "is an Event, which owns nothing", "not an owner", "remove it");
        }
        controllers += usize::from(owner.get("controller").and_then(Node::bool) == Some(true));
        if controllers == 2 {
            let says = "is the second controller, and an object has one";
            found.wrong(
                owner,
                says,
                "a second controller",
                "set `controller: true` for one of them",
            );
        }
    }
}

/// An object has a name, or a prefix of one that the API server completes.
fn unnamed<'d>(root: Node<'d>, metadata: Node<'d>, kind: Kind, found: &mut Found<'d>) {
    let is_given = |key: &str| metadata.get(key).is_some_and(|it| it.str() != Some(""));
    // Others may be no objects of an API server at all.
    let is_other = kind == Kind::Custom && !is_of_kubernetes(root);
    // LimitRanges are given one (`limitrangeStrategy.PrepareForCreate`).
    let is_named_for_us = is_other || kind == Kind::LimitRange;
    let is_known = !is_named_for_us && root.get("kind").is_some();
    if is_known && !is_given("name") && !is_given("generateName") {
        let at = if metadata.index() == root.index() { root } else { metadata };
        let says = "has no `metadata.name`";
        found.wrong(at, says, "`name` is required", "set `metadata.name`");
    }
}

/// Whether it is of one of Kubernetes' own groups, and of a kind that is kept.
pub(super) fn is_of_kubernetes(root: Node<'_>) -> bool {
    let version = root.text("apiVersion").unwrap_or_default();
    let kind = root.text("kind").unwrap_or_default();
    let is_asked = kind.ends_with("Review") || kind.ends_with("List") || kind == "Binding";
    !is_asked && schema::kind_version(version, kind).is_some()
}

/// The form of names of kinds of Kubernetes' own that purlin has no name for.
fn form_of_others(root: Node<'_>) -> (fn(&str) -> bool, &'static str) {
    match root.text("kind").unwrap_or_default() {
        "IPAddress" => (is_address, "an address"),
        // Of the core group they may have any name.
        "Event" if root.text("apiVersion") == Some("v1") => {
            (is_path_segment, "a name without `/` and `%`")
        }
        "CertificateSigningRequest" => (is_path_segment, "a name without `/` and `%`"),
        _ if is_of_kubernetes(root) => (is_dns_subdomain, SUBDOMAIN),
        _ => (|_| true, ""),
    }
}

/// The form of a kind's names. Of kinds whose names we do not know the form nothing is asked.
fn name_form(kind: Kind, version: KubernetesVersion) -> (fn(&str) -> bool, &'static str) {
    match kind {
        // KEP-5311.
        Kind::Service if version < KubernetesVersion::minor(36) => (
            is_dns_1035_label,
            "63 lower case letters, digits and `-` at most, beginning with a letter",
        ),
        Kind::Service | Kind::Namespace | Kind::StatefulSet => (is_dns_label, LABEL),
        Kind::Role | Kind::ClusterRole | Kind::RoleBinding | Kind::ClusterRoleBinding => {
            (is_path_segment, "a name without `/` and `%`")
        }
        // Their validation does not look at names (`ValidatePodDisruptionBudget`), so only what every name has to be is left.
        Kind::PodDisruptionBudget => (is_path_segment, "a name without `/` and `%`"),
        Kind::APIService | Kind::CustomResourceDefinition | Kind::Custom => (|_| true, ""),
        _ => match kind.info() {
            Some(_) => (is_dns_subdomain, SUBDOMAIN),
            None => (|_| true, ""),
        },
    }
}

/// The labels and annotations of an object or a template.
pub(super) fn labels<'d>(metadata: Node<'d>, found: &mut Found<'d>) {
    label_map(metadata.get("labels"), found);
    for (key, value) in metadata.get("annotations").into_iter().flat_map(Node::entries) {
        key_form(key, value, is_annotation_key, found);
    }
}

/// A mapping of labels: those of an object, of a node selector or of `matchLabels`.
pub(super) fn label_map<'d>(map: Option<Node<'d>>, found: &mut Found<'d>) {
    for (key, value) in map.into_iter().flat_map(Node::entries) {
        key_form(key, value, is_qualified_name, found);
        label_value(value, found);
    }
}

pub(super) fn label_value<'d>(value: Node<'d>, found: &mut Found<'d>) {
    let what = "63 letters, digits, `-`, `_` and `.` at most, with a letter or digit at both ends";
    found.form(Some(value), is_label_value, what);
}

fn key_form<'d>(key: Node<'d>, value: Node<'d>, is: fn(&str) -> bool, found: &mut Found<'d>) {
    let Some(text) = key.str().filter(|it| !is(it)) else { return };
    if !super::is_filled_in_later(text) {
        let help = "write a name of 63 letters, digits, `-`, `_` and `.` at most, perhaps after a domain and `/`";
        found.wrong(value, format!("has the key `{text}`, which is none"), "not a key", help);
    }
}

/// A label selector.
pub(super) fn selector<'d>(selector: Option<Node<'d>>, found: &mut Found<'d>) {
    let Some(selector) = selector else { return };
    label_map(selector.get("matchLabels"), found);
    for requirement in selector.list("matchExpressions") {
        found.form(requirement.get("key"), is_qualified_name, "the key of a label");
        found.word(requirement.get("operator"), &["In", "NotIn", "Exists", "DoesNotExist"]);
        let count = requirement.get("values").map_or(0, Node::count);
        match requirement.text("operator") {
            Some("In" | "NotIn") if count == 0 => found.missing(requirement, "values"),
            Some(operator @ ("Exists" | "DoesNotExist")) if count > 0 => {
                let says = format!("has `values`, and `{operator}` takes none");
                found.wrong(requirement, says, "values for nothing", "remove `values`");
            }
            _ => {}
        }
        requirement.list("values").for_each(|it| label_value(it, found));
    }
}
