//! How many pods a disruption budget lets go when its workloads run as few as they may.
//!
//! `pkg/controller/disruption/disruption.go`: an integer `minAvailable` is held against the pods that match; everything
//! else against the scale of their controllers. A pod without a controller has no scale and is left out; a controller
//! without a scale fails the whole budget, which then lets none go (getExpectedScale, failSafe).

use super::budgets::{Budget, Demand};
use crate::analyze::Facts;
use crate::analyze::capacity::replicas::Bound;
use crate::analyze::selection::alike::AlikeId;
use crate::analyze::selection::selector::Selects;
use crate::analyze::selection::workloads::{Workload, WorkloadId};
use crate::api::kind::Kind;
use rustc_hash::FxHashMap;

/// What a budget lets go at the floor.
#[derive(Clone, Debug)]
pub enum Evictions {
    /// There is no pod to evict, or the API server refuses the budget.
    Nothing,
    /// The controller of the budget cannot count, because these workloads have no scale: none goes.
    Unscalable(Vec<WorkloadId>),
    /// The input does not tell; this would settle it.
    CannotTell(String),
    /// This many.
    Counted(Count),
}

/// A workload that a budget covers, when it runs as few pods as it may.
#[derive(Clone, Copy, Debug)]
pub struct Floor {
    /// The workload.
    pub workload: WorkloadId,
    /// What says how few.
    pub bound: Bound,
    /// How few; at least one, since what is scaled to nothing for now comes back with one.
    pub count: u64,
}

/// The sum.
#[derive(Clone, Debug)]
pub struct Count {
    /// Its terms.
    pub floors: Vec<Floor>,
    /// How many pods there are.
    pub pods: u64,
    /// How many have to stay.
    pub keeps: u64,
    /// How many may go at once.
    pub lets_go: u64,
}

/// What each budget lets go, counted once for all that cover and demand the same.
#[derive(Debug)]
pub(in crate::analyze) struct AllEvictions {
    all: Vec<Evictions>,
    /// Which of them is each budget's.
    of_budget: Vec<u32>,
}

impl AllEvictions {
    fn new(facts: &Facts<'_>) -> AllEvictions {
        let mut counted: FxHashMap<(Option<AlikeId>, Option<Demand>), u32> = FxHashMap::default();
        let mut all = Vec::new();
        let of_budget = facts.budgets().iter().map(|budget| {
            *counted.entry((budget.alike, budget.demand)).or_insert_with(|| {
                all.push(facts.count_evictions(budget));
                all.len() as u32 - 1
            })
        });
        let of_budget = of_budget.collect();
        AllEvictions { all, of_budget }
    }
}

impl Facts<'_> {
    /// What a budget lets go when its workloads run as few pods as they may.
    pub fn evictions(&self, budget: &Budget<'_>) -> &Evictions {
        let evictions = self.evictions.get_or_init(|| AllEvictions::new(self));
        &evictions.all[evictions.of_budget[budget.at as usize] as usize]
    }

    fn count_evictions(&self, budget: &Budget<'_>) -> Evictions {
        let Some(demand) = budget.demand else { return Evictions::Nothing };
        let covered: Vec<_> = self.running(budget).collect();
        if covered.is_empty() {
            return Evictions::Nothing;
        }
        if demand.needs_scale() {
            // Pods without a controller are left out, unless there are no others.
            let all_bare = covered.iter().all(|(it, _)| it.is_bare_pod());
            let owners =
                covered.iter().map(|(it, _)| *it).filter(|it| all_bare || !it.is_bare_pod());
            let unscalable = owners.clone().filter(|it| it.is_scalable() == Some(false));
            let unscalable: Vec<_> = unscalable.map(|it| it.id).collect();
            if !unscalable.is_empty() {
                return Evictions::Unscalable(unscalable);
            }
            if let Some(unknown) = owners.clone().find(|it| it.is_scalable().is_none()) {
                let object = self.model.object(unknown.object);
                return Evictions::CannotTell(format!(
                    "whether `{object}` has a scale subresource: its CustomResourceDefinition is not in the input"
                ));
            }
        }
        self.count(budget, demand, &covered)
    }

    /// The workloads of a budget that have pods to evict, and how many of these it covers.
    fn running<'f>(
        &'f self,
        budget: &'f Budget<'_>,
    ) -> impl Iterator<Item = (&'f Workload<'f>, Selects)> {
        let all = budget.covers.iter().map(|(id, selects)| (self.workloads().get(*id), *selects));
        // Scaled to nothing for good there is nothing to evict.
        all.filter(|(it, _)| self.envelope(it.id).is_none_or(|it| it.peak.count > 0))
    }

    fn count(
        &self,
        budget: &Budget<'_>,
        demand: Demand,
        covered: &[(&Workload<'_>, Selects)],
    ) -> Evictions {
        let is_passing = |it: &Workload<'_>| matches!(it.kind, Kind::Job | Kind::CronJob);
        let all_pass = covered.iter().all(|(it, _)| is_passing(it));
        let (mut pods, mut expected) = (0, 0);
        let mut floors = Vec::new();
        let mut unknown = None;
        for (workload, selects) in covered {
            let object = self.model.object(workload.object);
            // The fewest there are is none beside pods that stay.
            if is_passing(workload) && !all_pass {
                continue;
            }
            let Some(envelope) = self.envelope(workload.id) else {
                unknown = Some(format!("how many pods `{object}` has"));
                continue;
            };
            let selector = budget.selector.as_ref();
            let known = selector.and_then(|it| it.count(&workload.labels)).map(|it| it as u64);
            if *selects == Selects::Some && known.is_none() {
                unknown = Some(format!(
                    "how many pods of `{object}` carry the labels that only its controller knows"
                ));
                continue;
            }
            // Scaled to nothing for now it comes back with one.
            let count = known.unwrap_or(envelope.floor.count).max(1);
            pods += count;
            expected += if demand.needs_scale() && workload.is_bare_pod() { 0 } else { count };
            floors.push(Floor { workload: workload.id, bound: envelope.floor, count });
        }
        let counted = Count {
            floors,
            pods,
            keeps: demand.keeps(expected),
            lets_go: demand.lets_go(pods, expected),
        };
        match unknown {
            // More pods than those that are known only let more go, where an integer has to stay.
            Some(missing) => {
                let lets_go = demand.lets_go(pods.max(1), expected.max(1)) > 0;
                if demand.keeps_all() || !demand.needs_scale() && lets_go {
                    Evictions::Counted(Count { lets_go: u64::from(lets_go), ..counted })
                } else {
                    Evictions::CannotTell(missing)
                }
            }
            None => Evictions::Counted(counted),
        }
    }
}
