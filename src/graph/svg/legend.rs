//! What the signs in the picture mean: those that are in it.

use super::{has_denied, has_open, lock, put, ring};
use crate::graph::layout::{MARGIN, SIGN};
use crate::graph::phrases;
use crate::graph::scene::{ComponentKind, Scene, State};
use crate::graph::text;
use crate::graph::text::Weight;

/// The size of letters.
const SIZE: f64 = 11.0;
/// The length of the sample of an arrow or a box.
const SAMPLE: f64 = 30.0;
/// Between two entries.
const APART: f64 = 22.0;
/// From line to line.
const LINE: f64 = 20.0;

enum Entry {
    Arrow(State),
    Lock,
    Ring,
    DataStore,
    EveryPod,
    Ports,
}

impl Entry {
    fn text(&self) -> &'static str {
        match self {
            Entry::Arrow(state) => phrases::meaning(*state),
            Entry::Lock => "what no arrow shows is denied",
            Entry::Ring => "open: no policy stands in the way",
            Entry::DataStore => "keeps data",
            Entry::EveryPod => "holds for every pod of the namespace",
            Entry::Ports => "ports of the pods that arrows lead to",
        }
    }

    fn sign_width(&self) -> f64 {
        match self {
            Entry::Lock | Entry::Ring | Entry::Ports => SIGN,
            _ => SAMPLE + 6.0,
        }
    }

    fn width(&self) -> f64 {
        self.sign_width() + text::width(self.text(), SIZE, Weight::Regular)
    }
}

fn entries(scene: &Scene) -> Vec<Entry> {
    let states =
        State::ALL.into_iter().filter(|it| scene.flows.iter().any(|flow| flow.state == *it));
    let mut entries: Vec<Entry> = states.map(Entry::Arrow).collect();
    let has = |kind: ComponentKind| scene.components.iter().any(|it| it.kind == kind);
    if !scene.flows.is_empty() {
        entries.push(Entry::Ports);
    }
    if has_denied(scene) {
        entries.push(Entry::Lock);
    }
    if has_open(scene) {
        entries.push(Entry::Ring);
    }
    if has(ComponentKind::DataStore) {
        entries.push(Entry::DataStore);
    }
    if has(ComponentKind::EveryPod) {
        entries.push(Entry::EveryPod);
    }
    entries
}

/// How wide the legend is in one line.
pub(super) fn width(scene: &Scene) -> f64 {
    entries(scene).iter().map(|it| it.width() + APART).sum::<f64>() - APART
}

/// The legend and the notes below a picture, and where the picture then ends.
pub(super) fn draw(scene: &Scene, full: f64, top: f64) -> (String, f64) {
    let mut out = String::from("<g class=\"legend\">\n");
    let (mut x, mut y) = (MARGIN, top + 6.0);
    for entry in entries(scene) {
        if x > MARGIN && x + entry.width() > full - MARGIN {
            (x, y) = (MARGIN, y + LINE);
        }
        let middle = y - 4.0;
        match &entry {
            Entry::Arrow(state) => put(
                &mut out,
                format_args!(
                    "<g class=\"flow {}\"><path d=\"M{x} {middle}h{}\"/><path class=\"head\" d=\"M{} {middle}l-7 -3.5v7z\"/></g>\n",
                    state.name(),
                    SAMPLE - 7.0,
                    x + SAMPLE,
                ),
            ),
            Entry::Lock => out.push_str(&lock(x, y)),
            Entry::Ring => out.push_str(&ring(x, y)),
            Entry::Ports => put(
                &mut out,
                format_args!(
                    "<circle class=\"sign allowed\" cx=\"{}\" cy=\"{middle}\" r=\"2.5\"/>\n",
                    x + 3.0,
                ),
            ),
            Entry::DataStore => put(
                &mut out,
                format_args!(
                    "<g class=\"box data-store\"><path d=\"M{x} {}a15 2.5 0 0 1 30 0v8a15 2.5 0 0 1 -30 0z\"/>\
                 <path class=\"lid\" d=\"M{x} {}a15 2.5 0 0 0 30 0\"/></g>\n",
                    middle - 4.0,
                    middle - 4.0,
                ),
            ),
            Entry::EveryPod => put(
                &mut out,
                format_args!(
                    "<g class=\"box every-pod\"><rect x=\"{x}\" y=\"{}\" width=\"{SAMPLE}\" height=\"12\" rx=\"3\"/></g>\n",
                    middle - 6.0,
                ),
            ),
        }
        put(
            &mut out,
            format_args!(
                "<text class=\"small\" x=\"{}\" y=\"{y}\">{}</text>\n",
                x + entry.sign_width(),
                entry.text(),
            ),
        );
        x += entry.width() + APART;
    }
    for note in &scene.notes {
        y += LINE;
        let note = text::fit(note, full - 2.0 * MARGIN, SIZE, Weight::Regular);
        put(
            &mut out,
            format_args!(
                "<text class=\"small\" x=\"{MARGIN}\" y=\"{y}\">{}</text>\n",
                super::text(&note),
            ),
        );
    }
    out.push_str("</g>\n");
    (out, y + MARGIN - 6.0)
}
