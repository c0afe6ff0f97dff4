//! The volumes that pods need, and the nodes where these can be had.
//!
//! `pkg/scheduler/framework/plugins/{volumebinding,volumezone,volumerestrictions}`.

use super::labels::{Asks, Condition, Labels, NodeTerm, labels};
use super::node::ZONE;
use crate::analyze::disruption::claims::is_of_node;
use crate::analyze::disruption::volume_binding::{claimed_by, class_of_claim, fits};
use crate::api::kind::Kind;
use crate::model::{Model, Object};
use crate::text::tree::Node;
use std::collections::BTreeSet;

/// Where a volume can be used once it is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Lies {
    /// Anywhere.
    Anywhere,
    /// In the zone of the node where it was first used.
    InZone,
    /// On the node where it was first used.
    OnNode,
    /// Nothing says so.
    Unknown,
}

/// A volume that a pod needs.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct VolumeNeed {
    /// The claim, with its namespace where several pods share it.
    pub claim: String,
    /// Whether only one pod of the cluster may use it (ReadWriteOncePod).
    pub is_of_one_pod: bool,
    /// Where it is.
    pub state: VolumeState,
}

/// Where a claim's volume is.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum VolumeState {
    /// There is no such claim.
    Missing,
    /// On a volume that is there.
    Bound {
        /// The volume.
        volume: String,
        /// The nodes that reach it; `None` for all.
        terms: Option<Vec<NodeTerm>>,
        /// Labels of the volume that nodes have to share.
        zones: Vec<(String, BTreeSet<String>)>,
    },
    /// Made or chosen for the node of the first pod.
    Delayed {
        /// The nodes of each volume that would do.
        volumes: Vec<Option<Vec<NodeTerm>>>,
        /// Where one is made; `None` where none is.
        made: Option<Vec<Vec<Condition>>>,
        /// Where it lies from then on.
        lies: Lies,
    },
    /// Nobody has bound it, and the scheduler waits for that.
    Unbound,
    /// The input does not say.
    Open,
}

/// The claims and volumes of the input.
#[derive(Clone, Copy, Debug)]
pub struct Volumes<'m, 'd> {
    /// The objects.
    pub model: &'m Model<'d>,
    /// Whether a claim that is not in the input is not there at all.
    pub is_whole: bool,
}

impl VolumeState {
    /// Whether it can be had on a node, leaving zones aside (VolumeBinding).
    pub fn binds(&self, name: &str, labels: &Labels) -> bool {
        let reaches = |terms: &Option<Vec<NodeTerm>>| {
            terms.as_ref().is_none_or(|it| it.iter().any(|it| it.matches(name, labels)))
        };
        match self {
            VolumeState::Missing | VolumeState::Unbound => false,
            VolumeState::Open => true,
            VolumeState::Bound { terms, .. } => reaches(terms),
            VolumeState::Delayed { volumes, made, .. } => {
                let is_made = made.as_ref().is_some_and(|terms| {
                    let holds = |term: &Vec<Condition>| {
                        !term.is_empty() && term.iter().all(|it| it.holds(labels))
                    };
                    terms.is_empty() || terms.iter().any(holds)
                });
                is_made || volumes.iter().any(reaches)
            }
        }
    }

    /// Whether a node is in the volume's zone (VolumeZone); one that says nothing of zones is in all.
    pub fn is_in_zone(&self, labels: &Labels) -> bool {
        let VolumeState::Bound { zones, .. } = self else { return true };
        let says = TOPOLOGY.iter().flatten().any(|it| labels.contains_key(*it));
        !says
            || zones.iter().all(|(key, values)| {
                let newer = TOPOLOGY.iter().find(|it| it[1] == key).map(|it| it[0]);
                let value = labels.get(key).or_else(|| labels.get(newer?));
                value.is_some_and(|it| values.contains(it))
            })
    }
}

/// Labels of zones and regions, the present one and the one before.
pub(super) const TOPOLOGY: [[&str; 2]; 2] = [
    [ZONE, "failure-domain.beta.kubernetes.io/zone"],
    ["topology.kubernetes.io/region", "failure-domain.beta.kubernetes.io/region"],
];

