//! Volumes of pods (`ValidateVolumes` of `pkg/apis/core/validation`).

use super::container::{at_most_one, exactly_one};
use super::metadata::LABEL;
use super::names::is_dns_label;
use super::{Found, downward, given, sources, storage};
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
    volume.pairs().for_each(|(kind, it)| sources::source(it, kind, found));
    if let Some(it) = volume.at(&["ephemeral", "volumeClaimTemplate", "spec"]) {
        storage::claim(it, found);
    }
    let downward = volume.get("downwardAPI");
    downward.into_iter().flat_map(|it| it.list("items")).for_each(|it| downward_file(it, found));
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
        for from in ["configMap", "secret"].iter().filter_map(|it| part.get(it)) {
            found.required(from, &["name"]);
            files(from, found);
        }
        let downward = part.get("downwardAPI");
        let items = downward.into_iter().flat_map(|it| it.list("items"));
        items.for_each(|it| downward_file(it, found));
        if let Some(token) = part.get("serviceAccountToken").filter(|it| it.is_map()) {
            found.range(token.get("expirationSeconds"), 600, 1 << 32);
            found.form(token.get("path"), descends, "a relative path without `..`");
        }
    }
    let parts = || volume.get("projected").into_iter().flat_map(|it| it.list("sources"));
    let of_files = parts().flat_map(|it| {
        let lists = ["configMap", "downwardAPI", "secret"].into_iter();
        lists.filter_map(move |key| it.get(key)).flat_map(|it| it.list("items"))
    });
    let mut paths = FxHashSet::default();
    of_files.for_each(|it| found.once(it.get("path"), &mut paths, "file"));
}

/// `validateDownwardAPIVolumeFile`.
fn downward_file<'d>(file: Node<'d>, found: &mut Found<'d>) {
    found.form(file.get("path"), descends, "a relative path without `..`");
    found.range(file.get("mode"), 0, 0o777);
    exactly_one(file, &["fieldRef", "resourceFieldRef"], "source", found);
    if let Some(it) = file.get("fieldRef").filter(|it| it.is_map()) {
        downward::field(it, downward::Use::File, found);
    }
    if let Some(it) = file.get("resourceFieldRef").filter(|it| it.is_map()) {
        downward::resource(it, downward::Use::File, found);
    }
}

fn files<'d>(from: Node<'d>, found: &mut Found<'d>) {
    found.range(from.get("defaultMode"), 0, 0o777);
    for item in from.list("items") {
        found.range(item.get("mode"), 0, 0o777);
        found.form(item.get("path"), descends, "a relative path without `..`");
    }
}

/// Whether no part of a path leads up.
pub(super) fn has_no_way_up(path: &str) -> bool {
    path.split('/').all(|it| it != "..")
}

/// Whether a path leads down from where it begins.
pub(super) fn descends(path: &str) -> bool {
    !path.starts_with('/') && !path.split('/').any(|it| it == "..")
}
