//! Webhook configurations and admission policies (`pkg/apis/admissionregistration/validation`). What is written in CEL is
//! not compiled.

use super::container::exactly_one;
use super::metadata::{self, SUBDOMAIN};
use super::names::{is_dns_1035_label, is_dns_subdomain, is_path_segment, is_qualified_name};
use super::{Found, is_set, parts};
use crate::text::tree::Node;
use rustc_hash::FxHashSet;

/// A `ValidatingWebhookConfiguration` or a `MutatingWebhookConfiguration`.
pub(super) fn webhooks<'d>(root: Node<'d>, found: &mut Found<'d>) {
    let mut names = FxHashSet::default();
    for hook in root.list("webhooks") {
        let name = hook.get("name");
        found.form(name, is_fully_qualified, "a domain with two dots at least");
        found.once(name, &mut names, "webhook");
        if !is_set(hook, "sideEffects") {
            found.missing(hook, "sideEffects");
        }
        found.word(hook.get("sideEffects"), &["None", "NoneOnDryRun"]);
        found.range(hook.get("timeoutSeconds"), 1, 30);
        metadata::selector(hook.get("namespaceSelector"), found);
        metadata::selector(hook.get("objectSelector"), found);
        versions(hook, found);
        client(hook, found);
        hook.list("rules").for_each(|it| rule(it, found));
        conditions(hook, found);
    }
}

/// `IsFullyQualifiedName`.
fn is_fully_qualified(text: &str) -> bool {
    is_dns_subdomain(text) && text.split('.').count() >= 3
}

/// `validateAdmissionReviewVersions`.
fn versions<'d>(hook: Node<'d>, found: &mut Found<'d>) {
    let Some(versions) = hook.get("admissionReviewVersions").filter(|it| it.count() > 0) else {
        return found.missing(hook, "admissionReviewVersions");
    };
    let mut seen = FxHashSet::default();
    for version in versions.items() {
        found.required_form(version, is_dns_1035_label, "a version: `v1`");
        found.once(Some(version), &mut seen, "version");
    }
    if !versions.items().filter_map(Node::str).any(|it| matches!(it, "v1" | "v1beta1")) {
        let says = "has no version that an API server sends";
        found.wrong(versions, says, "neither `v1` nor `v1beta1`", "add `v1`");
    }
}

/// Where a webhook is reached (`ValidateWebhookURL` and `ValidateWebhookService` of `apiserver/pkg/util/webhook`).
fn client<'d>(hook: Node<'d>, found: &mut Found<'d>) {
    let Some(config) = hook.get("clientConfig").filter(|it| it.is_map()) else {
        return found.missing(hook, "clientConfig");
    };
    client_config(config, found);
}

/// Exactly one of `url` and `service`, of a webhook for admission or for conversion.
pub(super) fn client_config<'d>(config: Node<'d>, found: &mut Found<'d>) {
    exactly_one(config, &["service", "url"], "address", found);
    if let Some(service) = config.get("service").filter(|it| it.is_map()) {
        for key in ["name", "namespace"] {
            if !is_set(service, key) {
                found.missing(service, key);
            }
        }
        found.range(service.get("port"), 1, 65535);
        found.form(service.get("path"), is_url_path, "a path that begins with `/`");
    }
    let url = config.get("url").filter(|_| config.get("service").is_none());
    if let Some(url) = url
        && let Some(text) = url.str()
        && !is_webhook_url(text)
    {
        let says = format!("is `{text}`, and has to be an address with `https`");
        let help = "write `https://…`, without a user, a query and a fragment";
        found.wrong(url, says, "no such address", help);
    }
}

fn is_webhook_url(text: &str) -> bool {
    let Some(rest) = text.strip_prefix("https://") else { return false };
    let host = rest.split('/').next().unwrap_or_default();
    !host.is_empty() && !host.contains('@') && !text.contains(['?', '#', ' '])
}

/// `/`, or segments that are names of their own (`ValidateWebhookService`).
fn is_url_path(text: &str) -> bool {
    let Some(rest) = text.strip_prefix('/') else { return false };
    let rest = rest.strip_suffix('/').unwrap_or(rest);
    rest.is_empty() && text != "//" || rest.split('/').all(is_dns_subdomain)
}

const OPERATIONS: [&str; 5] = ["*", "CONNECT", "CREATE", "DELETE", "UPDATE"];

