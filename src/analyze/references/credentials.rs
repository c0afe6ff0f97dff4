//! What looks like a credential: names that mean one, and values that are one whatever they are called.

use super::tokens::{TOKENS, Tokens};
use aho_corasick::AhoCorasick;
use std::sync::LazyLock;

/// Words of a name that mean a credential.
const WORDS: [&str; 11] = [
    "PASSWORD",
    "PASSWD",
    "PASS",
    "PWD",
    "PASSPHRASE",
    "SECRET",
    "TOKEN",
    "APIKEY",
    "CREDENTIAL",
    "CREDENTIALS",
    "PAT",
];

/// Pairs of words that do.
const PAIRS: [(&str, &str); 8] = [
    ("API", "KEY"),
    ("ACCESS", "KEY"),
    ("PRIVATE", "KEY"),
    ("SIGNING", "KEY"),
    ("ENCRYPTION", "KEY"),
    ("AUTH", "KEY"),
    ("MASTER", "KEY"),
    ("KEY", "CONTENT"),
];

/// Clouds whose keys are called by what they open.
const CLOUDS: [&str; 2] = ["AZURE", "GOOGLE"];

/// Letters without which a name has none of these words.
const HINTS: [&str; 7] = ["PASS", "PWD", "SECRET", "TOKEN", "KEY", "CREDENTIAL", "PAT"];

/// Names are many, and few of them have these letters.
static HINTED: LazyLock<AhoCorasick> = LazyLock::new(|| {
    let letters = AhoCorasick::builder().ascii_case_insensitive(true).build(HINTS);
    letters.expect("a few short patterns are within all limits")
});

/// Words that end a name which speaks about a credential and does not hold it.
const ABOUT: [&str; 30] = [
    "FILE",
    "PATH",
    "NAME",
    "DIR",
    "URL",
    "URI",
    "HOST",
    "TTL",
    "EXPIRY",
    "EXPIRES",
    "EXPIRATION",
    "IN",
    "LENGTH",
    "TYPE",
    "ALGORITHM",
    "ALG",
    "HEADER",
    "ISSUER",
    "POLICY",
    "ENABLED",
    "REF",
    "ID",
    "MODE",
    "AGE",
    "SECONDS",
    "MINUTES",
    "HOURS",
    "DAYS",
    "ENDPOINT",
    "AUDIENCE",
];

/// Whether a name means that its value is a credential: `DB_PASSWORD` and `apiKey` do, `TOKEN_TTL` does not.
pub fn is_credential_name(name: &str) -> bool {
    if !HINTED.is_match(name) {
        return false;
    }
    let words = words(name);
    if words.last().is_some_and(|it| ABOUT.contains(&it.as_str())) {
        return false;
    }
    // `AZURE_BATCH_KEY`, `GOOGLE_MAPS_KEY`.
    let is_of_cloud = words.first().is_some_and(|it| CLOUDS.contains(&it.as_str()))
        && words.last().is_some_and(|it| it == "KEY");
    let is_word = |it: &String| WORDS.contains(&it.as_str()) || it.ends_with("PASSWORD");
    is_of_cloud
        || words.iter().any(is_word)
        || words.windows(2).any(|it| PAIRS.contains(&(it[0].as_str(), it[1].as_str())))
}

/// `dbPassword`, `DB_PASSWORD` and `db-password` are the words DB and PASSWORD.
pub(super) fn words(name: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let mut was_lower = false;
    for letter in name.chars() {
        let starts_word = letter.is_ascii_uppercase() && was_lower;
        if starts_word || !letter.is_ascii_alphanumeric() {
            words.push(String::new());
        }
        was_lower = letter.is_ascii_lowercase();
        if letter.is_ascii_alphanumeric()
            && let Some(word) = words.last_mut()
        {
            word.push(letter.to_ascii_uppercase());
        }
    }
    words.retain(|it| !it.is_empty());
    words
}

/// Values that stand for one that is filled in later.
const PLACEHOLDERS: [&str; 14] = [
    "changeme",
    "change-me",
    "change_me",
    "change me",
    "replaceme",
    "replace-me",
    "replace_me",
    "placeholder",
    "todo",
    "redacted",
    "example",
    "dummy",
    "null",
    "none",
];

/// Whether the value of something that is called a credential is one: not empty, no placeholder, no reference, no flag.
pub fn is_secret_value(value: &str) -> bool {
    let value = value.trim();
    let lower = value.to_lowercase();
    let is_masked = value.chars().all(|it| matches!(it, '*' | 'x' | 'X' | '.' | '-' | '_'));
    let is_flag = matches!(lower.as_str(), "true" | "false" | "yes" | "no" | "0" | "1");
    let is_reference = [
        "$(",
        "${",
        "$",
        "{{",
        "<",
        "%",
        "/",
        "./",
        "ENC[",
        "ENC(",
        "{cipher}",
        "vault:",
        "ref+",
        "op://",
        "arn:",
        "projects/",
        "secret://",
        "env:",
        "file:",
    ]
    .iter()
    .any(|it| value.starts_with(it));
    let is_address = value.contains("://") && !is_secret_text(value);
    let is_placeholder = PLACEHOLDERS.contains(&lower.as_str())
        || lower.starts_with("your-")
        || lower.starts_with("your_")
        || lower.starts_with("your ");
    !(is_masked || is_flag || is_reference || is_address || is_placeholder)
}

