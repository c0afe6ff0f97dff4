//! What cannot be told: in short by what would settle it, in full one by one.

use super::{Drawing, Extent, wrap};
use crate::finding::{Place, Unknown};
use crate::report::place;
use crate::report::text::counted;
use crate::report::wording::Wording;
use crate::text::visible::visible;
use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

/// More causes than these are counted, not listed.
const MOST_CAUSES: usize = 10;

/// Questions that one thing would settle: they give the same reason, once names and numbers are taken out, or ask the same
/// where they give none.
struct Cause<'o> {
    first: &'o Unknown,
    count: usize,
    /// What is asked for.
    things: BTreeSet<&'o str>,
    /// Who asks.
    rules: BTreeSet<&'o str>,
}

/// Lists the questions.
pub(super) fn cannot_tell(out: &mut String, drawing: &Drawing<'_, '_>) {
    let unknown = &drawing.outcome.unknown;
    if unknown.is_empty() {
        return;
    }
    let canvas = drawing.canvas;
    let head = format!("cannot tell: {}", counted(unknown.len(), "question"));
    out.push_str(&canvas.theme.styles.advice.style(head).to_string());
    out.push_str("\n\n");
    let (lines, rest) = match canvas.extent {
        Extent::Full => (unknown.iter().map(|it| one(drawing, it)).collect(), None),
        Extent::Folded => in_short(drawing),
    };
    for line in lines {
        out.push_str(&wrap(&visible(&line), canvas.width, "  ? ", "    "));
        out.push('\n');
    }
    rest.into_iter().for_each(|it| out.push_str(&format!("    {it}\n")));
    out.push('\n');
}

/// A line a cause, and what says that there is more.
fn in_short(drawing: &Drawing<'_, '_>) -> (Vec<String>, Option<String>) {
    let unknown = &drawing.outcome.unknown;
    let causes = causes(unknown);
    let lines = causes.iter().take(MOST_CAUSES).map(|it| folded(drawing, it)).collect();
    let more = match causes.len().saturating_sub(MOST_CAUSES) {
        0 => String::new(),
        more => format!("… and {more} more; "),
    };
    let is_all = causes.len() == unknown.len() && more.is_empty();
    let rest = (!is_all).then(|| format!("{more}`--full` lists each question with its place"));
    (lines, rest)
}

/// The causes, the most frequent first.
fn causes(unknown: &[Unknown]) -> Vec<Cause<'_>> {
    let mut causes: BTreeMap<String, Cause<'_>> = BTreeMap::new();
    for it in unknown {
        let (thing, reason) = thing_and_reason(&it.missing);
        let why = if reason.is_empty() { thing } else { reason };
        let cause = causes.entry(Wording::new(why).template()).or_insert_with(|| Cause {
            first: it,
            count: 0,
            things: BTreeSet::new(),
            rules: BTreeSet::new(),
        });
        cause.count += 1;
        cause.things.insert(thing);
        cause.rules.insert(it.rule);
    }
    let mut causes: Vec<_> = causes.into_values().collect();
    causes.sort_by_key(|it| Reverse(it.count));
    causes
}

fn folded(drawing: &Drawing<'_, '_>, cause: &Cause<'_>) -> String {
    let rules = cause.rules.iter().copied().collect::<Vec<_>>().join(", ");
    if cause.count == 1 {
        return one(drawing, cause.first);
    }
    let (thing, reason) = thing_and_reason(&cause.first.missing);
    let others = match cause.things.len() - 1 {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    let colon = if reason.is_empty() { "" } else { ": " };
    let (count, place) = (cause.count, place_of(drawing, cause.first));
    format!("{count} × {thing}{others}{colon}{reason} ({rules}; the first at {place})")
}

/// What would settle a question is written as the thing, then after a colon why it is not known and what to do.
fn thing_and_reason(missing: &str) -> (&str, &str) {
    missing
        .match_indices(": ")
        .map(|(at, colon)| (&missing[..at], &missing[at + colon.len()..]))
        .find(|(thing, _)| thing.matches('`').count() % 2 == 0)
        .unwrap_or((missing, ""))
}

/// A question with who asks, its place and its world.
fn one(drawing: &Drawing<'_, '_>, it: &Unknown) -> String {
    let world = place::worlds(drawing.outcome, &it.worlds);
    let world = world.map(|it| format!("; world: {it}")).unwrap_or_default();
    format!("{} ({} at {}{world})", it.missing, it.rule, place_of(drawing, it))
}

fn place_of(drawing: &Drawing<'_, '_>, it: &Unknown) -> String {
    let place: Place = drawing.model.object(it.object).whole();
    place::spot(drawing.model, drawing.locator, &place).to_line()
}
