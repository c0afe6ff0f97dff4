//! Nodes that are drained: pods are evicted as far as budgets let them go, and replaced elsewhere in between.

use super::budgets::Answer;
use super::{Refused, Scene};
use crate::analyze::placement::cluster::NodeId;
use crate::analyze::placement::node::{ClusterNode, Effect, Taint};
use crate::analyze::placement::place::Fits;
use crate::analyze::placement::schedule::{Scheduler, schedule_with};
use crate::api::kind::Kind;

/// What a cordoned node is tainted with.
const UNSCHEDULABLE: &str = "node.kubernetes.io/unschedulable";

impl Scene<'_, '_> {
    /// Drains a node, which stays cordoned: still a domain of its topologies, and empty.
    pub(super) fn drain(&mut self, node: NodeId) {
        self.cordon(node);
        let refused = self.evict_all(node);
        self.refused.extend(refused);
        self.settle_after_drain();
    }

    fn cordon(&mut self, node: NodeId) {
        let on = &self.cluster.nodes[node];
        if !on.unschedulable {
            self.cluster.change(node, cordoned(on));
        }
    }

    fn uncordon(&mut self, node: NodeId) {
        let mut on = self.cluster.nodes[node].clone();
        on.unschedulable = false;
        on.taints.retain(|it| it.key != UNSCHEDULABLE);
        self.cluster.change(node, on);
    }

    /// Evicts the pods of a node, again and again while that moves one; returns what is left.
    fn evict_all(&mut self, node: NodeId) -> Vec<Refused> {
        let cluster = self.cluster.clone();
        let mut state = self.state(&cluster);
        let mut scheduler = Scheduler::default();
        loop {
            let mut is_moving = false;
            let mut refused = Vec::new();
            for at in 0..self.pods.len() {
                // kubectl leaves the pods of DaemonSets and static pods where they are (`kubectl/pkg/drain/filters.go`).
                let it = &self.pods[at];
                if it.node != Some(node) || it.is_static || self.kind(it) == Kind::DaemonSet {
                    continue;
                }
                let pod = self.pods[at].clone();
                if let Some(it) = self.refusal(at, node) {
                    refused.push(it);
                    continue;
                }
                is_moving = true;
                self.pin(at, node);
                self.pods[at].node = None;
                self.pods[at].was_lost = true;
                self.pods[at].is_gone = !self.is_replaced(&pod);
                state.take(pod.shape, node);
                scheduler.changed(node);
                let waiting = self.queue();
                let (mut nodes, shapes, pins) = self.columns();
                schedule_with(&mut scheduler, &mut state, &mut nodes, &shapes, &waiting, &pins);
                self.take_places(&nodes);
            }
            if refused.is_empty() || !is_moving {
                return refused;
            }
        }
    }

    /// Why a pod is not evicted (`pkg/registry/core/pod/storage/eviction.go`).
    fn refusal(&mut self, at: usize, node: NodeId) -> Option<Refused> {
        let pod = self.pods[at].clone();
        let refused = |budget, why: String| {
            Some(Refused { node, pod: pod.name.clone(), component: pod.component, budget, why })
        };
        let budgets = self.budgets_of(&pod).to_vec();
        match budgets.as_slice() {
            [] => None,
            [budget] => {
                let budget = self.facts.budgets().iter().find(|it| it.at == *budget)?;
                match self.ask_budget(budget) {
                    Answer::Go => None,
                    Answer::Wait(why) => refused(Some(budget.object), why),
                    Answer::Unknown(why) => {
                        self.notes.insert(why.clone());
                        None
                    }
                }
            }
            several => refused(
                None,
                format!(
                    "{} budgets cover it, which the API server answers with an error",
                    several.len()
                ),
            ),
        }
    }

    /// Pods that found no place after their eviction: whether any other order would have found one.
    fn settle_after_drain(&mut self) {
        if self.pods.iter().any(|it| it.waits()) {
            self.settle();
        }
    }

    /// Drains every node in turn; each returns before the next. A node that is refused is tried again after others.
    pub(super) fn drain_all(&mut self) {
        let mut left: Vec<NodeId> = (0..self.lost.len()).filter(|it| !self.lost[*it]).collect();
        loop {
            let mut refused_now: Vec<(NodeId, Vec<Refused>)> = Vec::new();
            let tried = left.len();
            for node in std::mem::take(&mut left) {
                self.cordon(node);
                let refused = self.evict_all(node);
                self.uncordon(node);
                self.settle();
                if !refused.is_empty() {
                    left.push(node);
                    refused_now.push((node, refused));
                }
            }
            if left.is_empty() {
                return;
            }
            if left.len() == tried {
                let all: Vec<Refused> = refused_now.into_iter().flat_map(|it| it.1).collect();
                // Where a budget keeps all that there are, no order helps.
                if !all.iter().all(|it| self.is_refused_for_ever(it)) {
                    self.fits = Fits::Unknown;
                }
                self.refused.extend(all);
                return;
            }
        }
    }

    /// Whether an eviction is refused with every pod in its place.
    fn is_refused_for_ever(&self, refused: &Refused) -> bool {
        let Some(object) = refused.budget else { return true };
        let budget = self.facts.budgets().iter().find(|it| it.object == object);
        let is_all_there = !self.pods.iter().any(|it| it.waits());
        budget.is_some_and(|it| matches!(self.ask_budget(it), Answer::Wait(_))) && is_all_there
    }
}

/// A node that is cordoned.
pub(in crate::analyze::placement) fn cordoned(node: &ClusterNode) -> ClusterNode {
    let mut cordoned = node.clone();
    cordoned.unschedulable = true;
    let (key, value) = (UNSCHEDULABLE.to_string(), String::new());
    cordoned.taints.push(Taint { key, value, effect: Effect::NoSchedule });
    cordoned
}
