//! Volume claims and the workloads whose pods share them.
//!
//! `k8s.io/api/core/v1/types.go`, PersistentVolumeAccessMode: ReadWriteOnce is one *node*, ReadWriteOncePod one pod.
//! Claims of `volumeClaimTemplates` and ephemeral volumes are each pod's own and not shared.

use super::spread::{Neighbour, neighbour};
use crate::analyze::selection::workloads::{Workload, WorkloadId, Workloads};
use crate::api::kind::Kind;
use crate::model::{Model, ObjId, Object};
use crate::text::tree::Node;
use rustc_hash::FxHashMap;

/// How many users of a claim are looked at for one that another stays beside.
const LOOKED_AT: usize = 16;

/// Who may use a claim at the same time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// Any pods; or pods follow the volume, which lies on one node.
    Shared,
    /// The pods of one node (ReadWriteOnce).
    OneNode,
    /// One pod of the whole cluster (ReadWriteOncePod).
    OnePod,
}

impl Access {
    /// As manifests write it; nothing where it does not matter.
    pub fn name(self) -> &'static str {
        match self {
            Access::Shared => "",
            Access::OneNode => "ReadWriteOnce",
            Access::OnePod => "ReadWriteOncePod",
        }
    }
}

/// A PersistentVolumeClaim of the input.
#[derive(Clone, Debug)]
pub struct Claim<'d> {
    /// The object.
    pub object: ObjId,
    /// Its name.
    pub name: &'d str,
    /// Who may use it.
    pub access: Access,
    /// Who does.
    pub users: Vec<ClaimUser<'d>>,
}

/// A workload whose pods all use one claim.
#[derive(Clone, Copy, Debug)]
pub struct ClaimUser<'d> {
    /// The workload.
    pub workload: WorkloadId,
    /// `persistentVolumeClaim.claimName` of its volume.
    pub field: Node<'d>,
    /// Whether its pods have to run on one node: by name, or beside pods that use the claim.
    pub stays_on_node: bool,
}

/// All claims, found by the workloads that use them.
#[derive(Debug, Default)]
pub struct Claims<'d> {
    all: Vec<Claim<'d>>,
    by_workload: FxHashMap<WorkloadId, Vec<(u32, u32)>>,
}

impl<'d> Claims<'d> {
    /// Finds the claims of a model and who uses them.
    pub fn new(model: &'d Model<'d>, workloads: &Workloads<'d>) -> Claims<'d> {
        let mut claims = Claims::default();
        let mut by_name: FxHashMap<(&str, &str), u32> = FxHashMap::default();
        let volumes = Volumes::new(model);
        for object in model.of_kind(Kind::PersistentVolumeClaim) {
            by_name.insert((object.namespace, object.name), claims.all.len() as u32);
            let access = volumes.access(object);
            claims.all.push(Claim {
                object: object.id,
                name: object.name,
                access,
                users: Vec::new(),
            });
        }
        for workload in workloads.iter() {
            for field in claim_names(model, workload) {
                let name = field.str().unwrap_or_default();
                let Some(at) = by_name.get(&(workload.namespace, name)) else { continue };
                let users = &mut claims.all[*at as usize].users;
                if users.last().is_some_and(|it| it.workload == workload.id) {
                    continue;
                }
                let user = users.len() as u32;
                claims.by_workload.entry(workload.id).or_default().push((*at, user));
                users.push(ClaimUser { workload: workload.id, field, stays_on_node: false });
            }
        }
        for claim in &mut claims.all {
            bind(workloads, &mut claim.users);
        }
        claims
    }

    /// All claims.
    pub fn iter(&self) -> impl Iterator<Item = &Claim<'d>> {
        self.all.iter()
    }

    /// The claims that all pods of a workload use together.
    pub fn of_workload(
        &self,
        workload: WorkloadId,
    ) -> impl Iterator<Item = (&Claim<'d>, &ClaimUser<'d>)> {
        self.by_workload.get(&workload).into_iter().flatten().map(|(claim, user)| {
            let claim = &self.all[*claim as usize];
            (claim, &claim.users[*user as usize])
        })
    }
}

/// The fields that name the claims of a workload's pods.
fn claim_names<'d>(model: &Model<'d>, workload: &Workload<'d>) -> Vec<Node<'d>> {
    let spec = model.object(workload.object).field(&["spec"]);
    let templates = match workload.kind {
        Kind::StatefulSet => spec.map(|it| it.list("volumeClaimTemplates").collect()),
        _ => None,
    };
    let templates: Vec<Node<'_>> = templates.unwrap_or_default();
    // A template takes the place of the pod's volume of the same name
    // (`pkg/controller/statefulset/stateful_set_utils.go`, updateStorage).
    let is_own = |volume: Node<'_>| {
        let name = volume.text("name");
        templates
            .iter()
            .any(|it| name.is_some() && it.at(&["metadata", "name"]).and_then(Node::str) == name)
    };
    let volumes = workload.pod.list("volumes").filter(|it| !is_own(*it));
    let names = volumes.filter_map(|it| it.at(&["persistentVolumeClaim", "claimName"]));
    names.filter(|it| it.str().is_some()).collect()
}

