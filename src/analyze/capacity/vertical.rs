//! VerticalPodAutoscalers: what they set on which containers, and how.
//!
//! `vertical-pod-autoscaler/pkg/apis/autoscaling.k8s.io/v1/types.go`, `pkg/utils/vpa/api.go`.

use super::replicas::target;
use crate::analyze::Facts;
use crate::analyze::selection::workloads::WorkloadId;
use crate::api::kind::Kind;
use crate::model::{Model, ObjId};
use crate::text::tree::Node;

/// How recommendations reach pods.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// Not at all.
    Off,
    /// When a pod is made for another reason.
    Initial,
    /// By changing the running pod, and by eviction where that fails.
    InPlace,
    /// By eviction.
    Evict,
}

impl Mode {
    /// Whether the updater acts on running pods.
    pub fn is_of_updater(self) -> bool {
        matches!(self, Mode::InPlace | Mode::Evict)
    }
}

/// A VerticalPodAutoscaler.
#[derive(Clone, Debug)]
pub struct Vertical<'d> {
    /// The object.
    pub object: ObjId,
    /// Its `spec.targetRef`.
    pub target_ref: Option<Node<'d>>,
    /// Its target, if that is a workload of the input.
    pub target: Option<WorkloadId>,
    /// How it acts.
    pub mode: Mode,
    /// The field that says so, if it is written.
    pub mode_node: Option<Node<'d>>,
    /// How few pods its updater still evicts from.
    pub min_replicas: u64,
    policies: Vec<Node<'d>>,
}

impl<'d> Vertical<'d> {
    /// Whether it sets this resource of this container.
    pub fn controls(&self, container: &str, resource: &str) -> bool {
        if self.mode == Mode::Off {
            return false;
        }
        let Some(policy) = self.policy(container) else {
            return is_controlled_by_default(resource);
        };
        if policy.text("mode") == Some("Off") {
            return false;
        }
        match policy.get("controlledResources") {
            Some(list) => list.items().any(|it| it.str() == Some(resource)),
            None => is_controlled_by_default(resource),
        }
    }

    /// The least of a resource that it gives a container, if it sets that and says so.
    pub fn least(&self, container: &str, resource: &str) -> Option<Node<'d>> {
        let policy = self.policy(container).filter(|_| self.controls(container, resource))?;
        policy.at(&["minAllowed", resource])
    }

    /// A policy of the container's own name comes before the one for all.
    fn policy(&self, container: &str) -> Option<Node<'d>> {
        let named = |name| self.policies.iter().find(|it| it.text("containerName") == Some(name));
        named(container).or_else(|| named("*")).copied()
    }
}

fn is_controlled_by_default(resource: &str) -> bool {
    matches!(resource, "cpu" | "memory")
}

/// All VerticalPodAutoscalers.
pub(in crate::analyze) fn verticals<'d>(model: &Model<'d>, facts: &Facts<'d>) -> Vec<Vertical<'d>> {
    let objects = model.of_kind(Kind::VerticalPodAutoscaler);
    let verticals = objects.map(|object| {
        let spec = object.field(&["spec"]);
        let target_ref = spec.and_then(|it| it.get("targetRef"));
        let workloads = facts.workloads();
        let target = target_ref.and_then(|it| target(model, workloads, object.namespace, it));
        let update = spec.and_then(|it| it.get("updatePolicy"));
        let mode_node = update.and_then(|it| it.get("updateMode"));
        let mode = match mode_node.and_then(Node::str) {
            Some("Off") => Mode::Off,
            Some("Initial") => Mode::Initial,
            Some("InPlaceOrRecreate" | "InPlace") => Mode::InPlace,
            // Auto, which is the default, evicts.
            _ => Mode::Evict,
        };
        let min_replicas = update.and_then(|it| it.get("minReplicas")).and_then(Node::int);
        let min_replicas = min_replicas.and_then(|it| u64::try_from(it).ok());
        let policies = spec.and_then(|it| it.get("resourcePolicy"));
        let policies = policies.into_iter().flat_map(|it| it.list("containerPolicies")).collect();
        Vertical {
            object: object.id,
            target_ref,
            target,
            mode,
            mode_node,
            // The updater's flag `--min-replicas`.
            min_replicas: min_replicas.unwrap_or(2),
            policies,
        }
    });
    verticals.collect()
}
