//! What the loss of nodes does to a placement, node after node: one state in which pods are taken away and put back.

use super::cluster::{Cluster, NodeId, ShapeId};
use super::filter::Plugin;
use super::node::ClusterNode;
use super::place::{Fits, MOST_PODS, Pins, settle};
use super::planned::told;
use super::proof::reasons;
use super::scenario::{cordoned, gone, pins};
use super::schedule::{Scheduler, schedule_with};
use super::search::classes;
use super::state::{Counts, State};
use super::wanted::{Room, Wanted};
use super::world::World;
use crate::api::kind::Kind;
use rayon::prelude::*;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicUsize, Ordering};

/// What happens when nodes are lost.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Loss {
    /// Nodes each of which does this.
    pub nodes: Vec<NodeId>,
    /// By component, how many pods find no other node.
    pub pending: BTreeMap<usize, usize>,
    /// By component, how many have none to look for: what they left on the nodes that are lost binds them.
    pub bound: BTreeMap<usize, usize>,
}

/// Whether one more pod finds a node.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Next {
    /// It does.
    Fits,
    /// It does not, node by node.
    Refused(String),
    /// Not where the pods are said to be; where they really are, it may.
    Unknown,
}

/// A placement from which nodes are taken.
#[derive(Debug)]
pub struct Losses<'w> {
    world: &'w World,
    /// By pod, its node.
    placed: &'w [Option<NodeId>],
    state: State<'w>,
    /// By node, its pods.
    by_node: Vec<Vec<usize>>,
    /// By component, its pods.
    by_component: Vec<Vec<usize>>,
    /// What is wanted, and what it leaves of all nodes; worked out when it is first asked.
    wanted: OnceLock<(Wanted, Option<Room>)>,
    /// How many more pods are looked for a place for in any way but the one that is shown.
    left: AtomicUsize,
}

/// In worlds of many pods so many are.
const MOST_TRIED: usize = 8;

/// How many classes one state is used for, so that others can be played at once.
const AT_ONCE: usize = 128;

