//! Amounts and proofs in words.

use super::cluster::{PODS, ShapeId};
use super::proof::Proof;
use super::world::World;
use crate::api::quantity::Quantity;
use rustc_hash::FxHashSet;
use std::collections::BTreeMap;

/// More terms of a sum are put together.
const MOST_TERMS: usize = 16;

/// An amount of a resource as people write it: `3200m`, `7Gi`.
pub fn amount(resource: &str, value: i128) -> String {
    if resource == "cpu" {
        return format!("{value}m");
    }
    let sign = if value < 0 { "-" } else { "" };
    let value = u64::try_from(value.abs()).unwrap_or(u64::MAX);
    format!("{sign}{}", Quantity::units(value).show(resource))
}

/// The same of CPU in whole ones: `3.2`.
pub fn short(resource: &str, value: i128) -> String {
    match resource {
        "cpu" => {
            let text = format!("{:.3}", value as f64 / 1000.0);
            text.trim_end_matches('0').trim_end_matches('.').to_string()
        }
        "memory" | "ephemeral-storage" => {
            let gibi = value as f64 / f64::from(1 << 30);
            let text = format!("{gibi:.2}");
            format!("{}Gi", text.trim_end_matches('0').trim_end_matches('.'))
        }
        _ => amount(resource, value),
    }
}

/// A proof in words. `name` says what a component is called, and perhaps where it says how many pods it has.
pub fn words(world: &World, proof: &Proof, name: &dyn Fn(usize) -> String) -> String {
    let nodes =
        |count: usize| if count == 1 { "1 node".to_string() } else { format!("{count} nodes") };
    let all = world.cluster.nodes.len();
    match proof {
        Proof::NoNode { shape } => {
            format!("none of {} admits a pod of {}", nodes(all), names(world, &[*shape], name))
        }
        Proof::NotThere { shape, nodes: of } => {
            let first = of.first().map_or("", |it| world.cluster.nodes[*it].name.as_str());
            let more = match of.len() {
                0 | 1 => String::new(),
                all => format!(" and {} more", all - 1),
            };
            format!("`{first}`{more} does not admit its pod of {}", names(world, &[*shape], name))
        }
        Proof::Apart { shapes, pods, key, places } => format!(
            "{pods} pods of {} have to be apart by `{key}`, and the nodes that admit them are {places} such {}",
            names(world, shapes, name),
            if *places == 1 { "place" } else { "places" },
        ),
        Proof::Sum { resource, pods, requested, nodes: of, available } => {
            let mut terms: Vec<(i128, String)> = by_component(world, resource, pods)
                .into_iter()
                .map(|((component, each), count)| {
                    let name = name(component);
                    let text = match resource.as_str() {
                        PODS => format!("{count} ({name})"),
                        _ => format!("{count} × {} ({name})", short(resource, each)),
                    };
                    (-each * i128::from(count), text)
                })
                .collect();
            terms.sort();
            format!(
                "{resource}: {} = {}, more than the {} of {}",
                sum(resource, terms),
                short(resource, *requested),
                short(resource, *available),
                nodes(of.len()),
            )
        }
        Proof::Pieces { resource, pods, places, .. } if resource == PODS => {
            format!("{pods} pods wait for nodes that hold {places} more")
        }
        Proof::Pieces { shape, resource, pods, places } => {
            let at = world.cluster.resources.iter().position(|it| it == resource);
            let each = at.map_or(0, |it| world.cluster.requests[*shape][it]);
            format!(
                "{pods} pods request {} of {resource} or more each, and the nodes hold {places} of that size",
                short(resource, each)
            )
        }
    }
}

/// The terms of a sum, each with what it adds, taken negative; of very many the largest, and what all others add.
fn sum(resource: &str, terms: Vec<(i128, String)>) -> String {
    let (shown, others) = terms.split_at(terms.len().min(MOST_TERMS));
    let mut texts: Vec<String> = shown.iter().map(|it| it.1.clone()).collect();
    if !others.is_empty() {
        let rest: i128 = others.iter().map(|it| -it.0).sum();
        texts.push(format!("{} ({} others)", short(resource, rest), others.len()));
    }
    texts.join(" + ")
}

/// How many pods each component has of these shapes, by what each requests, in the order of components.
fn by_component(
    world: &World,
    resource: &str,
    pods: &[(ShapeId, u32)],
) -> BTreeMap<(usize, i128), u32> {
    let at = world.cluster.resources.iter().position(|it| it == resource);
    let mut counts = BTreeMap::new();
    let shapes: FxHashSet<ShapeId> = pods.iter().map(|it| it.0).collect();
    for pod in &world.pods {
        if shapes.contains(&pod.shape) {
            let each = at.map_or(0, |it| world.cluster.requests[pod.shape][it]);
            *counts.entry((pod.component, each)).or_default() += 1;
        }
    }
    counts
}

fn names(world: &World, shapes: &[ShapeId], name: &dyn Fn(usize) -> String) -> String {
    let names: Vec<_> = world.components_of(shapes).into_iter().map(name).collect();
    names.join(", ")
}
