//! How large components are, and what stands in their boxes: name, caption, a row for each port that arrows lead to.

use crate::graph::phrases;
use crate::graph::scene::{ComponentKind, Scene, State};
use crate::graph::text::{Weight, fit, width};

/// The size of letters in names.
pub(in crate::graph) const NAME: f64 = 13.0;
/// The size of letters in rows and captions.
pub(in crate::graph) const SMALL: f64 = 11.0;
/// What a text takes at the most; longer ones lose their middle.
const WIDEST: f64 = 176.0;
/// Left of a text; right of it there is half of that.
pub(in crate::graph) const INSET: f64 = 12.0;
/// Before the text of a row stands its sign.
pub(in crate::graph) const SIGN: f64 = 12.0;
/// The lid of a data store's cylinder.
pub(in crate::graph) const LID: f64 = 5.0;

/// What stands in a component's box, and how large that makes it.
#[derive(Clone, Debug)]
pub struct Shape {
    /// How wide it is at the least.
    pub width: f64,
    /// How high it is.
    pub height: f64,
    /// The name, as far as it fits.
    pub name: String,
    /// The base line of the name, from the box's top.
    pub name_y: f64,
    /// The caption, as far as it fits; may be empty.
    pub caption: String,
    /// The base line of the caption.
    pub caption_y: f64,
    /// Where arrows leave, from the box's top.
    pub exit: f64,
    /// What stands below, from top to bottom.
    pub rows: Vec<Row>,
}

/// A row in a component's box.
#[derive(Clone, Debug, PartialEq)]
pub struct Row {
    /// What it says, as far as that fits.
    pub text: String,
    /// The middle of the row, from the box's top; arrows to it end there.
    pub y: f64,
    /// What it is.
    pub kind: RowKind,
}

/// What a row is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RowKind {
    /// Ports that arrows of one state lead to.
    Ports(State),
    /// What no policy stands in the way of.
    Open,
}

/// The shape of each component, and the row that each flow ends at.
pub(super) fn shapes(scene: &Scene) -> (Vec<Shape>, Vec<usize>) {
    let mut texts: Vec<Vec<(State, String)>> = vec![Vec::new(); scene.components.len()];
    let mut flows: Vec<_> = scene.flows.iter().collect();
    flows.sort_by_key(|it| (it.to, it.state, it.ports.clone()));
    for flow in flows {
        let row = (flow.state, phrases::label(flow));
        if !texts[flow.to].contains(&row) {
            texts[flow.to].push(row);
        }
    }
    let row_of = scene.flows.iter().map(|flow| {
        let label = phrases::label(flow);
        let same = |it: &(State, String)| it.0 == flow.state && it.1 == label;
        texts[flow.to].iter().position(same).expect("every flow has made its row above")
    });
    let row_of = row_of.collect();
    let shapes = texts.into_iter().enumerate().map(|(at, rows)| shape(scene, at, rows)).collect();
    (shapes, row_of)
}

fn shape(scene: &Scene, at: usize, ports: Vec<(State, String)>) -> Shape {
    let component = &scene.components[at];
    let lid = if component.kind == ComponentKind::DataStore { LID } else { 0.0 };
    let name = fit(&component.name, WIDEST, NAME, Weight::Bold);
    let caption = fit(&component.caption, WIDEST, SMALL, Weight::Regular);
    let mut y = lid + 6.0;
    let name_y = y + 13.0;
    y += 18.0;
    let caption_y = y + 11.0;
    if !caption.is_empty() {
        y += 15.0;
    }
    let exit = f64::midpoint(lid + 4.0, y).round();
    let ports = ports.into_iter().map(|(state, text)| (RowKind::Ports(state), text));
    let open = phrases::openness(scene, component);
    let open = open.into_iter().map(|text| (RowKind::Open, text.to_string()));
    let mut rows = Vec::new();
    for (kind, text) in ports.chain(open) {
        rows.push(Row {
            text: fit(&text, WIDEST - SIGN, SMALL, Weight::Regular),
            y: y + 9.0,
            kind,
        });
        y += 16.0;
    }
    let text_width = rows
        .iter()
        .map(|it| SIGN + width(&it.text, SMALL, Weight::Regular))
        .chain([width(&name, NAME, Weight::Bold), width(&caption, SMALL, Weight::Regular)])
        .fold(0.0, f64::max);
    Shape {
        width: (text_width + 1.5 * INSET).ceil().max(96.0),
        height: y + 6.0 + lid / 2.0,
        name,
        name_y,
        caption,
        caption_y,
        exit,
        rows,
    }
}

/// The width of a namespace's heading, from the border of its box.
pub(super) fn heading_width(scene: &Scene, namespace: usize) -> f64 {
    let (name, posture) = heading(scene, namespace);
    let name = width(&name, NAME, Weight::Bold);
    let posture = SIGN + width(&posture, SMALL, Weight::Regular);
    INSET + name.max(posture)
}

/// The two lines of a namespace's heading: its name, and what is denied by default.
pub(in crate::graph) fn heading(scene: &Scene, namespace: usize) -> (String, String) {
    let name = fit(&scene.namespaces[namespace].name, 1.2 * WIDEST, NAME, Weight::Bold);
    let posture = phrases::posture(scene, namespace).unwrap_or_default();
    (name, posture)
}
