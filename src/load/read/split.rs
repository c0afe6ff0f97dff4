//! Text to the pieces that kubectl parses one by one.
//!
//! kubectl cuts at lines that begin with `---` before any YAML parser sees them, and tries JSON on a piece that begins
//! with `{`: `k8s.io/apimachinery/pkg/util/yaml/decoder.go`.

use crate::text::source::Span;
use serde::de::IgnoredAny;
use std::ops::Range;

/// A piece of a source.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Chunk {
    /// What lies between two separators, in bytes of the source.
    Text(Range<usize>),
    /// A separator that is none: only a comment may follow `---` on its line.
    Bad {
        /// Where it stands.
        span: Span,
        /// What is wrong with it.
        message: String,
    },
}

const SEPARATOR: &str = "---";
const BYTE_ORDER_MARK: char = '\u{FEFF}';

/// Cuts a source into pieces; pieces without content are left out.
pub fn split(text: &str) -> impl Iterator<Item = Chunk> {
    let mut chunks = Vec::new();
    let mut start = 0;
    for line_start in separators(text) {
        let line_end = memchr::memchr(b'\n', &text.as_bytes()[line_start..])
            .map_or(text.len(), |it| line_start + it + 1);
        chunks.extend(piece(text, start..line_start));
        start = line_end;
        let after = text[line_start + SEPARATOR.len()..line_end].trim();
        if !after.is_empty() && !after.starts_with('#') {
            chunks.push(Chunk::Bad {
                span: Span::new(
                    line_start,
                    line_start + text[line_start..line_end].trim_end().len(),
                ),
                message: "a document separator `---` has other text on its line".into(),
            });
        }
    }
    chunks.extend(piece(text, start..text.len()));
    chunks.into_iter()
}

/// Where the lines begin that begin with `---`.
fn separators(text: &str) -> impl Iterator<Item = usize> {
    let first = text.starts_with(SEPARATOR).then_some(0);
    let others = memchr::memmem::find_iter(text.as_bytes(), "\n---").map(|it| it + 1);
    first.into_iter().chain(others)
}

fn piece(text: &str, mut range: Range<usize>) -> Option<Chunk> {
    if text[range.clone()].starts_with(BYTE_ORDER_MARK) {
        range.start += BYTE_ORDER_MARK.len_utf8();
    }
    let empty = text[range.clone()].lines().all(|line| {
        let line = line.trim_start();
        line.is_empty() || line.starts_with('#')
    });
    (!empty).then_some(Chunk::Text(range))
}

/// The ranges of the JSON values that `chunk` begins with; none, if it does not begin with `{`.
pub fn json_values(chunk: &str) -> Vec<Range<usize>> {
    let mut values = Vec::new();
    if !chunk.trim_start().starts_with('{') {
        return values;
    }
    let mut stream = serde_json::Deserializer::from_str(chunk).into_iter::<IgnoredAny>();
    let mut start = 0;
    while let Some(Ok(_)) = stream.next() {
        let end = stream.byte_offset();
        values.push(start..end);
        start = end;
    }
    values
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cuts_at_separators_only() {
        let text = "a: 1\n--- # x\nb: |\n  ---\n---\n# nothing\n---\nc: 1\n";
        let pieces: Vec<_> = split(text)
            .map(|it| match it {
                Chunk::Text(range) => &text[range],
                Chunk::Bad { .. } => "bad",
            })
            .collect();
        assert_eq!(pieces, ["a: 1\n", "b: |\n  ---\n", "c: 1\n"]);
    }

    #[test]
    fn a_separator_takes_comments_only() {
        assert!(matches!(split("--- {a: 1}\n").next(), Some(Chunk::Bad { .. })));
    }

    #[test]
    fn json_values_follow_each_other() {
        assert_eq!(json_values("{\"a\":1}\n{\"b\":2}"), [0..7, 7..15]);
        assert_eq!(json_values("{\"a\":1} {b: 2}").first(), Some(&(0..7)));
        assert!(json_values("{a: 1}").is_empty());
        assert!(json_values("a: 1").is_empty());
    }
}