/// Finds out which users stay on one node.
fn bind(workloads: &Workloads<'_>, users: &mut [ClaimUser<'_>]) {
    let others: Vec<_> = users.iter().take(LOOKED_AT).map(|it| it.workload).collect();
    for user in users {
        let workload = workloads.get(user.workload);
        let is_beside = |other: WorkloadId| {
            neighbour(workload, workloads.get(other), Neighbour::Beside).is_some()
        };
        user.stays_on_node = is_pinned(workload)
            || is_beside(user.workload)
            || others.iter().any(|it| is_beside(*it));
    }
}

/// Whether every pod of a workload runs on one and the same node, which the workload names.
fn is_pinned(workload: &Workload<'_>) -> bool {
    workload.pod.text("nodeName").is_some()
        || workload
            .pod
            .at(&["nodeSelector", "kubernetes.io/hostname"])
            .is_some_and(|it| it.str().is_some())
}

/// The volumes of the input, by class, and which of them lie on one node.
struct Volumes<'d> {
    model: &'d Model<'d>,
    /// Whether all volumes of a class lie on one node each.
    are_of_one_node: FxHashMap<&'d str, bool>,
}

impl<'d> Volumes<'d> {
    fn new(model: &'d Model<'d>) -> Volumes<'d> {
        let mut are_of_one_node = FxHashMap::default();
        for volume in model.of_kind(Kind::PersistentVolume) {
            let class = volume.field(&["spec", "storageClassName"]).and_then(Node::str);
            let all = are_of_one_node.entry(class.unwrap_or_default()).or_insert(true);
            *all &= is_of_one_node(volume);
        }
        Volumes { model, are_of_one_node }
    }

    fn access(&self, claim: &Object<'d>) -> Access {
        let Some(spec) = claim.field(&["spec"]) else { return Access::Shared };
        let modes: Vec<_> = spec.list("accessModes").filter_map(Node::str).collect();
        if modes.iter().any(|it| matches!(*it, "ReadWriteMany" | "ReadOnlyMany")) {
            return Access::Shared;
        }
        if modes.contains(&"ReadWriteOncePod") {
            return Access::OnePod;
        }
        if modes.contains(&"ReadWriteOnce") && !self.is_on_one_node(spec) {
            return Access::OneNode;
        }
        Access::Shared
    }

    /// Whether the volume of a claim lies on one node, to which the scheduler brings every pod that uses it; or is a
    /// folder of whichever node a pod runs on, and so is never attached.
    fn is_on_one_node(&self, claim: Node<'d>) -> bool {
        let named = claim.text("volumeName");
        if let Some(volume) = named.and_then(|it| self.model.find(Kind::PersistentVolume, "", it)) {
            return is_of_one_node(volume);
        }
        // Without a class the claim gets the default one, whichever that is.
        let Some(name) = claim.text("storageClassName") else { return false };
        match self.model.find(Kind::StorageClass, "", name) {
            Some(class) => {
                let provisioner = class.root.text("provisioner").unwrap_or_default();
                // Without a provisioner volumes are made by hand; of all clusters local ones are.
                provisioner == "kubernetes.io/no-provisioner"
                    && self.are_of_one_node.get(name) != Some(&false)
                    || is_of_node(provisioner)
            }
            None => LOCAL_CLASSES.contains(&name) || self.are_of_one_node.get(name) == Some(&true),
        }
    }
}

/// Whether the volumes of a provisioner lie on the node of the pod that asked for them first.
pub fn is_of_node(provisioner: &str) -> bool {
    LOCAL_PROVISIONERS.iter().any(|it| provisioner.ends_with(it))
}

/// Provisioners of volumes that lie on the node of the pod that asked for them first. A domain stands for all that a
/// vendor's driver is called by.
const LOCAL_PROVISIONERS: &[&str] = &[
    "/local-path",
    "/minikube-hostpath",
    "direct-csi-min-io",
    "directpv-min-io",
    "docker.io/hostpath",
    "hostpath.csi.k8s.io",
    "kubevirt.io.hostpath-provisioner",
    "kubevirt.io/hostpath-provisioner",
    "local.csi.openebs.io",
    "lvm.csi.metal-stack.io",
    "microk8s.io/hostpath",
    "openebs.io/local",
    "topolvm.cybozu.com",
    "topolvm.io",
    "zfs.csi.openebs.io",
];

/// What those provisioners call the classes that they bring along; these classes are seldom among an application's
/// manifests.
const LOCAL_CLASSES: &[&str] = &[
    "csi-hostpath-sc",
    "directpv-min-io",
    "local-path",
    "microk8s-hostpath",
    "openebs-hostpath",
    "openebs-lvmpv",
    "openebs-zfspv",
    "topolvm-provisioner",
];

fn is_of_one_node(volume: &Object<'_>) -> bool {
    ["local", "hostPath"].iter().any(|it| volume.field(&["spec", it]).is_some())
}
