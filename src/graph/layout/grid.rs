//! The columns with everything in them that takes room: components, the places where arrows pass, and, where a
//! namespace has neither in one of its columns, something that keeps the place for it.

use super::columns;
use super::shapes::Shape;
use crate::graph::scene::Scene;
use std::collections::{BTreeMap, BTreeSet};

/// Half the height of the place that an arrow takes where it passes a column.
const BEND: f64 = 5.0;

/// Something in a column.
#[derive(Clone, Copy, Debug)]
pub(super) struct Item {
    /// Its column.
    pub(super) column: usize,
    /// The namespace whose box it is in.
    pub(super) namespace: Option<usize>,
    /// Half its height.
    pub(super) half: f64,
    /// What it is.
    pub(super) kind: ItemKind,
}

/// What takes room in a column.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ItemKind {
    /// A component; its item has its number.
    Component,
    /// An arrow passes.
    Bend,
    /// A namespace's box passes.
    Keeper,
}

/// A line between two neighbouring columns.
#[derive(Clone, Copy, Debug)]
pub(super) struct Link {
    /// In the left one.
    pub(super) left: usize,
    /// In the right one.
    pub(super) right: usize,
    /// Where it begins, from the middle of its item.
    pub(super) left_offset: f64,
    /// Where it ends.
    pub(super) right_offset: f64,
}

/// All items, the lines between them, and which items each flow passes.
#[derive(Debug)]
pub(super) struct Grid {
    /// How many columns there are.
    pub(super) columns: usize,
    /// How many namespaces there are.
    pub(super) namespaces: usize,
    /// The components first.
    pub(super) items: Vec<Item>,
    /// Each line once.
    pub(super) links: Vec<Link>,
    /// For each flow from its sender to its receiver; a loop passes nothing.
    pub(super) ways: Vec<Vec<usize>>,
}

impl Grid {
    pub(super) fn new(
        scene: &Scene,
        column_of: &[usize],
        shapes: &[Shape],
        row_of: &[usize],
    ) -> Grid {
        let mut grid = Grid {
            columns: column_of.iter().max().map_or(0, |it| it + 1),
            namespaces: scene.namespaces.len(),
            items: Vec::new(),
            links: Vec::new(),
            ways: Vec::new(),
        };
        for (at, shape) in shapes.iter().enumerate() {
            let namespace = scene.components[at].namespace;
            let half = shape.height / 2.0;
            let kind = ItemKind::Component;
            grid.items.push(Item { column: column_of[at], namespace, half, kind });
        }
        let spans = columns::spans(scene, column_of);
        grid.pass(scene, &spans, row_of);
        grid.keep(&spans);
        grid.link(scene, shapes, row_of);
        grid
    }

    /// How many lines end at a column from the left.
    pub(super) fn links_into(&self, column: usize) -> usize {
        self.links.iter().filter(|it| self.items[it.right].column == column).count()
    }

    /// Makes places for arrows that pass columns; those to one row of one component share them.
    fn pass(&mut self, scene: &Scene, spans: &[Option<(usize, usize)>], row_of: &[usize]) {
        let mut bends: BTreeMap<(usize, usize, bool, usize), usize> = BTreeMap::new();
        let mut senders: BTreeMap<usize, BTreeSet<Option<usize>>> = BTreeMap::new();
        for (at, flow) in scene.flows.iter().enumerate() {
            let (start, end) = (self.items[flow.from].column, self.items[flow.to].column);
            let between: Vec<usize> = match start < end {
                true => (start + 1..end).collect(),
                false => (end + 1..start).rev().collect(),
            };
            let mut way = vec![flow.from];
            for column in between {
                let next = self.items.len();
                let bend = *bends.entry((flow.to, row_of[at], start < end, column)).or_insert(next);
                if bend == next {
                    self.items.push(Item {
                        column,
                        namespace: None,
                        half: BEND,
                        kind: ItemKind::Bend,
                    });
                }
                senders.entry(bend).or_default().insert(scene.components[flow.from].namespace);
                way.push(bend);
            }
            way.push(flow.to);
            self.ways.push(way);
        }
        // An arrow stays in the box of its sender, or of its receiver, as long as the box is there.
        let is_in = |namespace: Option<usize>, column: usize| {
            namespace.and_then(|it| spans[it]).is_some_and(|it| (it.0..=it.1).contains(&column))
        };
        for ((to, _, _, column), bend) in bends {
            let receiver = scene.components[to].namespace;
            let from = &senders[&bend];
            let sender = from.first().copied().flatten().filter(|_| from.len() == 1);
            let namespace = [receiver, sender].into_iter().find(|it| is_in(*it, column));
            self.items[bend].namespace = namespace.flatten();
        }
    }

    /// Keeps a place for namespaces in those of their columns where they have nothing.
    fn keep(&mut self, spans: &[Option<(usize, usize)>]) {
        for (namespace, span) in spans.iter().enumerate() {
            let Some((first, last)) = *span else { continue };
            for column in first..=last {
                let is_there = |it: &Item| (it.column, it.namespace) == (column, Some(namespace));
                if !self.items.iter().any(is_there) {
                    let namespace = Some(namespace);
                    self.items.push(Item { column, namespace, half: 4.0, kind: ItemKind::Keeper });
                }
            }
        }
    }

    fn link(&mut self, scene: &Scene, shapes: &[Shape], row_of: &[usize]) {
        let mut seen = BTreeSet::new();
        for (at, flow) in scene.flows.iter().enumerate().filter(|(_, it)| it.from != it.to) {
            let exit = shapes[flow.from].exit - shapes[flow.from].height / 2.0;
            let entry = shapes[flow.to].rows[row_of[at]].y - shapes[flow.to].height / 2.0;
            let way = &self.ways[at];
            // What stays in its column is a bow beside it.
            if self.items[flow.from].column == self.items[flow.to].column {
                continue;
            }
            for (step, pair) in way.windows(2).enumerate() {
                let begin = (pair[0], if step == 0 { exit } else { 0.0 });
                let end = (pair[1], if step + 2 == way.len() { entry } else { 0.0 });
                let is_forward = self.items[pair[0]].column < self.items[pair[1]].column;
                let (left, right) = if is_forward { (begin, end) } else { (end, begin) };
                if seen.insert((left.0, right.0, left.1.to_bits(), right.1.to_bits())) {
                    self.links.push(Link {
                        left: left.0,
                        right: right.0,
                        left_offset: left.1,
                        right_offset: right.1,
                    });
                }
            }
        }
    }
}