/// Drivers whose volumes are of one zone.
const ZONAL: &[&str] = &[
    "blockstorage.csi.ibm.com",
    "cinder.csi.openstack.org",
    "disk.csi.azure.com",
    "diskplugin.csi.alibabacloud.com",
    "ebs.csi.aws.com",
    "ebs.csi.eks.amazonaws.com",
    "kubernetes.io/aws-ebs",
    "kubernetes.io/azure-disk",
    "kubernetes.io/cinder",
    "kubernetes.io/gce-pd",
    "pd.csi.storage.gke.io",
];

/// Drivers of file systems that every node mounts over the network.
const SHARED: &[&str] = &[
    "cephfs.csi.ceph.com",
    "driver.longhorn.io",
    "efs.csi.aws.com",
    "file.csi.azure.com",
    "filestore.csi.storage.gke.io",
    "nfs.csi.k8s.io",
    "rbd.csi.ceph.com",
    "smb.csi.k8s.io",
];

/// Where the volumes of a provisioner lie.
fn lies(provisioner: &str) -> Lies {
    match provisioner {
        "kubernetes.io/no-provisioner" => Lies::OnNode,
        it if is_of_node(it) => Lies::OnNode,
        it if ZONAL.contains(&it) => Lies::InZone,
        it if SHARED.iter().any(|shared| it.ends_with(shared)) => Lies::Anywhere,
        _ => Lies::Unknown,
    }
}

impl<'m, 'd> Volumes<'m, 'd> {
    /// The volumes of a pod of this name. `templates` are those of its StatefulSet.
    pub fn needs(
        &self,
        pod: Node<'d>,
        namespace: &str,
        name: &str,
        templates: &[Node<'d>],
    ) -> Vec<VolumeNeed> {
        let mut needs = Vec::new();
        let template_name = |it: &Node<'d>| it.at(&["metadata", "name"]).and_then(Node::str);
        for template in templates {
            let Some(volume) = template_name(template) else { continue };
            needs.push(self.of_template(*template, namespace, &format!("{volume}-{name}")));
        }
        for volume in pod.list("volumes") {
            let volume_name = volume.text("name");
            // A template takes the place of the pod's volume of the same name.
            if templates.iter().any(|it| volume_name.is_some() && template_name(it) == volume_name)
            {
                continue;
            }
            if let Some(claim) =
                volume.at(&["persistentVolumeClaim", "claimName"]).and_then(Node::str)
            {
                needs.push(self.of_claim(namespace, claim));
            }
            if let Some(template) = volume.at(&["ephemeral", "volumeClaimTemplate"]) {
                let claim = format!("{name}-{}", volume_name.unwrap_or_default());
                needs.push(self.of_template(template, namespace, &claim));
            }
        }
        needs
    }

    /// A claim by its name.
    fn of_claim(&self, namespace: &str, name: &str) -> VolumeNeed {
        let claim = self.model.find(Kind::PersistentVolumeClaim, namespace, name);
        let state = match claim {
            Some(claim) => self.state(claim),
            None if self.is_whole => VolumeState::Missing,
            None => VolumeState::Open,
        };
        let modes = claim.and_then(|it| it.field(&["spec"]));
        VolumeNeed {
            claim: format!("{namespace}/{name}"),
            is_of_one_pod: modes.is_some_and(is_of_one_pod),
            state,
        }
    }

    /// A claim that a controller makes from a template, or has made.
    fn of_template(&self, template: Node<'d>, namespace: &str, name: &str) -> VolumeNeed {
        if self.model.find(Kind::PersistentVolumeClaim, namespace, name).is_some() {
            return self.of_claim(namespace, name);
        }
        let reserved = self.model.of_kind(Kind::PersistentVolume);
        let mut reserved = reserved.filter(|it| claimed_by(it) == Some((namespace, name)));
        let class = template.at(&["spec", "storageClassName"]).and_then(Node::str);
        let state = match reserved.next() {
            Some(volume) => bound(volume),
            // Volumes that are chosen by hand are compared with claims, of which there is none yet.
            None => self.of_class(class.or_else(|| self.default_class()), |volume| {
                let its = volume.field(&["spec", "storageClassName"]).and_then(Node::str);
                claimed_by(volume).is_none() && its == class
            }),
        };
        // Each pod has its own, so that nothing else of it tells pods apart.
        VolumeNeed { claim: String::new(), is_of_one_pod: false, state }
    }

    fn default_class(&self) -> Option<&'d str> {
        let key = "storageclass.kubernetes.io/is-default-class";
        let mut classes = self.model.of_kind(Kind::StorageClass);
        classes.find(|it| it.annotation(key) == Some("true")).map(|it| it.name)
    }

