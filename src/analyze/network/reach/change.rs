//! One NetworkPolicy in place of another: what that touches is judged anew, and nothing else.

use super::Reach;
use super::compile::Policy;
use super::endpoint::{Endpoint, EndpointId};
use super::sets::{Set, Spec};
use super::table::Flow;
use super::tiers::Tier;
use super::verdict::Truth;
use crate::analyze::Facts;
use crate::analyze::network::policies::{DIRECTIONS, Direction, NetworkPolicy};
use crate::analyze::selection::workloads::WorkloadId;
use crate::model::ObjId;
use rustc_hash::FxHashSet;
use std::collections::BTreeMap;

/// What a change touches: of all other pairs the verdicts are what they were.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Touched {
    /// Whose ingress, and whose egress, may be judged otherwise.
    subjects: [Vec<EndpointId>; 2],
    /// Endpoints of which some pods are an endpoint of their own now, and that one. What was said of the first holds for
    /// both, unless it is touched.
    pub splits: Vec<(EndpointId, EndpointId)>,
}

impl Touched {
    /// Whether the verdict on a pair may be another.
    pub fn has(&self, from: EndpointId, to: EndpointId) -> bool {
        let is_in =
            |direction: Direction, it| self.subjects[direction as usize].binary_search(it).is_ok();
        is_in(Direction::Ingress, &to) || is_in(Direction::Egress, &from)
    }

    /// What changes for these endpoints touches, in both directions.
    pub(super) fn of(subjects: impl IntoIterator<Item = EndpointId>) -> Touched {
        let subjects: Vec<_> = subjects.into_iter().collect();
        let mut all = Touched::default();
        all.add(Touched { subjects: [subjects.clone(), subjects], splits: Vec::new() });
        all
    }

    /// Adds what a later change touches, where neither splits anything.
    pub(super) fn add(&mut self, later: Touched) {
        for (subjects, more) in self.subjects.iter_mut().zip(later.subjects) {
            subjects.extend(more);
            subjects.sort_unstable();
            subjects.dedup();
        }
    }
}

impl<'d> Reach<'d> {
    /// Puts a policy in place of another; without the one or the other it is added or taken away. The model is otherwise
    /// the same, and its facts are.
    ///
    /// Nothing changes, and nothing is said, where the policy asks for a label, a name of a port or a block of addresses
    /// that none asked for before: everybody has to be grouped anew.
    pub fn replace(
        &mut self,
        facts: &Facts<'d>,
        old: Option<ObjId>,
        new: Option<&NetworkPolicy<'d>>,
    ) -> Option<Touched> {
        let position = |id| self.policies.iter().position(|it| it.object == id);
        let at = old.and_then(position).unwrap_or(self.policies.len());
        self.replace_at(facts, at, new)
    }