impl<'w> Losses<'w> {
    /// Prepares for losses from a placement.
    pub fn new(world: &'w World, placed: &'w [Option<NodeId>]) -> Losses<'w> {
        let mut state = State::new(&world.cluster);
        let mut by_node = vec![Vec::new(); world.cluster.nodes.len()];
        let mut by_component = vec![Vec::new(); world.components.len()];
        for (at, pod) in world.pods.iter().enumerate() {
            by_component[pod.component].push(at);
            if let Some(node) = placed[at] {
                state.put(pod.shape, node);
                by_node[node].push(at);
            }
        }
        let left = if world.pods.len() > MOST_PODS { MOST_TRIED } else { usize::MAX };
        let (wanted, left) = (OnceLock::new(), AtomicUsize::new(left));
        Losses { world, placed, state, by_node, by_component, wanted, left }
    }

    /// The components that have no pod left when these nodes are lost, and of which no other node takes one, with why:
    /// node by node. Pods that a new node would take, such as those of a Job or a DaemonSet, are none.
    pub fn stopped(&mut self, lost: &[NodeId]) -> Vec<(usize, String)> {
        let is_lost: BTreeSet<NodeId> = lost.iter().copied().collect();
        let gone: Vec<usize> = lost.iter().flat_map(|it| &self.by_node[*it]).copied().collect();
        let touched: BTreeSet<usize> =
            gone.iter().map(|it| self.world.pods[*it].component).collect();
        let is_all = |it: &usize| {
            let kind = self.world.components[*it].kind;
            let is_lasting =
                !matches!(kind, Kind::DaemonSet | Kind::Job | Kind::CronJob | Kind::Pod);
            let mut pods = self.by_component[*it].iter();
            is_lasting && pods.all(|it| self.placed[*it].is_none_or(|it| is_lost.contains(&it)))
        };
        let candidates: Vec<usize> = touched.into_iter().filter(is_all).collect();
        if candidates.is_empty() {
            return Vec::new();
        }
        self.take(&gone);
        let mut found = Vec::new();
        for component in candidates {
            let own = &self.by_component[component];
            // Where nobody says where a volume lies, it may be anywhere.
            if let (Some(first), false) =
                (own.first(), own.iter().any(|it| self.is_taken(*it, &is_lost)))
            {
                found.push((component, self.why(*first, &is_lost)));
            }
        }
        self.put(&gone);
        found
    }

    /// Whether a node takes the first pod of the next release of a component beside all pods that are there.
    pub fn next(&self, component: usize) -> Next {
        let Some(shape) = self.world.next_release[component] else { return Next::Fits };
        let asked = self.state.ask(shape);
        if (0..asked.nodes()).any(|it| asked.takes(it)) {
            return Next::Fits;
        }
        if self.is_sure() || self.is_one_too_many(shape) {
            return Next::Refused(self.why_not(shape, None, &BTreeSet::new()));
        }
        Next::Unknown
    }

    /// Whether all pods really stand where they do.
    fn is_sure(&self) -> bool {
        self.world.pods.iter().all(|it| it.node.is_some() || it.only.is_some())
    }

    /// Whether no placement has room for all pods and one more.
    fn is_one_too_many(&self, shape: ShapeId) -> bool {
        let cluster = &self.world.cluster;
        let (wanted, room) = self.wanted.get_or_init(|| {
            let wanted = Wanted::of(self.world, &|_| true);
            let room = wanted.room(cluster);
            (wanted, room)
        });
        if room.as_ref().is_some_and(|it| it.lacks(cluster, shape)) {
            return true;
        }
        let step = |left: usize| left.checked_sub(1);
        if self.left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, step).is_err() {
            return false;
        }
        let mut wanted = wanted.clone();
        wanted.add(shape, None, None);
        if wanted.lacks_room(cluster) {
            return true;
        }
        let pods = &self.world.pods;
        let has_daemons = pods.iter().any(|it| it.only.is_some());
        if pods.len() >= MOST_PODS || has_daemons {
            return false;
        }
        let mut state = State::new(&self.world.cluster);
        let mut nodes: Vec<Option<NodeId>> = pods.iter().map(|it| it.node).collect();
        let mut shapes: Vec<ShapeId> = pods.iter().map(|it| it.shape).collect();
        for (shape, node) in shapes.iter().zip(&nodes) {
            if let Some(node) = node {
                state.put(*shape, *node);
            }
        }
        nodes.push(None);
        shapes.push(shape);
        let waiting: Vec<usize> = (0..nodes.len()).filter(|it| nodes[*it].is_none()).collect();
        let fits = settle(&mut state, &mut nodes, &shapes, &waiting, &Pins::new());
        fits == Fits::NotAll
    }

    /// The node that holds every pod of a component that has a place.
    pub fn only_node(&self, component: usize) -> Option<NodeId> {
        let mut nodes = self.by_component[component].iter().filter_map(|it| self.placed[*it]);
        let first = nodes.next()?;
        nodes.all(|it| it == first).then_some(first)
    }

    fn take(&mut self, pods: &[usize]) {
        for at in pods {
            if let Some(node) = self.placed[*at] {
                self.state.take(self.world.pods[*at].shape, node);
            }
        }
    }

    fn put(&mut self, pods: &[usize]) {
        for at in pods {
            if let Some(node) = self.placed[*at] {
                self.state.put(self.world.pods[*at].shape, node);
            }
        }
    }

    /// The nodes that the volumes of a pod bind it to.
    fn pins(&self, at: usize) -> Option<Vec<NodeId>> {
        pins(&self.world.cluster, self.world.pods[at].shape, self.placed[at]?).0
    }

    /// Whether a node that is not lost takes a pod.
    fn is_taken(&self, at: usize, lost: &BTreeSet<NodeId>) -> bool {
        let pins = self.pins(at);
        let asked = self.state.ask(self.world.pods[at].shape);
        let is_open =
            |it: &NodeId| !lost.contains(it) && pins.as_ref().is_none_or(|pins| pins.contains(it));
        (0..asked.nodes()).any(|it| is_open(&it) && asked.takes(it))
    }

    fn why(&self, pod: usize, lost: &BTreeSet<NodeId>) -> String {
        self.why_not(self.world.pods[pod].shape, self.pins(pod), lost)
    }

    fn why_not(
        &self,
        shape: ShapeId,
        pins: Option<Vec<NodeId>>,
        lost: &BTreeSet<NodeId>,
    ) -> String {
        let mut by_reason: BTreeMap<String, usize> = BTreeMap::new();
        for node in (0..self.by_node.len()).filter(|it| !lost.contains(it)) {
            let mut why = reasons(&self.state, shape, node);
            if pins.as_ref().is_some_and(|it| !it.contains(&node)) {
                why.push("its volume lies elsewhere".into());
            }
            *by_reason.entry(why.join(", ")).or_default() += 1;
        }
        told(by_reason)
    }
}