/// `validateRuleWithOperations`.
pub(super) fn rule<'d>(rule: Node<'d>, found: &mut Found<'d>) {
    rule.list("operations").for_each(|it| found.known(it, &OPERATIONS));
    for key in ["operations", "apiGroups", "apiVersions", "resources"] {
        let list = rule.get(key).filter(|it| it.count() > 0);
        let Some(list) = list else {
            found.missing(rule, key);
            continue;
        };
        let is_all = |it: Node<'_>| it.str() == Some("*");
        if key != "resources" && list.count() > 1 && list.items().any(is_all) {
            let says = "has `*` beside others, which it stands for already";
            found.wrong(list, says, "more than all", "keep `*` alone, or leave it out");
        }
        for item in list.items() {
            let is_empty = item.str() == Some("") || item.is_null();
            if matches!(key, "apiVersions" | "resources") && is_empty {
                found.wrong(item, "is empty", "empty", "name it, or write `*`");
            }
        }
    }
    resources(rule, found);
}

/// `validateResources`.
fn resources<'d>(rule: Node<'d>, found: &mut Found<'d>) {
    let Some(list) = rule.get("resources") else { return };
    let texts: Vec<_> = list.items().filter_map(Node::str).collect();
    let is_beside = |all: &str| texts.len() > 1 && texts.contains(&all);
    // The last one without a subresource decides, as it does there.
    let last = texts.iter().rfind(|it| !it.contains('/') && !it.is_empty());
    let is_plain = texts.contains(&"*") && last.is_some_and(|it| *it != "*");
    if is_beside("*/*") || is_plain {
        let says = "has a wildcard beside what it stands for already";
        found.wrong(list, says, "more than all", "keep the wildcard alone, or leave it out");
    }
    let (mut of_resource, mut of_all) = (FxHashSet::default(), FxHashSet::default());
    for item in list.items() {
        let Some(text) = item.str() else { continue };
        let Some((resource, sub)) = text.split_once('/') else { continue };
        if of_resource.contains(resource) || of_all.contains(sub) {
            let says = format!("is `{text}`, which an earlier one stands for already");
            found.wrong(item, says, "named already", "remove it");
        }
        if sub == "*" {
            of_resource.insert(resource);
        }
        if resource == "*" {
            of_all.insert(sub);
        }
    }
}

/// `validateMatchConditions`.
fn conditions<'d>(node: Node<'d>, found: &mut Found<'d>) {
    let conditions = node.get("matchConditions");
    if let Some(conditions) = conditions.filter(|it| it.count() > 64) {
        found.wrong(conditions, "has more than 64", "too many", "join some of them");
    }
    let mut names = FxHashSet::default();
    for condition in node.list("matchConditions") {
        let name = condition.get("name");
        found.form(name, is_qualified_name, "a name of letters, digits, `-`, `_` and `.`");
        found.once(name, &mut names, "condition");
        found.blank(condition, "expression");
    }
}

/// A `ValidatingAdmissionPolicy` or a `MutatingAdmissionPolicy`.
pub(super) fn policy<'d>(spec: Node<'d>, found: &mut Found<'d>) {
    match spec.get("matchConstraints").filter(|it| it.is_map()) {
        None => found.missing(spec, "matchConstraints"),
        Some(it) => {
            if it.get("resourceRules").is_none_or(|it| it.count() == 0) {
                found.missing(it, "resourceRules");
            }
            match_resources(it, found);
        }
    }
    if let Some(kind) = spec.get("paramKind").filter(|it| it.is_map()) {
        for key in ["apiVersion", "kind"] {
            if !is_set(kind, key) {
                found.missing(kind, key);
            }
        }
        found.form(kind.get("apiVersion"), is_group_version, "a group and a version: `apps/v1`");
        let is = |it: &str| is_dns_1035_label(&it.to_lowercase());
        found.form(kind.get("kind"), is, "the name of a kind");
    }
    conditions(spec, found);
    for variable in spec.list("variables") {
        found.form(variable.get("name"), is_identifier, "a name that CEL reads");
    }
}

/// `parseGroupVersion` and what the parts have to be (`validateParamKind`).
fn is_group_version(text: &str) -> bool {
    let (group, version) = text.split_once('/').unwrap_or(("", text));
    (group.is_empty() && !text.contains('/') || is_dns_subdomain(group))
        && is_dns_1035_label(version)
}

/// A name of CEL.
fn is_identifier(text: &str) -> bool {
    !text.starts_with(|it: char| it.is_ascii_digit())
        && text.bytes().all(|it| it.is_ascii_alphanumeric() || it == b'_')
}

