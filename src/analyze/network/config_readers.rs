//! Who reads the keys of ConfigMaps.

use crate::analyze::Facts;
use crate::analyze::references::named::{Reference, Use};
use crate::analyze::selection::workloads::WorkloadId;
use crate::api::kind::Kind;
use crate::model::ObjId;
use rustc_hash::{FxHashMap, FxHashSet};

/// Who reads an address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Readers {
    /// These, each by itself.
    Each(Vec<WorkloadId>),
    /// One of these at least.
    AnyOf(Vec<WorkloadId>),
}

impl Readers {
    /// All that may be meant.
    pub fn ids(&self) -> &[WorkloadId] {
        match self {
            Readers::Each(all) | Readers::AnyOf(all) => all,
        }
    }
}

/// A ConfigMap by namespace and name.
type MapName<'d> = (&'d str, &'d str);

/// Who reads which ConfigMap.
pub(super) struct ConfigMaps<'d> {
    /// One key of it.
    keys: FxHashMap<(MapName<'d>, &'d str), Vec<WorkloadId>>,
    /// All of it.
    whole: FxHashMap<MapName<'d>, Vec<WorkloadId>>,
}

impl<'d> ConfigMaps<'d> {
    pub(super) fn new(facts: &Facts<'d>) -> ConfigMaps<'d> {
        let mut maps = ConfigMaps { keys: FxHashMap::default(), whole: FxHashMap::default() };
        let all = facts.references().iter().filter(|it| it.kind == Kind::ConfigMap);
        let all: Vec<&Reference<'d>> = all.collect();
        // A volume that lists keys is none of the whole.
        let volume = |it: &Reference<'d>| match it.purpose {
            Use::Volume(name) => Some((it.from, name, it.name)),
            _ => None,
        };
        let with_keys = all.iter().filter(|it| it.key.is_some());
        let listed: FxHashSet<(ObjId, &str, &str)> =
            with_keys.filter_map(|it| volume(it)).collect();
        for it in all {
            let Some(workload) = facts.workloads().of_object(it.from) else { continue };
            let name = (it.namespace, it.name);
            match it.key {
                Some((key, _)) => maps.keys.entry((name, key)).or_default().push(workload.id),
                None if volume(it).is_some_and(|it| listed.contains(&it)) => {}
                None => maps.whole.entry(name).or_default().push(workload.id),
            }
        }
        maps
    }

    /// Who reads a key, if anybody does.
    pub(super) fn readers(
        &self,
        namespace: &'d str,
        name: &'d str,
        key: &'d str,
    ) -> Option<Readers> {
        let unique = |mut all: Vec<WorkloadId>| {
            all.sort_unstable();
            all.dedup();
            Some(all).filter(|it| !it.is_empty())
        };
        let asked = self.keys.get(&((namespace, name), key)).cloned().unwrap_or_default();
        if let Some(asked) = unique(asked) {
            return Some(Readers::Each(asked));
        }
        let whole = unique(self.whole.get(&(namespace, name)).cloned().unwrap_or_default())?;
        Some(if whole.len() == 1 { Readers::Each(whole) } else { Readers::AnyOf(whole) })
    }
}
