//! How far down everything is: in its order, not too near to anything, and so that arrows are straight where they can be.

use super::grid::{Grid, ItemKind};
use super::order::{Order, distance};
use super::project::{Distance, project, push_down};
use super::{FOOT, HEAD, HEADING};

/// How much everything is drawn to the middle.
const GRAVITY: f64 = 0.06;
/// Between two boxes that are not in one namespace.
const APART: f64 = 22.0;

/// Where everything is from top to bottom.
#[derive(Debug)]
pub(super) struct Rows {
    /// The middle of each item.
    pub(super) items: Vec<f64>,
    /// The top and the bottom of each namespace's box.
    pub(super) namespaces: Vec<(f64, f64)>,
}

/// Finds the places.
pub(super) fn rows(grid: &Grid, order: &Order, spans: &[Option<(usize, usize)>]) -> Rows {
    let count = grid.items.len();
    let distances = distances(grid, order, spans);
    let mut y = vec![0.0; count + 2 * grid.namespaces];
    push_down(&mut y, &distances);
    let mut weight = vec![1.0; y.len()];
    // The borders of a box follow what is in it.
    weight[count..].fill(0.02);
    let mut forces = vec![0.0; distances.len()];
    for _ in 0..40 {
        let wanted = wanted(grid, &y);
        y = project(&wanted, &weight, &distances, &mut forces);
    }
    push_down(&mut y, &distances);
    straighten(grid, &distances, &mut y);
    tighten(grid, &mut y);
    let used = (0..grid.namespaces).filter(|it| spans[*it].is_some()).map(|it| y[count + 2 * it]);
    let tops = (0..count).map(|it| y[it] - grid.items[it].half).chain(used);
    let top = tops.fold(f64::INFINITY, f64::min);
    // On whole pixels, so that boxes and straight lines are sharp.
    let place = |it: f64| (it - top + HEAD).round();
    Rows {
        items: (0..count).map(|it| half_pixel(y[it] - top + HEAD, grid.items[it].half)).collect(),
        namespaces: (0..grid.namespaces)
            .map(|it| (place(y[count + 2 * it]), place(y[count + 2 * it + 1])))
            .collect(),
    }
}

/// The middle of an item whose top is on a whole pixel.
fn half_pixel(middle: f64, half: f64) -> f64 {
    (middle - half).round() + half
}

/// What has to be apart: the items of a column, and namespaces from each other and from what is not theirs.
fn distances(grid: &Grid, order: &Order, spans: &[Option<(usize, usize)>]) -> Vec<Distance> {
    let top = |namespace: usize| grid.items.len() + 2 * namespace;
    let bottom = |namespace: usize| top(namespace) + 1;
    let mut list = Vec::new();
    for column in &order.columns {
        for pair in column.windows(2) {
            let (above, below) = (grid.items[pair[0]], grid.items[pair[1]]);
            list.push(match (above.namespace, below.namespace) {
                (a, b) if a == b => Distance {
                    above: pair[0],
                    below: pair[1],
                    distance: distance(grid, pair[0], pair[1]),
                },
                (Some(a), Some(b)) => Distance { above: bottom(a), below: top(b), distance: APART },
                (Some(a), None) => Distance {
                    above: bottom(a),
                    below: pair[1],
                    distance: apart(below.kind) + below.half,
                },
                (None, Some(b)) => Distance {
                    above: pair[0],
                    below: top(b),
                    distance: apart(above.kind) + above.half,
                },
                (None, None) => continue,
            });
        }
    }
    for (at, item) in grid.items.iter().enumerate() {
        let Some(namespace) = item.namespace else { continue };
        list.push(Distance { above: top(namespace), below: at, distance: HEADING + item.half });
        list.push(Distance { above: at, below: bottom(namespace), distance: item.half + FOOT });
    }
    for namespace in (0..grid.namespaces).filter(|it| spans[*it].is_none()) {
        list.push(Distance { above: top(namespace), below: bottom(namespace), distance: 0.0 });
    }
    list
}

fn apart(kind: ItemKind) -> f64 {
    if kind == ItemKind::Component { APART } else { 10.0 }
}

