//! What becomes of the pods when nodes are lost or drained, or workloads are rolled out.

mod budgets;
mod drain;
mod fail;
mod guarantee;
mod outcome;
mod rollout;

use super::cluster::{Cluster, NodeId, ShapeId};
use super::place::{By, Fits, Pins, Placed, place, settle, turn};
use super::state::State;
use super::volume::{Lies, VolumeState};
use super::world::{At, World};
use crate::analyze::Facts;
use crate::api::kind::Kind;
use crate::model::Model;
pub(super) use drain::cordoned;
pub(super) use fail::gone;
pub use outcome::{ComponentOutcome, Fate, NodeOutcome, Outcome, Refused, Standing, Verdict};
use std::collections::BTreeSet;

/// Something that happens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// A node is lost with all on it.
    FailNode(NodeId),
    /// All nodes of a zone are.
    FailZone(String),
    /// A node is drained, and stays so.
    DrainNode(NodeId),
    /// Every node is drained in turn, and returns.
    DrainAll,
    /// A component is rolled out.
    Rollout(usize),
    /// All are, at once.
    RolloutAll,
}

/// The pods while things happen.
#[derive(Debug)]
struct Scene<'w, 'd> {
    world: &'w World,
    model: &'w Model<'d>,
    facts: &'w Facts<'d>,
    /// The nodes as they are now.
    cluster: Cluster,
    /// By node, whether it is lost.
    lost: Vec<bool>,
    pods: Vec<Standing>,
    /// Pods that are being deleted on lost nodes, which stay there until somebody deletes the Node.
    ghosts: Vec<(ShapeId, NodeId)>,
    /// By shape, the budgets that cover its pods.
    budgets: Vec<Vec<u32>>,
    fits: Fits,
    refused: Vec<Refused>,
    notes: BTreeSet<String>,
}

/// Places the pods of a world, and lets events happen, one after the other.
pub fn run<'d>(
    world: &World,
    facts: (&Model<'d>, &Facts<'d>),
    at: At,
    events: &[Event],
) -> Outcome {
    let Placed { nodes, fits, .. } = place(world);
    run_from(world, facts, at, (&nodes, fits), events)
}

/// The same with the nodes where pods stand.
pub fn run_from<'d>(
    world: &World,
    (model, facts): (&Model<'d>, &Facts<'d>),
    at: At,
    (nodes, fits): (&[Option<NodeId>], Fits),
    events: &[Event],
) -> Outcome {
    let pods = world.pods.iter().zip(nodes).map(|(pod, node)| Standing::new(pod, *node));
    let mut scene = Scene {
        world,
        model,
        facts,
        cluster: Cluster::clone(&world.cluster),
        lost: vec![false; world.cluster.nodes.len()],
        pods: pods.collect(),
        ghosts: Vec::new(),
        budgets: budgets::covering(facts, &world.cluster.shapes),
        fits,
        refused: Vec::new(),
        notes: world.unknown.iter().cloned().collect(),
    };
    let before = scene.pods.clone();
    for event in events {
        scene.happen(event);
    }
    scene.outcome(at, &before)
}

impl Scene<'_, '_> {
    fn happen(&mut self, event: &Event) {
        match event {
            Event::FailNode(node) => self.fail(&[*node]),
            Event::FailZone(zone) => {
                let nodes = self.cluster.nodes.iter().enumerate();
                let lost = nodes.filter(|it| it.1.zone() == Some(zone)).map(|it| it.0);
                self.fail(&lost.collect::<Vec<_>>());
            }
            Event::DrainNode(node) => self.drain(*node),
            Event::DrainAll => self.drain_all(),
            Event::Rollout(component) => self.roll_out(&[*component]),
            Event::RolloutAll => {
                self.roll_out(&(0..self.world.components.len()).collect::<Vec<_>>())
            }
        }
    }

