//! What pods are told of themselves: fields and resources as variables and files (`validateObjectFieldSelector` and
//! `validateContainerResourceFieldSelector` of `pkg/apis/core/validation`).

use super::Found;
use super::names::is_qualified_name;
use crate::text::tree::Node;

/// What it is told as.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Use {
    /// An environment variable.
    Variable,
    /// A file of a volume.
    File,
}

const OF_VARIABLES: [&str; 9] = [
    "metadata.name",
    "metadata.namespace",
    "metadata.uid",
    "spec.nodeName",
    "spec.serviceAccountName",
    "status.hostIP",
    "status.hostIPs",
    "status.podIP",
    "status.podIPs",
];

const OF_FILES: [&str; 5] = [
    "metadata.annotations",
    "metadata.labels",
    "metadata.name",
    "metadata.namespace",
    "metadata.uid",
];

/// A field of the pod.
pub(super) fn field<'d>(node: Node<'d>, to: Use, found: &mut Found<'d>) {
    found.word(node.get("apiVersion"), &["v1"]);
    let Some(path) = node.get("fieldPath") else { return };
    let Some(text) = path.str().filter(|it| !it.is_empty()) else { return };
    let known: &[&str] = if to == Use::File { &OF_FILES } else { &OF_VARIABLES };
    match of_map(text) {
        Some((map, key)) => {
            let key = if map == "annotations" { key.to_lowercase() } else { key.to_string() };
            if !is_qualified_name(&key) {
                let says = format!("asks for `{key}`, which is no key");
                found.wrong(path, says, "no key", "write the key of a label or an annotation");
            }
        }
        None => found.word(Some(path), known),
    }
}

/// The map and the key of `metadata.labels['app']` (`SplitMaybeSubscriptedPath`).
fn of_map(text: &str) -> Option<(&str, &str)> {
    let (map, rest) = text.strip_prefix("metadata.")?.split_once("['")?;
    let key = rest.strip_suffix("']")?;
    matches!(map, "annotations" | "labels").then_some((map, key))
}

/// A resource of a container.
pub(super) fn resource<'d>(node: Node<'d>, to: Use, found: &mut Found<'d>) {
    const KNOWN: [&str; 6] = [
        "limits.cpu",
        "limits.ephemeral-storage",
        "limits.memory",
        "requests.cpu",
        "requests.ephemeral-storage",
        "requests.memory",
    ];
    if to == Use::File {
        found.required(node, &["containerName"]);
    }
    let Some(resource) = node.get("resource") else { return };
    let text = resource.str().unwrap_or_default();
    if !text.starts_with("requests.hugepages-") && !text.starts_with("limits.hugepages-") {
        found.word(Some(resource), &KNOWN);
    }
    const OF_CPU: [&str; 2] = ["1", "1m"];
    const OF_BYTES: [&str; 13] =
        ["1", "1k", "1M", "1G", "1T", "1P", "1E", "1Ki", "1Mi", "1Gi", "1Ti", "1Pi", "1Ei"];
    // 0 stands for 1 (`validateContainerResourceDivisor`).
    let Some(divisor) = node.get("divisor") else { return };
    let Some(amount) = divisor.scalar().filter(|it| it != "0" && !it.is_empty()) else { return };
    let known: &[&str] = if text.ends_with(".cpu") { &OF_CPU } else { &OF_BYTES };
    if KNOWN.contains(&text) && !known.contains(&&*amount) && divisor.str().is_some() {
        found.word(Some(divisor), known);
    }
}
