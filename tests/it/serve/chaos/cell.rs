//! A workload and its budget, and what the right answer to each request about them is.

use super::super::cluster::path;
use super::super::requests::{budget, deployment};
use serde_json::{Value, json};

/// A Deployment and a budget of one name. Nobody but one worker touches them, so it knows how they are.
#[derive(Clone, Debug)]
pub(super) struct Cell {
    pub(super) namespace: String,
    pub(super) name: String,
    /// The replicas, where the Deployment is there.
    pub(super) replicas: Option<u32>,
    /// What the budget keeps, where it is there.
    pub(super) keeps: Option<u32>,
}

/// A request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// Creates the Deployment, or changes its replicas.
    Replicas(u32),
    /// Changes them through `scale`.
    Scale(u32),
    /// Creates the budget, or changes what it keeps.
    Keep(u32),
    DeleteDeployment,
    DeleteBudget,
}

impl Step {
    /// Those of every kind that may make something wrong, or not.
    pub(super) const ALL: [Step; 8] = [
        Step::Replicas(2),
        Step::Replicas(3),
        Step::Replicas(4),
        Step::Scale(2),
        Step::Scale(3),
        Step::Scale(4),
        Step::Keep(2),
        Step::Keep(3),
    ];
}

/// What is sent.
pub(super) struct Request {
    pub(super) method: &'static str,
    pub(super) path: String,
    pub(super) body: Value,
}

impl Cell {
    pub(super) fn new(namespace: &str, name: &str) -> Cell {
        Cell { namespace: namespace.into(), name: name.into(), replicas: None, keeps: None }
    }

    /// How it would be.
    pub(super) fn after(&self, step: Step) -> Cell {
        let mut after = self.clone();
        match step {
            Step::Replicas(it) | Step::Scale(it) => after.replicas = Some(it),
            Step::Keep(it) => after.keeps = Some(it),
            Step::DeleteDeployment => after.replicas = None,
            Step::DeleteBudget => after.keeps = None,
        }
        after
    }

    /// Whether the budget lets no pod go. The worker never leaves it so, so this is always worse than before.
    pub(super) fn is_wrong(&self) -> bool {
        matches!((self.replicas, self.keeps), (Some(replicas), Some(keeps)) if replicas <= keeps)
    }

    /// Whether there is what the step changes.
    pub(super) fn allows(&self, step: Step) -> bool {
        match step {
            Step::Scale(_) | Step::DeleteDeployment => self.replicas.is_some(),
            Step::DeleteBudget => self.keeps.is_some(),
            Step::Replicas(_) | Step::Keep(_) => true,
        }
    }

    /// A step that is possible; `number` tells which.
    pub(super) fn step(&self, number: u64) -> Step {
        // One replica may be what the API server fills in, and leaves the number to an autoscaler.
        let amount = |most: u64| 2 + (number / 8 % most) as u32;
        let step = match number % 8 {
            0 => Step::DeleteDeployment,
            1 => Step::DeleteBudget,
            2 | 3 => Step::Scale(amount(3)),
            4 | 5 => Step::Replicas(amount(3)),
            _ => Step::Keep(amount(2)),
        };
        match step {
            step if self.allows(step) => step,
            Step::DeleteBudget => Step::Keep(amount(2)),
            _ => Step::Replicas(amount(3)),
        }
    }

    /// What is sent for a step.
    pub(super) fn request(&self, step: Step) -> Request {
        let workload = |replicas| deployment(&self.namespace, &self.name, replicas);
        let guard = |keeps| budget(&self.namespace, &self.name, keeps);
        let (method, path, body) = match step {
            Step::Replicas(it) if self.replicas.is_none() => {
                ("POST", path(&workload(it), false), workload(it))
            }
            Step::Replicas(it) => {
                ("PATCH", path(&workload(it), true), json!({"spec": {"replicas": it}}))
            }
            Step::Scale(it) => {
                let path = format!("{}/scale", path(&workload(it), true));
                ("PATCH", path, json!({"spec": {"replicas": it}}))
            }
            Step::Keep(it) if self.keeps.is_none() => ("POST", path(&guard(it), false), guard(it)),
            Step::Keep(it) => {
                ("PATCH", path(&guard(it), true), json!({"spec": {"minAvailable": it}}))
            }
            Step::DeleteDeployment => ("DELETE", path(&workload(1), true), options()),
            Step::DeleteBudget => ("DELETE", path(&guard(1), true), options()),
        };
        Request { method, path, body }
    }
}

fn options() -> Value {
    json!({"apiVersion": "v1", "kind": "DeleteOptions"})
}
