//! What selectors select, found once for all that are written alike: of many Services, budgets or policies of a namespace
//! that select the same, each pair with a workload is not written down.

use super::selector::{Selector, Selects};
use super::workloads::{Workload, WorkloadId, Workloads};
use rustc_hash::FxHashMap;
use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::sync::Arc;

/// The workloads whose pods a selector selects, and how many of these.
pub type Selected = Arc<[(WorkloadId, Selects)]>;

/// A selector's place among those of its kind that differ.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct AlikeId(pub u32);

/// Those of a namespace that have the same selector.
#[derive(Clone, Debug)]
pub struct Alike {
    /// Which, by their places among all, in order.
    pub members: Vec<u32>,
    /// What each of them selects.
    pub workloads: Selected,
}

/// All selectors of one kind of object, each once.
#[derive(Debug, Default)]
pub(in crate::analyze) struct AllAlike<'d> {
    all: Vec<Alike>,
    by_selector: FxHashMap<(&'d str, Selector<'d>), AlikeId>,
    by_workload: FxHashMap<WorkloadId, Vec<(AlikeId, Selects)>>,
}

impl<'d> AllAlike<'d> {
    /// Files one more under its selector, among those workloads that may be selected at all.
    pub(in crate::analyze) fn add(
        &mut self,
        member: u32,
        (namespace, selector): (&'d str, &Selector<'d>),
        workloads: &Workloads<'d>,
        may_be_selected: impl Fn(&Workload<'d>) -> bool,
    ) -> (AlikeId, Selected) {
        let key = (namespace, selector.clone());
        let id = *self.by_selector.entry(key).or_insert_with(|| {
            let found = workloads.select(namespace, selector).into_iter();
            let found = found.filter(|it| may_be_selected(it.0)).map(|it| (it.0.id, it.1));
            let id = AlikeId(self.all.len() as u32);
            let workloads: Selected = found.collect();
            for (workload, selects) in workloads.iter() {
                self.by_workload.entry(*workload).or_default().push((id, *selects));
            }
            self.all.push(Alike { members: Vec::new(), workloads });
            id
        });
        let alike = &mut self.all[id.0 as usize];
        alike.members.push(member);
        (id, alike.workloads.clone())
    }

    /// Those with this selector.
    pub(in crate::analyze) fn get(&self, id: AlikeId) -> &Alike {
        &self.all[id.0 as usize]
    }

    /// All selectors.
    pub(in crate::analyze) fn iter(&self) -> impl Iterator<Item = (AlikeId, &Alike)> {
        (0..).map(AlikeId).zip(&self.all)
    }

    /// The selectors that select pods of a workload, and how many of these.
    pub(in crate::analyze) fn of_workload(&self, workload: WorkloadId) -> &[(AlikeId, Selects)] {
        self.by_workload.get(&workload).map_or(&[], Vec::as_slice)
    }

    /// The members that select pods of a workload, and how many of these, in order.
    pub(in crate::analyze) fn members_of(
        &self,
        workload: WorkloadId,
    ) -> impl Iterator<Item = (u32, Selects)> {
        let lists = self.of_workload(workload).iter();
        let lists = lists.map(|(id, selects)| (self.get(*id).members.as_slice(), *selects));
        merged(lists.collect())
    }
}

/// The numbers of several lists, each in order, in the order of all.
fn merged<T: Copy>(lists: Vec<(&[u32], T)>) -> impl Iterator<Item = (u32, T)> {
    let firsts = lists.iter().enumerate();
    let firsts = firsts.filter_map(|(list, (all, _))| Some(Reverse((*all.first()?, list, 0))));
    let mut next: BinaryHeap<_> = firsts.collect();
    std::iter::from_fn(move || {
        let Reverse((number, list, at)) = next.pop()?;
        let (all, with) = lists[list];
        if let Some(after) = all.get(at + 1) {
            next.push(Reverse((*after, list, at + 1)));
        }
        Some((number, with))
    })
}

#[cfg(test)]
mod tests {
    use super::merged;
    use proptest::prelude::*;

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]
        #[test]
        fn merged_lists_are_sorted(mut lists in prop::collection::vec(prop::collection::vec(0u32..50, 0..8), 0..6)) {
            lists.iter_mut().for_each(|it| it.sort_unstable());
            let mut expected = lists.concat();
            expected.sort_unstable();
            let found: Vec<_> = merged(lists.iter().map(|it| (it.as_slice(), ())).collect()).map(|it| it.0).collect();
            prop_assert_eq!(found, expected);
        }
    }
}
