//! Text that another tool fills in before anything is applied: what stands there is not the value.

use super::Node;

/// How the tools around Kubernetes mark what they fill in: envsubst, Flux and Terraform, Make and Helm, Jinja, ERB,
/// Octopus, autoconf.
const MARKS: [(&str, &str); 9] = [
    ("${", "}"),
    ("$(", ")"),
    ("{{", "}}"),
    ("{%", "%}"),
    ("<%", "%>"),
    ("#{", "}"),
    ("%%", "%%"),
    ("@@", "@@"),
    ("__", "__"),
];

/// Whether a text has a place that is filled in before it is applied.
pub fn has_placeholder(text: &str) -> bool {
    let is_marked = MARKS.iter().any(|(open, close)| {
        let inside = text.split_once(open).map(|(_, rest)| rest);
        inside.and_then(|it| it.split_once(close)).is_some_and(|(name, _)| !name.is_empty())
    });
    is_marked || has_variable(text)
}

/// `$NAME`, as envsubst reads it.
fn has_variable(text: &str) -> bool {
    text.match_indices('$').any(|(at, _)| {
        let name = text[at + 1..].bytes();
        let count = name.take_while(|it| it.is_ascii_uppercase() || *it == b'_').count();
        count > 1
    })
}

impl Node<'_> {
    /// Whether it is a text that is filled in before it is applied.
    pub fn has_placeholder(self) -> bool {
        self.str().is_some_and(has_placeholder)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_tools_fill_in_is_told_from_values() {
        for text in [
            "${REPLICAS:=2}",
            "${GB}Gi",
            "$(VERSION)",
            "{{ .Values.cpu }}",
            "<%= memory %>",
            "#{Memory}",
            "__MEMORY__",
            "@@cpu@@",
            "$MEMORY",
        ] {
            assert!(has_placeholder(text), "{text}");
        }
        for text in ["1.5 Gi", "500m", "$", "a$b", "${}", "50%", "__init", "{a}", "US$5"] {
            assert!(!has_placeholder(text), "{text}");
        }
    }
}
