//! Lines of a text by byte offsets: what mistakes are explained with.

/// The lines from `from`, which is a line's start, each with its place.
pub(super) fn lines(text: &str, from: usize) -> impl Iterator<Item = (usize, &str)> {
    let mut next = from;
    text.get(from..).unwrap_or_default().split_inclusive('\n').map(move |line| {
        let at = next;
        next += line.len();
        (at, line.trim_end_matches(['\n', '\r']))
    })
}

/// Where the line of `at` begins.
pub(super) fn line_start(text: &str, at: usize) -> usize {
    text[..at].rfind('\n').map_or(0, |it| it + 1)
}

/// Where the line of `at` ends, its break left out.
pub(super) fn line_end(text: &str, at: usize) -> usize {
    text[at..].find('\n').map_or(text.len(), |it| at + it)
}

/// How many bytes of white space a line begins with.
pub(super) fn indentation(line: &str) -> usize {
    line.len() - line.trim_start().len()
}

/// Where the key of a line stands, past the dashes of list items.
pub(super) fn text_column(line: &str) -> usize {
    line.len() - line.trim_start_matches([' ', '-']).len()
}

/// Whether a line says nothing.
pub(super) fn is_blank(line: &str) -> bool {
    let line = line.trim_start();
    line.is_empty() || line.starts_with('#')
}
