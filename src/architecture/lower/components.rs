//! Components as objects.

use super::pods::template;
use super::scaling::{autoscaler, vertical};
use crate::architecture::objects::Field::{self, Assumed, List, Map, Stated, Text};
use crate::architecture::objects::Name;
use crate::architecture::statements::{Component, Replicas};
use crate::architecture::text::{WorkloadKind, WorkloadName};
use crate::text::tree::Node;

/// The label by which the objects of a component find its pods.
const LABEL: &str = "purlin.dev/component";

/// A component: its workload, what scales and protects it, and by which Service it is called. One that does not say how
/// many pods it runs says too little to be judged, unless it runs one on each node; what runs at times is not lowered.
pub(super) fn component<'d>(
    name: &str,
    (component, workload): (&Component, &WorkloadName),
    said: Node<'d>,
) -> Vec<Field<'d>> {
    let kind = workload.kind;
    if !kind.is_lasting() || component.replicas.is_none() && kind != WorkloadKind::DaemonSet {
        return Vec::new();
    }
    let names = (workload.namespace.as_str(), workload.name.as_str());
    let spec = Map(workload_spec(name, (component, workload), said), said);
    let mut objects =
        vec![object("apps/v1", kind.name(), names, said, vec![("spec".into(), spec)])];
    if let Some(Replicas::Between(_)) = component.replicas {
        let spec = Map(autoscaler(workload, said), said);
        let fields = vec![("spec".into(), spec)];
        objects.push(object("autoscaling/v2", "HorizontalPodAutoscaler", names, said, fields));
    }
    if let Some(at) = said.at(&["scaling", "vertical"]).filter(|it| it.is_map()) {
        let fields = vec![("spec".into(), Map(vertical(workload, at), at))];
        objects.push(object("autoscaling.k8s.io/v1", "VerticalPodAutoscaler", names, at, fields));
    }
    if kind != WorkloadKind::DaemonSet {
        objects.push(budget(name, names, said));
    }
    if let Some(ports) = said.get("ports").filter(|it| it.count() > 0) {
        objects.push(service(name, names, (component, said), ports));
    }
    objects
}

/// Where no budget is stated, one that lets pods go is assumed: that it is missing is not to be told.
fn budget<'d>(name: &str, names: (&str, &str), said: Node<'d>) -> Field<'d> {
    let disruption = said.get("disruption").filter(|it| it.is_map()).unwrap_or(said);
    let mut spec = taken(disruption, &["minAvailable", "maxUnavailable"]);
    if spec.is_empty() {
        spec.push(("maxUnavailable".into(), Assumed(1, said)));
    }
    spec.push(("selector".into(), Map(vec![("matchLabels".into(), labels(name, said))], said)));
    let fields = vec![("spec".into(), Map(spec, disruption))];
    object("policy/v1", "PodDisruptionBudget", names, disruption, fields)
}

/// The Service that callers of a component use.
fn service<'d>(
    name: &str,
    (namespace, workload): (&str, &str),
    (component, said): (&Component, Node<'d>),
    ports: Node<'d>,
) -> Field<'d> {
    let stated = component.service.as_ref();
    let own = stated.and_then(|it| it.name.as_ref()).map_or(workload, |it| it.0.as_str());
    let listed = component.ports.iter().zip(ports.items()).map(|(port, node)| {
        let number = || Field::Number(u32::from(port.first), node);
        let name = Text(format!("port-{}", port.first), node);
        let protocol = Text(port.protocol.name().into(), node);
        let fields = [("name", name), ("port", number()), ("protocol", protocol)];
        Map(fields.map(|(key, it)| (key.into(), it)).into(), node)
    });
    let mut spec: Vec<(Name, Field<'d>)> = vec![
        ("selector".into(), labels(name, said)),
        ("ports".into(), List(listed.collect(), ports)),
    ];
    if let Some(kind) = said.at(&["service", "type"]) {
        spec.push(("type".into(), Stated(kind)));
    }
    let fields = vec![("spec".into(), Map(spec, ports))];
    object("v1", "Service", (namespace, own), ports, fields)
}

fn workload_spec<'d>(
    name: &str,
    (component, workload): (&Component, &WorkloadName),
    said: Node<'d>,
) -> Vec<(Name, Field<'d>)> {
    let selector = Map(vec![("matchLabels".into(), labels(name, said))], said);
    let mut spec: Vec<(Name, Field<'d>)> = vec![("selector".into(), selector)];
    if let Some(Replicas::Count(_)) = component.replicas {
        spec.extend(taken(said, &["replicas"]));
    }
    if workload.kind == WorkloadKind::StatefulSet {
        spec.push(("serviceName".into(), Text(workload.name.clone(), said)));
    }
    if let Some(rollout) = said.get("rollout").filter(|it| it.is_map()) {
        let strategy = match workload.kind {
            WorkloadKind::Deployment => "strategy",
            _ => "updateStrategy",
        };
        let fields = match rollout.get("strategy").filter(|it| it.str() == Some("Recreate")) {
            Some(recreate) => vec![("type".into(), Stated(recreate))],
            None => {
                let rolling = Map(taken(rollout, &["maxSurge", "maxUnavailable"]), rollout);
                let kind = Text("RollingUpdate".into(), rollout);
                vec![("type".into(), kind), ("rollingUpdate".into(), rolling)]
            }
        };
        spec.push((strategy.into(), Map(fields, rollout)));
    }
    spec.extend(template(name, (component, workload), said));
    spec
}

/// The fields of these names, as far as they are stated.
pub(super) fn taken<'d>(said: Node<'d>, names: &[&'static str]) -> Vec<(Name, Field<'d>)> {
    let stated = names.iter().filter_map(|name| Some((*name, said.get(name)?)));
    stated.map(|(name, it)| (name.into(), Stated(it))).collect()
}

/// The labels of the pods of a component.
pub(super) fn labels<'d>(component: &str, said: Node<'d>) -> Field<'d> {
    Map(vec![(LABEL.into(), Text(component.into(), said))], said)
}

/// An object with its head.
pub(super) fn object<'d>(
    api_version: &str,
    kind: &str,
    (namespace, name): (&str, &str),
    said: Node<'d>,
    fields: Vec<(Name, Field<'d>)>,
) -> Field<'d> {
    let mut metadata: Vec<(Name, Field<'d>)> = vec![("name".into(), Text(name.into(), said))];
    if !namespace.is_empty() {
        metadata.push(("namespace".into(), Text(namespace.into(), said)));
    }
    let mut all: Vec<(Name, Field<'d>)> = vec![
        ("apiVersion".into(), Text(api_version.into(), said)),
        ("kind".into(), Text(kind.into(), said)),
        ("metadata".into(), Map(metadata, said)),
    ];
    all.extend(fields);
    Map(all, said)
}
