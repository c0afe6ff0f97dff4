//! What is wrong in a document beside what the types of its fields tell.

use super::Architecture;
use super::text::{WorkloadKind, WorkloadName};
use crate::analyze::placement::world::MOST_PODS;
use crate::load::read::mistake::Mistake;
use crate::text::tree::Node;
use rustc_hash::FxHashMap;
use std::collections::hash_map::Entry;

/// All of it.
pub(super) fn all(root: Node<'_>) -> Vec<Mistake> {
    let mut mistakes = Vec::new();
    for (key, component) in entries(root, &["components"]) {
        mistakes.extend(taken_name(key));
        mistakes.extend(component.get("replicas").and_then(bounds));
        mistakes.extend(component.get("disruption").and_then(one_of_two));
        mistakes.extend(scaled(component));
        mistakes.extend(surging(component));
        mistakes.extend(lasting(component));
        mistakes.extend(above_limits(component));
    }
    for (_, pool) in entries(root, &["cluster", "nodes"]) {
        mistakes.extend(pool.get("count").and_then(bounds));
    }
    mistakes.extend(root.list("objectives").filter_map(of_one_thing));
    mistakes.extend(one_component_a_workload(root));
    mistakes
}

/// Components that no document says the workload of.
pub(super) fn without_workload(root: Node<'_>) -> Vec<Mistake> {
    let all = entries(root, &["components"]);
    all.filter(|(_, it)| {
        let says = |key: &str| it.get(key).is_some_and(|it| !it.is_null());
        it.is_map() && !says("workload") && !says("kind") && !is_external(*it)
    })
    .map(|(key, _)| Mistake {
        span: key.span(),
        message: "`workload` is missing".into(),
        help: Some("name it, as `Deployment/namespace/name`".into()),
    })
    .collect()
}

/// More pods than any cluster holds: nobody can say how they would stand.
pub(super) fn too_many_pods(root: Node<'_>) -> Option<Mistake> {
    let count = |it: Node<'_>| it.get("max").unwrap_or(it).int().unwrap_or(0);
    let stated = entries(root, &["components"]).filter_map(|(_, it)| it.get("replicas"));
    let (pods, most) = stated.fold((0, None), |(sum, most): (i64, Option<Node<'_>>), it| {
        let is_more = most.is_none_or(|most| count(it) > count(most));
        (sum.saturating_add(count(it)), if is_more { Some(it) } else { most })
    });
    most.filter(|_| pods > MOST_PODS as i64).map(|it| Mistake {
        span: it.span(),
        message: format!("{pods} pods are stated, and no cluster holds more than {MOST_PODS}"),
        help: None,
    })
}

/// Whether a component runs outside of the cluster.
pub(super) fn is_external(component: Node<'_>) -> bool {
    component.get("external").and_then(Node::bool) == Some(true)
}

fn entries<'d>(root: Node<'d>, path: &[&str]) -> impl Iterator<Item = (Node<'d>, Node<'d>)> {
    root.at(path).into_iter().flat_map(Node::entries)
}

/// Bounds that no number keeps.
fn bounds(replicas: Node<'_>) -> Option<Mistake> {
    let max = replicas.get("max")?;
    let (least, most) = (replicas.get("min")?.int()?, max.int()?);
    (least > most).then(|| Mistake {
        span: max.span(),
        message: format!("`max` is {most}, and `min` is {least}"),
        help: None,
    })
}

/// The API server takes a budget with one of both.
fn one_of_two(disruption: Node<'_>) -> Option<Mistake> {
    let (_, second) = (disruption.get("minAvailable")?, disruption.entry("maxUnavailable")?);
    let message = "`minAvailable` and `maxUnavailable` exclude each other".into();
    second.1.scalar()?;
    Some(Mistake { span: second.0.span(), message, help: Some("leave one of them out".into()) })
}

/// What is scaled has bounds, and a DaemonSet has neither.
fn scaled(component: Node<'_>) -> Option<Mistake> {
    let workload = component.text("workload").and_then(|it| WorkloadName::parse(it).ok());
    let has_bounds = component.get("replicas").is_some_and(Node::is_map);
    let horizontal = |it: Node<'_>| it.entries().any(|(key, _)| key.str() != Some("vertical"));
    let scaling = component.entry("scaling").filter(|(_, it)| it.is_map() && horizontal(*it));
    let replicas = component.entry("replicas").filter(|(_, it)| !it.is_null());
    let (key, message) = match (workload.map(|it| it.kind), replicas, scaling) {
        (Some(WorkloadKind::DaemonSet), Some((key, _)), _) => {
            (key, "a DaemonSet has no `replicas`: it runs a pod on each node")
        }
        (_, Some(_), Some((key, _))) if !has_bounds => {
            (key, "`scaling` needs bounds: `replicas: {min: 2, max: 10}`")
        }
        _ => return None,
    };
    Some(Mistake { span: key.span(), message: message.into(), help: None })
}

