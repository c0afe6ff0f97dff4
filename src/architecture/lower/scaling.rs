//! What scales a component, as objects.

use crate::architecture::objects::Field::{self, List, Map, Number, Stated, Text};
use crate::architecture::objects::Name;
use crate::architecture::text::{Percent, WorkloadName};
use crate::architecture::time::Duration;
use crate::text::tree::Node;

type Fields<'d> = Vec<(Name, Field<'d>)>;

/// The specification of a HorizontalPodAutoscaler.
pub(super) fn autoscaler<'d>(workload: &WorkloadName, said: Node<'d>) -> Fields<'d> {
    let mut spec: Fields<'d> = vec![("scaleTargetRef".into(), Map(target(workload, said), said))];
    for (field, bound) in [("minReplicas", "min"), ("maxReplicas", "max")] {
        spec.extend(said.at(&["replicas", bound]).map(|it| (field.into(), Stated(it))));
    }
    let mut metrics: Vec<_> =
        ["cpu", "memory"].into_iter().filter_map(|it| resource_metric(it, said)).collect();
    let custom = said.at(&["scaling", "metrics"]).into_iter().flat_map(Node::entries);
    metrics.extend(custom.map(|(key, value)| pods_metric(key, value)));
    if !metrics.is_empty() {
        spec.push(("metrics".into(), List(metrics, said)));
    }
    let mut behavior: Fields<'d> = Vec::new();
    for (field, way) in [("scaleUp", "up"), ("scaleDown", "down")] {
        if let Some(rate) = said.at(&["scaling", way]).filter(|it| it.is_map()) {
            behavior.push((field.into(), Map(rules(rate), rate)));
        }
    }
    if !behavior.is_empty() {
        spec.push(("behavior".into(), Map(behavior, said)));
    }
    spec
}

/// The specification of a VerticalPodAutoscaler.
pub(super) fn vertical<'d>(workload: &WorkloadName, at: Node<'d>) -> Fields<'d> {
    let mode = match at.get("mode") {
        Some(it) => Stated(it),
        None => Text("Auto".into(), at),
    };
    let mut policy: Fields<'d> = vec![("containerName".into(), Text("*".into(), at))];
    for (field, bound) in [("minAllowed", "min"), ("maxAllowed", "max")] {
        policy.extend(at.get(bound).map(|it| (field.into(), Stated(it))));
    }
    let policies = List(vec![Map(policy, at)], at);
    vec![
        ("targetRef".into(), Map(target(workload, at), at)),
        ("updatePolicy".into(), Map(vec![("updateMode".into(), mode)], at)),
        ("resourcePolicy".into(), Map(vec![("containerPolicies".into(), policies)], at)),
    ]
}

fn target<'d>(workload: &WorkloadName, said: Node<'d>) -> Fields<'d> {
    vec![
        ("apiVersion".into(), Text("apps/v1".into(), said)),
        ("kind".into(), Text(workload.kind.name().into(), said)),
        ("name".into(), Text(workload.name.clone(), said)),
    ]
}

/// A share of what pods ask for.
fn resource_metric<'d>(resource: &str, said: Node<'d>) -> Option<Field<'d>> {
    let share = said.at(&["scaling", resource])?;
    let Percent(percent) = share.str().and_then(Percent::parse)?;
    let target = vec![
        ("type".into(), Text("Utilization".into(), share)),
        ("averageUtilization".into(), Number(percent, share)),
    ];
    let resource =
        vec![("name".into(), Text(resource.into(), share)), ("target".into(), Map(target, share))];
    let metric = vec![
        ("type".into(), Text("Resource".into(), share)),
        ("resource".into(), Map(resource, share)),
    ];
    Some(Map(metric, share))
}

/// So much of a metric for each pod.
fn pods_metric<'d>(key: Node<'d>, value: Node<'d>) -> Field<'d> {
    let name = vec![("name".into(), Text(key.scalar().unwrap_or_default().into(), key))];
    let target = vec![
        ("type".into(), Text("AverageValue".into(), value)),
        ("averageValue".into(), Stated(value)),
    ];
    let pods = vec![("metric".into(), Map(name, key)), ("target".into(), Map(target, value))];
    Map(vec![("type".into(), Text("Pods".into(), key)), ("pods".into(), Map(pods, key))], key)
}

/// How fast it goes.
fn rules(rate: Node<'_>) -> Fields<'_> {
    let seconds = |key: &str| {
        let node = rate.get(key)?;
        let Duration(time) = Duration::parse(node.str()?)?;
        Some(Number(u32::try_from(time / 1000).ok()?, node))
    };
    let mut fields: Fields<'_> = Vec::new();
    fields.extend(seconds("after").map(|it| ("stabilizationWindowSeconds".into(), it)));
    if let Some(select) = rate.get("select") {
        let word = match select.str() {
            Some("min") => "Min",
            Some("disabled") => "Disabled",
            _ => "Max",
        };
        fields.push(("selectPolicy".into(), Text(word.into(), select)));
    }
    let policies =
        [("Pods", "pods"), ("Percent", "percent")].into_iter().filter_map(|(kind, key)| {
            let value = rate.get(key)?;
            let period = seconds("every").unwrap_or(Field::Assumed(15, rate));
            let fields = [
                ("type", Text(kind.into(), value)),
                ("value", Stated(value)),
                ("periodSeconds", period),
            ];
            Some(Map(fields.map(|(key, it)| (key.into(), it)).into(), value))
        });
    let policies: Vec<_> = policies.collect();
    if !policies.is_empty() {
        fields.push(("policies".into(), List(policies, rate)));
    }
    fields
}
