//! A place as reports name it: a file, with lines where they are somebody's, or a field of a live object.

use crate::check::Outcome;
use crate::check::locate::Locator;
use crate::model::Model;
use crate::rule::{Label, Place};
use crate::text::source::{Position, SourceKind};
use crate::text::visible::visible;

/// Where a label points.
pub(super) enum Spot<'m> {
    /// From here to there in a file.
    Lines(&'m str, Position, Position),
    /// Into a text that was rendered from this file.
    Rendered(&'m str),
    /// To a field of an object of a cluster, by its name.
    Live(String),
}

/// Where a label points.
pub(super) fn spot<'m>(model: &'m Model<'_>, locator: &Locator<'_, '_>, place: &Place) -> Spot<'m> {
    let at = locator.locate(place);
    let source = model.loaded.sources.get(at.source);
    match source.kind {
        SourceKind::File => {
            let position = |offset| source.position(offset);
            Spot::Lines(&source.name, position(at.span.start), position(at.span.end))
        }
        SourceKind::Rendered => Spot::Rendered(&source.name),
        SourceKind::Cluster => Spot::Live(locator.name(place)),
    }
}

/// The object and the field that a label points to, where it points to one.
pub(super) fn field(locator: &Locator<'_, '_>, label: &Label) -> Option<String> {
    matches!(label.place, Place::Field { .. }).then(|| locator.name(&label.place))
}

/// That a label points into what was rendered, for readers that show the first line of the file where none is given.
pub(super) fn rendered(model: &Model<'_>, locator: &Locator<'_, '_>, label: &Label) -> String {
    match spot(model, locator, &label.place) {
        Spot::Rendered(_) => {
            format!("\nrendered: {}, on no line of this file", locator.name(&label.place))
        }
        _ => String::new(),
    }
}

impl Spot<'_> {
    /// `file:line`, or the file with what is known of it.
    pub(super) fn to_line(&self) -> String {
        match self {
            Spot::Lines(file, start, _) => format!("{file}:{}", start.line),
            other => other.to_text(),
        }
    }

    /// `file:line:column`, or the file with what is known of it.
    pub(super) fn to_text(&self) -> String {
        match self {
            Spot::Lines(file, start, _) => format!("{}:{start}", visible(file)),
            Spot::Rendered(file) => format!("{} (rendered)", visible(file)),
            Spot::Live(name) => visible(name).into_owned(),
        }
    }
}

/// The names of worlds.
pub(super) fn names<'o>(outcome: &'o Outcome, worlds: &[u32]) -> Vec<&'o str> {
    worlds.iter().filter_map(|it| outcome.worlds.get(*it as usize)).map(String::as_str).collect()
}

/// The names of worlds in a few words; `None` where there is only one world, or nothing depends on it.
pub(super) fn worlds(outcome: &Outcome, worlds: &[u32]) -> Option<String> {
    if worlds.is_empty() || outcome.worlds.is_empty() {
        return None;
    }
    if worlds.len() == outcome.worlds.len() && worlds.len() > 2 {
        return Some(format!("all {}", worlds.len()));
    }
    Some(names(outcome, worlds).join(", "))
}