/// Nodes that are equal and hold equal pods, so that the loss of each does the same.
pub fn equal_nodes(world: &World, placed: &[Option<NodeId>]) -> Vec<Vec<NodeId>> {
    let losses = Losses::new(world, placed);
    let shapes: BTreeSet<ShapeId> = world.pods.iter().map(|it| it.shape).collect();
    let classes = classes(&losses.state, &shapes.into_iter().collect::<Vec<_>>());
    alike(&losses, classes)
}

/// What the loss of each node does, equal nodes at once.
pub fn every_node(world: &World, placed: &[Option<NodeId>]) -> Vec<Loss> {
    let alike = equal_nodes(world, placed);
    let lost: Vec<Vec<NodeId>> = alike.iter().map(|it| it[..1].to_vec()).collect();
    let mut all = play(world, placed, &lost, Happening::Lost);
    all.iter_mut().zip(alike).for_each(|(loss, nodes)| loss.nodes = nodes);
    all
}

/// What the loss of each of these sets of nodes does.
pub fn each(world: &World, placed: &[Option<NodeId>], lost: &[Vec<NodeId>]) -> Vec<Loss> {
    play(world, placed, lost, Happening::Lost)
}

/// What becomes of the pods of each of these nodes where it is drained, were every eviction let through.
pub fn each_drained(world: &World, placed: &[Option<NodeId>], nodes: &[NodeId]) -> Vec<Loss> {
    let nodes: Vec<Vec<NodeId>> = nodes.iter().map(|it| vec![*it]).collect();
    play(world, placed, &nodes, Happening::Drained)
}

/// Of nodes that hold equal pods those apart whose pods are of different components.
fn alike(losses: &Losses<'_>, classes: Vec<Vec<NodeId>>) -> Vec<Vec<NodeId>> {
    let mut alike = Vec::new();
    for class in classes {
        let mut by_components: BTreeMap<Vec<usize>, Vec<NodeId>> = BTreeMap::new();
        for node in class {
            let own = losses.by_node[node].iter().map(|it| losses.world.pods[*it].component);
            let mut own: Vec<usize> = own.collect();
            own.sort_unstable();
            by_components.entry(own).or_default().push(node);
        }
        alike.extend(by_components.into_values());
    }
    alike.sort();
    alike
}

/// What is done to pods on nodes.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Change {
    Put,
    Take,
    PutTerminating,
    TakeTerminating,
}

/// What happens to nodes.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Happening {
    Lost,
    Drained,
}

fn play(
    world: &World,
    placed: &[Option<NodeId>],
    sets: &[Vec<NodeId>],
    happening: Happening,
) -> Vec<Loss> {
    let chunks: Vec<&[Vec<NodeId>]> = sets.chunks(AT_ONCE).collect();
    let played = chunks.into_par_iter().map(|chunk| {
        let mut stage = Stage::new(world, placed);
        chunk.iter().map(|it| stage.play(it, happening)).collect::<Vec<_>>()
    });
    played.flatten_iter().collect()
}

/// A cluster from which nodes are taken, and to which they return.
struct Stage<'w> {
    world: &'w World,
    cluster: Cluster,
    counts: Counts,
    scheduler: Scheduler,
    shapes: Vec<ShapeId>,
    nodes: Vec<Option<NodeId>>,
    by_node: Vec<Vec<usize>>,
}