/// What a `ValidatingAdmissionPolicy` has of its own.
pub(super) fn validating<'d>(spec: Node<'d>, found: &mut Found<'d>) {
    policy(spec, found);
    let is_empty = |key| spec.get(key).is_none_or(|it| it.count() == 0);
    if is_empty("validations") && is_empty("auditAnnotations") {
        let says = "has neither `validations` nor `auditAnnotations`";
        found.wrong(spec, says, "nothing to do", "set one of them");
    }
    const REASONS: [&str; 4] = ["Forbidden", "Invalid", "RequestEntityTooLarge", "Unauthorized"];
    for validation in spec.list("validations") {
        found.blank(validation, "expression");
        found.word(validation.get("reason"), &REASONS);
        let message = validation.get("message");
        if let Some(message) = message
            && let Some(text) = message.str()
            && (text.contains('\n') || text.trim().is_empty())
        {
            found.wrong(message, "is not one line of text", "not one line", "write one line");
        }
    }
    let mut keys = FxHashSet::default();
    for annotation in spec.list("auditAnnotations") {
        found.blank(annotation, "valueExpression");
        let what = "a name of letters, digits, `-`, `_` and `.`";
        found.form(annotation.get("key"), is_qualified_name, what);
        found.once(annotation.get("key"), &mut keys, "annotation");
    }
}

/// What a `MutatingAdmissionPolicy` has of its own.
pub(super) fn mutating<'d>(spec: Node<'d>, found: &mut Found<'d>) {
    policy(spec, found);
    if spec.get("mutations").is_none_or(|it| it.count() == 0) {
        found.missing(spec, "mutations");
    }
    if !is_set(spec, "reinvocationPolicy") {
        found.missing(spec, "reinvocationPolicy");
    }
    for mutation in parts(spec, "mutations") {
        if !is_set(mutation, "patchType") {
            found.missing(mutation, "patchType");
        }
        let (due, other) = match mutation.text("patchType") {
            Some("ApplyConfiguration") => ("applyConfiguration", "jsonPatch"),
            Some("JSONPatch") => ("jsonPatch", "applyConfiguration"),
            _ => continue,
        };
        match mutation.get(due) {
            None => found.missing(mutation, due),
            Some(it) => {
                if !is_set(it, "expression") {
                    found.missing(it, "expression");
                }
                found.blank(it, "expression");
            }
        }
        if let Some(it) = mutation.get(other) {
            let says = "stands beside a `patchType` that does not use it";
            found.wrong(it, says, "of another type", "remove it");
        }
    }
}

/// `validateMatchResources`.
fn match_resources<'d>(node: Node<'d>, found: &mut Found<'d>) {
    metadata::selector(node.get("namespaceSelector"), found);
    metadata::selector(node.get("objectSelector"), found);
    for key in ["resourceRules", "excludeResourceRules"] {
        for named in node.list(key) {
            rule(named, found);
            let mut names = FxHashSet::default();
            for name in named.list("resourceNames") {
                found.form(Some(name), is_path_segment, "a name without `/` and `%`");
                found.once(Some(name), &mut names, "entry");
            }
        }
    }
}

/// A binding of either kind of policy (`validateParamRef`).
pub(super) fn binding<'d>(spec: Node<'d>, is_validating: bool, found: &mut Found<'d>) {
    if !is_set(spec, "policyName") {
        found.missing(spec, "policyName");
    }
    found.form(spec.get("policyName"), is_dns_subdomain, SUBDOMAIN);
    if let Some(it) = spec.get("matchResources").filter(|it| it.is_map()) {
        match_resources(it, found);
    }
    if let Some(reference) = spec.get("paramRef").filter(|it| it.is_map()) {
        exactly_one(reference, &["name", "selector"], "way to find parameters", found);
        found.form(reference.get("name"), is_path_segment, "a name without `/` and `%`");
        if !is_set(reference, "parameterNotFoundAction") {
            found.missing(reference, "parameterNotFoundAction");
        }
        found.word(reference.get("parameterNotFoundAction"), &["Allow", "Deny"]);
    }
    if !is_validating {
        return;
    }
    let Some(actions) = spec.get("validationActions").filter(|it| it.count() > 0) else {
        return found.missing(spec, "validationActions");
    };
    let mut seen = FxHashSet::default();
    for action in actions.items() {
        found.known(action, &["Audit", "Deny", "Warn"]);
        found.once(Some(action), &mut seen, "action");
    }
    if seen.contains("Deny") && seen.contains("Warn") {
        let says = "has `Deny` and `Warn`, which say the same twice";
        found.wrong(actions, says, "both", "keep one of them");
    }
}
