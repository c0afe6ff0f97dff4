//! The order from top to bottom in each column, with few crossings: the items of a namespace together, namespaces in one
//! order in all columns.

use super::grid::{Grid, ItemKind, Link};

/// How often to go through the columns; more than a few dozen times changes nothing any more.
const SWEEPS: usize = 32;

/// More namespaces than these stay in the order that their neighbours give them.
const MOST_SWAPPED: usize = 64;

/// Between items, roughly; the exact distances come later.
const GAP: f64 = 14.0;

/// The items of each column from top to bottom, and the namespaces.
#[derive(Clone, Debug)]
pub(super) struct Order {
    /// Of each column.
    pub(super) columns: Vec<Vec<usize>>,
    /// All of them.
    pub(super) namespaces: Vec<usize>,
}

/// The best order found.
pub(super) fn arrange(grid: &Grid) -> Order {
    let mut sorter = Sorter::new(grid);
    let mut best = sorter.order.clone();
    let mut least = sorter.cost();
    for sweep in 0..SWEEPS {
        sorter.sweep(sweep % 2 == 0, sweep >= SWEEPS / 2);
        sorter.swap_neighbours();
        if sweep % 4 == 3 {
            sorter.swap_namespaces();
        }
        let cost = sorter.cost();
        if cost < least {
            least = cost;
            best = sorter.order.clone();
        }
    }
    best
}

struct Sorter<'g> {
    grid: &'g Grid,
    order: Order,
    /// The middle of each item, if each column were stacked around zero.
    y: Vec<f64>,
    /// The links of each item: to the left, to the right.
    links: Vec<(Vec<Link>, Vec<Link>)>,
}

