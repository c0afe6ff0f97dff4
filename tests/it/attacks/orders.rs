//! The five systems, created one object after the other in random orders: what is right in the end is right on the way.

use super::cluster::{Cluster, Random};
use crate::systems::{REPAIRED, texts};
use crate::webhook::support::objects;
use purlin::load::load_texts;
use serde_json::Value;
use std::collections::BTreeMap;

/// How many orders of each system are tried.
const ORDERS: u64 = 8;

#[test]
fn a_repaired_system_is_taken_in_any_order() {
    let mut denied: BTreeMap<String, usize> = BTreeMap::new();
    for world in REPAIRED {
        let all = objects(&load_texts(texts(world)));
        let (namespaces, others): (Vec<Value>, Vec<Value>) =
            all.into_iter().partition(|it| it["kind"] == "Namespace");
        for seed in 0..ORDERS {
            let mut others = others.clone();
            Random(seed).shuffle(&mut others);
            let mut cluster = Cluster::of(&namespaces);
            for object in &others {
                for it in cluster.apply(object).denials {
                    *denied.entry(format!("{world}: {}: {}", it.rule, it.message)).or_default() +=
                        1;
                }
            }
        }
    }
    assert!(denied.is_empty(), "{denied:#?}");
}
