//! Placing pods as the scheduler would, one after the other, and where that leaves some pending, in any other way.

use super::cluster::{NodeId, ShapeId};
use super::schedule::schedule;
use super::search::{Found, search};
use super::state::State;
use super::wanted::{Room, Wanted};
use super::world::{Pod, World};
use std::collections::BTreeMap;

/// States that a search looks at before it gives up.
pub const MOST_STATES: usize = 50_000;

/// More pods that wait are not searched for: their ways are too many.
pub const MOST_PODS: usize = 400;

/// Who finds a place for all pods.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum By {
    /// The scheduler, one pod after the other.
    Scheduler,
    /// Only somebody who knows what is still to come.
    Search,
}

/// Whether there is a place for all.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fits {
    /// There is.
    All(By),
    /// There is none, whatever the order.
    NotAll,
    /// The bound of the search was reached.
    Unknown,
}

/// Pods on nodes.
#[derive(Clone, Debug)]
pub struct Placed<'c> {
    /// What each node holds.
    pub state: State<'c>,
    /// By pod, its node.
    pub nodes: Vec<Option<NodeId>>,
    /// Whether there is a place for all.
    pub fits: Fits,
}

/// Where a pod may go beside what its shape says: on one of these nodes.
pub type Pins = BTreeMap<usize, Vec<NodeId>>;

/// Places the pods of a world: those that are on nodes stay there.
pub fn place(world: &World) -> Placed<'_> {
    place_some(world, &|_| true)
}

/// The same for some of them.
pub fn place_some<'c>(world: &'c World, is_there: &dyn Fn(&Pod) -> bool) -> Placed<'c> {
    let mut state = State::new(&world.cluster);
    let mut nodes: Vec<Option<NodeId>> = world.pods.iter().map(|it| it.node).collect();
    for pod in &world.pods {
        if let Some(node) = pod.node {
            state.put(pod.shape, node);
        }
    }
    let shapes: Vec<_> = world.pods.iter().map(|it| it.shape).collect();
    let all = 0..world.pods.len();
    let (daemons, others): (Vec<usize>, Vec<usize>) = all
        .filter(|it| nodes[*it].is_none() && is_there(&world.pods[*it]))
        .partition(|it| world.pods[*it].only.is_some());
    // The pods of daemons reserve their places first; each has only one.
    let only = |it: &usize| Some((*it, vec![world.pods[*it].only?]));
    let pins: Pins = daemons.iter().filter_map(only).collect();
    schedule(&mut state, &mut nodes, &shapes, &daemons, &pins);
    let waiting = queue(world, others.into_iter());
    let fits = settle(&mut state, &mut nodes, &shapes, &waiting, &Pins::new());
    let lacking = daemons.iter().filter(|it| nodes[**it].is_none()).map(|it| shapes[*it]);
    let lacking: Vec<ShapeId> = lacking.collect();
    let fits = match fits {
        Fits::All(_) | Fits::Unknown if lacking.is_empty() => fits,
        // Whether it is beside those that it asks for may hang on where the others were put.
        Fits::All(_) | Fits::Unknown if world.cluster.is_ordered(lacking.iter().copied()) => {
            Fits::Unknown
        }
        _ => Fits::NotAll,
    };
    Placed { state, nodes, fits }
}

/// Pods in the order of the scheduler's queue: by priority, and those that an autoscaler adds after those that are
/// always there, workload by workload in turn.
pub fn queue(world: &World, pods: impl Iterator<Item = usize>) -> Vec<usize> {
    let mut order: Vec<usize> = pods.collect();
    order.sort_by_key(|at| {
        let pod = &world.pods[*at];
        let priority = world.cluster.shapes[pod.shape].priority;
        turn(world, (pod.component, pod.number), priority, *at)
    });
    order
}

/// By what pods are ordered in the queue: priority, and when they came to be.
pub fn turn(
    world: &World,
    (component, number): (usize, usize),
    priority: i64,
    at: usize,
) -> (i64, bool, usize, usize) {
    let is_more = number >= world.components[component].floor;
    (-priority, is_more, if is_more { number } else { 0 }, at)
}

/// Finds places for pods that wait, given all others.
pub fn settle(
    state: &mut State<'_>,
    nodes: &mut [Option<NodeId>],
    shapes: &[ShapeId],
    waiting: &[usize],
    pins: &Pins,
) -> Fits {
    settle_within(state, nodes, shapes, waiting, pins, MOST_STATES)
}

/// The same where a search looks at so many states.
pub(super) fn settle_within(
    state: &mut State<'_>,
    nodes: &mut [Option<NodeId>],
    shapes: &[ShapeId],
    waiting: &[usize],
    pins: &Pins,
    states: usize,
) -> Fits {
    schedule(state, nodes, shapes, waiting, pins);
    if waiting.iter().all(|it| nodes[*it].is_some()) {
        return Fits::All(By::Scheduler);
    }
    let placed: Vec<(usize, NodeId)> =
        waiting.iter().filter_map(|it| Some((*it, nodes[*it]?))).collect();
    placed.iter().for_each(|(pod, node)| state.take(shapes[*pod], *node));
    let (fits, way) = other_way(state, nodes, shapes, waiting, (pins, states));
    match way {
        None => placed.iter().for_each(|(pod, node)| state.put(shapes[*pod], *node)),
        Some(steps) => {
            waiting.iter().for_each(|it| nodes[*it] = None);
            for (shape, node) in steps {
                let pod = waiting.iter().find(|it| shapes[**it] == shape && nodes[**it].is_none());
                if let Some(pod) = pod {
                    nodes[*pod] = Some(node);
                    state.put(shape, node);
                }
            }
        }
    }
    fits
}