    fn state(&self, claim: &Object<'d>) -> VolumeState {
        let spec = claim.field(&["spec"]);
        if let Some(name) = spec.and_then(|it| it.text("volumeName")).filter(|it| !it.is_empty()) {
            return match self.model.find(Kind::PersistentVolume, "", name) {
                Some(volume) => bound(volume),
                None => VolumeState::Open,
            };
        }
        let mut volumes = self.model.of_kind(Kind::PersistentVolume);
        if let Some(volume) =
            volumes.find(|it| claimed_by(it) == Some((claim.namespace, claim.name)))
        {
            return bound(volume);
        }
        self.of_class(class_of_claim(self.model, claim), |it| {
            claimed_by(it).is_none() && fits(self.model, claim, it)
        })
    }

    /// What a class makes of a claim that no volume is kept for.
    fn of_class(&self, class: Option<&str>, would_do: impl Fn(&Object<'d>) -> bool) -> VolumeState {
        let Some(name) = class.filter(|it| !it.is_empty()) else { return VolumeState::Open };
        let Some(class) = self.model.find(Kind::StorageClass, "", name) else {
            return VolumeState::Open;
        };
        let provisioner = class.root.text("provisioner").unwrap_or_default();
        // A claim that is bound at once is bound before its pods are placed, to what nobody knows yet.
        if class.root.text("volumeBindingMode") != Some("WaitForFirstConsumer") {
            return VolumeState::Open;
        }
        let volumes = self.model.of_kind(Kind::PersistentVolume).filter(|it| would_do(it));
        let volumes = volumes.map(|it| terms(it)).collect();
        let allowed = class.root.list("allowedTopologies").map(|term| {
            let expressions = term.list("matchLabelExpressions");
            let conditions = expressions.map(|it| Condition {
                key: it.text("key").unwrap_or_default().to_string(),
                asks: Asks::In(it.list("values").filter_map(Node::str).map(String::from).collect()),
            });
            conditions.collect()
        });
        let made = provisioner != "kubernetes.io/no-provisioner";
        VolumeState::Delayed {
            volumes,
            made: made.then(|| allowed.collect()),
            lies: lies(provisioner),
        }
    }
}

fn is_of_one_pod(claim: Node<'_>) -> bool {
    claim.list("accessModes").filter_map(Node::str).any(|it| it == "ReadWriteOncePod")
}

fn bound(volume: &Object<'_>) -> VolumeState {
    let own = labels(volume.field(&["metadata", "labels"]));
    let zones = own.into_iter().filter(|(key, _)| TOPOLOGY.iter().flatten().any(|it| it == key));
    // A set of zones is written with two underscores between them (LabelZonesToSet).
    let zones = zones.map(|(key, it)| (key, it.split("__").map(String::from).collect())).collect();
    VolumeState::Bound { volume: volume.name.to_string(), terms: terms(volume), zones }
}

/// The nodes that reach a volume.
fn terms(volume: &Object<'_>) -> Option<Vec<NodeTerm>> {
    let required = volume.field(&["spec", "nodeAffinity", "required"])?;
    Some(required.list("nodeSelectorTerms").map(NodeTerm::parse).collect())
}
