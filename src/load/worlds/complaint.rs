//! What a program complained of, for people: without the marks of its log and the innards of Go.

/// The last words of a program, on one line.
pub(super) fn complaint(bytes: &[u8]) -> String {
    let text = String::from_utf8_lossy(bytes);
    // What is deprecated is not why it failed.
    let lines = text.lines().filter(|it| !it.starts_with("# Warning:") && !it.trim().is_empty());
    let text = lines.map(str::trim).collect::<Vec<_>>().join(" ");
    let text = text.strip_prefix("Error: ").or(text.strip_prefix("error: ")).unwrap_or(&text);
    let text = logged(text).unwrap_or_else(|| text.to_string());
    let text = of_type(&without_pointers(&with_names(&text)));
    if text.trim().is_empty() { "it failed without a word".into() } else { text.trim().into() }
}

/// Some kubectl writes it as a line of a log.
fn logged(text: &str) -> Option<String> {
    let (_, logged) = text.split_once("\"command failed\" err=")?;
    if let Some(lines) = logged.strip_prefix('<') {
        return Some(lines.trim_end().trim_end_matches('>').trim().to_string());
    }
    let quoted = logged.strip_prefix('"')?;
    Some(quoted.strip_suffix('"').unwrap_or(quoted).replace("\\\"", "\"").replace("\\n", " "))
}

/// `resid.ResId{Gvk:resid.Gvk{Group:"apps", …, Kind:"Deployment", …}, Name:"api", Namespace:"shop"}` by its name.
fn with_names(text: &str) -> String {
    let mut named = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("resid.ResId{") {
        let Some(end) = closing(after) else { break };
        let (id, tail) = after.split_at(end);
        let field = |name: &str| {
            let (_, value) = id.split_once(&format!("{name}:\""))?;
            value.split_once('"').map(|it| it.0).filter(|it| !it.is_empty())
        };
        let parts: Vec<_> =
            ["Kind", " Namespace", " Name"].iter().filter_map(|it| field(it)).collect();
        named.push_str(&format!("{before}`{}`", parts.join("/")));
        rest = &tail[1..];
    }
    named + rest
}

/// Without addresses in memory, and what Go prints around them.
fn without_pointers(text: &str) -> String {
    let mut plain = String::new();
    let mut rest = text;
    while let Some(at) = rest.find("0xc0") {
        let (mut start, mut end) = (at, at + 2);
        end += rest[end..].bytes().take_while(u8::is_ascii_hexdigit).count();
        if let Some(open) = rest[..at].rfind("&{")
            && let Some(length) = closing(&rest[open + 2..])
            && open + 2 + length >= end
        {
            (start, end) = (open, open + 3 + length);
        }
        plain.push_str(rest[..start].trim_end());
        rest = &rest[end..];
    }
    plain + rest
}

/// Where the brace ends that was opened before the text.
fn closing(text: &str) -> Option<usize> {
    let mut depth = 1;
    text.bytes().position(|it| {
        depth += i32::from(it == b'{') - i32::from(it == b'}');
        depth == 0
    })
}

/// `json: cannot unmarshal bool into Go struct field Image.images.name of type string`.
fn of_type(text: &str) -> String {
    let parts = || {
        let (before, rest) = text.split_once("json: cannot unmarshal ")?;
        let (found, rest) = rest.split_once(" into Go struct field ")?;
        let (field, rest) = rest.split_once(" of type ")?;
        let (_, path) = field.split_once('.')?;
        let (wanted, rest) = rest.split_at(rest.find(' ').unwrap_or(rest.len()));
        let wanted = wanted.rsplit('.').next().unwrap_or(wanted);
        Some(format!("{before}`{path}` is of type {found}, and takes {wanted}{rest}"))
    };
    parts().unwrap_or_else(|| text.replace("json: unknown field", "unknown field"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn go_is_taken_out() {
        let log = r#"E1130 12:49:02.153971   24532 run.go:72] "command failed" err="#;
        for (text, expected) in [
            ("Error: it is so\n", "it is so"),
            ("# Warning: old\nerror: no\n  matches\n", "no matches"),
            ("", "it failed without a word"),
            (
                &format!(
                    r#"{log}"merging from generator &{{0xc0002e16c0 <nil>}}: id resid.ResId{{Gvk:resid.Gvk{{Group:\"\", Version:\"v1\", Kind:\"ConfigMap\", isClusterScoped:false}}, Name:\"foo\", Namespace:\"\"}} does not exist; cannot merge or replace""#
                ),
                "merging from generator: id `ConfigMap/foo` does not exist; cannot merge or replace",
            ),
            (
                "at 0xc00012ab, id resid.ResId{Gvk:resid.Gvk{Group:\"apps\", Version:\"v1\", Kind:\"Deployment\", isClusterScoped:false}, Name:\"api\", Namespace:\"shop\"} twice",
                "at, id `Deployment/shop/api` twice",
            ),
            (
                &format!(
                    "{log}\"invalid Kustomization: json: cannot unmarshal bool into Go struct field SourceSelector.replacements.source.name of type string\""
                ),
                "invalid Kustomization: `replacements.source.name` is of type bool, and takes string",
            ),
            (
                &format!(
                    "{log}<\n\ttrouble configuring builtin PatchTransformer\n\tunable to parse\n >\n"
                ),
                "trouble configuring builtin PatchTransformer unable to parse",
            ),
            (
                &format!("{log}\"invalid Kustomization: json: unknown field \\\"bogus\\\"\""),
                "invalid Kustomization: unknown field \"bogus\"",
            ),
        ] {
            assert_eq!(complaint(text.as_bytes()), expected);
        }
    }
}
