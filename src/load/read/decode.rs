//! Bytes to text, as kubectl does before it parses: byte order marks are obeyed, and what is not UTF-8 is replaced.

use std::sync::Arc;

/// The text of a file.
///
/// # Errors
///
/// When the bytes are no text at all: encrypted by git-crypt.
pub fn decode(bytes: Vec<u8>) -> Result<Arc<str>, String> {
    if bytes.starts_with(b"\0GITCRYPT\0") {
        return Err("encrypted by git-crypt; run `git-crypt unlock` first".into());
    }
    let text = match bytes.as_slice() {
        [0xFF, 0xFE, rest @ ..] => utf16(rest, u16::from_le_bytes),
        [0xFE, 0xFF, rest @ ..] => utf16(rest, u16::from_be_bytes),
        _ => match String::from_utf8(bytes) {
            Ok(text) => text,
            Err(error) => String::from_utf8_lossy(error.as_bytes()).into_owned(),
        },
    };
    Ok(text.into())
}

fn utf16(bytes: &[u8], read: fn([u8; 2]) -> u16) -> String {
    let units = bytes.chunks(2).map(|pair| match pair {
        [a, b] => read([*a, *b]),
        _ => 0xFFFD,
    });
    char::decode_utf16(units).map(|it| it.unwrap_or(char::REPLACEMENT_CHARACTER)).collect()
}
