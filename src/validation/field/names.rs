//! The forms that names, labels and ports have (`apimachinery/pkg/util/validation`).

fn is_lower_alphanumeric(byte: u8) -> bool {
    byte.is_ascii_lowercase() || byte.is_ascii_digit()
}

/// RFC 1123: lower case letters, digits and `-`, 63 at most.
pub(super) fn is_dns_label(text: &str) -> bool {
    text.len() <= 63 && is_dns_part(text)
}

fn is_dns_part(text: &str) -> bool {
    let bytes = text.as_bytes();
    let ends = [bytes.first(), bytes.last()];
    ends.iter().all(|it| it.is_some_and(|it| is_lower_alphanumeric(*it)))
        && bytes.iter().all(|it| is_lower_alphanumeric(*it) || *it == b'-')
}

/// RFC 1035: the same, and it begins with a letter.
pub(super) fn is_dns_1035_label(text: &str) -> bool {
    is_dns_label(text) && text.starts_with(|it: char| it.is_ascii_lowercase())
}

/// Such labels with dots between them, 253 at most.
pub(super) fn is_dns_subdomain(text: &str) -> bool {
    text.len() <= 253 && text.split('.').all(is_dns_part)
}

/// A host of an Ingress: a domain, perhaps with `*` for its first label.
pub(super) fn is_host(text: &str) -> bool {
    is_dns_subdomain(text.strip_prefix("*.").unwrap_or(text))
}

fn is_name(text: &str) -> bool {
    let bytes = text.as_bytes();
    let ends = [bytes.first(), bytes.last()];
    text.len() <= 63
        && ends.iter().all(|it| it.is_some_and(u8::is_ascii_alphanumeric))
        && bytes.iter().all(|it| it.is_ascii_alphanumeric() || matches!(it, b'-' | b'_' | b'.'))
}

/// The key of a label: a name, perhaps with a domain before it.
pub(super) fn is_qualified_name(text: &str) -> bool {
    match text.split_once('/') {
        Some((prefix, name)) => is_dns_subdomain(prefix) && is_name(name),
        None => is_name(text),
    }
}

/// The key of an annotation, in whatever case.
pub(super) fn is_annotation_key(text: &str) -> bool {
    is_qualified_name(&text.to_lowercase())
}

/// The value of a label.
pub(super) fn is_label_value(text: &str) -> bool {
    text.is_empty() || is_name(text)
}

/// What may stand in a URL: names of roles.
pub(super) fn is_path_segment(text: &str) -> bool {
    !matches!(text, "." | "..") && !text.contains(['/', '%'])
}

/// The name of a port.
pub(super) fn is_port_name(text: &str) -> bool {
    text.len() <= 15
        && is_dns_part(text)
        && !text.contains("--")
        && text.contains(|it: char| it.is_ascii_lowercase())
}

/// The key of a ConfigMap or Secret.
pub(super) fn is_config_key(text: &str) -> bool {
    let is_allowed = |it: u8| it.is_ascii_alphanumeric() || matches!(it, b'-' | b'_' | b'.');
    let is_relative = text == "." || text.starts_with("..");
    text.len() <= 253 && !text.is_empty() && text.bytes().all(is_allowed) && !is_relative
}

/// The name of an environment variable before Kubernetes 1.32.
pub(super) fn is_variable(text: &str) -> bool {
    let is_allowed = |it: u8| it.is_ascii_alphanumeric() || matches!(it, b'-' | b'_' | b'.');
    let is_relative = text == "." || text.starts_with("..");
    text.bytes().all(is_allowed)
        && !text.starts_with(|it: char| it.is_ascii_digit())
        && !is_relative
}

/// The same from then on: anything that can be printed, but for `=`.
pub(super) fn is_relaxed_variable(text: &str) -> bool {
    text.bytes().all(|it| (b' '..=b'~').contains(&it) && it != b'=')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_have_the_forms_that_kubernetes_asks_for() {
        assert!(is_dns_label("a-1") && is_dns_label("1") && is_dns_label(&"a".repeat(63)));
        for text in ["", "A", "a_b", "-a", "a-", "a.b", &"a".repeat(64)] {
            assert!(!is_dns_label(text), "{text}");
        }
        assert!(is_dns_1035_label("a1") && !is_dns_1035_label("1a"));
        assert!(
            is_dns_subdomain("a.b-c.1") && !is_dns_subdomain("a..b") && !is_dns_subdomain("a.")
        );
        assert!(is_host("*.a.b") && !is_host("*") && !is_host("a.*.b") && !is_host("a:80"));
        assert!(is_qualified_name("a.b/C_d") && is_qualified_name("A"));
        assert!(
            !is_qualified_name("A.b/c") && !is_qualified_name("a/b/c") && !is_qualified_name("/a")
        );
        assert!(is_annotation_key("A.b/C") && !is_annotation_key("a b"));
        assert!(is_label_value("") && is_label_value("1.0_a") && !is_label_value("a b"));
        assert!(is_port_name("http-2") && !is_port_name("8080") && !is_port_name("a--b"));
        assert!(!is_port_name("sixteen-letters-"));
        assert!(is_config_key(".a_B-1") && !is_config_key("..a") && !is_config_key("a/b"));
        assert!(is_variable("a.b-C_1") && !is_variable("1a") && !is_variable("a b"));
        assert!(
            is_relaxed_variable("1 a") && !is_relaxed_variable("a=b") && !is_relaxed_variable("ä")
        );
        assert!(is_path_segment("system:a") && !is_path_segment("a/b") && !is_path_segment(".."));
    }
}
