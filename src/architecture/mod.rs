//! The architecture document: what a team promises of its components and namespaces, as YAML.
//!
//! It is lowered to objects that point back to its statements, so that the rules that judge manifests judge the document
//! before a manifest exists.

mod components;
mod judged;
mod lower;

mod objects;
mod statements;
mod text;

use crate::documents::{self, Read};
use crate::load::read::mistake::Mistake;
use crate::text::tree::Node;
pub use judged::point_into;
pub use lower::add;
use serde_json::Value;
pub use statements::{
    Architecture, Bounds, Component, Disruption, Namespace, Replicas, Resources, Rollout, Scaling,
};
use std::sync::Arc;
pub use text::{CountOrShare, Percent, Size, WorkloadKind, WorkloadName};

/// Reads an architecture document.
///
/// # Errors
///
/// Every mistake in it, with its place.
pub fn read(text: &Arc<str>) -> Result<Read<Architecture>, Vec<Mistake>> {
    documents::read(text, |root| {
        let mut mistakes = Vec::new();
        for (_, component) in root.get("components").into_iter().flat_map(Node::entries) {
            mistakes.extend(component.get("replicas").and_then(bounds));
            mistakes.extend(component.get("disruption").and_then(one_of_two));
            mistakes.extend(scaled(component));
            mistakes.extend(surging(component));
        }
        mistakes.extend(one_component_a_workload(root));
        mistakes
    })
}

/// The JSON Schema of an architecture document.
pub fn schema() -> Value {
    documents::schema::<Architecture>()
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
    let scaling = component.entry("scaling").filter(|(_, it)| it.is_map());
    let replicas = component.entry("replicas").filter(|(_, it)| !it.is_null());
    let (key, message) = match (workload.map(|it| it.kind), replicas, scaling) {
        (Some(WorkloadKind::DaemonSet), Some((key, _)), _) => {
            (key, "a DaemonSet has no `replicas`: it runs a pod on each node")
        }
        (_, _, Some((key, _))) if !has_bounds => {
            (key, "`scaling` needs bounds: `replicas: {min: 2, max: 10}`")
        }
        _ => return None,
    };
    Some(Mistake { span: key.span(), message: message.into(), help: None })
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

/// Two components that are one workload contradict each other sooner or later.
fn one_component_a_workload(root: Node<'_>) -> Vec<Mistake> {
    let mut first = rustc_hash::FxHashMap::default();
    let mut mistakes = Vec::new();
    for (key, component) in root.get("components").into_iter().flat_map(Node::entries) {
        let Some(workload) = component.get("workload") else { continue };
        let Some(name) = workload.str() else { continue };
        match first.entry(name) {
            std::collections::hash_map::Entry::Vacant(it) => {
                it.insert(key.scalar().unwrap_or_default());
            }
            std::collections::hash_map::Entry::Occupied(it) => mistakes.push(Mistake {
                span: workload.span(),
                message: format!("`{name}` is the workload of the component `{}`, too", it.get()),
                help: None,
            }),
        }
    }
    mistakes
}
