//! Names, texts, spans and lines: where everything that purlin says points to.
//!
//! First in the flow. Spans are byte ranges of a file's decoded text; lines and columns are computed only for findings.

use super::visible::visible;
use std::borrow::Cow;
use std::fmt;
use std::sync::{Arc, OnceLock};

/// A byte range of one source's text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub struct Span {
    /// First byte.
    pub start: u32,
    /// One past the last byte.
    pub end: u32,
}

impl Span {
    /// The range from `start` to `end`; text past 4 GiB is never loaded.
    pub fn new(start: usize, end: usize) -> Span {
        let clamp = |it: usize| u32::try_from(it).unwrap_or(u32::MAX);
        Span { start: clamp(start), end: clamp(end) }
    }

    /// The range as indices.
    pub fn range(self) -> std::ops::Range<usize> {
        self.start as usize..self.end as usize
    }
}

/// A source's place in [`Sources`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct SourceId(pub u32);

/// Where a text came from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum SourceKind {
    /// Somebody wrote it: a file, or standard input.
    #[default]
    File,
    /// A program rendered it from the file of this name, so that its lines are nobody's and are not shown.
    Rendered,
    /// An API server sent it, object by object. Nothing in it has a line, so reports name objects and fields instead.
    Cluster,
}

/// One text that was read: a file, or standard input.
#[derive(Debug)]
pub struct Source {
    /// The name to show: the path as the user gave or would give it.
    pub name: String,
    /// The decoded text; empty for a cluster.
    pub text: Arc<str>,
    /// Where the text came from.
    pub kind: SourceKind,
    lines: OnceLock<Vec<u32>>,
    /// How many characters begin before each block of text.
    blocks: OnceLock<Vec<u32>>,
}

/// Columns further right than this are counted from the nearest block of this many bytes: a minified file is one line.
const BLOCK: usize = 4096;

/// A position as people count it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Position {
    /// 1-based.
    pub line: u32,
    /// 1-based, in characters.
    pub column: u32,
}

impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.line, self.column)
    }
}

impl Source {
    /// Its name with nothing in it that a terminal would obey or that would begin another line.
    pub fn shown_name(&self) -> Cow<'_, str> {
        visible(&self.name)
    }

    /// A source of this name and text.
    pub fn new(name: String, text: Arc<str>) -> Source {
        let kind = SourceKind::File;
        Source { name, text, kind, lines: OnceLock::new(), blocks: OnceLock::new() }
    }

    /// A text that was rendered from the file of this name.
    pub fn rendered(name: String, text: Arc<str>) -> Source {
        Source { kind: SourceKind::Rendered, ..Source::new(name, text) }
    }

    /// A cluster of this name.
    pub fn cluster(name: String) -> Source {
        Source { kind: SourceKind::Cluster, ..Source::new(name, Arc::from("")) }
    }

    /// Whether a line of it is a line that somebody can look at.
    pub fn has_lines(&self) -> bool {
        self.kind == SourceKind::File
    }

    /// The byte offset at which each line starts.
    pub fn lines(&self) -> &[u32] {
        self.lines.get_or_init(|| {
            let breaks = memchr::memchr_iter(b'\n', self.text.as_bytes());
            std::iter::once(0).chain(breaks.map(|at| at as u32 + 1)).collect()
        })
    }

    /// The line (0-based) that holds the byte at `offset`.
    pub fn line_of(&self, offset: u32) -> usize {
        self.lines().partition_point(|start| *start <= offset) - 1
    }

    /// The bytes of a line (0-based) without its line break.
    pub fn line_range(&self, line: usize) -> std::ops::Range<usize> {
        let start = self.lines()[line] as usize;
        let end = self.lines().get(line + 1).map_or(self.text.len(), |it| *it as usize);
        let text = &self.text[start..end];
        let text = text.strip_suffix('\n').unwrap_or(text);
        start..start + text.strip_suffix('\r').unwrap_or(text).len()
    }

    /// The position of the byte at `offset`; an offset past the end is the end.
    pub fn position(&self, offset: u32) -> Position {
        let mut offset = (offset as usize).min(self.text.len());
        while !self.text.is_char_boundary(offset) {
            offset -= 1;
        }
        let line = self.line_of(offset as u32);
        let start = self.lines()[line] as usize;
        let column = if offset - start < BLOCK {
            characters(&self.text.as_bytes()[start..offset])
        } else {
            self.characters_before(offset) - self.characters_before(start)
        };
        Position { line: line as u32 + 1, column: column + 1 }
    }

    fn characters_before(&self, offset: usize) -> u32 {
        let bytes = self.text.as_bytes();
        let blocks = self.blocks.get_or_init(|| {
            let mut before = 0;
            let ends = bytes.chunks(BLOCK).map(|block| {
                before += characters(block);
                before
            });
            std::iter::once(0).chain(ends).collect()
        });
        let block = offset / BLOCK;
        blocks[block] + characters(&bytes[block * BLOCK..offset])
    }
}

/// How many characters begin in these bytes of UTF-8.
fn characters(bytes: &[u8]) -> u32 {
    bytes.iter().filter(|it| **it & 0xc0 != 0x80).count() as u32
}

/// Everything that was read, in the order of reading.
#[derive(Debug, Default)]
pub struct Sources {
    files: Vec<Source>,
}

impl Sources {
    /// Adds a source and says where it is.
    pub fn add(&mut self, source: Source) -> SourceId {
        self.files.push(source);
        SourceId(self.files.len() as u32 - 1)
    }

    /// The source of this id.
    pub fn get(&self, id: SourceId) -> &Source {
        &self.files[id.0 as usize]
    }

    /// Gives every source another name.
    pub fn rename(&mut self, name: impl Fn(&str) -> String) {
        for it in &mut self.files {
            it.name = name(&it.name);
        }
    }

    /// All sources with their ids.
    pub fn iter(&self) -> impl Iterator<Item = (SourceId, &Source)> {
        self.files.iter().enumerate().map(|(at, it)| (SourceId(at as u32), it))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn positions_count_characters() {
        let source = Source::new("a".into(), "é: 😀 x\nb".into());
        assert_eq!(source.position(0), Position { line: 1, column: 1 });
        assert_eq!(source.position("é: 😀 ".len() as u32), Position { line: 1, column: 6 });
        assert_eq!(source.position("é: 😀 x\n".len() as u32), Position { line: 2, column: 1 });
        assert_eq!(source.position(9999), Position { line: 2, column: 2 });
    }

    #[test]
    fn columns_of_long_lines_count_characters_too() {
        for length in [BLOCK - 1, BLOCK, BLOCK + 1, 3 * BLOCK, 3 * BLOCK + 5] {
            let text = format!("a\n{}", "xé😀".repeat(length / 7));
            let source = Source::new("a".into(), text.as_str().into());
            for (at, character) in text.char_indices().skip(2).step_by(61) {
                let column = text[2..at].chars().count() as u32 + 1;
                assert_eq!(source.position(at as u32), Position { line: 2, column });
                // Inside a character is at it.
                let inside = (at + character.len_utf8() - 1) as u32;
                assert_eq!(source.position(inside), Position { line: 2, column });
            }
            let end = source.position(text.len() as u32);
            assert_eq!(end.column as usize, text.chars().count() - 1);
        }
    }
}