/// What begins a credential, by the form that its makers give it.
const MARKS: [&str; 9] =
    ["-----BEGIN ", "://", "AKIA", "ghp_", "gho_", "ghs_", "github_pat_", "xoxb-", "xoxp-"];

/// All marks are looked for at once, those of tokens after these: configuration files are long.
static SEARCH: LazyLock<AhoCorasick> = LazyLock::new(|| {
    let all = MARKS.into_iter().chain(TOKENS.map(|it| it.0));
    AhoCorasick::new(all).expect("a few short patterns are within all limits")
});

/// Whether a text holds a credential whatever it is called: a private key, a cloud key, an address with a password, a
/// token of a form that nothing else has.
pub fn is_secret_text(text: &str) -> bool {
    let (mut around, mut tokens) = (Around::new(text), Tokens::new(text));
    SEARCH.find_iter(text).any(|found| {
        let which = found.pattern().as_usize();
        match MARKS.get(which) {
            Some(&"-----BEGIN ") => around.line(found.start()).is_private_key(found.start()),
            Some(&"://") => has_password(&text[found.end()..]),
            Some(mark) => {
                starts_word(text, found.start())
                    && is_cloud_key(mark, around.word(found.start()).from(found.start()))
            }
            None => tokens.is_one(TOKENS[which - MARKS.len()], found.start()),
        }
    })
}

/// Whether a text holds a credential beyond doubt, by a form that nothing else has and with all that belongs to it: a
/// private key with its contents, a token of GitHub or Slack. An address may be an example, and a mark may be looked for.
pub fn is_surely_secret_text(text: &str) -> bool {
    let mut around = Around::new(text);
    SEARCH.find_iter(text).any(|found| match MARKS.get(found.pattern().as_usize()) {
        Some(&"-----BEGIN ") => {
            let line = around.written_line(found.start());
            line.is_plain_private_key(found.start()) && line.is_before_key
        }
        Some(&"://" | &"AKIA") | None => false,
        Some(mark) => {
            let word = around.word(found.start());
            starts_word(text, found.start())
                && is_cloud_key(mark, word.from(found.start()))
                && !word.is_repetitive(found.start() + mark.len())
        }
    })
}

fn starts_word(text: &str, at: usize) -> bool {
    !text[..at].ends_with(|it: char| it.is_ascii_alphanumeric())
}

/// The line and the word around a mark. A text may be nothing but marks, so each is looked through once for all the marks
/// that it holds, and not from each mark to its end.
struct Around<'t> {
    text: &'t str,
    line: Line,
    written_line: Line,
    word: Word<'t>,
}

/// A line that marks stand in, by what comes last there.
#[derive(Clone, Copy, Default)]
struct Line {
    end: usize,
    /// Where `PRIVATE KEY` stands for the last time.
    private: Option<usize>,
    /// Where `ENCRYPTED` does.
    encrypted: Option<usize>,
    /// Whether the next line that is not empty is one of a key.
    is_before_key: bool,
}

/// A word that marks stand in.
#[derive(Clone, Copy, Default)]
struct Word<'t> {
    text: &'t str,
    end: usize,
    /// From where on it is filled up with a few letters, as in examples.
    repetitive: usize,
}

impl<'t> Around<'t> {
    fn new(text: &'t str) -> Around<'t> {
        let (line, written_line) = (Line::default(), Line::default());
        Around { text, line, written_line, word: Word { text, ..Word::default() } }
    }

    /// The rest of the line from a mark on; marks are asked for in order.
    fn line(&mut self, at: usize) -> Line {
        if at >= self.line.end {
            let end = self.text[at..].find('\n').map_or(self.text.len(), |it| at + it);
            self.line = Line::new(self.text, at, end);
        }
        self.line
    }

    /// The same where ends of lines may be written out, as in JSON, with what follows.
    fn written_line(&mut self, at: usize) -> Line {
        if at >= self.written_line.end {
            let mut lines = written_lines(&self.text[at..]);
            let end = at + lines.next().map_or(0, |it| it.end);
            let next = lines.map(|it| self.text[at..][it].trim()).find(|it| !it.is_empty());
            let is_before_key = next.is_some_and(is_of_key);
            self.written_line = Line { is_before_key, ..Line::new(self.text, at, end) };
        }
        self.written_line
    }

    /// The letters, digits and dashes from a mark on.
    fn word(&mut self, at: usize) -> Word<'t> {
        if at >= self.word.end {
            let is_other = |it: char| !it.is_ascii_alphanumeric() && it != '_' && it != '-';
            let end = self.text[at..].find(is_other).map_or(self.text.len(), |it| at + it);
            let repetitive = at + repetitive_from(&self.text.as_bytes()[at..end]);
            self.word = Word { text: self.text, end, repetitive };
        }
        self.word
    }
}

