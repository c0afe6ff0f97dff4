//! What is told of a scenario.

use super::Scene;
use super::guarantee::Guarantee;
use crate::analyze::placement::cluster::{NodeId, ShapeId};
use crate::analyze::placement::place::{By, Fits};
use crate::analyze::placement::proof::{Proof, proofs, reasons};
use crate::analyze::placement::schedule::schedule;
use crate::analyze::placement::state::State;
use crate::analyze::placement::wanted::Wanted;
use crate::analyze::placement::world::{At, Pod};
use crate::api::kind::Kind;
use crate::model::ObjId;
use std::collections::BTreeMap;

/// A pod while things happen.
#[derive(Clone, Debug, Default)]
pub struct Standing {
    /// Its name.
    pub name: String,
    /// Its component.
    pub component: usize,
    /// Its shape.
    pub shape: ShapeId,
    /// Its number among those of its component.
    pub number: usize,
    /// Its node.
    pub node: Option<NodeId>,
    /// The only node that it may be on, as a pod of a DaemonSet.
    pub only: Option<NodeId>,
    /// The nodes that its volumes, or its DaemonSet, bind it to.
    pub pinned: Option<Vec<NodeId>>,
    /// Whether nobody says where one of its volumes lies.
    pub has_unknown_volume: bool,
    /// Whether it lost its node.
    pub was_lost: bool,
    /// Whether it was placed again.
    pub has_moved: bool,
    /// Whether it is gone and nothing replaces it.
    pub is_gone: bool,
    /// Whether a pod of the next release took its place.
    pub is_retired: bool,
    /// Whether its kubelet runs it from a file, so that nobody evicts it.
    pub is_static: bool,
}

impl Standing {
    pub(super) fn new(pod: &Pod, node: Option<NodeId>) -> Standing {
        let Pod { name, component, shape, number, only, is_static, .. } = pod.clone();
        let pinned = only.map(|it| vec![it]);
        let rest = Standing { only, node, pinned, is_static, ..Standing::default() };
        Standing { name, component, shape, number, ..rest }
    }

    /// Whether it waits for a node.
    pub fn waits(&self) -> bool {
        self.node.is_none() && !self.is_gone
    }
}

/// Whether everything stays up.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Verdict {
    /// Nothing is pending, down or refused.
    Holds,
    /// Something is.
    Breaks,
    /// Nobody can tell.
    Unknown,
}

/// What becomes of a component.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    /// Nothing.
    Unaffected,
    /// Pods were replaced.
    Rescheduled,
    /// Some are missing.
    Degraded,
    /// All are.
    Down,
}

/// A component before and after.
#[derive(Clone, Debug)]
pub struct ComponentOutcome {
    /// Which one.
    pub component: usize,
    /// Pods that ran before.
    pub before: usize,
    /// That run after.
    pub after: usize,
    /// That wait for a node.
    pub pending: usize,
    /// The fewest that are left at the moment of a loss, under any placement; `None` where nothing was lost.
    pub guaranteed: Option<usize>,
    /// What became of it.
    pub fate: Fate,
    /// Why pods wait, or when replacements run.
    pub reason: Option<String>,
}

/// A node after.
#[derive(Clone, Debug)]
pub struct NodeOutcome {
    /// Which one.
    pub node: NodeId,
    /// By component, how many pods.
    pub pods: BTreeMap<usize, usize>,
    /// By resource, what they request.
    pub requested: BTreeMap<String, i128>,
    /// Whether it is lost.
    pub is_lost: bool,
    /// Whether it is drained.
    pub is_cordoned: bool,
}

/// An eviction that is refused.
#[derive(Clone, Debug)]
pub struct Refused {
    /// The node.
    pub node: NodeId,
    /// The pod.
    pub pod: String,
    /// Its component.
    pub component: usize,
    /// The budget, if it is one.
    pub budget: Option<ObjId>,
    /// Why.
    pub why: String,
}

/// What is told of a scenario.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// How many pods there were.
    pub at: At,
    /// Whether it holds.
    pub verdict: Verdict,
    /// Who finds the places, where there are any for all.
    pub found: Option<By>,
    /// The components, in order.
    pub components: Vec<ComponentOutcome>,
    /// The nodes before, in order.
    pub nodes_before: Vec<NodeOutcome>,
    /// The nodes after.
    pub nodes: Vec<NodeOutcome>,
    /// Evictions that are refused.
    pub refused: Vec<Refused>,
    /// Why there is no place for all.
    pub proofs: Vec<Proof>,
    /// By component, how many pods fit on what is left after a loss, were all placed anew.
    pub anew: Option<Vec<usize>>,
    /// What the input does not say.
    pub unknown: Vec<String>,
}