impl<'g> Sorter<'g> {
    fn new(grid: &'g Grid) -> Sorter<'g> {
        let mut links = vec![(Vec::new(), Vec::new()); grid.items.len()];
        for link in &grid.links {
            links[link.left].1.push(*link);
            links[link.right].0.push(*link);
        }
        let mut columns = vec![Vec::new(); grid.columns];
        for (at, item) in grid.items.iter().enumerate() {
            columns[item.column].push(at);
        }
        let namespaces: Vec<usize> = (0..grid.namespaces).collect();
        let order = Order { columns, namespaces };
        let mut sorter = Sorter { grid, order, y: vec![0.0; grid.items.len()], links };
        for column in 0..grid.columns {
            sorter.stack(column);
            let key = sorter.y.clone();
            sorter.sort(column, &key);
        }
        sorter
    }

    /// Estimates where the items of a column will be.
    fn stack(&mut self, column: usize) {
        let items = &self.order.columns[column];
        let total: f64 = items.iter().map(|it| 2.0 * self.grid.items[*it].half + GAP).sum();
        let mut y = -total / 2.0;
        for at in items {
            let half = self.grid.items[*at].half;
            self.y[*at] = y + half + GAP / 2.0;
            y += 2.0 * half + GAP;
        }
    }

    /// Sorts every column by where its neighbours are.
    fn sweep(&mut self, to_the_right: bool, both_sides: bool) {
        let count = self.grid.columns;
        for step in 0..count {
            let column = if to_the_right { step } else { count - 1 - step };
            let mut key = self.y.clone();
            for at in &self.order.columns[column] {
                let (left, right) = &self.links[*at];
                let from_left =
                    left.iter().map(|it| self.y[it.left] + it.left_offset - it.right_offset);
                let from_right =
                    right.iter().map(|it| self.y[it.right] + it.right_offset - it.left_offset);
                let seen: Vec<f64> = match (both_sides, to_the_right) {
                    (true, _) => from_left.chain(from_right).collect(),
                    (false, true) => from_left.collect(),
                    (false, false) => from_right.collect(),
                };
                if !seen.is_empty() {
                    key[*at] = seen.iter().sum::<f64>() / seen.len() as f64;
                }
            }
            self.sort(column, &key);
        }
        self.sort_namespaces();
    }

    /// Sorts a column by a key, namespaces in their order, what is in none between them.
    fn sort(&mut self, column: usize, key: &[f64]) {
        let items = std::mem::take(&mut self.order.columns[column]);
        let mut of_namespace: Vec<Vec<usize>> = vec![Vec::new(); self.grid.namespaces];
        for it in &items {
            if let Some(namespace) = self.grid.items[*it].namespace {
                of_namespace[namespace].push(*it);
            }
        }
        let in_order =
            self.order.namespaces.iter().map(|it| std::mem::take(&mut of_namespace[*it]));
        let mut groups: Vec<Vec<usize>> = in_order.filter(|it| !it.is_empty()).collect();
        for group in &mut groups {
            group.sort_by(|a, b| key[*a].total_cmp(&key[*b]).then(a.cmp(b)));
        }
        let mut outside: Vec<usize> =
            items.into_iter().filter(|it| self.grid.items[*it].namespace.is_none()).collect();
        outside.sort_by(|a, b| key[*a].total_cmp(&key[*b]).then(a.cmp(b)));
        let mut sorted = Vec::new();
        let mut outside = outside.into_iter().peekable();
        for group in groups {
            let middle = group.iter().map(|it| key[*it]).sum::<f64>() / group.len() as f64;
            while let Some(at) = outside.next_if(|it| key[*it] < middle) {
                sorted.push(at);
            }
            sorted.extend(group);
        }
        sorted.extend(outside);
        self.order.columns[column] = sorted;
        self.stack(column);
    }

    /// Sorts the namespaces by where the neighbours of their items are.
    fn sort_namespaces(&mut self) {
        let mut sum = vec![(0.0, 0.0); self.grid.namespaces];
        for link in &self.grid.links {
            let (left, right) = (self.grid.items[link.left], self.grid.items[link.right]);
            if left.namespace == right.namespace {
                continue;
            }
            for (namespace, y) in
                [(left.namespace, self.y[link.right]), (right.namespace, self.y[link.left])]
            {
                if let Some(it) = namespace {
                    sum[it] = (sum[it].0 + y, sum[it].1 + 1.0);
                }
            }
        }
        let key = |it: usize| if sum[it].1 > 0.0 { sum[it].0 / sum[it].1 } else { 0.0 };
        let mut namespaces = self.order.namespaces.clone();
        namespaces.sort_by(|a, b| key(*a).total_cmp(&key(*b)));
        self.try_namespaces(namespaces);
    }

    /// Takes another order of the namespaces if it is no worse.
    fn try_namespaces(&mut self, namespaces: Vec<usize>) -> bool {
        let (order, y, cost) = (self.order.clone(), self.y.clone(), self.cost());
        self.order.namespaces = namespaces;
        for column in 0..self.grid.columns {
            let key = self.y.clone();
            self.sort(column, &key);
        }
        if self.cost() < cost {
            return true;
        }
        self.order = order;
        self.y = y;
        false
    }

    /// Each swap costs a look at everything, and where there are many nobody sees which two stand side by side.
    fn swap_namespaces(&mut self) {
        if self.order.namespaces.len() > MOST_SWAPPED {
            return;
        }
        for at in 1..self.order.namespaces.len() {
            let mut namespaces = self.order.namespaces.clone();
            namespaces.swap(at - 1, at);
            self.try_namespaces(namespaces);
        }
    }

    /// Swaps neighbours in a column where that leaves fewer crossings.
    fn swap_neighbours(&mut self) {
        for column in 0..self.grid.columns {
            let mut blocks = self.blocks(column);
            for at in 1..blocks.len() {
                let are_free = blocks[at - 1].is_free || blocks[at].is_free;
                if are_free && self.gain(&blocks[at - 1].items, &blocks[at].items) > 0 {
                    blocks.swap(at - 1, at);
                }
            }
            for block in &mut blocks {
                for at in 1..block.items.len() {
                    if self.gain(&block.items[at - 1..at], &block.items[at..=at]) > 0 {
                        block.items.swap(at - 1, at);
                    }
                }
            }
            self.order.columns[column] = blocks.into_iter().flat_map(|it| it.items).collect();
            self.stack(column);
        }
    }

    /// The items of a column, those of a namespace as one block.
    fn blocks(&self, column: usize) -> Vec<Block> {
        let mut blocks: Vec<Block> = Vec::new();
        for at in &self.order.columns[column] {
            let namespace = self.grid.items[*at].namespace;
            match blocks.last_mut() {
                Some(it) if namespace.is_some() && it.namespace == namespace => it.items.push(*at),
                _ => {
                    blocks.push(Block { items: vec![*at], namespace, is_free: namespace.is_none() })
                }
            }
        }
        blocks
    }

    /// How many crossings are lost if those above change places with those below.
    fn gain(&self, above: &[usize], below: &[usize]) -> i64 {
        let ends = |items: &[usize], is_right: bool| {
            let each = items.iter().flat_map(|it| match is_right {
                true => &self.links[*it].1,
                false => &self.links[*it].0,
            });
            let mut ends: Vec<f64> = each
                .map(|it| match is_right {
                    true => self.y[it.right] + it.right_offset,
                    false => self.y[it.left] + it.left_offset,
                })
                .collect();
            ends.sort_by(f64::total_cmp);
            ends
        };
        let mut gain = 0;
        for is_right in [false, true] {
            let (of_above, of_below) = (ends(above, is_right), ends(below, is_right));
            // Of the ends below, so many lie before each of those above, and so many do not lie behind it.
            let (mut before, mut not_behind) = (0, 0);
            for end in of_above {
                while of_below.get(before).is_some_and(|it| it.total_cmp(&end).is_lt()) {
                    before += 1;
                }
                while of_below.get(not_behind).is_some_and(|it| it.total_cmp(&end).is_le()) {
                    not_behind += 1;
                }
                gain += before as i64 - (of_below.len() - not_behind) as i64;
            }
        }
        gain
    }

    /// The number of crossings, then the length of all lines.
    fn cost(&self) -> (u64, u64) {
        let mut crossings = 0;
        let mut length = 0.0;
        let mut gaps = vec![Vec::new(); self.grid.columns];
        for link in &self.grid.links {
            let left = self.y[link.left] + link.left_offset;
            let right = self.y[link.right] + link.right_offset;
            length += (left - right).abs();
            gaps[self.grid.items[link.left].column].push((left, right));
        }
        for mut gap in gaps {
            gap.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.total_cmp(&b.1)));
            let mut right: Vec<f64> = gap.into_iter().map(|it| it.1).collect();
            crossings += inversions(&mut right);
        }
        (crossings, length as u64)
    }
}

