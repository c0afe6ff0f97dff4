//! What autoscalers measure against requests: utilization targets of every version of HorizontalPodAutoscaler, and KEDA's.
//!
//! `pkg/controller/podautoscaler/replica_calculator.go`, calculatePodRequests.

use super::effective_resources::{ContainerDemand, PodDemand, Role};
use crate::api::kind::Kind;
use crate::model::{Object, Place};
use crate::text::tree::Node;

/// A target that is a percentage of what the pods request.
#[derive(Clone, Copy, Debug)]
pub struct Measure<'d> {
    /// `cpu` or `memory`.
    pub resource: &'d str,
    /// The container that is measured; `None` is the whole pod.
    pub container: Option<&'d str>,
    /// What says so; `None` where the autoscaler has no metrics, which means 80 % of the CPU.
    pub node: Option<Node<'d>>,
}

impl<'d> Measure<'d> {
    /// The place of what says so in its autoscaler; without metrics, where the API server fills them in.
    pub fn place(&self, scaler: &Object<'_>) -> Place {
        match self.node {
            Some(node) => scaler.place(node),
            None => scaler.at("spec.metrics[0].resource.target.averageUtilization"),
        }
    }

    /// The containers whose requests make the denominator: those that run as long as the pod.
    pub fn containers<'p>(
        &self,
        pod: &'p PodDemand<'d>,
    ) -> impl Iterator<Item = &'p ContainerDemand<'d>> {
        let running = pod.containers.iter().filter(|it| it.role != Role::Init);
        running.filter(move |it| self.container.is_none_or(|name| name == it.name))
    }
}

/// The utilization targets of an autoscaler.
pub fn utilization<'d>(scaler: &Object<'d>) -> Vec<Measure<'d>> {
    let Some(spec) = scaler.field(&["spec"]) else { return Vec::new() };
    if scaler.kind == Kind::ScaledObject {
        return spec.list("triggers").filter_map(trigger).collect();
    }
    // `pkg/apis/autoscaling/v2/defaults.go`: no metrics at all mean the CPU. In v1 an annotation may hold the others.
    let v1 = spec.get("targetCPUUtilizationPercentage");
    let others = scaler.annotation("autoscaling.alpha.kubernetes.io/metrics");
    let is_default = v1.is_none() && others.is_none() && spec.list("metrics").next().is_none();
    if v1.is_some() || is_default {
        return vec![Measure { resource: "cpu", container: None, node: v1 }];
    }
    spec.list("metrics").filter_map(metric).collect()
}

fn metric(metric: Node<'_>) -> Option<Measure<'_>> {
    let (source, container) = match metric.text("type")? {
        "Resource" => (metric.get("resource")?, None),
        "ContainerResource" => {
            let source = metric.get("containerResource")?;
            (source, Some(source.text("container")?))
        }
        _ => return None,
    };
    let target = source.at(&["target", "averageUtilization"]);
    let node = target.or(source.get("targetAverageUtilization"))?;
    Some(Measure { resource: source.text("name")?, container, node: Some(node) })
}

fn trigger(trigger: Node<'_>) -> Option<Measure<'_>> {
    let resource = trigger.text("type").filter(|it| matches!(*it, "cpu" | "memory"))?;
    let metadata = trigger.get("metadata");
    let kind = trigger.text("metricType").or(metadata.and_then(|it| it.text("type")))?;
    let container = metadata.and_then(|it| it.text("containerName"));
    (kind == "Utilization").then_some(Measure { resource, container, node: Some(trigger) })
}