impl Scene<'_, '_> {
    pub(super) fn outcome(mut self, at: At, before: &[Standing]) -> Outcome {
        self.note_unknown();
        let lost: Vec<NodeId> = (0..self.lost.len()).filter(|it| self.lost[*it]).collect();
        let components = self.components(before, &lost);
        let is_broken = !self.refused.is_empty()
            || components
                .iter()
                .any(|it| it.pending > 0 || it.fate == Fate::Down || it.fate == Fate::Degraded);
        let is_sure = matches!(self.fits, Fits::NotAll)
            || !self.refused.is_empty()
            || components
                .iter()
                .any(|it| it.fate != Fate::Unaffected && it.pending == 0 && it.after < it.before);
        let verdict = match (is_broken, is_sure) {
            (true, true) if self.fits != Fits::Unknown => Verdict::Breaks,
            (true, _) => Verdict::Unknown,
            (false, _) if self.notes.is_empty() => Verdict::Holds,
            (false, _) => Verdict::Unknown,
        };
        let found = match self.fits {
            Fits::All(by) => Some(by),
            Fits::NotAll | Fits::Unknown => None,
        };
        let is_lacking = components.iter().any(|it| it.pending > 0);
        let proofs = match is_lacking {
            true => proofs(&self.cluster, &self.wanted()),
            false => Vec::new(),
        };
        // What waits after a loss may fit where it is placed anew, with all others.
        let anew = (!lost.is_empty() && is_lacking).then(|| self.anew());
        Outcome {
            at,
            verdict,
            found,
            components,
            nodes_before: self.nodes_of(before, false),
            nodes: self.nodes_of(&self.pods, true),
            refused: std::mem::take(&mut self.refused),
            proofs,
            anew,
            unknown: self.notes.into_iter().collect(),
        }
    }

    /// The pods that there are to be, all but those that their volumes bind.
    fn wanted(&self) -> Wanted {
        let mut wanted = Wanted::default();
        let there = self.pods.iter().filter(|it| !it.is_gone);
        for pod in there.filter(|it| it.pinned.is_none() || it.only.is_some()) {
            wanted.add(pod.shape, None, pod.only);
        }
        wanted
    }

    /// How many pods of each component fit, were all placed anew: those that are always there first.
    fn anew(&self) -> Vec<usize> {
        let mut state = State::new(&self.cluster);
        let (mut nodes, shapes, pins) = self.columns();
        nodes.iter_mut().for_each(|it| *it = None);
        for is_daemon in [true, false] {
            let wanted = self.in_turn(|it| !it.is_gone && it.only.is_some() == is_daemon);
            schedule(&mut state, &mut nodes, &shapes, &wanted, &pins);
        }
        let mut counts = vec![0; self.world.components.len()];
        for (pod, _) in self.pods.iter().zip(&nodes).filter(|it| it.1.is_some()) {
            counts[pod.component] += 1;
        }
        counts
    }

    fn note_unknown(&mut self) {
        let unknown: Vec<_> = self
            .cluster
            .nodes
            .iter()
            .filter(|it| it.allocatable.is_none())
            .map(|it| it.name.as_str())
            .collect();
        if let Some(first) = unknown.first() {
            let more = match unknown.len() {
                1 => String::new(),
                all => format!(" and {} more", all - 1),
            };
            self.notes
                .insert(format!("what is allocatable on `{first}`{more}: whether there is room"));
        }
        for pod in &self.pods {
            if pod.has_unknown_volume && pod.has_moved {
                let name = &self.world.components[pod.component].name;
                self.notes
                    .insert(format!("whether the volume of `{name}` can be used on another node"));
            }
        }
    }

    fn components(&self, before: &[Standing], lost: &[NodeId]) -> Vec<ComponentOutcome> {
        let state = self.state(&self.cluster);
        let mut guarantee = (!lost.is_empty()).then(|| Guarantee::new(self.world, lost.to_vec()));
        let count = |pods: &[Standing]| {
            let mut counts = vec![0; self.world.components.len()];
            pods.iter().filter(|it| it.node.is_some()).for_each(|it| counts[it.component] += 1);
            counts
        };
        let (before, after) = (count(before), count(&self.pods));
        let mut own: Vec<Vec<&Standing>> = vec![Vec::new(); before.len()];
        self.pods.iter().for_each(|it| own[it.component].push(it));
        (0..before.len())
            .map(|component| {
                let own = own[component].as_slice();
                let (before, after) = (before[component], after[component]);
                let pending = own.iter().filter(|it| it.waits()).count();
                let is_daemon = self.world.components[component].kind == Kind::DaemonSet;
                let is_missing = after < before && !is_daemon || pending > 0;
                let fate = match is_missing {
                    true if after == 0 => Fate::Down,
                    true => Fate::Degraded,
                    false if own.iter().any(|it| it.was_lost && it.has_moved) => Fate::Rescheduled,
                    false => Fate::Unaffected,
                };
                let guaranteed = guarantee.as_mut().map(|it| it.of(component, before));
                let reason = self.reason(&state, own, fate);
                ComponentOutcome { component, before, after, pending, guaranteed, fate, reason }
            })
            .collect()
    }

