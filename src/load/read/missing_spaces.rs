//! Spaces that the YAML parser wants and kubectl does not: where only they are missing, a document is read with them.
//!
//! Places are mapped back, so nobody sees the difference.

use super::lines::{indentation, line_start};
use super::syntax_error::SyntaxError;
use granit_parser::ErrorKind;
use std::borrow::Cow;
use std::ops::Range;

/// Each costs one more reading; a document that needs more than this in all is given up.
const MOST_BYTES: usize = 16 << 20;
const MOST_SPACES: usize = 1 << 10;

/// Spaces to insert into a source's text.
#[derive(Debug, Default)]
pub struct Patches {
    /// Where, in order, and how many.
    inserts: Vec<(usize, usize)>,
}

impl Patches {
    /// Adds what would get the parser past this error; false if nothing would.
    pub fn mend(&mut self, text: &str, error: &SyntaxError) -> bool {
        let insert = match error.kind {
            // libyaml knows no indentation inside quotes.
            ErrorKind::InvalidQuotedScalarIndent => {
                (error.at, 1 + error.last - line_start(text, error.last))
            }
            ErrorKind::CommentNotSeparated => (error.at, 1),
            // Nor inside brackets.
            ErrorKind::TabInBlockIndentation if error.bracket(text).is_some() => {
                let deepest = text[error.start..error.at].lines().map(indentation).max();
                (line_start(text, error.at), 1 + deepest.unwrap_or(0))
            }
            _ => return false,
        };
        // Errors come in the order of the text, unless an insert was in vain.
        let goes_on = self.inserts.last().is_none_or(|(at, _)| *at < insert.0);
        let bytes = (self.inserts.len() + 1) * (text.len() - error.start);
        if goes_on && insert.1 <= MOST_SPACES && bytes <= MOST_BYTES {
            self.inserts.push(insert);
            return true;
        }
        false
    }

    /// The text in this range with the spaces.
    pub fn apply<'t>(&self, text: &'t str, range: &Range<usize>) -> Cow<'t, str> {
        if self.inserts.is_empty() {
            return Cow::Borrowed(&text[range.clone()]);
        }
        let mut patched = String::with_capacity(range.len());
        let mut from = range.start;
        for (at, spaces) in &self.inserts {
            patched.push_str(&text[from..*at]);
            patched.extend(std::iter::repeat_n(' ', *spaces));
            from = *at;
        }
        patched.push_str(&text[from..range.end]);
        Cow::Owned(patched)
    }

    /// The place in the source of a place in the patched text.
    pub fn place(&self, patched: usize) -> usize {
        let mut inserted = 0;
        for (at, spaces) in &self.inserts {
            if patched <= at + inserted {
                break;
            }
            inserted += (patched - at - inserted).min(*spaces);
        }
        patched - inserted
    }
}
