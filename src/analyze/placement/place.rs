//! Placing pods as the scheduler would, one after the other, and where that leaves some pending, in any other way.

use super::cluster::{NodeId, ShapeId};
use super::score::best;
use super::search::{Found, search};
use super::state::State;
use super::world::{Pod, World};
use std::collections::BTreeMap;

/// States that a search looks at before it gives up.
pub const MOST_STATES: usize = 50_000;

/// More pods that wait are not searched for: their ways are too many.
const MOST_PODS: usize = 400;

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
    let waits = |it: &usize| nodes[*it].is_none() && is_there(&world.pods[*it]);
    let waiting = queue(world, (0..world.pods.len()).filter(waits));
    let shapes: Vec<_> = world.pods.iter().map(|it| it.shape).collect();
    let fits = settle(&mut state, &mut nodes, &shapes, &waiting, &Pins::new());
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
    let before = state.clone();
    schedule(state, nodes, shapes, waiting, pins);
    let left = waiting.iter().filter(|it| nodes[**it].is_none()).count();
    if left == 0 {
        return Fits::All(By::Scheduler);
    }
    let mut counts: BTreeMap<ShapeId, u32> = BTreeMap::new();
    waiting.iter().for_each(|it| *counts.entry(shapes[*it]).or_default() += 1);
    if before.cluster.lacks_room(&before, &counts) {
        return Fits::NotAll;
    }
    // A pod that is bound to some nodes only by what it left there is of no shape of its own.
    if waiting.len() > MOST_PODS || waiting.iter().any(|it| pins.contains_key(it)) {
        let alone = waiting.iter().filter(|it| nodes[**it].is_none());
        let can_never = |it: &usize| takers(&before, shapes[*it], pins.get(it)).is_empty();
        let mut alone = alone.filter(|it| !before.cluster.is_ordered([shapes[**it]]));
        return if alone.any(can_never) { Fits::NotAll } else { Fits::Unknown };
    }
    let counts: Vec<_> = counts.into_iter().collect();
    match search(&before, &counts, MOST_STATES) {
        Found::None(_) => Fits::NotAll,
        Found::Bound(_) => Fits::Unknown,
        Found::Way(steps) => {
            *state = before;
            waiting.iter().for_each(|it| nodes[*it] = None);
            for (shape, node) in steps {
                let pod = waiting.iter().find(|it| shapes[**it] == shape && nodes[**it].is_none());
                if let Some(pod) = pod {
                    nodes[*pod] = Some(node);
                    state.put(shape, node);
                }
            }
            Fits::All(By::Search)
        }
    }
}

/// Places pods one after the other, again and again while that helps one: a pod may wait for another to be there.
pub fn schedule(
    state: &mut State<'_>,
    nodes: &mut [Option<NodeId>],
    shapes: &[ShapeId],
    waiting: &[usize],
    pins: &Pins,
) {
    loop {
        let mut is_moving = false;
        // Pods of one shape that a node took nowhere are not asked about again in the same round.
        let mut refused: Vec<ShapeId> = Vec::new();
        for pod in waiting.iter().filter(|it| nodes[**it].is_none()).copied().collect::<Vec<_>>() {
            let shape = shapes[pod];
            if refused.contains(&shape) {
                continue;
            }
            let takers = takers(state, shape, pins.get(&pod));
            match best(state, shape, &takers) {
                Some(node) => {
                    state.put(shape, node);
                    nodes[pod] = Some(node);
                    is_moving = true;
                }
                None if pins.contains_key(&pod) => {}
                None => refused.push(shape),
            }
        }
        if !is_moving {
            return;
        }
    }
}

fn takers(state: &State<'_>, shape: ShapeId, pin: Option<&Vec<NodeId>>) -> Vec<NodeId> {
    let mut takers = state.takers(shape);
    if let Some(pin) = pin {
        takers.retain(|it| pin.contains(it));
    }
    takers
}

/// The most pods of a component that fit beside all others at their numbers; `None` where that many are not searched
/// through. More pods than fit never make room, so the numbers are halved.
pub fn most(world: &World, component: usize) -> Option<usize> {
    let own = || world.pods.iter().filter(|it| it.component == component);
    let fits = |count: usize| {
        let is_there = |it: &Pod| it.component != component || it.number < count;
        match place_some(world, &is_there).fits {
            Fits::All(_) => Some(true),
            Fits::NotAll => Some(false),
            Fits::Unknown => None,
        }
    };
    let (mut fit, mut do_not) = (0, own().count() + 1);
    if !fits(0)? {
        return None;
    }
    while do_not - fit > 1 {
        let half = fit + (do_not - fit) / 2;
        if fits(half)? { fit = half } else { do_not = half }
    }
    Some(fit)
}
