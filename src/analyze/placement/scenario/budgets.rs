//! How many pods the disruption budgets let go while pods come and go.

use super::{Scene, Standing};
use crate::analyze::Facts;
use crate::analyze::disruption::budgets::{Budget, Demand};
use crate::analyze::placement::labels::LabelSelector;
use crate::analyze::placement::shape::Shape;
use std::collections::{BTreeMap, BTreeSet};

/// What a budget says to an eviction.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Answer {
    /// The pod may go.
    Go,
    /// Not now: so many are there, and it keeps so many.
    Wait(String),
    /// Nobody can tell.
    Unknown(String),
}

/// By shape, the budgets that cover its pods.
pub(super) fn covering(facts: &Facts<'_>, shapes: &[Shape]) -> Vec<Vec<u32>> {
    let mut by_namespace: BTreeMap<&str, Vec<(u32, LabelSelector)>> = BTreeMap::new();
    for budget in facts.budgets().iter() {
        if let Some(selector) = &budget.selector {
            let own = by_namespace.entry(budget.namespace).or_default();
            own.push((budget.at, LabelSelector::of(selector)));
        }
    }
    let of = |shape: &Shape| {
        let near = by_namespace.get(shape.namespace.as_str()).into_iter().flatten();
        near.filter(|it| it.1.matches(&shape.labels)).map(|it| it.0).collect()
    };
    shapes.iter().map(of).collect()
}

impl<'d> Scene<'_, 'd> {
    /// The budgets that cover a pod, by their places.
    pub(super) fn budgets_of(&self, pod: &Standing) -> &[u32] {
        self.budgets.get(pod.shape).map_or(&[], Vec::as_slice)
    }

    /// What a budget says to the eviction of one of its pods (`pkg/controller/disruption/disruption.go`, trySync).
    pub(super) fn ask_budget(&self, budget: &Budget<'d>) -> Answer {
        let Some(demand) = budget.demand else {
            return Answer::Unknown("the API server refuses the budget".into());
        };
        let covered: Vec<&Standing> = self
            .pods
            .iter()
            .filter(|it| !it.is_gone && self.budgets_of(it).contains(&budget.at))
            .collect();
        let healthy = covered.iter().filter(|it| it.node.is_some()).count() as u64;
        let expected = if demand.needs_scale() {
            let mut expected = 0;
            let components: BTreeSet<usize> = covered.iter().map(|it| it.component).collect();
            for component in components {
                let component = &self.world.components[component];
                let workload = self.facts.workloads().get(component.workload);
                match workload.is_scalable() {
                    _ if workload.is_bare_pod() => {}
                    Some(true) => expected += component.wanted as u64,
                    Some(false) => {
                        return Answer::Wait(format!(
                            "{} cannot be scaled, so that the controller lets none go",
                            component.name
                        ));
                    }
                    None => {
                        return Answer::Unknown(format!(
                            "whether {} can be scaled",
                            component.name
                        ));
                    }
                }
            }
            expected
        } else {
            covered.len() as u64
        };
        if demand.lets_go(healthy, expected) > 0 {
            return Answer::Go;
        }
        let keeps = if demand == Demand::Nothing { expected } else { demand.keeps(expected) };
        Answer::Wait(format!(
            "{healthy} of {} available, {} keeps {keeps}",
            covered.len(),
            budget.describe()
        ))
    }
}
