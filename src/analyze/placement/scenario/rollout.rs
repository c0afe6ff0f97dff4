//! Rollouts: whether new pods find places beside the old ones that have to stay.

use super::{Scene, Standing};
use crate::analyze::capacity::rollout::Rollout;
use crate::analyze::placement::cluster::NodeId;
use crate::analyze::placement::place::Fits;
use crate::analyze::placement::schedule::schedule;
use crate::api::kind::Kind;

/// A component while it is rolled out.
struct Rolling {
    component: usize,
    /// Its old pods that are still there, by their places.
    old: Vec<usize>,
    /// Its new ones.
    new: Vec<usize>,
    wanted: usize,
    surge: usize,
    unavailable: usize,
    /// Whether old pods go before new ones come, whatever the bounds.
    is_recreate: bool,
}

impl Scene<'_, '_> {
    /// Rolls components out at once, step by step, until nothing moves. StatefulSets and DaemonSets replace pods where
    /// they stood, which only needs the room that the old pod leaves.
    pub(super) fn roll_out(&mut self, components: &[usize]) {
        let mut all: Vec<Rolling> = components.iter().filter_map(|it| self.rolling(*it)).collect();
        loop {
            let mut is_moving = false;
            for it in &mut all {
                let there = it.old.len() + it.new.len();
                let room = (it.wanted + it.surge).saturating_sub(there);
                let lacking = it.wanted.saturating_sub(it.new.len());
                let waits_for_old = it.is_recreate && !it.old.is_empty();
                for _ in 0..room.min(lacking) * usize::from(!waits_for_old) {
                    is_moving = true;
                    it.new.push(self.pods.len());
                    let pod = self.next_pod(it.component, it.new.len());
                    self.pods.push(pod);
                }
            }
            is_moving |= self.schedule_new();
            for it in &mut all {
                is_moving |= self.retire(it);
            }
            if !is_moving {
                break;
            }
        }
        let is_stuck = |it: &Rolling| {
            !it.old.is_empty() || it.new.iter().any(|at| self.pods[*at].node.is_none())
        };
        let stuck: Vec<&Rolling> = all.iter().filter(|it| is_stuck(it)).collect();
        if !stuck.is_empty() {
            // Which old pods go first is the controller's choice; where none could go, there was none to make.
            let had_choice =
                stuck.iter().any(|it| it.new.iter().any(|at| self.pods[*at].node.is_some()));
            self.fits = if had_choice { Fits::Unknown } else { Fits::NotAll };
        }
    }

    fn rolling(&self, component: usize) -> Option<Rolling> {
        let of = &self.world.components[component];
        if !matches!(of.kind, Kind::Deployment | Kind::Rollout) {
            return None;
        }
        let workload = self.facts.workloads().get(of.workload);
        let rollout = Rollout::of(self.model, workload);
        let own = (0..self.pods.len()).filter(|it| self.pods[*it].component == component);
        let old: Vec<usize> = own.filter(|it| !self.pods[*it].is_gone).collect();
        let wanted = of.wanted;
        self.world.next_release[component]?;
        Some(Rolling {
            component,
            old,
            new: Vec::new(),
            wanted,
            surge: rollout.surge(wanted as u64) as usize,
            unavailable: rollout.unavailable(wanted as u64) as usize,
            is_recreate: rollout == Rollout::Recreate,
        })
    }

    fn next_pod(&self, component: usize, number: usize) -> Standing {
        let shape = self.world.next_release[component].unwrap_or_default();
        let name = format!("{}-next-{number}", self.world.components[component].short);
        Standing { name, component, shape, number, ..Standing::default() }
    }

    fn schedule_new(&mut self) -> bool {
        let waiting = self.queue();
        let (mut nodes, shapes, pins) = self.columns();
        let mut state = self.state(&self.cluster);
        schedule(&mut state, &mut nodes, &shapes, &waiting, &pins);
        let is_moving = waiting.iter().any(|it| nodes[*it].is_some());
        self.take_places(&nodes);
        is_moving
    }

    /// Takes old pods away, as many as may be missing: those that wait, then those of the fullest nodes.
    fn retire(&mut self, it: &mut Rolling) -> bool {
        let mut is_moving = false;
        while !it.old.is_empty() {
            let runs = |at: &&usize| self.pods[**at].node.is_some();
            let available = it.old.iter().chain(&it.new).filter(runs).count();
            let pending = it.old.iter().position(|at| self.pods[*at].node.is_none());
            if pending.is_none()
                && available <= it.wanted.saturating_sub(it.unavailable)
                && !it.is_recreate
            {
                break;
            }
            let fullest = || {
                let on = |node: Option<NodeId>| {
                    it.old.iter().filter(|at| self.pods[**at].node == node).count()
                };
                let places = 0..it.old.len();
                places.max_by_key(|place| {
                    (on(self.pods[it.old[*place]].node), std::cmp::Reverse(*place))
                })
            };
            let Some(place) = pending.or_else(fullest) else { break };
            let at = it.old.remove(place);
            self.pods[at].node = None;
            self.pods[at].is_gone = true;
            self.pods[at].is_retired = true;
            is_moving = true;
        }
        is_moving
    }
}
