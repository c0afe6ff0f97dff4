//! A repaired system by plain `kubectl create`, in random orders and one overlay over another: nothing is denied.

use super::Stand;
use crate::attacks::cluster::{Random, name};
use crate::systems::texts;
use crate::webhook::support::objects;
use purlin::load::load_texts;
use serde_json::Value;

/// How many orders are tried.
const ORDERS: u64 = 2;

/// Creates all objects of a world, Namespaces first, and deletes them again.
pub(super) fn is_taken(stand: &Stand, world: &str) {
    let all = objects(&load_texts(texts(world)));
    let (namespaces, others): (Vec<&Value>, Vec<&Value>) =
        all.iter().partition(|it| it["kind"] == "Namespace");
    for seed in 0..ORDERS {
        let mut order = others.clone();
        Random(seed).shuffle(&mut order);
        let said = stand.kubectl.on(&[namespaces.clone(), order].concat(), &["create"]);
        assert!(said.denials.is_empty(), "{world}, order {seed}: {:#?}", said.denials);
        assert!(said.is_done(), "{world}, order {seed}: {:#?}", said.refusals);
        stand.forget(world);
    }
    println!("{world}: {ORDERS} × created in a random order");
}

/// Applies each overlay of a system over each other.
pub(super) fn overlays_are_taken(stand: &Stand, worlds: &[&str]) {
    let overlays: Vec<Vec<Value>> =
        worlds.iter().map(|it| objects(&load_texts(texts(it)))).collect();
    let apply =
        |objects: &[Value]| stand.kubectl.on(&objects.iter().collect::<Vec<_>>(), &["apply"]);
    for (from, before) in overlays.iter().enumerate() {
        for (to, after) in overlays.iter().enumerate().filter(|it| it.0 != from) {
            assert!(apply(before).is_done());
            let said = apply(after);
            assert!(said.denials.is_empty(), "{} over {}: {said:#?}", worlds[to], worlds[from]);
            let gone =
                before.iter().filter(|it| !after.iter().any(|other| name(it) == name(other)));
            stand.delete(&after.iter().chain(gone).cloned().collect::<Vec<_>>());
        }
    }
}
