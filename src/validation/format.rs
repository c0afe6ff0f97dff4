//! Texts of a form.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;
use std::net::{Ipv4Addr, Ipv6Addr};

/// Whether it is a time as RFC 3339 writes it.
pub(super) fn is_time(text: &str) -> bool {
    // RFC 3339 has a `T`, and an offset as `Z` or `+01:00`; a parser may take more than that.
    let is_shaped = text.as_bytes().get(10) == Some(&b'T') && !text.ends_with('z');
    is_shaped && text.parse::<Timestamp>().is_ok()
}

/// Whether Go's decoder reads it as base64: with padding, line breaks left out.
pub(super) fn is_base64(text: &str) -> bool {
    let bytes: Vec<u8> = text.bytes().filter(|it| !matches!(it, b'\r' | b'\n')).collect();
    STANDARD.decode(bytes).is_ok()
}

/// Whether a text has the format that a schema names, as far as the API server and we both know it.
pub(super) fn has(format: &str, text: &str) -> bool {
    match format {
        "ipv4" => text.parse::<Ipv4Addr>().is_ok(),
        "ipv6" => text.parse::<Ipv6Addr>().is_ok(),
        _ => true,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_and_bytes_are_read_as_go_reads_them() {
        assert!(is_time("2027-03-31T12:00:00Z") && is_time("2027-03-31T12:00:00.5+01:00"));
        assert!(!is_time("2027-03-31") && !is_time("2027-03-31 12:00:00Z") && !is_time(""));
        assert!(is_base64("aGFsbG8=") && is_base64("aGFs\nbG8=\n") && is_base64(""));
        assert!(!is_base64("aGFsbG8") && !is_base64("hallo!"));
        assert!(has("ipv4", "10.0.0.1") && !has("ipv4", "10.0.0") && has("shoe-size", "x"));
    }
}
