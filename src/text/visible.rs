//! Texts of the input as a terminal may be given them: what it would obey, or hide, is replaced by something to see.
//!
//! File names, object names and source lines are other people's bytes. A report of them must not move the cursor, set
//! colours, or show a text in another order than it is read in (`CVE-2021-42574`).

use std::borrow::Cow;

/// The text with every such character replaced.
pub fn visible(text: &str) -> Cow<'_, str> {
    // Most texts are plain, which their bytes tell sooner.
    let is_plain = text.bytes().all(|it| matches!(it, b' '..=b'~'));
    if is_plain || text.chars().all(|it| stand_in(it).is_none()) {
        return Cow::Borrowed(text);
    }
    Cow::Owned(text.chars().map(|it| stand_in(it).unwrap_or(it)).collect())
}

/// Whether a character may be shown as it is.
pub fn is_shown(character: char) -> bool {
    stand_in(character).is_none()
}

/// What is shown in place of a character, if it must not be shown itself.
pub(crate) fn stand_in(character: char) -> Option<char> {
    let code = u32::from(character);
    match code {
        0x09 => Some(' '),
        // The control pictures: a picture for each of the first controls, in their order.
        0x00..=0x1f => char::from_u32(0x2400 + code),
        0x7f => Some('\u{2421}'),
        0x80..=0x9f => Some(UNSHOWN),
        // Marks of direction, joiners, spaces without width, separators of lines, fillers, tags.
        0xad | 0x34f | 0x61c | 0x115f | 0x1160 | 0x17b4 | 0x17b5 | 0x180b..=0x180f => Some(UNSHOWN),
        0x200b..=0x200f | 0x2028..=0x202e | 0x2060..=0x206f => Some(UNSHOWN),
        0x3164 | 0xfeff | 0xffa0 | 0xfff0..=0xfffb => Some(UNSHOWN),
        0xe0000..=0xe0fff => Some(UNSHOWN),
        _ => None,
    }
}

const UNSHOWN: char = char::REPLACEMENT_CHARACTER;

#[cfg(test)]
mod tests {
    use super::visible;

    #[test]
    fn leaves_what_people_write() {
        for text in ["", "api", "Zürich 東京 😀 ─ ½", "e\u{301}"] {
            assert_eq!(visible(text), text);
        }
    }

    #[test]
    fn shows_what_a_terminal_would_obey_or_hide() {
        assert_eq!(visible("\u{1b}[31mred\u{7}\u{7f}\n\t|"), "␛[31mred␇␡␊ |");
        assert_eq!(visible("a\u{9b}b\u{202e}c\u{2066}d\u{200b}e\u{feff}"), "a�b�c�d�e�");
    }
}