type Way = Vec<(ShapeId, NodeId)>;

/// Looks for a way where the scheduler's order found none, or for a reason why there is none. `nodes` are those that the
/// scheduler found, and `state` is without them.
fn other_way(
    state: &State<'_>,
    nodes: &[Option<NodeId>],
    shapes: &[ShapeId],
    waiting: &[usize],
    (pins, states): (&Pins, usize),
) -> (Fits, Option<Way>) {
    let mut counts: BTreeMap<ShapeId, u32> = BTreeMap::new();
    waiting.iter().for_each(|it| *counts.entry(shapes[*it]).or_default() += 1);
    let wanted = Wanted::beside(state, counts);
    if wanted.lacks_room(state.cluster) {
        return (Fits::NotAll, None);
    }
    // A pod that is bound to some nodes only by what it left there is of no shape of its own.
    if waiting.len() > MOST_PODS || waiting.iter().any(|it| pins.contains_key(it)) {
        let alone = waiting.iter().filter(|it| nodes[**it].is_none());
        let can_never = |it: &usize| !is_taken(state, shapes[*it], pins.get(it));
        let mut alone = alone.filter(|it| !state.cluster.is_ordered([shapes[**it]]));
        return (if alone.any(can_never) { Fits::NotAll } else { Fits::Unknown }, None);
    }
    let counts: Vec<_> = wanted.anywhere.into_iter().collect();
    match search(state, &counts, states) {
        Found::None(_) => (Fits::NotAll, None),
        Found::Bound(_) => (Fits::Unknown, None),
        Found::Way(steps) => (Fits::All(By::Search), Some(steps)),
    }
}

/// Whether any node takes a pod.
fn is_taken(state: &State<'_>, shape: ShapeId, pin: Option<&Vec<NodeId>>) -> bool {
    let asked = state.ask(shape);
    match pin {
        Some(pin) => pin.iter().any(|it| asked.takes(*it)),
        None => (0..asked.nodes()).any(|it| asked.takes(it)),
    }
}

/// How many pods fit, of one component after the other.
#[derive(Debug)]
pub struct Most<'w> {
    world: &'w World,
    /// What all of them leave; `None` where nobody says what the nodes have.
    room: Option<Room>,
    /// By component, its pods.
    by_component: Vec<Vec<usize>>,
    /// How many more placements are tried.
    left: usize,
}

/// In worlds of many pods so many components are placed anew.
const MOST_PLACED: usize = 8;

impl<'w> Most<'w> {
    /// Counts what all pods want.
    pub fn new(world: &'w World) -> Most<'w> {
        let left = if world.pods.len() > MOST_PODS { MOST_PLACED } else { usize::MAX };
        let mut by_component = vec![Vec::new(); world.components.len()];
        for (at, pod) in world.pods.iter().enumerate() {
            by_component[pod.component].push(at);
        }
        let room = Wanted::of(world, &|_| true).room(&world.cluster);
        Most { world, room, by_component, left }
    }

    /// How many pods of a component all nodes together have room for; less than nothing where there is not even room for
    /// all others.
    fn bound(&self, component: usize) -> Option<i128> {
        let own = self.by_component.get(component)?;
        let shape = self.world.pods[*own.first()?].shape;
        let with = |it: &Room| it.with_fewer(&self.world.cluster, shape, own.len());
        Some(self.room.as_ref().map_or(own.len() as i128, with))
    }

    /// Whether all others are too many even without this component.
    pub fn is_hopeless(&self, component: usize) -> bool {
        self.bound(component).is_some_and(|it| it < 0)
    }

    /// The most pods of a component that fit beside all others at their numbers; `None` where that is not known.
    pub fn of(&mut self, component: usize) -> Option<usize> {
        let world = self.world;
        if self.left == 0 {
            return None;
        }
        let bound = self.bound(component)?;
        let own = self.by_component.get(component)?;
        if bound < 0 {
            return None;
        }
        self.left -= 1;
        // First all others, then as many as find a place: so many fit for sure.
        let mut placed = place_some(world, &|it: &Pod| it.component != component);
        if matches!(placed.fits, Fits::All(_)) {
            let shapes: Vec<_> = world.pods.iter().map(|it| it.shape).collect();
            schedule(&mut placed.state, &mut placed.nodes, &shapes, own, &Pins::new());
            let fit = own.iter().filter(|it| placed.nodes[**it].is_some()).count();
            if fit as i128 >= bound {
                return Some(fit);
            }
        }
        if world.pods.len() > MOST_PODS {
            return None;
        }
        search_most(world, component, own.len())
    }
}

/// The same by trying: more pods than fit never make room, so the numbers are halved.
fn search_most(world: &World, component: usize, wanted: usize) -> Option<usize> {
    let fits = |count: usize| {
        let is_there = |it: &Pod| it.component != component || it.number < count;
        match place_some(world, &is_there).fits {
            Fits::All(_) => Some(true),
            Fits::NotAll => Some(false),
            Fits::Unknown => None,
        }
    };
    let (mut fit, mut do_not) = (0, wanted + 1);
    if !fits(0)? {
        return None;
    }
    while do_not - fit > 1 {
        let half = fit + (do_not - fit) / 2;
        if fits(half)? { fit = half } else { do_not = half }
    }
    Some(fit)
}