    /// Why pods wait, node by node, or when replacements run.
    fn reason(&self, state: &State<'_>, own: &[&Standing], fate: Fate) -> Option<String> {
        if let Some(pod) = own.iter().find(|it| it.waits()) {
            return Some(self.why_pending(state, pod));
        }
        if own.iter().any(|it| it.is_gone && !it.is_retired) && fate != Fate::Unaffected {
            return Some("nothing makes a new pod in its place".into());
        }
        let is_loss = fate == Fate::Rescheduled && self.lost.contains(&true);
        let lost = own.iter().find(|it| it.was_lost).filter(|_| is_loss);
        lost.map(|it| self.replaced_after(it))
    }

    fn why_pending(&self, state: &State<'_>, pod: &Standing) -> String {
        if self.cluster.shapes[pod.shape].is_gated {
            return "waits for its scheduling gates".into();
        }
        let mut by_reason: BTreeMap<String, usize> = BTreeMap::new();
        // The pod of a daemon has no other node.
        let nodes = match pod.only {
            Some(only) => only..only + 1,
            None => 0..self.lost.len(),
        };
        for node in nodes {
            let why = if self.lost[node] {
                "lost".to_string()
            } else if pod.pinned.as_ref().is_some_and(|it| !it.contains(&node)) {
                "its volume is elsewhere".to_string()
            } else {
                reasons(state, pod.shape, node).join(", ")
            };
            *by_reason.entry(why).or_default() += 1;
        }
        let mut told: Vec<_> = by_reason.into_iter().collect();
        told.sort_by(|a, b| b.1.cmp(&a.1).then(a.0.cmp(&b.0)));
        let nodes =
            |count: usize| if count == 1 { "1 node".into() } else { format!("{count} nodes") };
        let told: Vec<_> = told
            .into_iter()
            .map(|(why, count)| {
                let why = if why.is_empty() {
                    "free, had the others been placed otherwise".into()
                } else {
                    why
                };
                format!("{}: {why}", nodes(count))
            })
            .collect();
        told.join("; ")
    }

    /// When the replacement of a pod starts that was on a lost node: the node controller waits 50 s before it marks the
    /// node (`pkg/controller/nodelifecycle/config/v1alpha1/defaults.go`, since 1.32), then the pod's toleration runs out.
    fn replaced_after(&self, pod: &Standing) -> String {
        const GRACE: i64 = 50;
        const TOLERATED: i64 = 300;
        if self.kind(pod) == Kind::StatefulSet {
            return "once a person has deleted the old pod or marked the node out of service"
                .into();
        }
        let tolerations = &self.cluster.shapes[pod.shape].tolerations;
        let key = "node.kubernetes.io/unreachable";
        let effect = crate::analyze::placement::node::Effect::NoExecute;
        let own = tolerations.iter().find(|it| it.tolerates(key, "", effect));
        match own.map_or(Some(TOLERATED), |it| it.seconds) {
            Some(seconds) => {
                let all = GRACE + seconds.max(0);
                format!("replacements start after about {}m{:02}s", all / 60, all % 60)
            }
            None => {
                "tolerates unreachable nodes for ever: once a person has deleted the old pod".into()
            }
        }
    }

    fn nodes_of(&self, pods: &[Standing], is_after: bool) -> Vec<NodeOutcome> {
        let mut nodes: Vec<NodeOutcome> = (0..self.lost.len())
            .map(|node| NodeOutcome {
                node,
                pods: BTreeMap::new(),
                requested: BTreeMap::new(),
                is_lost: is_after && self.lost[node],
                is_cordoned: is_after && self.cluster.nodes[node].unschedulable,
            })
            .collect();
        for pod in pods {
            let Some(node) = pod.node else { continue };
            let on = &mut nodes[node];
            *on.pods.entry(pod.component).or_default() += 1;
            for (resource, amount) in &self.cluster.shapes[pod.shape].requests {
                *on.requested.entry(resource.clone()).or_default() += amount;
            }
        }
        nodes
    }
}
