//! The search for credentials against one that looks from each mark to the end.

use proptest::prelude::*;
use purlin::analyze::references::credentials::{is_secret_text, is_surely_secret_text};

const MARKS: [&str; 9] =
    ["-----BEGIN ", "://", "AKIA", "ghp_", "gho_", "ghs_", "github_pat_", "xoxb-", "xoxp-"];

/// What texts with credentials are made of, and what ends them.
const PIECES: [&str; 24] = [
    "-----BEGIN ",
    "PRIVATE KEY-----",
    "ENCRYPTED ",
    "RSA ",
    "\n",
    "\\n",
    "\\",
    "\r\n",
    " ",
    "://",
    "user:secret@host",
    "/",
    "AKIA",
    "IOSFODNN7ABCDEFG",
    "IOSFODNN7EXAMPLE",
    "ghp_",
    "github_pat_",
    "xoxb-",
    "MHcCAQEEIJz0dBQm3sWv7fKq1uYpXn5rTgHcLaE8oVbNiRw2SkD4",
    "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
    "-",
    "_",
    "=",
    "é",
];

fn text() -> impl Strategy<Value = String> {
    let pieces = prop::collection::vec(prop::sample::select(PIECES.to_vec()), 0..24);
    pieces.prop_map(|it| it.concat())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 20_000, failure_persistence: None, ..ProptestConfig::default() })]
    #[test]
    fn each_mark_is_judged_as_if_it_stood_alone(text in text()) {
        prop_assert_eq!(is_secret_text(&text), marks(&text).any(|(at, mark)| is_secret(&text, at, mark)));
        let is_surely = marks(&text).any(|(at, mark)| is_surely_secret(&text, at, mark));
        prop_assert_eq!(is_surely_secret_text(&text), is_surely);
    }
}

/// The marks of a text from left to right, none within another.
fn marks(text: &str) -> impl Iterator<Item = (usize, &'static str)> {
    let mut next = 0;
    std::iter::from_fn(move || {
        let found = |mark: &&'static str| Some((next + text[next..].find(*mark)?, *mark));
        let (at, mark) = MARKS.iter().filter_map(found).min()?;
        next = at + mark.len();
        Some((at, mark))
    })
}

fn is_secret(text: &str, at: usize, mark: &str) -> bool {
    let from = &text[at..];
    match mark {
        "-----BEGIN " => from.lines().next().is_some_and(|it| it.contains("PRIVATE KEY")),
        "://" => has_password(&from[mark.len()..]),
        _ => starts_word(text, at) && is_key(mark, word(from)),
    }
}

fn is_surely_secret(text: &str, at: usize, mark: &str) -> bool {
    let from = &text[at..];
    match mark {
        "-----BEGIN " => has_private_key(from),
        "://" | "AKIA" => false,
        _ => {
            let word = word(from);
            starts_word(text, at) && is_key(mark, word) && is_varied(&word[mark.len()..])
        }
    }
}

fn starts_word(text: &str, at: usize) -> bool {
    !text[..at].ends_with(|it: char| it.is_ascii_alphanumeric())
}

fn word(text: &str) -> &str {
    let end = text.find(|it: char| !it.is_ascii_alphanumeric() && it != '_' && it != '-');
    &text[..end.unwrap_or(text.len())]
}

fn is_key(mark: &str, word: &str) -> bool {
    match mark {
        "AKIA" => {
            let is_key = word.bytes().all(|it| it.is_ascii_uppercase() || it.is_ascii_digit());
            word.len() == 20 && is_key && !word.ends_with("EXAMPLE")
        }
        "xoxb-" | "xoxp-" => word.len() >= 20,
        _ => word.len() >= 40,
    }
}

fn has_password(address: &str) -> bool {
    let end = address.find(|it: char| it == '/' || it.is_whitespace() || it == '"');
    let authority = &address[..end.unwrap_or(address.len())];
    let user = authority.rsplit_once('@').map(|it| it.0);
    user.and_then(|it| it.split_once(':')).is_some_and(|(_, password)| {
        !password.is_empty() && !password.starts_with(['$', '<', '{', '%'])
    })
}

fn has_private_key(pem: &str) -> bool {
    let lines = pem.split('\n').flat_map(|it| it.split("\\n")).map(str::trim);
    let mut lines = lines.filter(|it| !it.is_empty());
    let is_plain =
        lines.next().is_some_and(|it| it.contains("PRIVATE KEY") && !it.contains("ENCRYPTED"));
    let is_base64 =
        |it: &str| it.bytes().all(|it| it.is_ascii_alphanumeric() || b"+/=".contains(&it));
    is_plain && lines.next().is_some_and(|it| it.len() >= 40 && is_base64(it) && is_varied(it))
}

fn is_varied(text: &str) -> bool {
    text.bytes().collect::<std::collections::BTreeSet<u8>>().len() >= 10
}
