//! Disruption budgets: which pods they cover and how many of these they let go.
//!
//! `pkg/controller/disruption/disruption.go`, getExpectedPodCount: both percentages round up.

use super::Facts;
use super::replicas::Bound;
use super::rollout::{IntOrPercent, Rounding};
use super::selector::{Selector, Selects};
use super::workloads::WorkloadId;
use crate::model::kind::Kind;
use crate::model::{Model, ObjId};
use crate::tree::Node;

/// What a budget demands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
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
    pub covers: Vec<(WorkloadId, Selects)>,
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

/// Why the pods of a budget cannot be counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Uncounted {
    /// The budget needs the scale of an owner that has none.
    WithoutScale(WorkloadId),
    /// It covers some of the workload's pods, by labels that only their controller knows.
    SomeOf(WorkloadId),
    /// It covers one pod for each node.
    PerNode(WorkloadId),
}

impl Budget<'_> {
    /// The workloads that it covers, each at its floor; those that are switched off for good are left out.
    ///
    /// # Errors
    ///
    /// When their pods cannot be counted.
    pub fn floors(&self, facts: &Facts<'_>) -> Result<Vec<Floor>, Uncounted> {
        let mut floors = Vec::new();
        for (workload, selects) in &self.covers {
            if self.needs_scale() && facts.workloads().get(*workload).is_scalable() != Some(true) {
                return Err(Uncounted::WithoutScale(*workload));
            }
            if *selects == Selects::Some {
                return Err(Uncounted::SomeOf(*workload));
            }
            let envelope = facts.envelope(*workload).ok_or(Uncounted::PerNode(*workload))?;
            if envelope.peak.count > 0 {
                let (bound, count) = (envelope.floor, envelope.floor.count.max(1));
                floors.push(Floor { workload: *workload, bound, count });
            }
        }
        Ok(floors)
    }

    /// How many of `pods` it keeps, if these are all of them, so that none may be evicted.
    pub fn keeps_all(&self, pods: u64) -> Option<u64> {
        self.keeps(pods).filter(|kept| pods > 0 && *kept >= pods)
    }

    /// How many of `pods` have to stay. A percentage is of the pods that the controllers are meant to run, which at a
    /// bound of the envelope is the same number.
    pub fn keeps(&self, pods: u64) -> Option<u64> {
        Some(match self.demand? {
            Demand::MinAvailable(it) => it.of(pods, Rounding::Up),
            Demand::MaxUnavailable(it) => pods.saturating_sub(it.of(pods, Rounding::Up)),
            Demand::Nothing => pods,
        })
    }

    /// Whether the controller has to find out how many pods are wanted, which it can only for owners that scale.
    pub fn needs_scale(&self) -> bool {
        !matches!(self.demand, Some(Demand::MinAvailable(IntOrPercent::Int(_)) | Demand::Nothing))
    }

    /// `minAvailable 2`, `maxUnavailable 25%`.
    pub fn describe(&self) -> String {
        match self.demand {
            Some(Demand::MinAvailable(it)) => format!("minAvailable {it}"),
            Some(Demand::MaxUnavailable(it)) => format!("maxUnavailable {it}"),
            _ => "neither minAvailable nor maxUnavailable".into(),
        }
    }
}

/// All disruption budgets.
pub(super) fn budgets<'d>(model: &Model<'d>, facts: &Facts<'d>) -> Vec<Budget<'d>> {
    model
        .of_kind(Kind::PodDisruptionBudget)
        .map(|object| {
            let spec = object.field(&["spec"]);
            // An empty selector of policy/v1beta1 selected nothing; of policy/v1 it selects all.
            let selector = spec.and_then(|it| it.get("selector")).map(Selector::parse);
            let selector =
                selector.filter(|it| !(it.is_empty() && object.api_version == "policy/v1beta1"));
            let min = spec.and_then(|it| it.get("minAvailable"));
            let max = spec.and_then(|it| it.get("maxUnavailable"));
            let demand = match (min, max) {
                (Some(it), None) => IntOrPercent::parse(it).map(Demand::MinAvailable),
                (None, Some(it)) => IntOrPercent::parse(it).map(Demand::MaxUnavailable),
                (None, None) => Some(Demand::Nothing),
                (Some(_), Some(_)) => None,
            };
            let covers =
                selector.iter().flat_map(|it| facts.workloads().select(object.namespace, it));
            let covers = covers.map(|(workload, selects)| (workload.id, selects)).collect();
            Budget {
                object: object.id,
                namespace: object.namespace,
                selector,
                demand,
                field: min.or(max),
                covers,
            }
        })
        .collect()
}
