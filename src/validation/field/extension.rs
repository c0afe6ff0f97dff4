//! What extends the API: aggregated APIs (`kube-aggregator/pkg/apis/apiregistration/validation`) and
//! CustomResourceDefinitions (`apiextensions-apiserver/pkg/apis/apiextensions/validation`).

use super::metadata::SUBDOMAIN;
use super::names::{is_dns_1035_label, is_dns_subdomain};
use super::{Found, admission, is_set};
use crate::text::tree::Node;
use rustc_hash::FxHashSet;

const LABEL_1035: &str = "lower case letters, digits and `-`, beginning with a letter";

pub(super) fn api_service<'d>(root: Node<'d>, spec: Node<'d>, found: &mut Found<'d>) {
    let text = |key| spec.text(key).unwrap_or_default();
    let (group, version) = (text("group"), text("version"));
    named(root, &format!("{version}.{group}"), found);
    if group.is_empty() && version != "v1" {
        found.missing(spec, "group");
    }
    found.form(spec.get("group"), is_dns_subdomain, SUBDOMAIN);
    if !is_set(spec, "version") {
        found.missing(spec, "version");
    }
    found.form(spec.get("version"), is_dns_1035_label, LABEL_1035);
    for (key, most) in [("groupPriorityMinimum", 20000), ("versionPriority", 1000)] {
        if spec.get(key).is_none() {
            found.missing(spec, key);
        }
        found.range(spec.get(key), 1, most);
    }
    let insecure = spec.get("insecureSkipTLSVerify").filter(|it| it.bool() == Some(true));
    let Some(service) = spec.get("service").filter(|it| it.is_map()) else {
        for it in insecure.into_iter().chain(spec.get("caBundle").filter(|it| it.str() != Some("")))
        {
            found.wrong(
                it,
                "is set without a `service`",
                "for nothing",
                "set `service`, or remove it",
            );
        }
        return;
    };
    found.required(service, &["namespace", "name"]);
    found.range(service.get("port"), 1, 65535);
    if let Some(insecure) = insecure.filter(|_| is_set(spec, "caBundle")) {
        let says = "is true beside a `caBundle`";
        found.wrong(insecure, says, "contradicts `caBundle`", "keep one of them");
    }
}

/// The name of the object is made of others of its fields.
fn named<'d>(root: Node<'d>, due: &str, found: &mut Found<'d>) {
    let Some(name) = root.at(&["metadata", "name"]) else { return };
    if super::is_filled_in_later(due) {
        return;
    }
    if name.str().is_some_and(|it| !it.is_empty() && it != due) {
        let says = format!("is not `{due}`, as its fields ask for");
        found.wrong(name, says, "another name", format!("write `{due}`"));
    }
}

pub(super) fn definition<'d>(root: Node<'d>, spec: Node<'d>, found: &mut Found<'d>) {
    let group = spec.text("group").unwrap_or_default();
    let plural = spec.at(&["names", "plural"]).and_then(Node::str).unwrap_or_default();
    named(root, &format!("{plural}.{group}"), found);
    let is = |it: &str| is_dns_subdomain(it) && it.contains('.');
    found.form(spec.get("group"), is, "a domain, with a dot in it");
    found.word(spec.get("scope"), &["Cluster", "Namespaced"]);
    names(spec, found);
    versions(spec, found);
    conversion(spec, found);
}

fn names<'d>(spec: Node<'d>, found: &mut Found<'d>) {
    let Some(names) = spec.get("names").filter(|it| it.is_map()) else { return };
    for key in ["plural", "singular"] {
        found.form(names.get(key), is_dns_1035_label, LABEL_1035);
    }
    let is_kind = |it: &str| is_dns_1035_label(&it.to_lowercase());
    for key in ["kind", "listKind"] {
        found.form(names.get(key), is_kind, "letters, digits and `-`, beginning with a letter");
    }
    if let (Some(kind), Some(list)) = (names.text("kind"), names.get("listKind"))
        && list.str() == Some(kind)
    {
        found.wrong(list, "is the `kind` itself", "the same", "add `List` to it");
    }
    for name in ["shortNames", "categories"].iter().flat_map(|it| names.list(it)) {
        found.required_form(name, is_dns_1035_label, LABEL_1035);
    }
}

fn versions<'d>(spec: Node<'d>, found: &mut Found<'d>) {
    let Some(versions) = spec.get("versions").filter(|it| it.is_seq()) else { return };
    let mut seen = FxHashSet::default();
    let is_on = |it: Node<'_>, key: &str| it.get(key).and_then(Node::bool) == Some(true);
    // apiextensions.k8s.io/v1beta1 has one for all.
    let has_common = spec.get("validation").is_some() || spec.get("version").is_some();
    for version in versions.items().filter(|it| it.is_map()) {
        found.form(version.get("name"), is_dns_1035_label, LABEL_1035);
        found.once(version.get("name"), &mut seen, "version");
        if let Some(warning) = version.get("deprecationWarning") {
            if !is_on(version, "deprecated") {
                let says = "warns of a version that is not deprecated";
                found.wrong(warning, says, "not deprecated", "set `deprecated: true`");
            }
            if warning.str().is_some_and(|it| it.is_empty() || it.chars().count() > 256) {
                let says = "has to have 1 to 256 characters";
                found.wrong(warning, says, "too short or too long", "write one line");
            }
        }
        const TYPES: [&str; 5] = ["boolean", "date", "integer", "number", "string"];
        for column in version.list("additionalPrinterColumns") {
            found.word(column.get("type"), &TYPES);
            let formats =
                ["byte", "date", "date-time", "double", "float", "int32", "int64", "password"];
            found.word(column.get("format"), &formats);
            found.form(
                column.get("jsonPath"),
                |it| it.starts_with('.'),
                "a path: `.spec.replicas`",
            );
        }
        scale(version, found);
        match version.at(&["schema", "openAPIV3Schema"]).filter(|it| it.is_map()) {
            Some(schema) => structure(schema, found),
            None if has_common => {}
            None => {
                let says = "has no schema";
                let help = "set `schema: {openAPIV3Schema: {type: object}}`";
                found.wrong(version, says, "`schema.openAPIV3Schema` is required", help);
            }
        }
    }
    let stored = versions.items().filter(|it| is_on(*it, "storage")).count();
    if stored != 1 {
        let says = format!("has {stored} versions with `storage: true`, and exactly one is stored");
        found.wrong(versions, says, "not one", "set `storage: true` for one of them");
    }
}

