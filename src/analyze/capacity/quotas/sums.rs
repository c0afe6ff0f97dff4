//! The sums of a quota's lines, as rules print them.

use super::{By, Charge, Line};
use crate::analyze::Facts;
use crate::analyze::selection::workloads::WorkloadId;
use crate::api::quantity::Quantity;
use crate::model::Model;
use rustc_hash::FxHashSet;
use std::cmp::Reverse;

/// A sum of more terms shows the largest ones.
const TERMS: usize = 8;

impl Charge<'_> {
    /// The workload that asks, if it is one.
    pub fn workload(&self) -> Option<WorkloadId> {
        match self.by {
            By::Workload(it) => Some(it),
            By::Object(_) | By::Kind(_) | By::Always(_) => None,
        }
    }

    /// What asks, by name; with the kind where several of one name ask.
    fn name(&self, model: &Model<'_>, facts: &Facts<'_>, ambiguous: &FxHashSet<&str>) -> String {
        let object = match self.by {
            By::Workload(it) => model.object(facts.workloads().get(it).object),
            By::Object(it) => model.object(it),
            By::Kind(it) => return it.to_string(),
            By::Always(it) => return format!("{it}, which every namespace holds"),
        };
        if object.name.is_empty() {
            object.to_string()
        } else if ambiguous.contains(object.name) {
            format!("{}/{}", object.kind_name, object.name)
        } else {
            object.name.to_string()
        }
    }
}

impl Line<'_> {
    /// `56 of 20`.
    pub fn sum(&self) -> String {
        format!("{} of {}", self.used().show(self.resource), self.hard.show(self.resource))
    }

    /// `36 too many`, `74Gi too much`.
    pub fn excess(&self) -> String {
        self.beyond(self.used())
    }

    /// By how much this amount is more than the line holds.
    pub fn beyond(&self, used: Quantity) -> String {
        let is_bytes = ["memory", "storage"].iter().any(|it| self.resource.ends_with(it))
            || self.resource.contains("hugepages-");
        let word = if is_bytes { "much" } else { "many" };
        format!("{} too {word}", (used - self.hard).show(self.resource))
    }

    /// `10 × 500m (api) + 50 × 1 (worker) + 1 × 1 (postgres) = 56`.
    pub fn terms(&self, model: &Model<'_>, facts: &Facts<'_>) -> String {
        let mut charges: Vec<_> = self.charges.iter().filter(|it| it.count > 0).collect();
        let more = charges.len().saturating_sub(TERMS);
        let mut rest = Quantity::ZERO;
        if more > 0 {
            charges.sort_by_key(|it| Reverse(it.total()));
            rest = charges[TERMS..].iter().map(|it| it.total()).sum();
            charges.truncate(TERMS);
        }
        let (mut seen, mut ambiguous) = (FxHashSet::default(), FxHashSet::default());
        for charge in &charges {
            if let By::Workload(it) = charge.by
                && !seen.insert(facts.workloads().get(it).name)
            {
                ambiguous.insert(facts.workloads().get(it).name);
            }
        }
        let term = |it: &&Charge<'_>| {
            let name = it.name(model, facts, &ambiguous);
            format!("{} × {} ({name})", it.count, it.each.show(self.resource))
        };
        let mut terms: Vec<_> = charges.iter().map(term).collect();
        if more > 0 {
            terms.push(format!("{} ({more} more)", rest.show(self.resource)));
        }
        let used = self.used().show(self.resource);
        if terms.is_empty() { used } else { format!("{} = {used}", terms.join(" + ")) }
    }
}
