//! Excerpts: the few lines of each source that a finding's labels point to, cropped to the width and safe to print.

use crate::check::locate::Locator;
use crate::rule::{Finding, Shows};
use crate::text::source::{Position, Source, SourceId, Sources};
use crate::text::visible::{stand_in, visible};
use std::ops::Range;
use textwrap::core::display_width;

/// Labels with no more lines than these between them stand in one excerpt.
const NEAR: usize = 2;

/// Room that a label's text gets before the line is cropped on its left to make more.
const TEXT_ROOM: usize = 24;

const TAB: usize = 4;

/// A few lines of one source.
#[derive(Debug)]
pub(super) struct Excerpt {
    /// The source's name.
    pub(super) name: String,
    /// Its first line, from 0.
    pub(super) first_line: usize,
    /// The lines as shown, each with its line break.
    pub(super) text: String,
    /// What is marked in `text`.
    pub(super) marks: Vec<Mark>,
}

/// A marked part of an excerpt.
#[derive(Debug)]
pub(super) struct Mark {
    /// Bytes of the excerpt's text.
    pub(super) span: Range<usize>,
    /// Where it is in the source.
    pub(super) position: Position,
    /// What to say of it, in lines.
    pub(super) text: String,
    /// Whether it is the finding's own place.
    pub(super) is_primary: bool,
}

/// A label that is to be drawn: the part of it on its first line.
struct Spot {
    order: usize,
    source: SourceId,
    line: usize,
    /// Bytes of the line.
    span: Range<usize>,
    position: Position,
    text: String,
}

/// The excerpts of a finding for this width, that of its primary place first; not more labels than `most`.
pub(super) fn excerpts(
    sources: &Sources,
    locator: &Locator<'_, '_>,
    finding: &Finding,
    (width, most): (usize, usize),
) -> Vec<Excerpt> {
    let mut groups: Vec<Vec<Spot>> = Vec::new();
    for spot in spots(sources, locator, finding, most) {
        let source = sources.get(spot.source);
        match groups.last_mut() {
            Some(group) if belongs(group, &spot, source, width) => group.push(spot),
            _ => groups.push(vec![spot]),
        }
    }
    groups.sort_by_key(|group| group.iter().map(|it| it.order).min());
    groups
        .iter()
        .map(|group| excerpt(sources.get(group[0].source), group, width, finding.shows))
        .collect()
}

/// The labels to draw, in the order of their places; those on one place are one.
fn spots(
    sources: &Sources,
    locator: &Locator<'_, '_>,
    finding: &Finding,
    most: usize,
) -> Vec<Spot> {
    let mut spots: Vec<Spot> = Vec::new();
    for (order, label) in finding.labels.iter().take(most).enumerate() {
        let location = locator.locate(&label.place);
        let source = sources.get(location.source);
        if !source.has_lines() {
            continue;
        }
        let line = source.line_of(location.span.start.min(source.text.len() as u32));
        let range = source.line_range(line);
        let text = &source.text[range.clone()];
        let inside = |offset: u32| floor(text, (offset as usize).saturating_sub(range.start));
        let start = inside(location.span.start);
        let span = start..inside(location.span.end).max(start);
        let here = |it: &&mut Spot| it.source == location.source && it.line == line;
        if let Some(same) = spots.iter_mut().filter(here).find(|it| it.span == span) {
            if !label.text.is_empty() {
                let comma = if same.text.is_empty() { "" } else { "; " };
                same.text.push_str(comma);
                same.text.push_str(&visible(&label.text));
            }
            continue;
        }
        let position = source.position(location.span.start);
        let text = visible(&label.text).into_owned();
        spots.push(Spot { order, source: location.source, line, span, position, text });
    }
    spots.sort_by_key(|it| (it.source, it.line, it.span.start, it.span.end));
    spots
}

/// Whether a spot is drawn in the excerpt of those before it: near them, not over them, and with room for its text.
fn belongs(group: &[Spot], spot: &Spot, source: &Source, width: usize) -> bool {
    let last = &group[group.len() - 1];
    if last.source != spot.source || spot.line > last.line + NEAR + 1 {
        return false;
    }
    if last.line != spot.line {
        return true;
    }
    let room = room(source, width);
    let text = &source.text[source.line_range(spot.line)];
    let columns = |range: Range<usize>| cells(text, range).map(|it| it.columns).sum::<usize>();
    let fits = |range: Range<usize>, room_for_it: usize| {
        range.len() <= 4 * room && columns(range) <= room_for_it
    };
    let first = group.iter().find(|it| it.line == spot.line).map_or(0, |it| it.span.start);
    let is_apart =
        spot.span.start >= last.span.end && columns(last.span.start..spot.span.start) > 0;
    is_apart
        && (fits(0..spot.span.end, room.saturating_sub(TEXT_ROOM + 4))
            || fits(first..spot.span.end, room / 4))
}

fn excerpt(source: &Source, spots: &[Spot], width: usize, shows: Shows) -> Excerpt {
    let lines = source.lines().len();
    let is_content = |line: usize| {
        let text = source.text[source.line_range(line)].trim_end();
        !text.is_empty() && !text.starts_with("---")
    };
    let (first_spot, last_spot) = (spots[0].line, spots[spots.len() - 1].line);
    let first_line = first_spot.checked_sub(1).filter(|it| is_content(*it)).unwrap_or(first_spot);
    let after = last_spot + 1;
    let last_line = if after < lines && is_content(after) { after } else { last_spot };
    let mut excerpt = Excerpt {
        name: visible(&source.name).into_owned(),
        first_line,
        text: String::new(),
        marks: Vec::new(),
    };
    for line in first_line..=last_line {
        let of_line: Vec<_> = spots.iter().filter(|it| it.line == line).collect();
        draw_line(
            &mut excerpt,
            &source.text[source.line_range(line)],
            &of_line,
            room(source, width),
            shows,
        );
    }
    excerpt
}

