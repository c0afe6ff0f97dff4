//! Devices and claims of them (`pkg/apis/resource/validation`). What is written in CEL is not compiled.

use super::container::exactly_one;
use super::metadata::{LABEL, SUBDOMAIN};
use super::names::{is_dns_label, is_dns_subdomain};
use super::sources::is_driver;
use super::{Found, is_set, parts};
use crate::text::tree::Node;
use rustc_hash::FxHashSet;

/// The `spec` of a ResourceClaim.
pub(super) fn claim<'d>(spec: Node<'d>, found: &mut Found<'d>) {
    let Some(devices) = spec.get("devices").filter(|it| it.is_map()) else { return };
    let mut names = FxHashSet::default();
    for asked in parts(devices, "requests") {
        found.form(asked.get("name"), is_dns_label, LABEL);
        found.once(asked.get("name"), &mut names, "request");
        exactly_one(asked, &["exactly", "firstAvailable"], "way to ask", found);
        asked.get("exactly").into_iter().for_each(|it| request(it, found));
        let mut below = FxHashSet::default();
        for one in parts(asked, "firstAvailable") {
            found.form(one.get("name"), is_dns_label, LABEL);
            found.once(one.get("name"), &mut below, "request");
            request(one, found);
        }
    }
    for constraint in parts(devices, "constraints") {
        exactly_one(constraint, &["distinctAttribute", "matchAttribute"], "attribute", found);
        for key in ["distinctAttribute", "matchAttribute"] {
            found.form(
                constraint.get(key),
                is_qualified,
                "a domain and a name: `example.com/model`",
            );
        }
        requested(constraint, &names, found);
    }
    for config in parts(devices, "config") {
        configuration(config, found);
        requested(config, &names, found);
    }
}

/// The requests that a part is about have to be there.
fn requested<'d>(part: Node<'d>, names: &FxHashSet<&str>, found: &mut Found<'d>) {
    let mut seen = FxHashSet::default();
    for name in part.list("requests") {
        found.once(Some(name), &mut seen, "request");
        let Some(text) = name.str() else { continue };
        let main = text.split('/').next().unwrap_or_default();
        if !names.contains(main) && !super::is_filled_in_later(text) {
            let says = format!("is `{text}`, and there is no such request");
            found.wrong(name, says, "no such request", "name one of `requests`");
        }
    }
}

fn request<'d>(node: Node<'d>, found: &mut Found<'d>) {
    if !node.is_map() {
        return;
    }
    found.form(node.get("deviceClassName"), is_dns_subdomain, SUBDOMAIN);
    found.word(node.get("allocationMode"), &["All", "ExactCount"]);
    // 0 stands for 1.
    let count = node.get("count").filter(|it| it.int() != Some(0));
    match node.text("allocationMode") {
        Some("All") => {
            if let Some(count) = count {
                let says = "stands beside `allocationMode: All`";
                found.wrong(count, says, "of another mode", "remove it");
            }
        }
        _ => found.range(count, 1, i64::MAX),
    }
    selectors(node, found);
}

/// What devices are asked for, each with an expression.
pub(super) fn selectors<'d>(node: Node<'d>, found: &mut Found<'d>) {
    for selector in parts(node, "selectors") {
        match selector.get("cel").filter(|it| it.is_map()) {
            Some(cel) => found.required(cel, &["expression"]),
            None => found.missing(selector, "cel"),
        }
    }
}

/// A DeviceClass.
pub(super) fn class<'d>(spec: Node<'d>, found: &mut Found<'d>) {
    selectors(spec, found);
    parts(spec, "config").for_each(|it| configuration(it, found));
}

fn configuration<'d>(config: Node<'d>, found: &mut Found<'d>) {
    let Some(opaque) = config.get("opaque").filter(|it| it.is_map()) else {
        return found.missing(config, "opaque");
    };
    found.form(opaque.get("driver"), is_driver, "the name of a driver");
    if let Some(parameters) = opaque.get("parameters").filter(|it| !it.is_map()) {
        found.wrong(parameters, "is no mapping", "not a mapping", "write a mapping");
    }
}

/// A name of C with a domain.
fn is_qualified(text: &str) -> bool {
    text.split_once('/')
        .is_some_and(|(domain, name)| is_dns_subdomain(domain) && is_identifier(name))
}

fn is_identifier(text: &str) -> bool {
    !text.is_empty()
        && text.len() <= 32
        && !text.starts_with(|it: char| it.is_ascii_digit())
        && text.bytes().all(|it| it.is_ascii_alphanumeric() || it == b'_')
}

/// A ResourceSlice: what a driver offers.
pub(super) fn slice<'d>(spec: Node<'d>, found: &mut Found<'d>) {
    found.form(spec.get("driver"), is_driver, "the name of a driver");
    let is_on = |key: &str| spec.get(key).and_then(Node::bool) == Some(true);
    let places = [
        is_set(spec, "nodeName"),
        spec.get("nodeSelector").is_some(),
        is_on("allNodes"),
        is_on("perDeviceNodeSelection"),
        spec.get("sharedCounters").is_some(),
    ];
    if places.iter().filter(|it| **it).count() != 1 {
        let says = "does not say in exactly one way where its devices are";
        found.wrong(spec, says, "not one way", "set `nodeName`, `nodeSelector` or `allNodes`");
    }
    if let Some(pool) = spec.get("pool").filter(|it| it.is_map()) {
        found.range(pool.get("resourceSliceCount"), 1, i64::MAX);
        found.not_negative(pool, &["generation"]);
        let is = |it: &str| it.len() <= 253 && it.split('/').all(is_dns_subdomain);
        found.form(pool.get("name"), is, "names of lower case letters, with `/` between them");
    }
    let mut names = FxHashSet::default();
    for device in parts(spec, "devices") {
        found.form(device.get("name"), is_dns_label, LABEL);
        found.once(device.get("name"), &mut names, "device");
        for (key, value) in device.get("attributes").into_iter().flat_map(Node::pairs) {
            named(key, value, found);
            const KINDS: [&str; 8] =
                ["bool", "bools", "int", "ints", "string", "strings", "version", "versions"];
            exactly_one(value, &KINDS, "value", found);
            found.form(value.get("version"), is_version, "a version: `1.2.3`");
        }
        let capacity = device.get("capacity");
        capacity
            .into_iter()
            .flat_map(Node::pairs)
            .for_each(|(key, value)| named(key, value, found));
    }
}

/// A version as semver.org has it, without a `v` before it.
fn is_version(text: &str) -> bool {
    let core = text.split(['-', '+']).next().unwrap_or_default();
    let is_number = |it: &str| {
        !it.is_empty()
            && it.bytes().all(|it| it.is_ascii_digit())
            && (it.len() == 1 || !it.starts_with('0'))
    };
    let is_allowed = |it: u8| it.is_ascii_alphanumeric() || matches!(it, b'.' | b'-' | b'+');
    core.split('.').count() == 3 && core.split('.').all(is_number) && text.bytes().all(is_allowed)
}

/// The name of an attribute, with or without a domain.
fn named<'d>(key: &str, value: Node<'d>, found: &mut Found<'d>) {
    if !is_identifier(key) && !is_qualified(key) {
        let says = format!("has the key `{key}`, which is none");
        found.wrong(
            value,
            says,
            "not a key",
            "write letters, digits and `_`, perhaps after a domain and `/`",
        );
    }
}
