//! What a pod mounts.

use crate::analyze::security::pod::{Fault, SecuredPod};
use crate::text::tree::Node;

/// `policy/check_hostPathVolumes.go`. A volume that no container mounts counts as well.
pub(in crate::analyze::security) fn host_paths(pod: SecuredPod<'_>, _: u32) -> Vec<Fault<'_>> {
    let volumes = pod.spec.list("volumes");
    volumes
        .filter_map(|it| {
            let source = it.get("hostPath")?;
            let path = source.text("path").unwrap_or_default();
            Some(pod.fault(source.get("path").unwrap_or(source), format!("`{path}` of the node")))
        })
        .collect()
}

/// The sources of volumes that restricted takes.
const ALLOWED: [&str; 9] = [
    "configMap",
    "csi",
    "downwardAPI",
    "emptyDir",
    "ephemeral",
    "image",
    "persistentVolumeClaim",
    "projected",
    "secret",
];

/// The others that there are, in the order in which `policy/check_restrictedVolumes.go` names them.
const REFUSED: [&str; 21] = [
    "hostPath",
    "gcePersistentDisk",
    "awsElasticBlockStore",
    "gitRepo",
    "nfs",
    "iscsi",
    "glusterfs",
    "rbd",
    "flexVolume",
    "cinder",
    "cephfs",
    "flocker",
    "fc",
    "azureFile",
    "vsphereVolume",
    "quobyte",
    "azureDisk",
    "photonPersistentDisk",
    "portworxVolume",
    "scaleIO",
    "storageos",
];

/// `policy/check_restrictedVolumes.go`. A volume without a source is an `emptyDir` by the time it is judged
/// (`pkg/apis/core/v1/defaults.go`, SetDefaults_Volume).
pub(in crate::analyze::security) fn restricted(pod: SecuredPod<'_>, _: u32) -> Vec<Fault<'_>> {
    let volumes = pod.spec.list("volumes");
    volumes
        .filter_map(|it| {
            let source = refused(it)?;
            Some(pod.fault(source.0, format!("a volume of type `{}`", source.1)))
        })
        .collect()
}

fn refused(volume: Node<'_>) -> Option<(Node<'_>, &'static str)> {
    if ALLOWED.iter().any(|it| volume.get(it).is_some()) {
        return None;
    }
    REFUSED.iter().find_map(|it| Some((volume.get(it)?, *it)))
}
