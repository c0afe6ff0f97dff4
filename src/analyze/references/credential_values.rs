//! What a value is under a name that tells of a credential: one, or a script, a template, a reference, a lifetime or an
//! algorithm, and so none.

use crate::analyze::references::credentials::{is_credential_name, is_secret_value, words};

/// Whether what stands under a name is a credential: the name means one, and the value can be one.
pub fn is_credential(name: &str, value: &str) -> bool {
    if is_file(name, value) {
        return is_credential_name(stem(name)) && file_holds_credential(name, value);
    }
    is_credential_name(name)
        && !speaks_about_credential(name)
        && is_secret_value(value)
        && !is_something_else(name, value)
}

/// Whether it is a file: by an extension, or by several lines.
fn is_file(name: &str, value: &str) -> bool {
    let extension = name.rsplit_once('.').map(|(_, it)| it);
    extension.is_some_and(|it| EXTENSIONS.contains(&it.to_ascii_lowercase().as_str()))
        || value.trim_end().contains('\n')
}

fn stem(name: &str) -> &str {
    name.split('.').next().unwrap_or(name)
}

/// Files of settings, in which a line gives one.
const SETTINGS: [&str; 11] =
    ["cfg", "cnf", "conf", "config", "env", "ini", "json", "properties", "toml", "yaml", "yml"];

const EXTENSIONS: [&str; 44] = [
    "bash",
    "cfg",
    "cnf",
    "conf",
    "config",
    "css",
    "csv",
    "env",
    "erb",
    "go",
    "groovy",
    "gotmpl",
    "htm",
    "html",
    "ini",
    "j2",
    "java",
    "jinja",
    "js",
    "json",
    "lua",
    "md",
    "php",
    "pl",
    "policy",
    "properties",
    "ps1",
    "py",
    "rb",
    "rego",
    "rs",
    "sh",
    "sql",
    "template",
    "tmpl",
    "toml",
    "tpl",
    "ts",
    "txt",
    "xml",
    "yaml",
    "yml",
    "zsh",
    "hcl",
];

/// Whether a file that is called after credentials has a line with one: of a script or a program it takes more than a
/// name to tell.
fn file_holds_credential(name: &str, value: &str) -> bool {
    let extension = name.rsplit_once('.').map_or("", |(_, it)| it).to_ascii_lowercase();
    let is_settings = extension.is_empty() || SETTINGS.contains(&extension.as_str());
    if !is_settings || value.starts_with("#!") {
        return false;
    }
    value.lines().any(|line| {
        let line = line.trim().trim_end_matches([',', ';']);
        let Some((key, value)) = line.split_once(['=', ':']) else { return false };
        let quotes = ['"', '\'', ' '];
        let (key, value) = (key.trim_matches(quotes), value.trim().trim_matches(quotes));
        let is_key = !key.is_empty() && !key.contains(char::is_whitespace) && !key.starts_with('#');
        is_key && is_credential(key.rsplit('.').next().unwrap_or(key), value)
    })
}

/// Words that end a name which speaks about a credential and does not hold it, beside those of `credentials`.
const ABOUT: [&str; 76] = [
    "ACCOUNT",
    "ALGO",
    "ALIAS",
    "ALLOWED",
    "ATTEMPTS",
    "BACKEND",
    "BITS",
    "CACHE",
    "CLAIM",
    "CLAIMS",
    "CLASS",
    "COLUMN",
    "COMPLEXITY",
    "COOKIE",
    "COST",
    "COUNT",
    "DISABLED",
    "DOMAIN",
    "DURATION",
    "EMAIL",
    "ENABLE",
    "ENCODER",
    "ENCODING",
    "ENGINE",
    "ENV",
    "EXPIRE",
    "FIELD",
    "FORMAT",
    "GRANT",
    "HASHER",
    "HASHING",
    "HINT",
    "INTERVAL",
    "ITERATIONS",
    "KIND",
    "LABEL",
    "LEEWAY",
    "LIFESPAN",
    "LIFETIME",
    "LIMIT",
    "LOCATION",
    "MANAGER",
    "MAX",
    "METHOD",
    "MIN",
    "MS",
    "NAMESPACE",
    "OPTIONAL",
    "PARAM",
    "PARAMETER",
    "PATTERN",
    "PERIOD",
    "PLUGIN",
    "PORT",
    "PREFIX",
    "PROMPT",
    "PROVIDER",
    "REGEX",
    "REQUIRED",
    "ROLE",
    "ROTATION",
    "ROUNDS",
    "SCOPE",
    "SCOPES",
    "SERVER",
    "SERVICE",
    "SIZE",
    "SOURCE",
    "STORE",
    "STRATEGY",
    "STRENGTH",
    "SUFFIX",
    "TIMEOUT",
    "USER",
    "USERNAME",
    "VALIDITY",
];

