//! Which of many worlds hold something: one index over all of them, so that a question costs what its answer does, and
//! not a look at each world.

use super::Neighbour;
use crate::analyze::selection::selector::{Operator, Selector};
use crate::analyze::selection::workloads::{Workload, is_added};
use crate::api::kind::Kind;
use crate::model::{Id, Object};
use rustc_hash::FxHashMap;
use std::hash::Hash;

/// What worlds hold, each known by its place among them.
#[derive(Debug, Default)]
pub(super) struct Holdings<'d> {
    by_id: FxHashMap<Id<'d>, Places>,
    by_kind: FxHashMap<(Kind, &'d str), Places>,
    workloads: FxHashMap<&'d str, Places>,
    /// Workloads by the labels of their pods: namespace, key and value.
    by_label: FxHashMap<[&'d str; 3], Places>,
    /// Budgets by a label that the pods they cover have.
    budgets_by_label: FxHashMap<[&'d str; 3], Places>,
    /// Budgets that ask for no label by its value.
    other_budgets: FxHashMap<&'d str, Places>,
}

/// The places of worlds, in order.
type Places = Vec<u32>;

impl<'d> Holdings<'d> {
    pub(super) fn of(worlds: &[Neighbour<'_, 'd>]) -> Holdings<'d> {
        let mut holdings = Holdings::default();
        for (at, world) in (0..).zip(worlds) {
            world.model.objects().for_each(|it| holdings.add_object(at, it));
            world.facts.workloads().iter().for_each(|it| holdings.add_workload(at, it));
            for budget in world.facts.budgets().iter() {
                let Some(selector) = &budget.selector else { continue };
                match labels_of(budget.namespace, selector).next() {
                    Some(label) => file(&mut holdings.budgets_by_label, label, at),
                    None => file(&mut holdings.other_budgets, budget.namespace, at),
                }
            }
        }
        holdings
    }

    fn add_object(&mut self, at: u32, object: &Object<'d>) {
        if !object.name.is_empty() {
            file(&mut self.by_id, object.id_in_model(), at);
        }
        file(&mut self.by_kind, (object.kind, object.namespace), at);
    }

    fn add_workload(&mut self, at: u32, workload: &Workload<'d>) {
        file(&mut self.workloads, workload.namespace, at);
        let each = workload.labels.each.iter().flatten();
        for (key, value) in workload.labels.written.iter().chain(each) {
            file(&mut self.by_label, [workload.namespace, key, value], at);
        }
    }

    pub(super) fn with_object<'s>(&'s self, id: &Id<'s>) -> &'s [u32] {
        places(self.by_id.get(id))
    }

    pub(super) fn with_any<'s>(&'s self, kind: Kind, namespace: &'s str) -> &'s [u32] {
        places(self.by_kind.get(&(kind, namespace)))
    }

    /// Worlds whose workloads the selector may select: those with the rarest of the labels that it asks for.
    pub(super) fn with_pods<'s>(
        &'s self,
        namespace: &'s str,
        selector: &'s Selector<'_>,
    ) -> &'s [u32] {
        let with_labels = labels_of(namespace, selector).map(|it| places(self.by_label.get(&it)));
        let all = places(self.workloads.get(namespace));
        with_labels.chain([all]).min_by_key(|it| it.len()).unwrap_or_default()
    }

    /// Worlds with budgets that may cover the pods of a workload.
    pub(super) fn with_budgets(&self, workload: &Workload<'_>) -> Vec<u32> {
        let each = workload.labels.each.iter().flatten();
        let labels = workload.labels.written.iter().chain(each);
        let mut found: Vec<u32> = labels
            .map(|(key, value)| [workload.namespace, key, value])
            .filter_map(|it| self.budgets_by_label.get(&it))
            .chain(self.other_budgets.get(workload.namespace))
            .flatten()
            .copied()
            .collect();
        found.sort_unstable();
        found.dedup();
        found
    }
}

/// The labels that pods have to carry so that a selector selects them, apart from those that controllers add.
fn labels_of<'s>(
    namespace: &'s str,
    selector: &Selector<'s>,
) -> impl Iterator<Item = [&'s str; 3]> {
    selector.requirements.iter().filter_map(move |it| match &it.operator {
        Operator::In(values) if !is_added(it.key) => match values.as_slice() {
            [value] => Some([namespace, it.key, *value]),
            _ => None,
        },
        _ => None,
    })
}

fn file<K: Eq + Hash>(map: &mut FxHashMap<K, Places>, key: K, world: u32) {
    let worlds = map.entry(key).or_default();
    if worlds.last() != Some(&world) {
        worlds.push(world);
    }
}

fn places(found: Option<&Places>) -> &[u32] {
    found.map_or(&[], Vec::as_slice)
}