    /// The same by the place of the policy among all; the first that is free adds one.
    pub(super) fn replace_at(
        &mut self,
        facts: &Facts<'d>,
        at: usize,
        new: Option<&NetworkPolicy<'d>>,
    ) -> Option<Touched> {
        self.named.take();
        let compiled = match new {
            Some(it) => Some(self.compile(it)?),
            None => None,
        };
        let mut touched = Touched::default();
        for at in self.sets.len()..self.specs.all.len() {
            let set = self.told_apart(facts, at, &mut touched.splits);
            self.add_set(set);
        }
        let before = self.policies.get(at);
        for direction in DIRECTIONS {
            let of = |it: Option<&Policy<'d>>| match it.filter(|it| it.rules(direction).is_some()) {
                Some(it) => self.set(it.subject).members.clone(),
                None => Vec::new(),
            };
            let (before, after) = (of(before), of(compiled.as_ref()));
            let mut subjects: Vec<_> = before.iter().chain(&after).map(|it| it.0).collect();
            subjects.sort_unstable();
            subjects.dedup();
            let isolating = &mut self.isolating[direction as usize];
            for id in &subjects {
                isolating.entry(*id).or_default().retain(|it| it.0 as usize != at);
            }
            for (id, truth) in after {
                let all = isolating.entry(id).or_default();
                let place = all.partition_point(|it| (it.0 as usize) < at);
                all.insert(place, (at as u32, truth));
            }
            touched.subjects[direction as usize] = subjects;
        }
        // Whether a baseline is asked may depend on the other direction.
        let [ingress, egress] = &mut touched.subjects;
        let under_baseline = |id: &EndpointId| {
            let above = self.above.get(id).into_iter().flatten();
            above.map(|it| &self.tiers[it.0 as usize]).any(|it| it.tier == Tier::Baseline)
        };
        let both: Vec<_> =
            ingress.iter().chain(egress.iter()).copied().filter(under_baseline).collect();
        for subjects in [ingress, egress] {
            subjects.extend(&both);
            subjects.sort_unstable();
            subjects.dedup();
        }
        match (self.policies.get_mut(at), compiled) {
            (Some(it), Some(new)) => *it = new,
            // Its place stays, so that those of the others do.
            (Some(it), None) => (it.ingress, it.egress) = (None, None),
            (None, new) => self.policies.extend(new),
        }
        Some(touched)
    }

    /// The pairs that are touched and between which something may pass; nothing passes between the other touched ones.
    pub fn flows_of(&self, touched: &Touched) -> Vec<Flow> {
        let unnamed = self.unnamed();
        let mut pairs = Vec::new();
        for direction in DIRECTIONS {
            for subject in &touched.subjects[direction as usize] {
                let peers = self.peers(direction, *subject, &unnamed);
                let all = self.endpoints().map(|it| it.0).filter(|it| peers.has(*it));
                pairs.extend(all.map(|peer| match direction {
                    Direction::Ingress => (peer, *subject),
                    Direction::Egress => (*subject, peer),
                }));
            }
        }
        pairs.sort_unstable();
        pairs.dedup();
        pairs.into_iter().filter_map(|(from, to)| self.flow(from, to)).collect()
    }

    /// A policy as it is judged, if it asks for nothing new.
    fn compile(&mut self, policy: &NetworkPolicy<'d>) -> Option<Policy<'d>> {
        let known = self.specs.all.len();
        let compiled = Policy::new(policy, &mut self.specs);
        let asked = &self.shapes.asked;
        let rules = compiled.ingress.iter().chain(&compiled.egress).flatten();
        let mut names = rules.flat_map(|it| &it.ports.names);
        let is_known = names.all(|it| asked.has_name(it.0))
            && self.specs.all[known..].iter().all(|it| asked.has(it));
        if !is_known {
            self.specs.truncate(known);
        }
        is_known.then_some(compiled)
    }

    /// The set of a description that is new. Pods that it tells apart become endpoints of their own.
    fn told_apart(
        &mut self,
        facts: &Facts<'d>,
        at: usize,
        splits: &mut Vec<(EndpointId, EndpointId)>,
    ) -> Set {
        let spec: Spec<'d> = self.specs.all[at].clone();
        let found = self.shapes_of(facts, &spec);
        let mut truths = vec![Truth::No; if found.is_empty() { 0 } else { self.of_shape.len() }];
        let mut concerned = FxHashSet::default();
        for (shape, truth) in &found {
            truths[*shape as usize] = *truth;
            concerned.insert(self.of_shape[*shape as usize]);
        }
        let mut parts: BTreeMap<EndpointId, Vec<(Truth, Vec<u32>)>> = BTreeMap::new();
        for (shape, truth) in truths.into_iter().enumerate() {
            let id = self.of_shape[shape];
            if !concerned.contains(&id) {
                continue;
            }
            let of_endpoint = parts.entry(id).or_default();
            match of_endpoint.iter_mut().find(|it| it.0 == truth) {
                Some(it) => it.1.push(shape as u32),
                None => of_endpoint.push((truth, vec![shape as u32])),
            }
        }
        for (id, parts) in parts {
            for (_, shapes) in parts.into_iter().skip(1) {
                splits.extend(self.split(id, &shapes).map(|new| (id, new)));
            }
        }
        self.set_of(&spec, &found)
    }

    /// Makes an endpoint of some of the shapes of another, of which everything holds that holds for the other.
    fn split(&mut self, id: EndpointId, shapes: &[u32]) -> Option<EndpointId> {
        self.named.take();
        let new = EndpointId(self.endpoints.len() as u32);
        let moved = shapes.iter().flat_map(|it| &self.shapes.all[*it as usize].workloads);
        let moved: Vec<WorkloadId> = moved.copied().collect();
        let Endpoint::Pods(pods) = &mut self.endpoints[id.0 as usize] else { return None };
        let leaves: FxHashSet<WorkloadId> = moved.iter().copied().collect();
        pods.workloads.retain(|it| !leaves.contains(it));
        let mut own = pods.clone();
        own.workloads = moved;
        self.of_workload.extend(own.workloads.iter().map(|it| (*it, new)));
        self.endpoints.push(Endpoint::Pods(own));
        for shape in shapes {
            self.of_shape[*shape as usize] = new;
        }
        if self.with_address.contains(&id) {
            self.with_address.push(new);
        }
        for set in &mut self.sets {
            set.add_like(new, id);
        }
        for of in self.isolating.iter_mut().chain([&mut self.above]) {
            if let Some(it) = of.get(&id).cloned() {
                of.insert(new, it);
            }
        }
        Some(new)
    }
}
