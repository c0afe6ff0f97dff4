//! Volumes of pods (`ValidateVolumes` of `pkg/apis/core/validation`).

use super::container::{at_most_one, exactly_one};
use super::metadata::LABEL;
use super::names::is_dns_label;
use super::{Found, given};
use crate::text::tree::Node;
use rustc_hash::FxHashSet;

/// What a volume may come from.
const SOURCES: [&str; 30] = [
    "awsElasticBlockStore",
    "azureDisk",
    "azureFile",
    "cephfs",
    "cinder",
    "configMap",
    "csi",
    "downwardAPI",
    "emptyDir",
    "ephemeral",
    "fc",
    "flexVolume",
    "flocker",
    "gcePersistentDisk",
    "gitRepo",
    "glusterfs",
    "hostPath",
    "image",
    "iscsi",
    "nfs",
    "persistentVolumeClaim",
    "photonPersistentDisk",
    "portworxVolume",
    "projected",
    "quobyte",
    "rbd",
    "scaleIO",
    "secret",
    "storageos",
    "vsphereVolume",
];

/// What a part of a projected volume may come from.
const PROJECTIONS: [&str; 6] = [
    "clusterTrustBundle",
    "configMap",
    "downwardAPI",
    "podCertificate",
    "secret",
    "serviceAccountToken",
];

pub(super) fn volumes<'d>(spec: Node<'d>, found: &mut Found<'d>) {
    let mut names = FxHashSet::default();
    for volume in spec.list("volumes").filter(|it| it.is_map()) {
        found.form(volume.get("name"), is_dns_label, LABEL);
        found.once(volume.get("name"), &mut names, "volume");
        source(volume, found);
    }
}

fn source<'d>(volume: Node<'d>, found: &mut Found<'d>) {
    // No source at all stands for an empty folder (SetDefaults_Volume).
    if given(volume, &SOURCES).len() > 1 {
        exactly_one(volume, &SOURCES, "source", found);
    }
    let host = volume.at(&["hostPath", "path"]);
    let is_up = |it: Node<'_>| it.str().is_some_and(|it| it.split('/').any(|it| it == ".."));
    if let Some(host) = host.filter(|it| is_up(*it)) {
        found.wrong(host, "has `..` in it", "leads out of the folder", "write the path itself");
    }
    let secret = volume.get("secret").filter(|it| it.is_map());
    if let Some(secret) = secret
        && secret.get("secretName").is_none_or(|it| it.str() == Some(""))
    {
        found.missing(secret, "secretName");
    }
    let map = volume.get("configMap").filter(|it| it.is_map());
    if let Some(map) = map
        && map.get("name").is_none_or(|it| it.str() == Some(""))
    {
        found.missing(map, "name");
    }
    for from in secret.into_iter().chain(map) {
        files(from, found);
    }
    for part in volume.get("projected").into_iter().flat_map(|it| it.list("sources")) {
        // One without any is taken (`validateProjectionSources`).
        if part.is_map() {
            at_most_one(part, &PROJECTIONS, "source", found);
        }
    }
}

fn files<'d>(from: Node<'d>, found: &mut Found<'d>) {
    found.range(from.get("defaultMode"), 0, 0o777);
    for item in from.list("items") {
        found.range(item.get("mode"), 0, 0o777);
        found.form(item.get("path"), descends, "a relative path without `..`");
    }
}

/// Whether a path leads down from where it begins.
pub(super) fn descends(path: &str) -> bool {
    !path.starts_with('/') && !path.split('/').any(|it| it == "..")
}
