//! Nodes, their taints, and the pods' tolerations.

use super::labels::{Labels, labels};
use crate::analyze::capacity::effective_resources::Resources;
use crate::model::{ObjId, Object};
use crate::text::tree;
use std::collections::BTreeMap;

/// The label that tells nodes apart.
pub const HOSTNAME: &str = "kubernetes.io/hostname";

/// The label of the zone that a node is in.
pub const ZONE: &str = "topology.kubernetes.io/zone";

/// What `spec.unschedulable` is tolerated as (`pkg/scheduler/framework/plugins/nodeunschedulable`).
const UNSCHEDULABLE: &str = "node.kubernetes.io/unschedulable";

/// The taints by which the node controller and cloud providers say how a node is at this moment
/// (`pkg/controller/nodelifecycle/node_lifecycle_controller.go`, nodeConditionToTaintKeyStatusMap;
/// `cloud-provider/api/well_known_taints.go`). A new node has the first until its kubelet is ready
/// (`plugin/pkg/admission/nodetaint`).
const OF_CONDITIONS: [&str; 8] = [
    "node.kubernetes.io/not-ready",
    "node.kubernetes.io/unreachable",
    "node.kubernetes.io/memory-pressure",
    "node.kubernetes.io/disk-pressure",
    "node.kubernetes.io/pid-pressure",
    "node.kubernetes.io/network-unavailable",
    "node.cloudprovider.kubernetes.io/uninitialized",
    "node.cloudprovider.kubernetes.io/shutdown",
];

/// Amounts by resource as the scheduler counts them: CPU in thousandths, all else in whole units, rounded up.
pub type Amounts = BTreeMap<String, i128>;

/// A node.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ClusterNode {
    /// Its name.
    pub name: String,
    /// Its labels.
    pub labels: Labels,
    /// Its taints.
    pub taints: Vec<Taint>,
    /// Whether it is cordoned.
    pub unschedulable: bool,
    /// What pods may request in all; `None` where nothing says so.
    pub allocatable: Option<Allocatable>,
    /// The pool that it is one of, where it was described and not listed.
    pub pool: Option<String>,
    /// The object that it is.
    pub object: Option<ObjId>,
}

/// What a node has for pods.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Allocatable {
    /// By resource.
    pub amounts: Amounts,
    /// How many pods.
    pub pods: i128,
}

/// What a taint does to pods that do not tolerate it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Effect {
    /// They are not placed there.
    NoSchedule,
    /// They are rather not placed there.
    PreferNoSchedule,
    /// They are not placed there, and leave if they are there.
    NoExecute,
}

/// A taint.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Taint {
    /// Its key.
    pub key: String,
    /// Its value.
    pub value: String,
    /// What it does.
    pub effect: Effect,
}

/// A toleration.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Toleration {
    /// The key; empty stands for all.
    pub key: String,
    /// The value, where it has to be that one; `None` where any will do.
    pub value: Option<String>,
    /// The effect; `None` stands for all.
    pub effect: Option<Effect>,
    /// For how many seconds it holds of what makes pods leave; `None` for ever.
    pub seconds: Option<i64>,
}

impl Effect {
    /// By its name.
    pub fn of(name: &str) -> Option<Effect> {
        match name {
            "NoSchedule" => Some(Effect::NoSchedule),
            "PreferNoSchedule" => Some(Effect::PreferNoSchedule),
            "NoExecute" => Some(Effect::NoExecute),
            _ => None,
        }
    }

    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Effect::NoSchedule => "NoSchedule",
            Effect::PreferNoSchedule => "PreferNoSchedule",
            Effect::NoExecute => "NoExecute",
        }
    }

    /// Whether the scheduler refuses pods for it.
    pub fn refuses(self) -> bool {
        self != Effect::PreferNoSchedule
    }
}

impl Taint {
    /// An item of `spec.taints`.
    pub fn parse(node: tree::Node<'_>) -> Option<Taint> {
        let text = |key| node.text(key).unwrap_or_default().to_string();
        Some(Taint { key: text("key"), value: text("value"), effect: Effect::of(&text("effect"))? })
    }
}

impl std::fmt::Display for Taint {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.key)?;
        if !self.value.is_empty() {
            write!(f, "={}", self.value)?;
        }
        write!(f, ":{}", self.effect.name())
    }
}

