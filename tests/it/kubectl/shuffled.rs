//! A repaired system by plain `kubectl create`, in a random order, and each overlay applied over each other: nothing is
//! denied.
//!
//! Each request goes through the API server, so one order of a world has to do here; thousands of orders are tried in memory
//! (`attacks::orders`, `attacks::random`).

use super::Stand;
use crate::attacks::cluster::{Random, name};
use crate::systems::texts;
use crate::webhook::support::objects;
use purlin::load::load_texts;
use serde_json::Value;

/// Creates all objects of a world, Namespaces first, and deletes them again.
pub(super) fn is_taken(stand: &Stand, world: &str) {
    let all = objects(&load_texts(texts(world)));
    let (namespaces, mut others): (Vec<&Value>, Vec<&Value>) =
        all.iter().partition(|it| it["kind"] == "Namespace");
    // Another order for each world, and the same one in each run.
    let seed = world.bytes().map(u64::from).sum();
    Random(seed).shuffle(&mut others);
    let said = stand.kubectl.on(&[namespaces, others].concat(), &["create"]);
    assert!(said.denials.is_empty(), "{world}, seed {seed}: {:#?}", said.denials);
    assert!(said.is_done(), "{world}, seed {seed}: {:#?}", said.refusals);
    stand.forget(world);
    println!("{world}: created in a random order, with {} warnings", said.warnings.len());
}

/// Applies the overlays of a system one over the other, so that each comes after each once.
pub(super) fn overlays_are_taken(stand: &Stand, worlds: &[&str]) {
    if worlds.len() < 2 {
        return;
    }
    let overlays: Vec<Vec<Value>> =
        worlds.iter().map(|it| objects(&load_texts(texts(it)))).collect();
    let mut before: Option<usize> = None;
    for at in circuit(0, overlays.len()) {
        let said = stand.kubectl.on(&overlays[at].iter().collect::<Vec<_>>(), &["apply"]);
        let from = before.map_or("nothing", |it| worlds[it]);
        assert!(said.denials.is_empty(), "{} over {from}: {said:#?}", worlds[at]);
        // What the API server never changes, such as claims of a StatefulSet, it refuses by itself; the rest is taken.
        assert!(!said.done.is_empty(), "{} over {from}: {said:#?}", worlds[at]);
        // `--prune`.
        let is_gone = |it: &&Value| overlays[at].iter().all(|other| name(it) != name(other));
        let gone = before.iter().flat_map(|it| &overlays[*it]).filter(is_gone);
        stand.delete(&gone.cloned().collect::<Vec<_>>());
        before = Some(at);
    }
    stand.delete(&overlays[0]);
    println!("{} overlays: each applied over each other", overlays.len());
}

/// A way from the first of so many and back to it, on which each comes right after each other once.
fn circuit(first: usize, count: usize) -> Vec<usize> {
    let mut way = vec![first];
    for other in first + 1..count {
        match other == first + 1 {
            true => way.extend(circuit(other, count)),
            false => way.push(other),
        }
        way.push(first);
    }
    way
}
