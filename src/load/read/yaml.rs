//! One document's text to a [`Tree`], by the events of granit-parser, with the outcome that kubectl would have.

use super::missing_spaces::Patches;
pub use super::mistake::Mistake;
use super::reader::Reader;
use super::syntax_error::SyntaxError;
use crate::load::DuplicateKey;
use crate::text::source::Span;
use crate::text::tree::Tree;
use granit_parser::{Event, Options, Parser};
use std::ops::Range;
use std::sync::Arc;

/// A document that was read.
#[derive(Debug)]
pub struct Parsed {
    /// What it holds.
    pub tree: Tree,
    /// Keys that stand twice in one mapping.
    pub duplicate_keys: Vec<DuplicateKey>,
    /// The `...` after which text was dropped.
    pub dropped: Option<Span>,
}

/// How strings are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Syntax {
    /// YAML, where go-yaml refuses escapes of UTF-16 surrogates.
    Yaml,
    /// JSON, where they come in pairs.
    Json,
}

/// As deep as kubectl reads.
const NESTING: usize = 10_000;

/// Reads the document in these bytes of a source; `None` if it holds nothing.
///
/// # Errors
///
/// Where kubectl would refuse it, with the place.
pub fn parse(
    text: &Arc<str>,
    range: Range<usize>,
    syntax: Syntax,
) -> Result<Option<Parsed>, Mistake> {
    let base = range.start;
    let chunk = &text[range.clone()];
    let start = &chunk.as_bytes()[..chunk.len().min(8192)];
    // Looked for by `contains` first, which takes many bytes at once.
    if start.contains(&0)
        && let Some(at) = start.iter().position(|it| *it == 0)
    {
        let span = Span::new(base + at, base + at + 1);
        return Err(Mistake {
            span,
            message: "a NUL byte: this is a binary file, not YAML".into(),
            help: None,
        });
    }
    if chunk.starts_with('%') {
        let span = Span::new(base, base + chunk.lines().next().map_or(0, str::len));
        return Err(Mistake {
            span,
            message: "a YAML directive: kubectl cuts documents before it reads directives".into(),
            help: Some("remove the line".into()),
        });
    }
    let mut patches = Patches::default();
    loop {
        let failure = match read(text, &range, syntax, &patches) {
            Ok(parsed) => return Ok(parsed),
            Err(Failure::Mistake(mistake)) => return Err(mistake),
            Err(Failure::Syntax(failure)) => *failure,
        };
        if !patches.mend(&text[..range.end], &failure) {
            return Err(failure.explain(&text[..range.end]));
        }
    }
}

/// Why a reading failed.
enum Failure {
    /// What is there is not to be.
    Mistake(Mistake),
    /// The parser cannot go on.
    Syntax(Box<SyntaxError>),
}

impl From<Mistake> for Failure {
    fn from(mistake: Mistake) -> Failure {
        Failure::Mistake(mistake)
    }
}

/// One attempt.
fn read(
    text: &Arc<str>,
    range: &Range<usize>,
    syntax: Syntax,
    patches: &Patches,
) -> Result<Option<Parsed>, Failure> {
    let base = range.start;
    let chunk = patches.apply(text, range);
    let mut reader = Reader::new(text.clone(), chunk.len(), base, syntax);
    let mut dropped = None;
    let mut ended = false;
    let mut last = base;
    for event in Parser::new_from_str_with_options(&chunk, options(syntax)) {
        let (event, span) = match event {
            Ok((event, span)) => {
                let span = span.byte_range().unwrap_or_default();
                (event, Span::new(patches.place(base + span.start), patches.place(base + span.end)))
            }
            // kubectl reads one document from each piece and drops what follows it.
            Err(error) if ended => {
                let at = patches.place(base + error.marker().byte_offset().unwrap_or(0));
                dropped = Some(Span::new(at, at));
                break;
            }
            Err(error) => {
                let at = patches.place(base + error.marker().byte_offset().unwrap_or(0));
                let open = reader.builder.open_spans().map(|it| it.start as usize).collect();
                let error = SyntaxError { kind: error.kind().clone(), start: base, at, last, open };
                return Err(Failure::Syntax(Box::new(error)));
            }
        };
        match event {
            Event::DocumentStart(..) if ended => {
                dropped = Some(span);
                break;
            }
            Event::DocumentEnd => ended = true,
            event => {
                // The end of a block has no text of its own.
                if span.end > span.start {
                    last = span.end as usize;
                }
                reader.event(event, span)?;
            }
        }
    }
    if reader.builder.is_empty() {
        return Ok(None);
    }
    let dropped = dropped.map(|it| end_of_document(text, it.start as usize, base));
    Ok(Some(Parsed {
        tree: reader.builder.finish(),
        duplicate_keys: reader.duplicate_keys,
        dropped,
    }))
}

/// The `...` before `at`, or the text there, where none ends the document.
fn end_of_document(text: &str, at: usize, base: usize) -> Span {
    match text[base..at].trim_end().rfind("...") {
        Some(dots)
            if text[base + dots + 3..at]
                .lines()
                .all(|it| it.trim_start().is_empty() || it.trim_start().starts_with('#')) =>
        {
            Span::new(base + dots, base + dots + 3)
        }
        _ => Span::new(at, at + text[at..].lines().next().map_or(0, str::len)),
    }
}

fn options(syntax: Syntax) -> Options {
    let mut options = granit_parser::options! {
        emit_comments: false,
        flow_nesting_limit: NESTING,
        block_nesting_limit: NESTING,
    };
    if syntax == Syntax::Json {
        // YAML bounds the length of a key that has no `?`; JSON does not.
        options.simple_key_max_lookahead = usize::MAX;
    }
    options
}