fn speaks_about_credential(name: &str) -> bool {
    let last = words(name).pop().unwrap_or_default();
    ABOUT.contains(&last.as_str())
}

/// Whether a value is what no credential is.
fn is_something_else(name: &str, value: &str) -> bool {
    let value = value.trim();
    value.starts_with("#!")
        || TEMPLATES.iter().any(|it| value.contains(it))
        || is_lifetime(value)
        || is_algorithm(value)
        || is_word_of_settings(value)
        || is_reference(name, value)
}

/// What something else fills in.
const TEMPLATES: [&str; 6] = ["{{", "${", "$(", "<%", "#{", "%{"];

/// `15m`, `1h30m`, `7 days`, `P1D`.
fn is_lifetime(value: &str) -> bool {
    const UNITS: [&str; 25] = [
        "d", "day", "days", "h", "hour", "hours", "hr", "hrs", "m", "min", "mins", "minute",
        "minutes", "month", "months", "ms", "ns", "s", "sec", "second", "seconds", "secs", "us",
        "w", "y",
    ];
    let iso = value.strip_prefix('P').map(|it| it.replace('T', ""));
    if let Some(rest) = iso {
        let parts = |it: char| it.is_ascii_digit() || "YMWDHS.".contains(it);
        return rest.starts_with(|it: char| it.is_ascii_digit())
            && rest.ends_with(|it: char| it.is_ascii_uppercase())
            && rest.chars().all(parts);
    }
    let mut rest = value;
    let mut parts = 0;
    while !rest.is_empty() {
        let digits = rest.trim_start_matches(|it: char| it.is_ascii_digit() || it == '.');
        let unit = digits.trim_start();
        let end = unit.find(|it: char| !it.is_ascii_alphabetic()).unwrap_or(unit.len());
        if digits.len() == rest.len() || !UNITS.contains(&unit[..end].to_ascii_lowercase().as_str())
        {
            return false;
        }
        rest = unit[end..].trim_start();
        parts += 1;
    }
    parts > 0
}

/// Names of hashes, ciphers, signatures and ways to authenticate; most have a number behind them.
const ALGORITHMS: [&str; 35] = [
    "aes",
    "argon2",
    "basic",
    "bcrypt",
    "bearer",
    "blake2",
    "blake3",
    "chacha20",
    "digest",
    "ecdsa",
    "eddsa",
    "ed25519",
    "es",
    "hmac",
    "hs",
    "kerberos",
    "kubernetes",
    "ldap",
    "md5",
    "oauth",
    "oauth2",
    "oidc",
    "opaque",
    "pbkdf2",
    "plain",
    "plaintext",
    "ps",
    "rs",
    "rsa",
    "saml",
    "scram",
    "scrypt",
    "sha",
    "sm4",
    "x509",
];

/// Words that go on after such a name.
const VARIANTS: [&str; 24] = [
    "cbc",
    "client",
    "crypt",
    "ctr",
    "d",
    "ecb",
    "encrypted",
    "gcm",
    "i",
    "id",
    "jwt",
    "legacy",
    "oaep",
    "pkcs1",
    "pkcs8",
    "poly1305",
    "post",
    "secret",
    "sha",
    "siv",
    "tls",
    "token",
    "with",
    "x",
];

fn is_algorithm(value: &str) -> bool {
    let lower = value.to_ascii_lowercase();
    let mut parts = lower.split(['-', '_', '/', ' ', '@']);
    let letters = |it: &str| it.trim_end_matches(|it: char| it.is_ascii_digit()).to_string();
    let is_one = |it: &str| {
        let known = |name: &str| {
            let Some(rest) = it.strip_prefix(name) else { return false };
            rest.is_empty()
                || rest.bytes().all(|it| it.is_ascii_digit())
                    // `hs` and the like are algorithms by their number alone.
                    && (name.len() > 2 || matches!(rest, "256" | "384" | "512"))
                || VARIANTS.contains(&rest)
        };
        let is_bare_prefix = matches!(it, "es" | "hs" | "ps" | "rs");
        !is_bare_prefix && ALGORITHMS.iter().any(|name| known(name))
    };
    let first = parts.next().unwrap_or_default();
    is_one(first)
        && parts.all(|it| {
            it.bytes().all(|it| it.is_ascii_digit())
                || is_one(it)
                || VARIANTS.contains(&letters(it).as_str())
        })
}