/// `ValidateCustomResourceDefinitionSubresources`.
fn scale<'d>(version: Node<'d>, found: &mut Found<'d>) {
    let Some(scale) = version.at(&["subresources", "scale"]).filter(|it| it.is_map()) else {
        return;
    };
    let paths = [
        ("specReplicasPath", ".spec."),
        ("statusReplicasPath", ".status."),
        ("labelSelectorPath", "."),
    ];
    for (key, begin) in paths {
        let Some(path) = scale.get(key) else { continue };
        if path.str().is_some_and(|it| !it.is_empty() && !it.starts_with(begin)) {
            let says = format!("has to be a path below `{begin}`");
            found.wrong(path, says, "not below it", format!("write `{begin}…`"));
        }
    }
}

fn conversion<'d>(spec: Node<'d>, found: &mut Found<'d>) {
    let Some(conversion) = spec.get("conversion").filter(|it| it.is_map()) else { return };
    found.word(conversion.get("strategy"), &["None", "Webhook"]);
    let webhook = conversion.get("webhook").filter(|it| it.is_map());
    match (conversion.text("strategy"), webhook) {
        (Some("Webhook"), None) => found.missing(conversion, "webhook"),
        (Some("Webhook"), Some(webhook)) => {
            match webhook.get("clientConfig").filter(|it| it.is_map()) {
                Some(it) => admission::client_config(it, found),
                None => found.missing(webhook, "clientConfig"),
            }
            let versions = webhook.get("conversionReviewVersions").filter(|it| it.count() > 0);
            let is_sent = |it: Node<'_>| matches!(it.str(), Some("v1" | "v1beta1"));
            match versions {
                None => found.missing(webhook, "conversionReviewVersions"),
                Some(it) if !it.items().any(is_sent) => {
                    let says = "has no version that an API server sends";
                    found.wrong(it, says, "neither `v1` nor `v1beta1`", "add `v1`");
                }
                _ => {}
            }
            let mut seen = FxHashSet::default();
            for version in webhook.list("conversionReviewVersions") {
                found.required_form(version, is_dns_1035_label, LABEL_1035);
                found.once(Some(version), &mut seen, "version");
            }
        }
        (_, Some(webhook)) => {
            let says = "stands beside another `strategy` than `Webhook`";
            found.wrong(webhook, says, "for nothing", "set `strategy: Webhook`, or remove it");
        }
        _ => {}
    }
}

const TYPES: [&str; 6] = ["array", "boolean", "integer", "number", "object", "string"];

/// Whether a schema is structural (`apiextensions-apiserver/pkg/apiserver/schema/validation.go`): every value has a type.
fn structure<'d>(root: Node<'d>, found: &mut Found<'d>) {
    if root.text("type") != Some("object") && is_set(root, "type") {
        let at = root.get("type").unwrap_or(root);
        found.wrong(
            at,
            "is the type of an object's schema",
            "not `object`",
            "write `type: object`",
        );
    }
    let mut open = vec![root];
    while let Some(schema) = open.pop() {
        let is = |key: &str| schema.get(key).and_then(Node::bool) == Some(true);
        let is_free =
            is("x-kubernetes-int-or-string") || is("x-kubernetes-preserve-unknown-fields");
        match schema.get("type").filter(|it| it.str() != Some("")) {
            Some(it) => found.word(Some(it), &TYPES),
            None if is_free => {}
            None => {
                let says = "has no type, and a structural schema gives one to every value";
                found.wrong(schema, says, "no `type`", "set `type`");
            }
        }
        let items = schema.get("items").filter(|it| it.is_map());
        if schema.text("type") == Some("array") && items.is_none() {
            found.missing(schema, "items");
        }
        let others = schema.get("additionalProperties").filter(|it| it.is_map());
        let properties = schema.get("properties").filter(|it| it.count() > 0);
        if let Some(others) = others.filter(|_| properties.is_some()) {
            let says = "stands beside `properties`, and a value is one or the other";
            found.wrong(others, says, "beside `properties`", "keep one of them");
        }
        let lists = ["atomic", "map", "set"];
        found.word(schema.get("x-kubernetes-list-type"), &lists);
        found.word(schema.get("x-kubernetes-map-type"), &["atomic", "granular"]);
        let is_keyed = schema.text("x-kubernetes-list-type") == Some("map");
        if is_keyed && !is_set(schema, "x-kubernetes-list-map-keys") {
            found.missing(schema, "x-kubernetes-list-map-keys");
        }
        open.extend(items);
        open.extend(others);
        let below = properties.into_iter().flat_map(Node::pairs).map(|it| it.1);
        open.extend(below.filter(|it| it.is_map()));
    }
}