impl<'w> Stage<'w> {
    fn new(world: &'w World, placed: &[Option<NodeId>]) -> Stage<'w> {
        let Losses { state, by_node, .. } = Losses::new(world, placed);
        Stage {
            world,
            cluster: Cluster::clone(&world.cluster),
            counts: state.counts,
            scheduler: Scheduler::default(),
            shapes: world.pods.iter().map(|it| it.shape).collect(),
            nodes: placed.to_vec(),
            by_node,
        }
    }

    fn kind(&self, pod: usize) -> Kind {
        self.world.components[self.world.pods[pod].component].kind
    }

    /// Takes nodes away, finds other places for their pods, and puts all back.
    fn play(&mut self, nodes: &[NodeId], happening: Happening) -> Loss {
        let on = nodes.iter().flat_map(|node| self.by_node[*node].iter().map(|pod| (*pod, *node)));
        let mut moved: Vec<(usize, NodeId)> = on.collect();
        if happening == Happening::Drained {
            // kubectl leaves the pods of DaemonSets and static pods where they are.
            moved.retain(|it| {
                self.kind(it.0) != Kind::DaemonSet && !self.world.pods[it.0].is_static
            });
        }
        moved.sort_unstable();
        let replaced: Vec<usize> = moved
            .iter()
            .map(|it| it.0)
            .filter(|it| !matches!(self.kind(*it), Kind::DaemonSet | Kind::Pod))
            .collect();
        let pinned = moved.iter().filter_map(|(pod, node)| {
            Some((*pod, pins(&self.cluster, self.shapes[*pod], *node).0?))
        });
        let pins: Pins = pinned.collect();
        let changed = |node: &ClusterNode| match happening {
            Happening::Lost => gone(node),
            Happening::Drained => cordoned(node),
        };
        // What counts for spread may hang on the taints of a node: it is changed while it holds nothing.
        self.each(&moved, Change::Take);
        for node in nodes {
            let changed = changed(&self.cluster.nodes[*node]);
            self.cluster.change(*node, changed);
            self.scheduler.changed(*node);
        }
        match happening {
            Happening::Lost => {
                // Until somebody deletes the Node, the old pods of all but StatefulSets stay, being deleted.
                let stay = moved.iter().filter(|it| self.kind(it.0) != Kind::StatefulSet);
                let stay: Vec<_> = stay.copied().collect();
                self.each(&stay, Change::PutTerminating);
                self.schedule(&replaced, &pins);
                self.each(&stay, Change::TakeTerminating);
            }
            Happening::Drained => {
                self.each(&moved, Change::Put);
                for it in &moved {
                    self.each(std::slice::from_ref(it), Change::Take);
                    if replaced.contains(&it.0) {
                        self.schedule(&[it.0], &pins);
                    }
                }
            }
        }
        let mut loss =
            Loss { nodes: nodes.to_vec(), pending: BTreeMap::new(), bound: BTreeMap::new() };
        for pod in &replaced {
            let component = self.world.pods[*pod].component;
            match self.nodes[*pod] {
                Some(node) => self.each(&[(*pod, node)], Change::Take),
                None if self.is_bound(*pod, nodes, pins.get(pod)) => {
                    *loss.bound.entry(component).or_default() += 1;
                }
                None => *loss.pending.entry(component).or_default() += 1,
            }
        }
        self.cluster.restore(nodes, &self.world.cluster);
        nodes.iter().for_each(|it| self.scheduler.changed(*it));
        self.each(&moved, Change::Put);
        loss
    }

    /// Whether the volumes of a pod leave it no node but those that are lost.
    fn is_bound(&self, pod: usize, lost: &[NodeId], pinned: Option<&Vec<NodeId>>) -> bool {
        let shape = self.shapes[pod];
        let reaches = |node: &NodeId| {
            let refused = self.cluster.refused(shape, *node);
            !refused.has(Plugin::VolumeBinding) && !refused.has(Plugin::VolumeZone)
        };
        let mut nodes = (0..self.by_node.len()).filter(|it| !lost.contains(it));
        !self.cluster.shapes[shape].volumes.is_empty()
            && !nodes.any(|it| reaches(&it) && pinned.is_none_or(|pins| pins.contains(&it)))
    }

    /// Puts pods on nodes, or takes them away.
    fn each(&mut self, pods: &[(usize, NodeId)], change: Change) {
        let counts = std::mem::take(&mut self.counts);
        let mut state = State { cluster: &self.cluster, counts };
        for (pod, node) in pods.iter().copied() {
            let shape = self.shapes[pod];
            match change {
                Change::Put => {
                    state.put(shape, node);
                    self.nodes[pod] = Some(node);
                }
                Change::Take => {
                    state.take(shape, node);
                    self.nodes[pod] = None;
                }
                // Those are beside their replacements, which have places of their own.
                Change::PutTerminating => state.put_terminating(shape, node),
                Change::TakeTerminating => state.take_terminating(shape, node),
            }
            self.scheduler.changed(node);
        }
        self.counts = state.counts;
    }

    fn schedule(&mut self, waiting: &[usize], pins: &Pins) {
        let counts = std::mem::take(&mut self.counts);
        let mut state = State { cluster: &self.cluster, counts };
        let (scheduler, nodes) = (&mut self.scheduler, &mut self.nodes);
        schedule_with(scheduler, &mut state, nodes, &self.shapes, waiting, pins);
        self.counts = state.counts;
    }
}