impl Line {
    fn new(text: &str, start: usize, end: usize) -> Line {
        let last = |what: &str| text[start..end].rfind(what).map(|it| start + it);
        let (private, encrypted) = (last("PRIVATE KEY"), last("ENCRYPTED"));
        Line { end, private, encrypted, is_before_key: false }
    }

    /// Whether a private key begins at a mark.
    fn is_private_key(self, at: usize) -> bool {
        self.private.is_some_and(|it| it >= at)
    }

    /// The same, where it is not encrypted.
    fn is_plain_private_key(self, at: usize) -> bool {
        self.is_private_key(at) && self.encrypted.is_none_or(|it| it < at)
    }
}

impl<'t> Word<'t> {
    fn from(self, at: usize) -> &'t str {
        &self.text[at..self.end]
    }

    fn is_repetitive(self, at: usize) -> bool {
        at >= self.repetitive
    }
}

/// The lines of a text, where ends of lines may be written out.
fn written_lines(text: &str) -> impl Iterator<Item = std::ops::Range<usize>> {
    let mut next = Some(0);
    std::iter::from_fn(move || {
        let start = next?;
        let rest = &text.as_bytes()[start..];
        let end = memchr::memchr2_iter(b'\n', b'\\', rest)
            .find(|it| rest[*it] == b'\n' || rest.get(it + 1) == Some(&b'n'));
        next = end.map(|it| start + it + if rest[it] == b'\n' { 1 } else { 2 });
        Some(start..end.map_or(text.len(), |it| start + it))
    })
}

/// Whether a line is one of a key; what is encrypted has headers there.
fn is_of_key(line: &str) -> bool {
    let is_base64 = |it: u8| it.is_ascii_alphanumeric() || b"+/=".contains(&it);
    line.len() >= 40 && line.bytes().all(is_base64) && repetitive_from(line.as_bytes()) > 0
}

/// How many different bytes there are in what is not filled up with a few letters, as in examples.
const VARIED: usize = 10;

/// From where on a text holds fewer different bytes than that.
fn repetitive_from(text: &[u8]) -> usize {
    let mut seen = [false; 256];
    let mut count = 0;
    for (at, byte) in text.iter().enumerate().rev() {
        count += usize::from(!std::mem::replace(&mut seen[usize::from(*byte)], true));
        if count == VARIED {
            return at + 1;
        }
    }
    0
}

/// An access key of AWS, or a token of GitHub or Slack.
fn is_cloud_key(mark: &str, word: &str) -> bool {
    match mark {
        "AKIA" => {
            let is_key = |it: u8| it.is_ascii_uppercase() || it.is_ascii_digit();
            word.len() == 20 && word.bytes().all(is_key) && !word.ends_with("EXAMPLE")
        }
        "xoxb-" | "xoxp-" => word.len() >= 20,
        _ => word.len() >= 40,
    }
}

/// Whether an address, from behind its scheme, is `user:password@host`.
fn has_password(address: &str) -> bool {
    let end = address.find(|it: char| it == '/' || it.is_whitespace() || it == '"');
    let authority = &address[..end.unwrap_or(address.len())];
    let Some((user, _)) = authority.rsplit_once('@') else { return false };
    user.split_once(':').is_some_and(|(_, password)| !password.is_empty() && is_filled_in(password))
}

fn is_filled_in(password: &str) -> bool {
    !password.starts_with(['$', '<', '{', '%'])
        && !PLACEHOLDERS.contains(&password.to_lowercase().as_str())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_may_be_an_example_or_a_mark_to_look_for_is_not_beyond_doubt() {
        let body = "MHcCAQEEIJz0dBQm3sWv7fKq1uYpXn5rTgHcLaE8oVbNiRw2SkD4oAoGCCqGSM49";
        let begin = "-----BEGIN EC PRIVATE KEY-----";
        assert!(is_surely_secret_text(&format!("{begin}\n{body}\n")));
        assert!(is_surely_secret_text(&format!("{{\"key\": \"{begin}\\n{body}\\n\"}}")));
        let token = format!("ghp_{}", &body[..36]);
        assert!(is_surely_secret_text(&format!("token = {token}")));
        for doubtful in [
            format!("grep -q -- '{begin}' key.pem"),
            format!("{begin}\nMIIE...\n"),
            format!("{begin}\n{}\n", "A".repeat(64)),
            format!("-----BEGIN ENCRYPTED PRIVATE KEY-----\n{body}\n"),
            format!("{begin}\nProc-Type: 4,ENCRYPTED\nDEK-Info: AES-128-CBC,00\n\n{body}\n"),
            format!("-----BEGIN PUBLIC KEY-----\n{body}\n"),
            format!("ghp_{}", "x".repeat(36)),
            format!("not{token}"),
            "mysql://user:secret@host:port/database".into(),
            "AKIAIOSFODNN7EXAMPLF".into(),
        ] {
            assert!(!is_surely_secret_text(&doubtful), "{doubtful}");
        }
    }
}
