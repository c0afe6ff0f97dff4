//! Tokens of a form that nothing else has: JWTs, bearer tokens, keys of clouds and services.

use base64::Engine;

/// What begins a token, by the form that its makers give it, and the fewest letters that follow.
pub(super) const TOKENS: [(&str, usize); 31] = [
    ("eyJ", 20),
    ("Bearer ", 20),
    ("bearer ", 20),
    ("AIza", 35),
    ("ASIA", 16),
    ("AccountKey=", 40),
    ("SharedAccessKey=", 40),
    ("sk_live_", 16),
    ("rk_live_", 16),
    ("sk-ant-", 24),
    ("sk-proj-", 24),
    ("glpat-", 20),
    ("glptt-", 20),
    ("gldt-", 20),
    ("ghu_", 36),
    ("ghr_", 36),
    ("xoxa-", 15),
    ("xoxr-", 15),
    ("xoxs-", 15),
    ("xapp-", 15),
    ("hooks.slack.com/services/T", 20),
    ("npm_", 36),
    ("pypi-AgE", 40),
    ("SG.", 40),
    ("hf_", 30),
    ("dop_v1_", 60),
    ("hvs.", 24),
    ("hvb.", 24),
    ("dckr_pat_", 20),
    ("shpat_", 32),
    ("ya29.", 40),
];

/// Judges the tokens of a text one after the other, from its start to its end.
pub(super) struct Tokens<'t> {
    text: &'t str,
    /// A long token is read once, whatever it seems to hold.
    read_to: usize,
}

impl<'t> Tokens<'t> {
    pub(super) fn new(text: &'t str) -> Tokens<'t> {
        Tokens { text, read_to: 0 }
    }

    /// Whether what one of [`TOKENS`] begins, whose mark stands here, is one.
    pub(super) fn is_one(&mut self, (mark, least): (&str, usize), at: usize) -> bool {
        if at < self.read_to {
            return false;
        }
        let starts_word =
            !self.text[..at].ends_with(|it: char| it.is_ascii_alphanumeric() || it == '_');
        let start = if mark == "eyJ" { at } else { at + mark.len() };
        let rest = &self.text[start..];
        let end = rest.find(|it: char| !is_of_token(it)).unwrap_or(rest.len());
        let token = &rest[..end];
        self.read_to = start + end;
        starts_word
            && token.len() >= least
            && is_mixed(token)
            && match mark {
                "eyJ" => is_jwt(token),
                "AIza" => token.len() == least,
                "ASIA" => {
                    token.len() == least
                        && token.bytes().all(|it| it.is_ascii_uppercase() || it.is_ascii_digit())
                }
                _ => true,
            }
    }
}

fn is_of_token(letter: char) -> bool {
    letter.is_ascii_alphanumeric() || "-_.+/=~".contains(letter)
}

/// Whether it has as many different letters as something random, and not those of an example (`xxxxxxxx`,
/// `your-token-here-please`).
fn is_mixed(token: &str) -> bool {
    let mut seen = [false; 128];
    token.bytes().filter(u8::is_ascii).for_each(|it| seen[usize::from(it)] = true);
    let has_digit = token.bytes().any(|it| it.is_ascii_digit());
    let lower = token.to_ascii_lowercase();
    let is_example =
        ["example", "your-", "your_", "placeholder", "xxxx"].iter().any(|it| lower.contains(it));
    seen.iter().filter(|it| **it).count() >= 10 && has_digit && !is_example
}

/// Three parts, of which the first says how the last one signs them (RFC 7519).
fn is_jwt(token: &str) -> bool {
    let parts: Vec<_> = token.trim_end_matches(['.', '=']).split('.').collect();
    let [header, claims, signature] = parts.as_slice() else { return false };
    let engine = base64::engine::general_purpose::URL_SAFE_NO_PAD;
    let header = engine.decode(header).unwrap_or_default();
    let says_how = header.starts_with(b"{") && header.windows(5).any(|it| it == b"\"alg\"");
    says_how && claims.len() >= 4 && signature.len() >= 16
}

#[cfg(test)]
mod tests {
    use super::super::credentials::is_secret_text;

    #[test]
    fn tokens_are_known_by_their_form() {
        let random = "k3J9xQ2mZ7vB4nT8wL1pR6sY5dF0gHcA";
        let jwt = format!("eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.{random}");
        for text in [
            jwt.clone(),
            format!("Authorization: Bearer {random}"),
            format!("key=AIza{random}abc"),
            format!("glpat-{random}"),
            format!("sk_live_{random}"),
            format!("DefaultEndpointsProtocol=https;AccountName=a;AccountKey={random}{random}=="),
        ] {
            assert!(is_secret_text(&text), "{text}");
        }
        for text in [
            "Authorization: Bearer ${TOKEN}".to_string(),
            "Bearer your-token-goes-here-0123456789".to_string(),
            "eyJub3QiOiJhIGp3dCJ9.abc".to_string(),
            format!("image@sha256:{random}"),
            "the keyJar holds SG. and npm_packages".to_string(),
            format!("myglpat-{random}"),
        ] {
            assert!(!is_secret_text(&text), "{text}");
        }
    }
}
