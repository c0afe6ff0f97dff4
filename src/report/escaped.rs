//! JSON whose texts are safe to look at: what a terminal would obey, or hide, stands as an escape. It means the same.

use crate::text::visible::is_shown;

/// A text of JSON with every such character of its strings escaped; all others stand only there.
pub fn escaped(json: String) -> String {
    if json.chars().all(is_safe) {
        return json;
    }
    let mut out = String::with_capacity(json.len() + 64);
    for character in json.chars() {
        if is_safe(character) {
            out.push(character);
            continue;
        }
        // RFC 8259, section 7: above the basic plane as a pair.
        for unit in character.encode_utf16(&mut [0; 2]) {
            out.push_str(&format!("\\u{unit:04x}"));
        }
    }
    out
}

/// Whether a character may stand as it is: one that is shown, or what lies between the parts of indented JSON, which
/// never stands within a string.
fn is_safe(character: char) -> bool {
    matches!(character, '\n' | '\t') || is_shown(character)
}

#[cfg(test)]
mod tests {
    use super::escaped;

    #[test]
    fn it_means_the_same() {
        let hostile = "a\u{202e}b\u{9b}31m\u{7f}\u{e0041}\n\u{1b} ü 東";
        let json = serde_json::to_string_pretty(&[hostile]).unwrap();
        let safe = escaped(json.clone());
        assert!(safe.chars().all(|it| it == '\n' || super::is_safe(it)), "{safe}");
        assert!(safe.contains("\\u202e") && safe.contains("\\udb40\\udc41") && safe.contains('東'));
        let read: Vec<String> = serde_json::from_str(&safe).unwrap();
        assert_eq!(read, [hostile]);
    }
}
