//! A map of which a copy costs one count, and a change to one of two copies a small part of the map.

use rustc_hash::{FxBuildHasher, FxHashMap};
use std::hash::BuildHasher;
use std::sync::Arc;

const SHARDS: usize = 256;

type Shard<V> = FxHashMap<Box<str>, V>;

/// A map by name.
#[derive(Debug)]
pub(super) struct Sharded<V> {
    shards: Arc<Vec<Arc<Shard<V>>>>,
}

impl<V> Clone for Sharded<V> {
    fn clone(&self) -> Sharded<V> {
        Sharded { shards: self.shards.clone() }
    }
}

impl<V> Default for Sharded<V> {
    fn default() -> Sharded<V> {
        let shards = (0..SHARDS).map(|_| Arc::default()).collect();
        Sharded { shards: Arc::new(shards) }
    }
}

fn shard(name: &str) -> usize {
    // The upper bits: the map inside uses the lower ones.
    (FxBuildHasher.hash_one(name) >> 48) as usize % SHARDS
}

impl<V: Clone> Sharded<V> {
    pub(super) fn get(&self, name: &str) -> Option<&V> {
        self.shards[shard(name)].get(name)
    }

    fn shard_mut(&mut self, name: &str) -> &mut Shard<V> {
        Arc::make_mut(&mut Arc::make_mut(&mut self.shards)[shard(name)])
    }

    pub(super) fn insert(&mut self, name: &str, value: V) {
        self.shard_mut(name).insert(name.into(), value);
    }

    /// What is there to be changed, made if it is not.
    pub(super) fn get_mut(&mut self, name: &str) -> &mut V
    where
        V: Default,
    {
        let shard = self.shard_mut(name);
        if !shard.contains_key(name) {
            shard.insert(name.into(), V::default());
        }
        shard.get_mut(name).expect("it was just put there")
    }

    pub(super) fn remove(&mut self, name: &str) {
        if self.get(name).is_some() {
            self.shard_mut(name).remove(name);
        }
    }

    /// All of it, in no order.
    pub(super) fn iter(&self) -> impl Iterator<Item = (&str, &V)> {
        self.shards.iter().flat_map(|it| it.iter()).map(|(name, it)| (&**name, it))
    }
}
