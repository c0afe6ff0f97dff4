//! Where volumes come from, in pods and as PersistentVolumes (`pkg/apis/core/validation`).

use super::Found;
use super::container::exactly_one;
use super::metadata::SUBDOMAIN;
use super::names::{is_dns_label, is_dns_subdomain};
use super::volumes::{descends, has_no_way_up};
use crate::text::tree::Node;

/// The source of a kind: `nfs`, `csi`.
pub(super) fn source<'d>(node: Node<'d>, kind: &str, found: &mut Found<'d>) {
    if !node.is_map() {
        return;
    }
    let due: &[&str] = match kind {
        "awsElasticBlockStore" | "cinder" | "portworxVolume" => &["volumeID"],
        "azureDisk" => &["diskName", "diskURI"],
        "azureFile" => &["secretName", "shareName"],
        "cephfs" => &["monitors"],
        "csi" => &["driver"],
        "flexVolume" => &["driver"],
        "gcePersistentDisk" => &["pdName"],
        "gitRepo" => &["repository"],
        "glusterfs" => &["endpoints", "path"],
        "hostPath" | "local" => &["path"],
        "iscsi" => &["targetPortal", "iqn"],
        "nfs" => &["server", "path"],
        "persistentVolumeClaim" => &["claimName"],
        "photonPersistentDisk" => &["pdID"],
        "quobyte" => &["registry", "volume"],
        "rbd" => &["monitors", "image"],
        "scaleIO" => &["gateway", "system", "volumeName"],
        "vsphereVolume" => &["volumePath"],
        _ => &[],
    };
    // Those that the definition asks for, the schema tells.
    let is_empty = |it: Node<'_>| it.str() == Some("") || it.is_seq() && it.count() == 0;
    for key in due {
        if node.get(key).is_some_and(is_empty) {
            found.missing(node, key);
        }
    }
    match kind {
        "hostPath" | "local" => {
            found.form(node.get("path"), has_no_way_up, "a path without `..`");
            const TYPES: [&str; 7] = [
                "BlockDevice",
                "CharDevice",
                "Directory",
                "DirectoryOrCreate",
                "File",
                "FileOrCreate",
                "Socket",
            ];
            found.word(node.get("type"), &TYPES);
        }
        "nfs" => {
            found.form(node.get("path"), |it| it.starts_with('/'), "a path that begins with `/`")
        }
        "awsElasticBlockStore" | "gcePersistentDisk" => found.range(node.get("partition"), 0, 255),
        "iscsi" => iscsi(node, found),
        "csi" => csi(node, found),
        "fc" => fibre_channel(node, found),
        "gitRepo" => found.form(node.get("directory"), descends, "a relative path without `..`"),
        "azureDisk" => {
            found.word(node.get("cachingMode"), &["None", "ReadOnly", "ReadWrite"]);
            found.word(node.get("kind"), &["Dedicated", "Managed", "Shared"]);
        }
        _ => {}
    }
}

/// `validateISCSIVolumeSource`.
fn iscsi<'d>(node: Node<'d>, found: &mut Found<'d>) {
    found.range(node.get("lun"), 0, 255);
    let what = "a name that begins with `iqn.`, `eui.` or `naa.`";
    found.form(node.get("iqn"), is_qualified, what);
    found.form(node.get("initiatorName"), is_qualified, what);
    let asks = |key: &str| node.get(key).and_then(Node::bool) == Some(true);
    if (asks("chapAuthDiscovery") || asks("chapAuthSession")) && node.get("secretRef").is_none() {
        found.missing(node, "secretRef");
    }
}

/// The three forms of iSCSI's names (`iscsiInitiatorIqnRegex` and its like).
fn is_qualified(text: &str) -> bool {
    let is_hex = |it: &str, lengths: &[usize]| {
        lengths.contains(&it.len()) && it.bytes().all(|it| it.is_ascii_hexdigit())
    };
    if let Some(rest) = text.strip_prefix("eui.") {
        return is_hex(rest, &[16]);
    }
    if let Some(rest) = text.strip_prefix("naa.") {
        return is_hex(rest, &[16, 32]);
    }
    // `iqn.2001-04.com.example:disk`: the month in which the domain was had.
    let Some(rest) = text.strip_prefix("iqn.") else { return false };
    let Some((date, name)) = rest.split_once('.') else { return false };
    let is_number =
        |it: &str, length| it.len() == length && it.bytes().all(|it| it.is_ascii_digit());
    let (domain, tail) = name.split_once(':').map_or((name, None), |it| (it.0, Some(it.1)));
    let is_domain = !domain.is_empty()
        && domain.bytes().all(|it| it.is_ascii_alphanumeric() || matches!(it, b'.' | b'-'));
    date.split_once('-').is_some_and(|it| is_number(it.0, 4) && is_number(it.1, 2))
        && is_domain
        && tail.is_none_or(|it| !it.is_empty() && !it.contains([' ', '\t', '\n']))
}

/// `ValidateCSIDriverName`.
pub(super) fn is_driver(text: &str) -> bool {
    text.len() <= 63 && is_dns_subdomain(&text.to_lowercase())
}

fn csi<'d>(node: Node<'d>, found: &mut Found<'d>) {
    found.form(node.get("driver"), is_driver, "the name of a CSI driver, 63 characters at most");
    if let Some(handle) = node.get("volumeHandle").filter(|it| it.str() == Some("")) {
        found.wrong(handle, "is empty", "empty", "name the volume");
    }
    const SECRETS: [&str; 5] = [
        "controllerExpandSecretRef",
        "controllerPublishSecretRef",
        "nodeExpandSecretRef",
        "nodePublishSecretRef",
        "nodeStageSecretRef",
    ];
    for secret in SECRETS.iter().filter_map(|it| node.get(it)).filter(|it| it.is_map()) {
        found.required(secret, &["name"]);
        found.form(secret.get("name"), is_dns_subdomain, SUBDOMAIN);
        found.form(secret.get("namespace"), is_dns_label, super::metadata::LABEL);
        // Of a pod's own volume it is that of the pod.
        if node.get("volumeHandle").is_some() {
            found.required(secret, &["namespace"]);
        }
    }
}

/// `validateFCVolumeSource`.
fn fibre_channel<'d>(node: Node<'d>, found: &mut Found<'d>) {
    exactly_one(node, &["targetWWNs", "wwids"], "target", found);
    if node.get("targetWWNs").is_some() {
        if node.get("lun").is_none() {
            found.missing(node, "lun");
        }
        found.range(node.get("lun"), 0, 255);
    }
}
