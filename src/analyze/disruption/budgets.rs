//! Disruption budgets: which pods they cover and how many of these have to stay.
//!
//! `pkg/controller/disruption/disruption.go`, getExpectedPodCount: both percentages round up.

use crate::analyze::capacity::rollout::{IntOrPercent, Rounding};
use crate::analyze::selection::alike::{AlikeId, AllAlike, Selected};
use crate::analyze::selection::selector::{Selector, Selects};
use crate::analyze::selection::workloads::{WorkloadId, Workloads};
use crate::api::kind::Kind;
use crate::model::{Model, ObjId, Object};
use crate::text::tree::Node;

/// What a budget demands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Demand {
    /// This many stay.
    MinAvailable(IntOrPercent),
    /// At most this many go.
    MaxUnavailable(IntOrPercent),
    /// It says neither, so the controller lets none go.
    Nothing,
}

/// A disruption budget.
#[derive(Clone, Debug)]
pub struct Budget<'d> {
    /// Its place among all budgets.
    pub at: u32,
    /// The object.
    pub object: ObjId,
    /// Its namespace.
    pub namespace: &'d str,
    /// Its selector; `None` selects nothing.
    pub selector: Option<Selector<'d>>,
    /// What it demands; `None` where the API server refuses it.
    pub demand: Option<Demand>,
    /// The field that says so, if one does.
    pub field: Option<Node<'d>>,
    /// The workloads whose pods it covers, and how many of these.
    pub covers: Selected,
    /// Those that have the same selector; `None` where it selects nothing.
    pub alike: Option<AlikeId>,
}

impl Demand {
    /// How many of `expected` pods have to be healthy (getExpectedPodCount).
    pub fn keeps(self, expected: u64) -> u64 {
        match self {
            Demand::MinAvailable(it) => it.of(expected, Rounding::Up),
            Demand::MaxUnavailable(it) => expected.saturating_sub(it.of(expected, Rounding::Up)),
            Demand::Nothing => expected,
        }
    }

    /// How many of `healthy` pods may go at once where the controllers want `expected` (updatePdbStatus).
    pub fn lets_go(self, healthy: u64, expected: u64) -> u64 {
        if expected == 0 || self == Demand::Nothing {
            return 0;
        }
        healthy.saturating_sub(self.keeps(expected))
    }

    /// Whether it keeps every pod, however many there are.
    pub fn keeps_all(self) -> bool {
        match self {
            Demand::MinAvailable(it) => it == IntOrPercent::Percent(100),
            Demand::MaxUnavailable(it) => {
                matches!(it, IntOrPercent::Int(0) | IntOrPercent::Percent(0))
            }
            Demand::Nothing => true,
        }
    }

    /// Whether the controller has to find out how many pods are wanted, which it can only for owners that scale.
    pub fn needs_scale(self) -> bool {
        !matches!(self, Demand::MinAvailable(IntOrPercent::Int(_)) | Demand::Nothing)
    }
}

impl Budget<'_> {
    /// `minAvailable 2`, `maxUnavailable 25%`.
    pub fn describe(&self) -> String {
        match self.demand {
            Some(Demand::MinAvailable(it)) => format!("minAvailable {it}"),
            Some(Demand::MaxUnavailable(it)) => format!("maxUnavailable {it}"),
            _ => "neither minAvailable nor maxUnavailable".into(),
        }
    }
}

/// All disruption budgets, found by the workloads they cover.
#[derive(Debug, Default)]
pub struct Budgets<'d> {
    all: Vec<Budget<'d>>,
    alike: AllAlike<'d>,
}

impl<'d> Budgets<'d> {
    /// Finds the budgets of a model.
    pub fn new(model: &Model<'d>, workloads: &Workloads<'d>) -> Budgets<'d> {
        let mut budgets = Budgets::default();
        for object in model.of_kind(Kind::PodDisruptionBudget) {
            let mut budget = budget(budgets.all.len() as u32, object);
            if let Some(selector) = &budget.selector {
                let selector = (budget.namespace, selector);
                let (alike, covers) = budgets.alike.add(budget.at, selector, workloads, |_| true);
                (budget.alike, budget.covers) = (Some(alike), covers);
            }
            budgets.all.push(budget);
        }
        budgets
    }

    /// All of them.
    pub fn iter(&self) -> impl Iterator<Item = &Budget<'d>> {
        self.all.iter()
    }

    /// Those that cover pods of this workload.
    pub fn of_workload(&self, workload: WorkloadId) -> impl Iterator<Item = &Budget<'d>> {
        self.alike.members_of(workload).map(|(at, _)| &self.all[at as usize])
    }

    /// The selectors of budgets that cover pods of this workload, and how many of these.
    pub fn alike_of(&self, workload: WorkloadId) -> &[(AlikeId, Selects)] {
        self.alike.of_workload(workload)
    }

    /// The budgets that have this selector.
    pub fn of_alike(&self, id: AlikeId) -> impl Iterator<Item = &Budget<'d>> {
        self.alike.get(id).members.iter().map(|at| &self.all[*at as usize])
    }
}

fn budget<'d>(at: u32, object: &Object<'d>) -> Budget<'d> {
    let spec = object.field(&["spec"]);
    // An empty selector of policy/v1beta1 selected nothing; of policy/v1 it selects all.
    let selector = spec.and_then(|it| it.get("selector")).map(Selector::parse);
    let selector = selector.filter(|it| !(it.is_empty() && object.api_version == "policy/v1beta1"));
    let min = spec.and_then(|it| it.get("minAvailable"));
    let max = spec.and_then(|it| it.get("maxUnavailable"));
    let demand = match (min, max) {
        (Some(it), None) => bound(it).map(Demand::MinAvailable),
        (None, Some(it)) => bound(it).map(Demand::MaxUnavailable),
        (None, None) => Some(Demand::Nothing),
        (Some(_), Some(_)) => None,
    };
    Budget {
        at,
        object: object.id,
        namespace: object.namespace,
        selector,
        demand,
        field: min.or(max),
        covers: Selected::default(),
        alike: None,
    }
}

/// No more than 100 % (`pkg/apis/policy/validation`, IsNotMoreThan100Percent).
fn bound(node: Node<'_>) -> Option<IntOrPercent> {
    IntOrPercent::parse(node).filter(|it| !matches!(it, IntOrPercent::Percent(101..)))
}
