//! Plain scalars as Kubernetes reads them: the YAML 1.1 subset of go-yaml v2, which no Rust library follows.
//!
//! `gopkg.in/yaml.v2/resolve.go`, then `sigs.k8s.io/yaml`, which turns the result into JSON.

use crate::text::tree::Number;

/// What a plain scalar stands for.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Resolved {
    /// Nothing.
    Null,
    /// A truth value.
    Bool(bool),
    /// A number.
    Number(Number),
    /// The text itself.
    Str,
    /// `.inf` or `.nan`, which JSON cannot say and kubectl refuses.
    NotFinite,
}

/// Resolves a plain scalar.
pub fn resolve(text: &str) -> Resolved {
    let Some(first) = text.bytes().next() else { return Resolved::Null };
    match first {
        b'~' if text.len() == 1 => Resolved::Null,
        b'n' | b'N' | b't' | b'T' | b'f' | b'F' | b'y' | b'Y' | b'o' | b'O' => word(text),
        b'0'..=b'9' | b'+' | b'-' | b'.' => number(text),
        _ => Resolved::Str,
    }
}

fn word(text: &str) -> Resolved {
    match text {
        "null" | "Null" | "NULL" => Resolved::Null,
        "y" | "Y" | "yes" | "Yes" | "YES" | "true" | "True" | "TRUE" | "on" | "On" | "ON" => {
            Resolved::Bool(true)
        }
        "n" | "N" | "no" | "No" | "NO" | "false" | "False" | "FALSE" | "off" | "Off" | "OFF" => {
            Resolved::Bool(false)
        }
        _ => Resolved::Str,
    }
}

fn number(text: &str) -> Resolved {
    if matches!(text.strip_prefix(['+', '-']).unwrap_or(text), ".inf" | ".Inf" | ".INF") {
        return Resolved::NotFinite;
    }
    if matches!(text, ".nan" | ".NaN" | ".NAN") {
        return Resolved::NotFinite;
    }
    let without_underscores;
    let digits = if text.contains('_') && !text.starts_with('.') {
        without_underscores = text.replace('_', "");
        without_underscores.as_str()
    } else {
        text
    };
    if let Some(number) = integer(digits) {
        return Resolved::Number(number);
    }
    if is_float(digits)
        && let Ok(value) = digits.parse::<f64>()
        && value.is_finite()
    {
        return Resolved::Number(from_float(value));
    }
    Resolved::Str
}

/// `strconv.ParseInt(text, 0, 64)`: octal by a leading zero, hexadecimal and binary by prefix.
fn integer(text: &str) -> Option<Number> {
    let (negative, digits) = match text.as_bytes().first()? {
        b'-' => (true, &text[1..]),
        b'+' => (false, &text[1..]),
        _ => (false, text),
    };
    let lower = digits.get(..2).map(str::to_ascii_lowercase);
    let (radix, digits) = match lower.as_deref() {
        Some("0x") => (16, &digits[2..]),
        Some("0b") => (2, &digits[2..]),
        Some("0o") => (8, &digits[2..]),
        Some(_) if digits.starts_with('0') => (8, &digits[1..]),
        _ => (10, digits),
    };
    if digits.is_empty() || !digits.chars().all(|it| it.is_digit(radix)) {
        return None;
    }
    let value = i128::from_str_radix(digits, radix).ok()?;
    let value = if negative { -value } else { value };
    match i64::try_from(value) {
        Ok(value) => Some(Number::Int(value)),
        // Beyond 64 bits signed, apimachinery reads a float.
        Err(_) if value > 0 && value <= i128::from(u64::MAX) => Some(Number::Float(value as f64)),
        Err(_) => None,
    }
}

/// `^[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?$`.
fn is_float(text: &str) -> bool {
    let text = text.strip_prefix(['-', '+']).unwrap_or(text);
    let (mantissa, exponent) = match text.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, Some(exponent)),
        None => (text, None),
    };
    let (whole, fraction) = match mantissa.split_once('.') {
        Some((whole, fraction)) => (whole, Some(fraction)),
        None => (mantissa, None),
    };
    let digits = |it: &str| it.bytes().all(|it| it.is_ascii_digit());
    let mantissa_holds = digits(whole)
        && fraction.is_none_or(digits)
        && (!whole.is_empty() || fraction.is_some_and(|it| !it.is_empty()));
    let exponent_holds = exponent.is_none_or(|it| {
        let it = it.strip_prefix(['-', '+']).unwrap_or(it);
        !it.is_empty() && digits(it)
    });
    mantissa_holds && exponent_holds
}

/// JSON has one kind of number, so `1.0` and `1e3` are whole.
fn from_float(value: f64) -> Number {
    // 2^63 as a float; every whole float below it is an exact i64.
    const LIMIT: f64 = 9_223_372_036_854_775_808.0;
    if value.trunc() == value && value.abs() < LIMIT {
        Number::Int(value as i64)
    } else {
        Number::Float(value)
    }
}
