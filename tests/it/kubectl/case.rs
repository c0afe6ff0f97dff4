//! A break, and what has to be said of it.

use super::expected::{Expected, find_new, found};
use crate::systems::breaks::{Break, read};
use crate::systems::texts;
use crate::webhook::support::objects;
use purlin::load::load_texts;
use purlin::rules;
use serde_json::Value;
use std::collections::BTreeMap;

/// A break of a repaired world.
pub(super) struct Case {
    pub(super) name: String,
    pub(super) world: String,
    /// Why it cannot be attempted.
    pub(super) left_out: Option<&'static str>,
    /// The objects of the world once it is broken.
    pub(super) objects: Vec<Value>,
    /// What a check of the files says then, and did not say before, as far as a cluster can say it.
    pub(super) expected: Vec<Expected>,
}

/// Those of a system.
pub(super) fn cases(system: &str) -> Vec<Case> {
    let mut known: BTreeMap<String, Vec<Expected>> = BTreeMap::new();
    let breaks = read(system).into_iter();
    breaks
        .map(|it| {
            let world = it.world.clone();
            let known = known.entry(world).or_insert_with(|| found(texts(&it.world)));
            case(&it, known)
        })
        .collect()
}

fn case(it: &Break, known: &[Expected]) -> Case {
    let texts = it.texts();
    let mut found = find_new(found(texts.clone()), known);
    let left_out = left_out(it, &found);
    found.retain(|it| it.only_files.is_none());
    Case {
        name: it.name.clone(),
        world: it.world.clone(),
        left_out,
        objects: objects(&load_texts(texts)),
        expected: found,
    }
}

fn left_out(it: &Break, found: &[Expected]) -> Option<&'static str> {
    if it.expect.iter().any(|id| rules::built_in().find(id).is_none()) {
        return Some("there is no such rule");
    }
    let of_break: Vec<_> = found.iter().filter(|other| it.expect.contains(other.rule.id)).collect();
    let why = of_break.first()?.only_files;
    why.filter(|_| of_break.iter().all(|it| it.only_files.is_some()))
}