impl Toleration {
    /// An item of `spec.tolerations`; `None` for what the API server refuses.
    pub fn parse(node: tree::Node<'_>) -> Option<Toleration> {
        let effect = match node.text("effect") {
            None | Some("") => None,
            Some(it) => Some(Effect::of(it)?),
        };
        let value = match node.text("operator") {
            Some("Exists") => None,
            None | Some("" | "Equal") => Some(node.text("value").unwrap_or_default().to_string()),
            Some(_) => return None,
        };
        let key = node.text("key").unwrap_or_default().to_string();
        let seconds = node.get("tolerationSeconds").and_then(tree::Node::int);
        Some(Toleration { key, value, effect, seconds })
    }

    /// Any taint of a key.
    pub fn of_key(key: &str, effect: Effect) -> Toleration {
        Toleration { key: key.into(), value: None, effect: Some(effect), seconds: None }
    }

    /// Whether it tolerates a taint (`k8s.io/api/core/v1/toleration.go`, ToleratesTaint).
    pub fn tolerates(&self, key: &str, value: &str, effect: Effect) -> bool {
        self.effect.is_none_or(|it| it == effect)
            && (self.key.is_empty() || self.key == key)
            && self.value.as_deref().is_none_or(|it| it == value)
    }
}

/// The first taint that keeps pods with these tolerations away.
pub fn untolerated<'n>(taints: &'n [Taint], tolerations: &[Toleration]) -> Option<&'n Taint> {
    taints.iter().filter(|it| it.effect.refuses()).find(|taint| {
        !tolerations.iter().any(|it| it.tolerates(&taint.key, &taint.value, taint.effect))
    })
}

impl ClusterNode {
    /// A Node.
    pub fn of_object(object: &Object<'_>) -> ClusterNode {
        ClusterNode::of_root(object.root, Some(object.id))
    }

    /// A Node by its outermost field.
    pub fn of_root(root: tree::Node<'_>, object: Option<ObjId>) -> ClusterNode {
        let spec = root.get("spec");
        let taints = spec.into_iter().flat_map(|it| it.list("taints")).filter_map(Taint::parse);
        let allocatable = root.at(&["status", "allocatable"]).map(|it| {
            let amounts = amounts(&Resources::parse(Some(it), &mut Vec::new()));
            // What is not stated is nothing (`noderesources/fit.go`, fitsRequest).
            Allocatable { pods: amounts.get("pods").copied().unwrap_or(0), amounts }
        });
        let name = root.at(&["metadata", "name"]).and_then(tree::Node::str);
        ClusterNode {
            name: name.unwrap_or_default().to_string(),
            labels: labels(root.at(&["metadata", "labels"])),
            taints: taints.collect(),
            unschedulable: spec.and_then(|it| it.get("unschedulable")).and_then(tree::Node::bool)
                == Some(true),
            allocatable,
            pool: None,
            object,
        }
    }

    /// The same without the taints that come and go with its condition: what is judged is what it is meant to be.
    pub fn without_conditions(mut self) -> ClusterNode {
        self.taints.retain(|it| !OF_CONDITIONS.contains(&it.key.as_str()));
        self
    }

    /// Whether pods with these tolerations are kept away because it is cordoned.
    pub fn refuses_as_cordoned(&self, tolerations: &[Toleration]) -> bool {
        let is_tolerated =
            || tolerations.iter().any(|it| it.tolerates(UNSCHEDULABLE, "", Effect::NoSchedule));
        self.unschedulable && !is_tolerated()
    }

    /// The zone that it is in.
    pub fn zone(&self) -> Option<&str> {
        self.labels.get(ZONE).map(String::as_str)
    }
}

/// Resources as the scheduler counts them: those that it does not know are left out
/// (`pkg/scheduler/util`, IsScalarResourceName).
pub fn amounts(resources: &Resources<'_>) -> Amounts {
    let mut amounts = Amounts::new();
    for (name, amount) in resources.iter() {
        let milli = amount.milli();
        match name {
            "cpu" => drop(amounts.insert(name.into(), milli)),
            _ if is_counted(name) => {
                amounts.insert(name.into(), milli.div_euclid(1000) + i128::from(milli % 1000 != 0));
            }
            _ => {}
        }
    }
    amounts
}

fn is_counted(name: &str) -> bool {
    matches!(name, "memory" | "ephemeral-storage" | "pods")
        || name.contains('/')
        || name.starts_with("hugepages-")
        || name.starts_with("attachable-volumes-")
}