/// How many pairs are in the wrong order; sorts them.
fn inversions(values: &mut [f64]) -> u64 {
    if values.len() < 2 {
        return 0;
    }
    let (left, right) = values.split_at_mut(values.len() / 2);
    let mut count = inversions(left) + inversions(right);
    let mut sorted = Vec::with_capacity(left.len() + right.len());
    let mut rest = right.iter().copied().peekable();
    for (at, value) in left.iter().enumerate() {
        while let Some(smaller) = rest.next_if(|it| it < value) {
            count += (left.len() - at) as u64;
            sorted.push(smaller);
        }
        sorted.push(*value);
    }
    sorted.extend(rest);
    values.copy_from_slice(&sorted);
    count
}

struct Block {
    items: Vec<usize>,
    namespace: Option<usize>,
    /// Whether it may stand anywhere between namespaces.
    is_free: bool,
}

/// How far apart two items are that follow each other in a column.
pub(super) fn distance(grid: &Grid, above: usize, below: usize) -> f64 {
    let (above, below) = (grid.items[above], grid.items[below]);
    let gap = match (above.kind, below.kind) {
        (ItemKind::Component, ItemKind::Component) => 18.0,
        (ItemKind::Bend, ItemKind::Bend) => 1.0,
        _ => 8.0,
    };
    above.half + gap + below.half
}
