//! Where pods of the input really are.

use super::cluster::NodeId;
use super::node::ClusterNode;
use crate::analyze::selection::owners::Owner;
use crate::analyze::selection::workloads::{WorkloadId, Workloads};
use crate::api::kind::Kind;
use crate::model::{Model, Object};
use crate::text::tree::Node;
use rustc_hash::FxHashMap;

/// A pod that is on a node.
#[derive(Clone, Copy, Debug)]
pub struct RealPod<'d> {
    /// Its name.
    pub name: &'d str,
    /// Its node.
    pub node: NodeId,
    /// Whether it is being deleted.
    pub is_terminating: bool,
}

/// The pods of workloads that have a template, with their nodes.
#[derive(Debug)]
pub struct Real<'d> {
    nodes: FxHashMap<String, NodeId>,
    by_workload: FxHashMap<WorkloadId, Vec<RealPod<'d>>>,
}

/// Controllers in a chain longer than this are taken for a mistake.
const MOST_OWNERS: usize = 8;

impl<'d> Real<'d> {
    /// Finds them.
    pub fn new(model: &Model<'d>, workloads: &Workloads<'d>, nodes: &[ClusterNode]) -> Real<'d> {
        let nodes = nodes.iter().enumerate().map(|(at, it)| (it.name.clone(), at)).collect();
        let mut real = Real { nodes, by_workload: FxHashMap::default() };
        for pod in model.of_kind(Kind::Pod) {
            let name = pod.field(&["spec", "nodeName"]).and_then(Node::str);
            let Some(node) = name.and_then(|it| real.node(it)) else { continue };
            let phase = pod.field(&["status", "phase"]).and_then(Node::str);
            if matches!(phase, Some("Succeeded" | "Failed")) {
                continue;
            }
            if let Some(workload) = made_by(model, workloads, pod) {
                let is_terminating = pod.field(&["metadata", "deletionTimestamp"]).is_some();
                let pod = RealPod { name: pod.name, node, is_terminating };
                real.by_workload.entry(workload).or_default().push(pod);
            }
        }
        real
    }

    /// The node of this name.
    pub fn node(&self, name: &str) -> Option<NodeId> {
        self.nodes.get(name).copied()
    }

    /// The pods of a workload.
    pub fn of(&self, workload: WorkloadId) -> &[RealPod<'d>] {
        self.by_workload.get(&workload).map_or(&[], Vec::as_slice)
    }
}

/// The workload with a template that made a pod. A ReplicaSet that is not in the input is called after its Deployment and
/// the hash of the template, a Job after its CronJob and the time.
fn made_by<'d>(
    model: &Model<'d>,
    workloads: &Workloads<'d>,
    pod: &Object<'d>,
) -> Option<WorkloadId> {
    let mut owner = Owner::of(pod.root)?;
    let mut made_by = None;
    for _ in 0..MOST_OWNERS {
        let named = model.find_custom(owner.group, owner.kind, pod.namespace, owner.name);
        let by_name = || {
            let (name, _) = owner.name.rsplit_once('-')?;
            let kinds: &[Kind] = match owner.known_kind() {
                Kind::ReplicaSet => &[Kind::Deployment, Kind::Rollout],
                Kind::Job => &[Kind::CronJob],
                _ => &[],
            };
            kinds.iter().find_map(|kind| model.find(*kind, pod.namespace, name))
        };
        let found = named.or_else(by_name)?;
        made_by = workloads.of_object(found.id).map(|it| it.id).or(made_by);
        match Owner::of(found.root) {
            Some(next) => owner = next,
            None => break,
        }
    }
    made_by
}
