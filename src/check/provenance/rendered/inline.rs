//! A patch that is written inside a kustomization, as a block of text: where in the file each byte of it is.

use crate::text::source::{Source, Span};
use crate::text::tree::Node;

/// The lines of a block of text, each by where it starts in the text and in the file.
pub(super) struct Lines(Vec<(usize, usize)>);

/// The lines of a string in a source; `None` if the file has them in another form.
pub(super) fn lines(source: &Source, node: Node<'_>) -> Option<Lines> {
    let value = node.str()?;
    let first = source.line_of(node.span().start);
    // A block begins below the `|` that announces it.
    [first, first + 1].into_iter().find_map(|line| align(source, value, line))
}

fn align(source: &Source, value: &str, first: usize) -> Option<Lines> {
    let mut lines = Vec::new();
    let mut at = 0;
    for (number, line) in value.split_inclusive('\n').enumerate() {
        let plain = line.trim_end_matches(['\n', '\r']);
        let number = first + number;
        if number >= source.lines().len() {
            return None;
        }
        let range = source.line_range(number);
        let start = range.end.checked_sub(plain.len())?;
        if start < range.start || source.text.get(start..range.end) != Some(plain) {
            return None;
        }
        lines.push((at, start));
        at += line.len();
    }
    Some(Lines(lines))
}

impl Lines {
    /// Where a part of the text is in the file.
    pub(super) fn place(&self, span: Span) -> Option<Span> {
        let place = |at: u32| {
            let at = at as usize;
            let line = self.0.partition_point(|(start, _)| *start <= at).checked_sub(1)?;
            let (text, file) = self.0[line];
            Some(file + at - text)
        };
        // What ends at a line's end would be at the start of the next.
        let last = span.end.checked_sub(1)?.max(span.start);
        Some(Span::new(place(span.start)?, place(last)? + 1))
    }
}
