//! What `purlin simulate` tells: for people, and as JSON.

mod human;
mod json;
mod sized;

use crate::analyze::Facts;
use crate::analyze::placement::place::Most;
use crate::analyze::placement::scenario::Outcome;
use crate::analyze::placement::words::words;
use crate::analyze::placement::world::{At, Component, World};
use crate::api::kind::Kind;
use crate::check::locate::Locator;
use crate::model::{Model, Place};
pub use human::human;
pub use json::{SCHEMA, json};
pub use sized::{Pool, Sized};

/// A scenario that was played.
#[derive(Debug)]
pub struct Played {
    /// Its pods and nodes.
    pub world: World,
    /// What happened, as it was asked for.
    pub events: Vec<String>,
    /// What became of the pods.
    pub outcome: Outcome,
    /// Why there is no place for all, with places in files.
    pub proof: Option<String>,
}

impl Played {
    /// Words the outcome of a scenario.
    pub fn new(
        model: &Model<'_>,
        facts: &Facts<'_>,
        world: World,
        events: Vec<String>,
        outcome: Outcome,
    ) -> Played {
        let locator = Locator::new(model);
        let name = |component: usize| {
            let of = &world.components[component];
            let bound = facts.envelope(of.workload);
            let bound = bound.map(|it| if outcome.at == At::Floor { it.floor } else { it.peak });
            match bound.and_then(|it| place(model, &locator, &it.place(model))) {
                Some(place) => format!("{}, {place}", of.name),
                None => of.name.clone(),
            }
        };
        let mut told: Vec<String> =
            outcome.proofs.iter().map(|it| words(&world, it, &name)).collect();
        told.extend(match &outcome.anew {
            Some(anew) => fits_anew(&world, anew),
            None => fits(&world, &outcome),
        });
        let proof = (!told.is_empty()).then(|| told.join("; "));
        Played { world, events, outcome, proof }
    }
}

/// `api.yaml:157`.
fn place(model: &Model<'_>, locator: &Locator<'_, '_>, place: &Place) -> Option<String> {
    let location = locator.locate(place);
    let source = model.loaded.sources.get(location.source);
    source
        .has_lines()
        .then(|| format!("{}:{}", source.name, source.position(location.span.start).line))
}

/// How many pods of what is scaled fit on what is left, were all placed anew.
fn fits_anew(world: &World, anew: &[usize]) -> Option<String> {
    let scaled = || world.components.iter().zip(anew).filter(|it| it.0.wanted > it.0.floor);
    let names: Vec<_> = scaled().map(|it| it.0.short.as_str()).collect();
    let after: usize = scaled().map(|it| it.1).sum();
    let wanted: usize = scaled().map(|it| it.0.wanted).sum();
    let is_told = after < wanted;
    is_told.then(|| {
        let names = names.join(" and ");
        format!("placed anew, {after} of the {wanted} pods of {names} fit on what is left")
    })
}

/// Of more components than these nobody reads how many of their pods fit.
const MOST_TOLD: usize = 12;

/// How many pods of what is scaled fit, and of each component that lacks some.
fn fits(world: &World, outcome: &Outcome) -> Option<String> {
    if outcome.components.iter().all(|it| it.pending == 0) {
        return None;
    }
    let nodes = match world.cluster.nodes.len() {
        1 => "1 node".to_string(),
        count => format!("{count} nodes"),
    };
    let scaled: Vec<_> =
        world.components.iter().enumerate().filter(|it| it.1.wanted > it.1.floor).collect();
    let mut told: Vec<String> = Vec::new();
    if scaled.len() > 1 {
        let names: Vec<_> = scaled.iter().map(|it| it.1.short.as_str()).collect();
        let after: usize = scaled.iter().map(|it| outcome.components[it.0].after).sum();
        let wanted: usize = scaled.iter().map(|it| it.1.wanted).sum();
        told.push(format!("{after} of the {wanted} pods of {} fit", names.join(" and ")));
    }
    let is_scaled = |it: &(usize, &Component)| it.1.wanted > it.1.floor;
    let pending = world.components.iter().enumerate().filter(|(at, it)| {
        outcome.components[*at].pending > 0 && it.wanted > 1 && it.kind != Kind::DaemonSet
    });
    let mut places = Most::new(world);
    for (at, component) in pending.take(MOST_TOLD) {
        if let Some(most) = places.of(at).filter(|it| *it < component.wanted) {
            let beside = match scaled.len() > usize::from(is_scaled(&(at, component))) {
                true => ", with the others at their peak",
                false => "",
            };
            let (short, wanted) = (&component.short, component.wanted);
            told.push(format!("{short} fits {most} of {wanted} on {nodes}{beside}"));
        }
    }
    (!told.is_empty()).then(|| told.join("; "))
}