/// The columns of a terminal that source text may take: all but line number and gutter.
fn room(source: &Source, width: usize) -> usize {
    width.saturating_sub(source.lines().len().to_string().len() + 4).max(20)
}

/// Adds a line, cropped around what is marked in it.
fn draw_line(excerpt: &mut Excerpt, line: &str, spots: &[&Spot], room: usize, shows: Shows) {
    let start = spots.first().map_or(0, |it| it.span.start);
    let end = spots.last().map_or(0, |it| it.span.end.min(start + 4 * room));
    // A minified file is a single line: only what may be shown is looked at.
    let from = floor(line, start.saturating_sub(4 * room));
    let to = floor(line, end + 4 * room);
    let mut cells: Vec<Cell> = cells(line, from..to).collect();
    if shows == Shows::Keys {
        conceal(line, &mut cells);
    }
    let before = |byte: usize| -> usize {
        cells.iter().filter(|it| it.start < byte).map(|it| it.columns).sum()
    };
    let crowded = spots.iter().any(|it| {
        let (start, end) = (before(it.span.start), before(it.span.end).min(room));
        let text = if it.text.is_empty() { 0 } else { display_width(&it.text).min(TEXT_ROOM) + 4 };
        start >= room || (start + end) / 2 + text > room
    });
    let left = if from > 0 || crowded { before(start).saturating_sub(room / 5).max(1) } else { 0 };
    let shown = crop(&cells, left, room, to < line.len());
    let base = excerpt.text.len();
    excerpt.text.push_str(&shown.text);
    excerpt.text.push('\n');
    for spot in spots {
        let (start, end) = (shown.offset(spot.span.start), shown.offset(spot.span.end));
        let start_column = columns(&shown.text[..start]);
        let end_column = columns(&shown.text[..end]).max(start_column + 1);
        let text_room = room.saturating_sub((start_column + end_column) / 2 + 4).max(8);
        excerpt.marks.push(Mark {
            span: base + start..base + end,
            position: spot.position,
            text: super::wrap(&spot.text, text_room, "", ""),
            is_primary: spot.order == 0,
        });
    }
}

/// Replaces what follows the key of a line, or all of a line without one.
fn conceal(line: &str, cells: &mut [Cell]) {
    let value = line.find([':', '=']).map_or(0, |it| it + 1);
    for cell in cells.iter_mut().filter(|it| it.start >= value && it.shown != ' ') {
        (cell.shown, cell.columns) = ('•', 1);
    }
}

/// A character of a line as it is shown.
#[derive(Clone, Copy)]
struct Cell {
    /// Its byte in the line.
    start: usize,
    shown: char,
    columns: usize,
}

/// The characters of a part of a line; a tab is spaces up to the next stop.
fn cells(line: &str, range: Range<usize>) -> impl Iterator<Item = Cell> {
    let base = range.start;
    let mut column = 0;
    line[range].char_indices().map(move |(at, character)| {
        let shown = stand_in(character).unwrap_or(character);
        let columns = match character {
            '\t' => TAB - column % TAB,
            _ => columns(shown.encode_utf8(&mut [0; 4])),
        };
        column += columns;
        Cell { start: base + at, shown, columns }
    })
}

/// The part of a line that is shown.
struct Shown {
    text: String,
    /// The bytes of the line and of `text` at which each shown character starts, and where the last one ends.
    offsets: Vec<(usize, usize)>,
}

impl Shown {
    /// Where a byte of the line is in the text; what is cropped is at the nearer end.
    fn offset(&self, byte: usize) -> usize {
        let at = self.offsets.partition_point(|(start, _)| *start < byte);
        self.offsets.get(at).or(self.offsets.last()).map_or(0, |it| it.1)
    }
}

/// The characters from a column on, as many as there is room for.
fn crop(cells: &[Cell], left: usize, room: usize, goes_on: bool) -> Shown {
    let mut skipped = 0;
    let outside = cells.iter().take_while(|it| {
        skipped += it.columns;
        left > 0 && skipped <= left
    });
    let cells = &cells[outside.count()..];
    let mut text = String::from(if left > 0 { "…" } else { "" });
    let mut used = usize::from(left > 0);
    let all: usize = cells.iter().map(|it| it.columns).sum();
    let is_cut = goes_on || used + all > room;
    let room = if is_cut { room - 1 } else { room };
    let mut offsets = Vec::new();
    let mut end = cells.first().map_or(0, |it| it.start);
    for cell in cells {
        end = cell.start;
        used += cell.columns;
        if used > room {
            break;
        }
        offsets.push((cell.start, text.len()));
        match cell.shown {
            ' ' => text.push_str(&" ".repeat(cell.columns)),
            other => text.push(other),
        }
        end = cell.start + 1;
    }
    offsets.push((end, text.len()));
    if is_cut {
        text.push('…');
    }
    Shown { text, offsets }
}

/// The width of a text, character by character as miette counts it.
fn columns(text: &str) -> usize {
    text.char_indices().map(|(at, it)| display_width(&text[at..at + it.len_utf8()])).sum()
}

/// The start of the character that the byte belongs to, or the end of the text.
fn floor(text: &str, byte: usize) -> usize {
    text.floor_char_boundary(byte)
}
