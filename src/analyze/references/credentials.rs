//! What looks like a credential: names that mean one, and values that are one whatever they are called.

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
const PAIRS: [(&str, &str); 7] = [
    ("API", "KEY"),
    ("ACCESS", "KEY"),
    ("PRIVATE", "KEY"),
    ("SIGNING", "KEY"),
    ("ENCRYPTION", "KEY"),
    ("AUTH", "KEY"),
    ("MASTER", "KEY"),
];

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
    let is_word = |it: &String| WORDS.contains(&it.as_str()) || it.ends_with("PASSWORD");
    words.iter().any(is_word)
        || words.windows(2).any(|it| PAIRS.contains(&(it[0].as_str(), it[1].as_str())))
}

/// `dbPassword` and `DB_PASSWORD` are the words DB and PASSWORD.
fn words(name: &str) -> Vec<String> {
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

/// All marks are looked for at once: configuration files are long.
static SEARCH: LazyLock<AhoCorasick> =
    LazyLock::new(|| AhoCorasick::new(MARKS).expect("a few short patterns are within all limits"));

/// Whether a text holds a credential whatever it is called: a private key, a cloud key, an address with a password.
pub fn is_secret_text(text: &str) -> bool {
    SEARCH.find_iter(text).any(|found| {
        let from = &text[found.start()..];
        match MARKS[found.pattern().as_usize()] {
            "-----BEGIN " => from.lines().next().is_some_and(|it| it.contains("PRIVATE KEY")),
            "://" => has_password(&text[found.end()..]),
            mark => {
                let starts_word =
                    !text[..found.start()].ends_with(|it: char| it.is_ascii_alphanumeric());
                starts_word && is_cloud_key(mark, word(from))
            }
        }
    })
}

/// Whether a text holds a credential beyond doubt, by a form that nothing else has and with all that belongs to it: a
/// private key with its contents, a token of GitHub or Slack. An address may be an example, and a mark may be looked for.
pub fn is_surely_secret_text(text: &str) -> bool {
    SEARCH.find_iter(text).any(|found| {
        let from = &text[found.start()..];
        match MARKS[found.pattern().as_usize()] {
            "-----BEGIN " => has_private_key(from),
            "://" | "AKIA" => false,
            mark => {
                let word = word(from);
                let starts_word =
                    !text[..found.start()].ends_with(|it: char| it.is_ascii_alphanumeric());
                starts_word && is_cloud_key(mark, word) && !is_repetitive(&word[mark.len()..])
            }
        }
    })
}

/// Whether a key follows its first line; what is encrypted has headers there.
fn has_private_key(pem: &str) -> bool {
    // In one line, as in JSON, ends of lines are written out.
    let lines = pem.split('\n').flat_map(|it| it.split("\\n")).map(|it| it.trim());
    let mut lines = lines.filter(|it| !it.is_empty());
    let is_plain =
        lines.next().is_some_and(|it| it.contains("PRIVATE KEY") && !it.contains("ENCRYPTED"));
    let is_base64 =
        |it: &str| it.bytes().all(|it| it.is_ascii_alphanumeric() || b"+/=".contains(&it));
    is_plain && lines.next().is_some_and(|it| it.len() >= 40 && is_base64(it) && !is_repetitive(it))
}

/// Whether it is filled up with a few letters, as in examples.
fn is_repetitive(text: &str) -> bool {
    text.bytes().collect::<std::collections::BTreeSet<u8>>().len() < 10
}

/// The letters, digits and dashes that a text begins with.
fn word(text: &str) -> &str {
    let end = text.find(|it: char| !it.is_ascii_alphanumeric() && it != '_' && it != '-');
    &text[..end.unwrap_or(text.len())]
}

/// An access key of AWS, or a token of GitHub or Slack.
fn is_cloud_key(mark: &str, word: &str) -> bool {
    match mark {
        "AKIA" => {
            let is_key = word.bytes().all(|it| it.is_ascii_uppercase() || it.is_ascii_digit());
            word.len() == 20 && is_key && !word.ends_with("EXAMPLE")
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
