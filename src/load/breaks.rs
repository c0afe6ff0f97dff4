//! Breaks of lines that go-yaml knows and YAML 1.2 does not: NEL (U+0085), and the separators U+2028 and U+2029.
//!
//! go-yaml reads YAML 1.1 (`yamlprivateh.go`, is_break). kubectl cuts a file into documents at line feeds alone, so these
//! breaks count only after that.

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
    let mut rest = &**text;
    while let Some((at, found)) = rest.char_indices().find(|it| is_break(it.1)) {
        unified.push_str(&rest[..at]);
        // What ends a line may have a space before it, but for the text of a literal block.
        unified.push_str(if found.len_utf8() == 2 { "\r\n" } else { " \r\n" });
        rest = &rest[at + found.len_utf8()..];
    }
    unified.push_str(rest);
    unified.into()
}
