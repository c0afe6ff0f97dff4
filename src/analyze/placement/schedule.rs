//! Placing pods one after the other, as the scheduler would.
//!
//! What a node alone says of a pod changes only where a pod comes or goes: it is remembered by shape and node, so that
//! one more pod of a shape asks only the nodes that have changed since.

use super::cluster::{NodeId, ShapeId};
use super::place::Pins;
use super::score::{best, is_local, local};
use super::state::{Asked, State};
use rustc_hash::{FxHashMap, FxHashSet};

/// What all shapes together may remember, in nodes.
const MOST_CELLS: usize = 8_000_000;

/// What stands for a node that takes no pod of a shape.
const REFUSED: i16 = -1;

/// Places pods, and remembers what nodes said.
#[derive(Debug, Default)]
pub(super) struct Scheduler {
    columns: FxHashMap<ShapeId, Column>,
    /// Nodes where pods came or went, in order.
    changes: Vec<NodeId>,
}

/// What the nodes say of a shape.
#[derive(Debug)]
struct Column {
    /// By node.
    scores: Vec<i16>,
    /// How many changes it knows of.
    known: usize,
}

impl Scheduler {
    /// Puts a pod where the scheduler would.
    pub(super) fn place(
        &mut self,
        state: &mut State<'_>,
        shape: ShapeId,
        pin: Option<&Vec<NodeId>>,
    ) -> Option<NodeId> {
        let node = self.choose(state, shape, pin)?;
        state.put(shape, node);
        self.changed(node);
        Some(node)
    }

    /// A pod came or went.
    pub(super) fn changed(&mut self, node: NodeId) {
        self.changes.push(node);
    }

    fn choose(
        &mut self,
        state: &State<'_>,
        shape: ShapeId,
        pin: Option<&Vec<NodeId>>,
    ) -> Option<NodeId> {
        let asked = state.ask(shape);
        if asked.is_refused_everywhere() {
            return None;
        }
        if let Some(pin) = pin {
            let takers: Vec<NodeId> = pin.iter().copied().filter(|it| asked.takes(*it)).collect();
            return best(state, shape, &takers, &|it| local(state, shape, it));
        }
        let scores = self.scores(&asked);
        if !asked.looks_around() && is_local(state.cluster, shape) {
            let most = scores.iter().copied().max().filter(|it| *it != REFUSED)?;
            return scores.iter().position(|it| *it == most);
        }
        let mut takers: Vec<NodeId> =
            (0..scores.len()).filter(|it| scores[*it] != REFUSED).collect();
        asked.keep_among(&mut takers);
        best(state, shape, &takers, &|it| scores[it])
    }

    /// What nodes say now.
    fn scores(&mut self, asked: &Asked<'_, '_>) -> &[i16] {
        let nodes = asked.nodes();
        if (self.columns.len() + 1) * nodes > MOST_CELLS {
            self.columns.clear();
        }
        let column = self
            .columns
            .entry(asked.shape())
            .or_insert_with(|| Column { scores: vec![REFUSED; nodes], known: usize::MAX });
        match self.changes.get(column.known..) {
            Some(changes) if changes.len() < nodes => {
                changes.iter().for_each(|it| column.scores[*it] = score(asked, *it));
            }
            _ => (0..nodes).for_each(|it| column.scores[it] = score(asked, it)),
        }
        column.known = self.changes.len();
        &column.scores
    }
}

fn score(asked: &Asked<'_, '_>, node: NodeId) -> i16 {
    if asked.has_place(node) { local(asked.state(), asked.shape(), node) } else { REFUSED }
}

/// Places pods one after the other, again and again while that helps one: a pod may wait for another to be there.
pub fn schedule(
    state: &mut State<'_>,
    nodes: &mut [Option<NodeId>],
    shapes: &[ShapeId],
    waiting: &[usize],
    pins: &Pins,
) {
    schedule_with(&mut Scheduler::default(), state, nodes, shapes, waiting, pins);
}

/// The same with what a scheduler remembers of the same state.
pub(super) fn schedule_with(
    scheduler: &mut Scheduler,
    state: &mut State<'_>,
    nodes: &mut [Option<NodeId>],
    shapes: &[ShapeId],
    waiting: &[usize],
    pins: &Pins,
) {
    loop {
        let mut is_moving = false;
        // Pods of one shape that a node took nowhere are not asked about again in the same round.
        let mut refused: FxHashSet<ShapeId> = FxHashSet::default();
        for pod in waiting.iter().copied() {
            let (shape, pin) = (shapes[pod], pins.get(&pod));
            if nodes[pod].is_some() || (pin.is_none() && refused.contains(&shape)) {
                continue;
            }
            match scheduler.place(state, shape, pin) {
                Some(node) => {
                    nodes[pod] = Some(node);
                    is_moving = true;
                }
                None if pin.is_some() => {}
                None => drop(refused.insert(shape)),
            }
        }
        // Only affinity and spread look at what is there in a way that more pods may mend.
        let left = waiting.iter().filter(|it| nodes[**it].is_none()).map(|it| shapes[*it]);
        if !is_moving || !state.cluster.is_ordered(left) {
            return;
        }
    }
}