/// Names that mean somebody else where flows are stated.
fn taken_name(key: Node<'_>) -> Option<Mistake> {
    let name = key.scalar()?;
    let means = match &*name {
        "*" => "every component",
        "dns" => "the name service",
        "internet" => "everybody outside of the cluster",
        _ if name.contains('/') => "a workload by its namespace",
        _ => return None,
    };
    Some(Mistake {
        span: key.span(),
        message: format!("no component can be called `{name}`: in flows that is {means}"),
        help: Some("call it otherwise".into()),
    })
}

/// What runs to its end is neither counted nor kept up.
fn lasting(component: Node<'_>) -> Option<Mistake> {
    let stated = component.text("workload").and_then(|it| Some(it.split_once('/')?.0));
    let kind = stated.or(component.text("kind"))?;
    let kind = WorkloadKind::ALL.into_iter().find(|it| it.name() == kind && !it.is_lasting())?;
    let of_lasting = ["replicas", "scaling", "disruption", "rollout"];
    let (key, _) = of_lasting.into_iter().find_map(|it| {
        let (key, value) = component.entry(it)?;
        (!value.is_null()).then_some((key, value))
    })?;
    Some(Mistake {
        span: key.span(),
        message: format!(
            "a {} has no `{}`: its pods run to their end",
            kind.name(),
            key.scalar().unwrap_or_default()
        ),
        help: Some("leave it out".into()),
    })
}

/// A StatefulSet replaces its pods one by one, each after it is gone.
fn surging(component: Node<'_>) -> Option<Mistake> {
    let workload = WorkloadName::parse(component.text("workload")?).ok()?;
    let (key, _) = component.get("rollout")?.entry("maxSurge").filter(|(_, it)| !it.is_null())?;
    (workload.kind == WorkloadKind::StatefulSet).then(|| Mistake {
        span: key.span(),
        message: "a StatefulSet has no `maxSurge`".into(),
        help: Some("leave it out".into()),
    })
}

/// The API server refuses a container that asks for more than it may use.
fn above_limits(component: Node<'_>) -> Option<Mistake> {
    use crate::api::quantity::Quantity;
    let amount = |it: Node<'_>| it.scalar().and_then(|it| Quantity::parse(&it).ok());
    let limits = component.at(&["resources", "limits"])?;
    component.at(&["resources", "requests"])?.pairs().find_map(|(name, node)| {
        let limit = limits.get(name)?;
        (amount(node)? > amount(limit)?).then(|| Mistake {
            span: node.span(),
            message: format!(
                "the request of `{name}` is {}, and its limit is {}",
                node.scalar().unwrap_or_default(),
                limit.scalar().unwrap_or_default()
            ),
            help: None,
        })
    })
}

/// What an objective may be about.
pub(super) const SUBJECTS: [&str; 9] =
    ["fail", "drain", "rollout", "peak", "scaleOut", "availability", "apart", "load", "latency"];

/// An objective is about one thing.
fn of_one_thing(objective: Node<'_>) -> Option<Mistake> {
    if !objective.is_map() {
        return None;
    }
    let about = objective.entries().filter(|(key, value)| {
        !value.is_null() && key.str().is_some_and(|it| SUBJECTS.contains(&it))
    });
    let about: Vec<_> = about.collect();
    match about.as_slice() {
        [_] => None,
        [] => Some(Mistake {
            span: objective.span(),
            message: "an objective says what it is about".into(),
            help: Some(format!("one of {}", SUBJECTS.join(", "))),
        }),
        [(first, _), (second, _), ..] => Some(Mistake {
            span: second.span(),
            message: format!(
                "an objective is about one thing, and this one is about `{}`, too",
                first.scalar().unwrap_or_default()
            ),
            help: Some("make two of it".into()),
        }),
    }
}

/// Components that are one workload, where one of them does not name it.
pub(super) fn one_workload_twice(value: &Architecture, root: Node<'_>) -> Vec<Mistake> {
    let mut first = FxHashMap::default();
    let mut mistakes = Vec::new();
    for (key, _) in entries(root, &["components"]) {
        let name = key.scalar().unwrap_or_default();
        let component = value.components.get(&*name);
        let Some(workload) = component.and_then(|it| value.workload(&name, it)) else { continue };
        match first.entry(workload.to_string()) {
            Entry::Vacant(it) => _ = it.insert(name),
            Entry::Occupied(it) => mistakes.push(Mistake {
                span: key.span(),
                message: format!(
                    "`{}` is the workload of the component `{}`, too",
                    it.key(),
                    it.get()
                ),
                help: None,
            }),
        }
    }
    mistakes
}

/// Two components that are one workload contradict each other sooner or later.
fn one_component_a_workload(root: Node<'_>) -> Vec<Mistake> {
    let mut first = FxHashMap::default();
    let mut mistakes = Vec::new();
    for (key, component) in entries(root, &["components"]) {
        let Some(workload) = component.get("workload") else { continue };
        let Some(name) = workload.str() else { continue };
        match first.entry(name) {
            Entry::Vacant(it) => {
                it.insert(key.scalar().unwrap_or_default());
            }
            Entry::Occupied(it) => mistakes.push(Mistake {
                span: workload.span(),
                message: format!("`{name}` is the workload of the component `{}`, too", it.get()),
                help: None,
            }),
        }
    }
    mistakes
}
