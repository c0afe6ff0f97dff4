//! Namespaces and components as objects.

use super::objects::Field::{self, Assumed, List, Map, Number, Stated, Text};
use super::statements::{Component, Replicas};
use super::text::{Percent, WorkloadKind};
use crate::text::tree::Node;

/// The label by which the objects of a component find its pods.
const LABEL: &str = "purlin.dev/component";

/// A namespace, and its quota where one is stated.
pub(super) fn namespace<'d>(name: &str, said: Node<'d>) -> Vec<Field<'d>> {
    let mut objects = vec![object("v1", "Namespace", ("", name), said, Vec::new())];
    if let Some(quota) = said.get("quota") {
        let spec = Map(vec![("hard", Stated(quota))], quota);
        objects.push(object("v1", "ResourceQuota", (name, "quota"), quota, vec![("spec", spec)]));
    }
    objects
}

/// A component: its workload, and what scales and protects it. One that does not say how many pods it runs says too little
/// to be judged, unless it runs one on each node.
pub(super) fn component<'d>(name: &str, component: &Component, said: Node<'d>) -> Vec<Field<'d>> {
    let kind = component.workload.kind;
    if component.replicas.is_none() && kind != WorkloadKind::DaemonSet {
        return Vec::new();
    }
    let (namespace, workload) = (&component.workload.namespace, &component.workload.name);
    let names = (namespace.as_str(), workload.as_str());
    let spec = Map(workload_spec(name, component, said), said);
    let mut objects = vec![object("apps/v1", kind.name(), names, said, vec![("spec", spec)])];
    if let Some(Replicas::Between(_)) = component.replicas {
        let spec = Map(autoscaler(component, said), said);
        let autoscaler = "HorizontalPodAutoscaler";
        objects.push(object("autoscaling/v2", autoscaler, names, said, vec![("spec", spec)]));
    }
    if kind != WorkloadKind::DaemonSet {
        // Where none is stated, one that lets pods go is assumed: that it is missing is not to be told.
        let disruption = said.get("disruption").unwrap_or(said);
        let mut spec = taken(disruption, &["minAvailable", "maxUnavailable"]);
        if spec.is_empty() {
            spec.push(("maxUnavailable", Assumed(1, said)));
        }
        spec.push(("selector", Map(vec![("matchLabels", labels(name, said))], said)));
        let spec = Map(spec, disruption);
        objects.push(object(
            "policy/v1",
            "PodDisruptionBudget",
            names,
            disruption,
            vec![("spec", spec)],
        ));
    }
    objects
}

fn workload_spec<'d>(
    name: &str,
    component: &Component,
    said: Node<'d>,
) -> Vec<(&'static str, Field<'d>)> {
    let mut spec = vec![("selector", Map(vec![("matchLabels", labels(name, said))], said))];
    if let Some(Replicas::Count(_)) = component.replicas {
        spec.extend(taken(said, &["replicas"]));
    }
    if let Some(rollout) = said.get("rollout") {
        let strategy = match component.workload.kind {
            WorkloadKind::Deployment => "strategy",
            WorkloadKind::StatefulSet | WorkloadKind::DaemonSet => "updateStrategy",
        };
        let rolling = Map(taken(rollout, &["maxSurge", "maxUnavailable"]), rollout);
        let kind = Text("RollingUpdate".into(), rollout);
        spec.push((strategy, Map(vec![("type", kind), ("rollingUpdate", rolling)], rollout)));
    }
    let mut container =
        vec![("name", Text(name.into(), said)), ("image", Text(format!("{name}:stated"), said))];
    container.extend(taken(said, &["resources"]));
    let pods = Map(vec![("containers", List(vec![Map(container, said)], said))], said);
    let metadata = Map(vec![("labels", labels(name, said))], said);
    spec.push(("template", Map(vec![("metadata", metadata), ("spec", pods)], said)));
    spec
}

fn autoscaler<'d>(component: &Component, said: Node<'d>) -> Vec<(&'static str, Field<'d>)> {
    let workload = &component.workload;
    let target = vec![
        ("apiVersion", Text("apps/v1".into(), said)),
        ("kind", Text(workload.kind.name().into(), said)),
        ("name", Text(workload.name.clone(), said)),
    ];
    let mut spec = vec![("scaleTargetRef", Map(target, said))];
    for (field, bound) in [("minReplicas", "min"), ("maxReplicas", "max")] {
        spec.extend(said.at(&["replicas", bound]).map(|it| (field, Stated(it))));
    }
    let metrics = ["cpu", "memory"].into_iter().filter_map(|it| metric(it, said));
    let metrics: Vec<_> = metrics.collect();
    if !metrics.is_empty() {
        spec.push(("metrics", List(metrics, said)));
    }
    spec
}

/// A share of what pods ask for.
fn metric<'d>(resource: &str, said: Node<'d>) -> Option<Field<'d>> {
    let share = said.at(&["scaling", resource])?;
    let Percent(percent) = share.str().and_then(Percent::parse)?;
    let target = vec![
        ("type", Text("Utilization".into(), share)),
        ("averageUtilization", Number(percent, share)),
    ];
    let resource = vec![("name", Text(resource.into(), share)), ("target", Map(target, share))];
    let metric = vec![("type", Text("Resource".into(), share)), ("resource", Map(resource, share))];
    Some(Map(metric, share))
}

/// The fields of these names, as far as they are stated.
fn taken<'d>(said: Node<'d>, names: &[&'static str]) -> Vec<(&'static str, Field<'d>)> {
    names.iter().filter_map(|name| Some((*name, Stated(said.get(name)?)))).collect()
}

fn labels<'d>(component: &str, said: Node<'d>) -> Field<'d> {
    Map(vec![(LABEL, Text(component.into(), said))], said)
}

fn object<'d>(
    api_version: &str,
    kind: &str,
    (namespace, name): (&str, &str),
    said: Node<'d>,
    fields: Vec<(&'static str, Field<'d>)>,
) -> Field<'d> {
    let mut metadata = vec![("name", Text(name.into(), said))];
    if !namespace.is_empty() {
        metadata.push(("namespace", Text(namespace.into(), said)));
    }
    let mut all = vec![
        ("apiVersion", Text(api_version.into(), said)),
        ("kind", Text(kind.into(), said)),
        ("metadata", Map(metadata, said)),
    ];
    all.extend(fields);
    Map(all, said)
}
