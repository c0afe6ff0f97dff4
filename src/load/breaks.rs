//! Breaks of lines that go-yaml knows and YAML 1.2 does not: NEL (U+0085), and the separators U+2028 and U+2029.
//!
//! go-yaml reads YAML 1.1 (`yamlprivateh.go`, is_break). kubectl cuts a file into documents at line feeds alone, so these
//! breaks count only after that. Within quotes NEL is folded as a line feed is, and the separators stay what they are
//! (`scannerc.go`, yaml_parser_scan_flow_scalar).

use std::sync::Arc;

/// The text with breaks that every parser knows, of the same lengths, so that places stay what they are.
pub(super) fn unified(text: &Arc<str>) -> Arc<str> {
    let is_break = |it: char| matches!(it, '\u{85}' | '\u{2028}' | '\u{2029}');
    // Both begin with a byte that few texts have.
    let bytes = text.as_bytes();
    let mut candidates = memchr::memchr2_iter(0xc2, 0xe2, bytes);
    if !candidates.any(|at| text[at..].starts_with(is_break)) {
        return text.clone();
    }
    let mut unified = String::with_capacity(text.len());
    let mut quotes = Quotes::default();
    for it in text.chars() {
        match it {
            '\u{85}' => unified.push_str("\r\n"),
            // What ends a line may have a space before it, but for the text of a literal block.
            '\u{2028}' | '\u{2029}' if quotes.open.is_none() => unified.push_str(" \r\n"),
            it => unified.push(it),
        }
        quotes.see(it);
    }
    unified.into()
}

/// Whether a scalar in quotes is open, as far as that is told without reading what is around it.
#[derive(Debug, Default)]
struct Quotes {
    open: Option<char>,
    is_escaped: bool,
    before: Option<char>,
}

impl Quotes {
    fn see(&mut self, it: char) {
        let is_start = self.before.is_none_or(|it| it.is_whitespace() || "[{,:\u{85}".contains(it));
        match self.open {
            _ if self.is_escaped => self.is_escaped = false,
            Some('"') if it == '\\' => self.is_escaped = true,
            // Two single quotes close one scalar and open it again.
            Some(open) if it == open => self.open = None,
            None if it == '"' && is_start => self.open = Some(it),
            None if it == '\'' && (is_start || self.before == Some('\'')) => self.open = Some(it),
            _ => {}
        }
        self.before = Some(it);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn separators_stay_what_they_are_in_quotes() {
        for (text, expected) in [
            ("a: b\u{2028}c: d", "a: b \r\nc: d"),
            ("a: \"b\u{2028}c\"\u{2028}d: e", "a: \"b\u{2028}c\" \r\nd: e"),
            ("a: 'it''s\u{2029}b'\u{2029}c: d", "a: 'it''s\u{2029}b' \r\nc: d"),
            ("a: \"b\\\"\u{2028}c\"", "a: \"b\\\"\u{2028}c\""),
            ("[\"a\u{2028}\",\"b\u{2028}\"]", "[\"a\u{2028}\",\"b\u{2028}\"]"),
            ("a: it's\u{2028}b: c", "a: it's \r\nb: c"),
            ("a: \"b\u{85}c\"", "a: \"b\r\nc\""),
        ] {
            assert_eq!(&*unified(&Arc::from(text)), expected, "{text:?}");
        }
    }
}