/// What settings are set to.
fn is_word_of_settings(value: &str) -> bool {
    const WORDS: [&str; 21] = [
        "always",
        "any",
        "auto",
        "default",
        "deny",
        "disable",
        "disabled",
        "enable",
        "enabled",
        "ignore",
        "lax",
        "never",
        "nil",
        "off",
        "on",
        "optional",
        "required",
        "strict",
        "undefined",
        "unset",
        "n/a",
    ];
    WORDS.contains(&value.to_ascii_lowercase().as_str())
}

/// Words of names that mean credentials.
const MEANS: [&str; 13] = [
    "APIKEY",
    "AUTH",
    "CERT",
    "CREDENTIAL",
    "CREDENTIALS",
    "CREDS",
    "KEY",
    "PASS",
    "PASSWD",
    "PASSWORD",
    "SECRET",
    "SECRETS",
    "TOKEN",
];

/// Whether a value names where the credential is: a Secret, a key of it, a path in a store.
fn is_reference(name: &str, value: &str) -> bool {
    const STORES: [&str; 12] = [
        "aws:",
        "awssm:",
        "azure:",
        "azurekeyvault",
        "gcp:",
        "gcpsm:",
        "kv/",
        "secret/",
        "secrets/",
        "sm://",
        "ssm:",
        "~/",
    ];
    if STORES.iter().any(|it| value.starts_with(it)) || value.starts_with("../") {
        return true;
    }
    let is_name = value
        .bytes()
        .all(|it| it.is_ascii_lowercase() || it.is_ascii_digit() || b"-_.".contains(&it));
    let (of_value, of_name) = (words(value), words(name));
    if !is_name || of_value.len() < 2 {
        return false;
    }
    // `DB_PASSWORD: db-password` repeats its own name.
    let repeats = of_value.iter().all(|it| of_name.contains(it) || MEANS.contains(&it.as_str()));
    // `DB_PASSWORD_SECRET`, `existingSecret`, `tlsSecret` name a Secret.
    let names_secret = match of_name.as_slice() {
        [.., before, last] if matches!(last.as_str(), "SECRET" | "SECRETS" | "KEY") => {
            let is_of = ["EXISTING", "PULL", "REF", "TLS"];
            let means = MEANS.contains(&before.as_str())
                && before != "SECRET"
                && before != "API"
                && before != "AUTH";
            is_of.contains(&before.as_str()) || last != "KEY" && means
        }
        _ => false,
    };
    let tells = of_value.iter().any(|it| MEANS.contains(&it.as_str()));
    repeats && tells || names_secret
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_is_judged_by_what_it_is() {
        for (name, value) in [
            ("DB_PASSWORD", "hunter2"),
            ("DB_PASSWORD", "123456"),
            ("password", "password"),
            ("RABBITMQ_DEFAULT_PASS", "guest"),
            ("clientSecret", "correct-horse-battery"),
            ("API_KEY", "0f3d9c2a71"),
            ("credentials.properties", "user=shop\npassword=hunter2\n"),
            ("token.yaml", "api:\n  token: 0f3d9c2a71\n"),
        ] {
            assert!(is_credential(name, value), "{name}: {value}");
        }
        for (name, value) in [
            ("DB_PASSWORD_SECRET", "db-password"),
            ("existingSecret", "shop-database"),
            ("DB_PASSWORD", "db-password"),
            ("ACCESS_TOKEN_LIFETIME", "900"),
            ("REFRESH_TOKEN", "7d"),
            ("sessionToken", "1h30m"),
            ("token", "PT15M"),
            ("passwordEncoder", "bcrypt"),
            ("PASSWORD_HASH", "argon2id"),
            ("TOKEN_SIGNING", "RS256"),
            ("password_encryption", "scram-sha-256"),
            ("token", "AES-256-GCM"),
            ("passwordMode", "required"),
            ("DB_PASSWORD", "{{ .Values.password }}"),
            ("DB_PASSWORD", "prefix-${PASSWORD}"),
            ("DB_PASSWORD", "secret/data/shop#password"),
            ("check_password.sh", "#!/bin/sh\nexit 0\n"),
            ("password_check.py", "password = 'hunter2'\n"),
            ("password.properties", "password=${DB_PASSWORD}\n"),
            ("token-page.html", "<input name=token value=abc>"),
        ] {
            assert!(!is_credential(name, value), "{name}: {value}");
        }
    }
}
