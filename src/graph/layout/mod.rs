//! Places for everything in a picture: columns from left to right as traffic flows, namespaces as boxes around their
//! components, arrows that pass between the boxes and never through one.
//!
//! It is the layered drawing of Sugiyama, Tagawa and Toda with two changes. Namespaces stay together: in every column
//! they come in one order, and what is outside stays outside. And arrows to one port of one component share their way
//! there, so that many senders join into one line instead of filling the picture with parallels.

mod columns;
mod grid;
mod order;
mod project;
mod rows;
mod shapes;

use super::scene::Scene;
pub(super) use shapes::{INSET, LID, SIGN, heading};
pub use shapes::{Row, RowKind, Shape};

/// Around everything, in pixels.
pub(super) const MARGIN: f64 = 24.0;
/// For the title above everything.
pub(super) const HEAD: f64 = 64.0;
/// How far a bow beside a column goes out.
pub(super) const BOW: f64 = 24.0;
/// Between a namespace's border and its components, left and right.
const SIDE: f64 = 16.0;
/// The heading in a namespace's box.
const HEADING: f64 = 42.0;
/// Below the last component of a namespace.
const FOOT: f64 = 14.0;

/// A point, in pixels from the left and the top.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Point {
    /// From the left.
    pub x: f64,
    /// From the top.
    pub y: f64,
}

/// A rectangle.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Rect {
    /// Its left side.
    pub x: f64,
    /// Its top.
    pub y: f64,
    /// How wide it is.
    pub width: f64,
    /// How high it is.
    pub height: f64,
}

impl Rect {
    /// Its right side.
    pub fn right(&self) -> f64 {
        self.x + self.width
    }

    /// Its bottom.
    pub fn bottom(&self) -> f64 {
        self.y + self.height
    }
}

/// A component in its place.
#[derive(Clone, Debug)]
pub struct Placed {
    /// Its box.
    pub rect: Rect,
    /// What stands in it.
    pub shape: Shape,
}

/// The way of an arrow.
#[derive(Clone, Debug, PartialEq)]
pub enum Route {
    /// From point to point: a bow in the gap between two columns, then straight past the column, and so on in turn.
    Stations(Vec<Point>),
    /// From the right side of one component to that of another in the same column.
    Bow(Point, Point),
    /// Back to the component itself, at this point of its right side.
    Loop(Point),
}

/// Where everything is.
#[derive(Clone, Debug)]
pub struct Layout {
    /// How wide the picture is, without legend.
    pub width: f64,
    /// How high it is, without legend.
    pub height: f64,
    /// The namespaces' boxes; `None` for one without components.
    pub namespaces: Vec<Option<Rect>>,
    /// The components.
    pub components: Vec<Placed>,
    /// The ways of the flows.
    pub routes: Vec<Route>,
}

/// Finds a place for everything.
pub fn layout(scene: &Scene) -> Layout {
    let column_of = columns::columns(scene);
    let (mut shapes, row_of) = shapes::shapes(scene);
    let grid = grid::Grid::new(scene, &column_of, &shapes, &row_of);
    let order = order::arrange(&grid);
    let spans = columns::spans(scene, &column_of);
    let across = across(scene, &column_of, &spans, &grid, &mut shapes);
    let rows = rows::rows(&grid, &order, &spans);
    let components: Vec<Placed> = shapes
        .into_iter()
        .enumerate()
        .map(|(at, shape)| {
            let (left, right) = across[column_of[at]];
            let y = rows.items[at] - shape.height / 2.0;
            let rect = Rect { x: left, y, width: right - left, height: shape.height };
            Placed { rect, shape }
        })
        .collect();
    let namespaces: Vec<Option<Rect>> = spans
        .iter()
        .enumerate()
        .map(|(at, span)| {
            let (first, last) = (*span)?;
            let (x, right) = (across[first].0 - SIDE, across[last].1 + SIDE);
            let (y, bottom) = rows.namespaces[at];
            Some(Rect { x, y, width: right - x, height: bottom - y })
        })
        .collect();
    let routes: Vec<Route> = (0..scene.flows.len())
        .map(|at| route(scene, at, &grid, &components, &rows.items, &across, &row_of))
        .collect();
    let boxes = || components.iter().map(|it| it.rect).chain(namespaces.iter().flatten().copied());
    let bends = rows.items.iter().copied();
    let bows = routes.iter().filter_map(|it| match it {
        Route::Bow(start, _) => Some(start.x + BOW),
        _ => None,
    });
    Layout {
        width: boxes().map(|it| it.right()).chain(bows).fold(0.0, f64::max) + MARGIN,
        height: boxes().map(|it| it.bottom()).chain(bends).fold(HEAD, f64::max) + MARGIN,
        namespaces,
        components,
        routes,
    }
}

/// The left and the right side of each column.
fn across(
    scene: &Scene,
    column_of: &[usize],
    spans: &[Option<(usize, usize)>],
    grid: &grid::Grid,
    shapes: &mut [Shape],
) -> Vec<(f64, f64)> {
    let mut widths = vec![0.0_f64; grid.columns];
    for (shape, column) in shapes.iter().zip(column_of) {
        widths[*column] = widths[*column].max(shape.width);
    }
    for (namespace, span) in spans.iter().enumerate() {
        // The heading stands above the first column, where no arrow passes.
        let Some((first, _)) = *span else { continue };
        widths[first] = widths[first].max(shapes::heading_width(scene, namespace) - SIDE);
    }
    let mut sides = Vec::new();
    let mut x = MARGIN;
    for (column, width) in widths.into_iter().enumerate() {
        let begins = spans.iter().flatten().any(|it| it.0 == column);
        let ends = column > 0 && spans.iter().flatten().any(|it| it.1 == column - 1);
        let borders = [begins, ends].iter().filter(|it| **it).count() as f64;
        let arrows = grid.links_into(column) as f64;
        let gap = if column == 0 { 0.0 } else { 44.0 + (arrows * 2.0).min(44.0) };
        x += gap + borders * SIDE;
        sides.push((x, x + width.ceil()));
        x += width.ceil();
    }
    sides
}

fn route(
    scene: &Scene,
    flow: usize,
    grid: &grid::Grid,
    components: &[Placed],
    y: &[f64],
    across: &[(f64, f64)],
    row_of: &[usize],
) -> Route {
    let (from, to) = (scene.flows[flow].from, scene.flows[flow].to);
    let target = &components[to];
    let end = target.rect.y + target.shape.rows[row_of[flow]].y;
    if from == to {
        return Route::Loop(Point { x: target.rect.right(), y: end });
    }
    let start = components[from].rect.y + components[from].shape.exit;
    if grid.items[from].column == grid.items[to].column {
        let x = target.rect.right();
        return Route::Bow(Point { x, y: start }, Point { x, y: end });
    }
    let way = &grid.ways[flow];
    let is_forward = grid.items[way[0]].column < grid.items[way[way.len() - 1]].column;
    let mut stations = Vec::new();
    for (at, item) in way.iter().enumerate() {
        let (left, right) = across[grid.items[*item].column];
        let (near, far) = if is_forward { (left, right) } else { (right, left) };
        let height = match at {
            0 => start,
            _ if at + 1 == way.len() => end,
            _ => y[*item],
        };
        if at > 0 {
            stations.push(Point { x: near, y: height });
        }
        if at + 1 < way.len() {
            stations.push(Point { x: far, y: height });
        }
    }
    Route::Stations(stations)
}
