//! What is wrong with a text, and what to do.

use super::lines::line_end;
use crate::text::source::Span;

/// Why a text is no document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mistake {
    /// The place, in bytes of the whole source.
    pub span: Span,
    /// What is wrong, lower case, no full stop.
    pub message: String,
    /// What to do.
    pub help: Option<String>,
}

impl Mistake {
    pub(super) fn new(span: (usize, usize), message: impl Into<String>) -> Mistake {
        Mistake { span: Span::new(span.0, span.1), message: message.into(), help: None }
    }

    pub(super) fn help(mut self, help: impl Into<String>) -> Mistake {
        self.help = Some(help.into());
        self
    }

    /// A mapping or list at `at` where a key is expected.
    pub fn collection_as_key(text: &str, at: usize) -> Mistake {
        let template = text[..at].ends_with('{').then_some(at.saturating_sub(1));
        if let Some(start) = template.or(text[at..].starts_with("{{").then_some(at)) {
            return a_template(text, start);
        }
        let end = at + char_at(text, at).map_or(0, char::len_utf8);
        Mistake::new((at, end), "a key that is a mapping or a list: keys are strings")
    }
}

pub(super) fn a_template(text: &str, at: usize) -> Mistake {
    let line = &text[at..line_end(text, at)];
    let end =
        line.find("}}").or_else(|| line.find("%}")).map_or(line.trim_end().len(), |it| it + 2);
    let mistake =
        Mistake::new((at, at + end), "a template, which is YAML only once it is rendered");
    mistake.help("render it first, as `helm template` does; if it is text, put it in quotes")
}

pub(super) fn char_at(text: &str, at: usize) -> Option<char> {
    text[at..].chars().next()
}