    /// The pods on a cluster.
    fn state<'c>(&self, cluster: &'c Cluster) -> State<'c> {
        let mut state = State::new(cluster);
        for pod in &self.pods {
            if let Some(node) = pod.node {
                state.put(pod.shape, node);
            }
        }
        self.ghosts.iter().for_each(|(shape, node)| state.put_terminating(*shape, *node));
        state
    }

    fn kind(&self, pod: &Standing) -> Kind {
        self.world.components[pod.component].kind
    }

    /// Whether a controller makes another pod in the place of this one, anywhere.
    fn is_replaced(&self, pod: &Standing) -> bool {
        let workload = self.facts.workloads().get(self.world.components[pod.component].workload);
        !workload.is_bare_pod() && workload.kind != Kind::DaemonSet
    }

    /// The nodes that a pod is bound to by volumes that were made where it stood.
    fn pin(&mut self, at: usize, node: NodeId) {
        let (pinned, is_unknown) = pins(&self.cluster, self.pods[at].shape, node);
        self.pods[at].pinned = pinned;
        self.pods[at].has_unknown_volume = is_unknown;
    }

    /// Finds places for all pods that have none.
    fn settle(&mut self) {
        let waiting = self.queue();
        let (mut nodes, shapes, pins) = self.columns();
        let mut state = self.state(&self.cluster);
        let fits = settle(&mut state, &mut nodes, &shapes, &waiting, &pins);
        self.take_places(&nodes);
        self.fits = match (fits, self.fits) {
            (Fits::All(By::Scheduler), Fits::All(By::Search)) => Fits::All(By::Search),
            (now, _) => now,
        };
    }

    /// The pods that wait, in the order of the scheduler's queue.
    fn queue(&self) -> Vec<usize> {
        self.in_turn(Standing::waits)
    }

    /// Some pods in the order of the scheduler's queue.
    fn in_turn(&self, is_meant: impl Fn(&Standing) -> bool) -> Vec<usize> {
        let all = 0..self.pods.len();
        let mut order: Vec<usize> = all.filter(|it| is_meant(&self.pods[*it])).collect();
        order.sort_by_key(|at| {
            let pod = &self.pods[*at];
            turn(
                self.world,
                (pod.component, pod.number),
                self.cluster.shapes[pod.shape].priority,
                *at,
            )
        });
        order
    }

    fn columns(&self) -> (Vec<Option<NodeId>>, Vec<ShapeId>, Pins) {
        let pins = self.pods.iter().enumerate();
        let pins = pins.filter_map(|(at, it)| Some((at, it.pinned.clone()?))).collect();
        (
            self.pods.iter().map(|it| it.node).collect(),
            self.pods.iter().map(|it| it.shape).collect(),
            pins,
        )
    }

    fn take_places(&mut self, nodes: &[Option<NodeId>]) {
        for (pod, node) in self.pods.iter_mut().zip(nodes) {
            pod.has_moved |= pod.node.is_none() && node.is_some();
            pod.node = *node;
        }
    }
}

/// The nodes that a pod is bound to by volumes that were made where it stood, `None` for all; and whether nobody says of
/// one where it lies.
pub(super) fn pins(cluster: &Cluster, shape: ShapeId, node: NodeId) -> (Option<Vec<NodeId>>, bool) {
    let mut pinned: Option<Vec<NodeId>> = None;
    let mut is_unknown = false;
    for need in &cluster.shapes[shape].volumes {
        let lies = match &need.state {
            VolumeState::Delayed { lies, .. } => *lies,
            VolumeState::Open => Lies::Unknown,
            _ => continue,
        };
        let zone = |it: &NodeId| cluster.nodes[*it].zone();
        let same: Vec<NodeId> = match lies {
            Lies::Anywhere => continue,
            Lies::OnNode => vec![node],
            Lies::InZone => (0..cluster.nodes.len()).filter(|it| zone(it) == zone(&node)).collect(),
            Lies::Unknown => {
                is_unknown = true;
                continue;
            }
        };
        pinned = Some(match pinned {
            None => same,
            Some(other) => other.into_iter().filter(|it| same.contains(it)).collect(),
        });
    }
    (pinned, is_unknown)
}