/// Where everything would like to be: at the height of what it is linked to.
fn wanted(grid: &Grid, y: &[f64]) -> Vec<f64> {
    let mut sum = vec![(0.0, 0.0); y.len()];
    for link in &grid.links {
        let (left, right) = (link.left, link.right);
        let weight = pull(grid, left) * pull(grid, right);
        sum[left].0 += weight * (y[right] + link.right_offset - link.left_offset);
        sum[left].1 += weight;
        sum[right].0 += weight * (y[left] + link.left_offset - link.right_offset);
        sum[right].1 += weight;
    }
    // A little to the middle of everything, or what holds on to each other alone would drift apart from the rest.
    let count = grid.items.len();
    let middle = y[..count].iter().sum::<f64>() / count.max(1) as f64;
    let near = |(sum, weight): &(f64, f64), y: f64| match *weight > 0.0 {
        true => (sum + GRAVITY * weight * middle) / (weight + GRAVITY * weight),
        false => y + GRAVITY * (middle - y),
    };
    let mut wanted = y.to_vec();
    for at in 0..count {
        wanted[at] = near(&sum[at], y[at]);
    }
    wanted
}

/// A long line is worth more straight than a short one.
fn pull(grid: &Grid, item: usize) -> f64 {
    if grid.items[item].kind == ItemKind::Bend { 2.0 } else { 1.0 }
}

/// Moves single items within the room they have, so that lines that are nearly straight become so.
fn straighten(grid: &Grid, distances: &[Distance], y: &mut [f64]) {
    let count = grid.items.len();
    let mut above = vec![Vec::new(); y.len()];
    let mut below = vec![Vec::new(); y.len()];
    for it in distances {
        below[it.above].push(*it);
        above[it.below].push(*it);
    }
    let mut ends = vec![Vec::new(); count];
    for link in &grid.links {
        let weight = pull(grid, link.left) * pull(grid, link.right);
        ends[link.left].push((link.right, link.right_offset - link.left_offset, weight));
        ends[link.right].push((link.left, link.left_offset - link.right_offset, weight));
    }
    let room = |y: &[f64], at: usize| {
        let low =
            above[at].iter().map(|it| y[it.above] + it.distance).fold(f64::NEG_INFINITY, f64::max);
        let high =
            below[at].iter().map(|it| y[it.below] - it.distance).fold(f64::INFINITY, f64::min);
        (low, high)
    };
    for round in 0..16 {
        for border in count..y.len() {
            let (low, high) = room(y, border);
            // Borders give way upwards and downwards in turn; afterwards they close up again.
            let is_top = (border - count).is_multiple_of(2);
            y[border] = match (is_top, round % 4) {
                (true, 0) if low.is_finite() => low,
                (true, 0) => y[border] - 60.0,
                (false, 2) if high.is_finite() => high,
                (false, 2) => y[border] + 60.0,
                (true, _) if high.is_finite() => high,
                (false, _) if low.is_finite() => low,
                _ => y[border],
            };
        }
        for step in 0..count {
            let at = if round % 2 == 0 { step } else { count - 1 - step };
            let Some(wanted) = median(&ends[at], y) else { continue };
            let (low, high) = room(y, at);
            y[at] = wanted.min(high).max(low);
        }
    }
}

/// The weighted median of where the other ends of an item's links are.
fn median(ends: &[(usize, f64, f64)], y: &[f64]) -> Option<f64> {
    let mut places: Vec<(f64, f64)> =
        ends.iter().map(|(at, offset, weight)| (y[*at] + offset, *weight)).collect();
    places.sort_by(|a, b| a.0.total_cmp(&b.0));
    let half = places.iter().map(|it| it.1).sum::<f64>() / 2.0;
    let mut passed = 0.0;
    for (place, weight) in &places {
        passed += weight;
        if passed >= half {
            return Some(*place);
        }
    }
    None
}

/// Draws the borders of namespaces close to what is in them.
fn tighten(grid: &Grid, y: &mut [f64]) {
    let count = grid.items.len();
    for namespace in 0..grid.namespaces {
        let members = || (0..count).filter(|it| grid.items[*it].namespace == Some(namespace));
        let tops = members().map(|it| y[it] - grid.items[it].half);
        let bottoms = members().map(|it| y[it] + grid.items[it].half);
        let top = tops.fold(f64::INFINITY, f64::min) - HEADING;
        let bottom = bottoms.fold(f64::NEG_INFINITY, f64::max) + FOOT;
        if top.is_finite() && bottom.is_finite() {
            (y[count + 2 * namespace], y[count + 2 * namespace + 1]) = (top, bottom);
        }
    }
}
