//! Addresses with short names in the lines of a configuration file: URLs, keys that speak of addresses, and nginx's
//! `server` lines. Which names a file gives to something of its own is known, too.

use super::addresses::{Address, SCHEMES, is_host, is_placeholder, of_whole, port};
use memchr::{memchr, memchr_iter, memrchr};
use rustc_hash::FxHashSet;

/// What ends the host and port of a URL.
const ENDS: &[char] =
    &['/', '?', '#', ';', '"', '\'', '`', '<', '>', ')', ']', '}', '\\', '|', '&'];

/// The addresses in the lines of a file; whole values are not for here.
pub(super) fn in_lines(text: &str) -> Vec<Address<'_>> {
    let mut found = of_each(promising(text));
    if !found.is_empty() {
        let own = own_names(text);
        found.retain(|it| !own.contains(it.host));
    }
    found
}

fn of_each<'t>(lines: impl Iterator<Item = &'t str>) -> Vec<Address<'t>> {
    let mut found = Vec::new();
    for line in lines.filter_map(without_comment) {
        if line.contains("://") {
            urls(line, &mut found);
        } else {
            found.extend(of_setting(line));
        }
    }
    found
}

/// The lines that hold a colon before a slash or a digit: no URL and no host with a port is without one, and most lines
/// of most files are.
fn promising(text: &str) -> impl Iterator<Item = &str> {
    let bytes = text.as_bytes();
    let mut from = 0;
    std::iter::from_fn(move || {
        let is_one = |at: &usize| {
            bytes.get(at + 1).is_some_and(|next| *next == b'/' || next.is_ascii_digit())
        };
        let at = from + memchr_iter(b':', &bytes[from..]).find(|at| is_one(&(from + at)))?;
        let start = memrchr(b'\n', &bytes[from..at]).map_or(from, |it| from + it + 1);
        let end = memchr(b'\n', &bytes[at..]).map_or(bytes.len(), |it| at + it);
        from = end;
        Some(&text[start..end])
    })
}

/// What nginx calls its groups of servers: `upstream NAME {`.
fn own_names(text: &str) -> FxHashSet<&str> {
    let after = text.lines().filter_map(|it| it.trim().strip_prefix("upstream "));
    after.filter_map(|it| it.split([' ', '{']).find(|it| !it.is_empty())).collect()
}

fn without_comment(line: &str) -> Option<&str> {
    let line = line.trim();
    let is_comment = ["#", ";", "//", "<!--", "*", "--", "!"].iter().any(|it| line.starts_with(it));
    let line = line.split(" #").next().unwrap_or(line).trim_end();
    (!is_comment && !line.is_empty()).then_some(line)
}

/// The hosts of all URLs in a line.
fn urls<'t>(line: &'t str, found: &mut Vec<Address<'t>>) {
    for (at, _) in line.match_indices("://") {
        let start = line[..at]
            .rfind(|it: char| !it.is_ascii_alphanumeric())
            .map_or(0, |it| it + line[it..].chars().next().map_or(1, char::len_utf8));
        if !SCHEMES.contains(&line[start..at].to_ascii_lowercase().as_str()) {
            continue;
        }
        let rest = &line[at + 3..];
        let end = rest.find(|it: char| it.is_whitespace() || ENDS.contains(&it));
        let authority = &rest[..end.unwrap_or(rest.len())];
        let hosts = authority.rsplit_once('@').map_or(authority, |(_, hosts)| hosts);
        found.extend(hosts.split(',').filter_map(host_and_port));
    }
}

fn host_and_port(text: &str) -> Option<Address<'_>> {
    let (host, rest) = text.split_at(text.find(':').unwrap_or(text.len()));
    let port = port(rest);
    let is_whole = rest.is_empty() || port.is_some();
    (is_whole && is_host(host) && !is_placeholder(host)).then_some(Address { host, port })
}

/// `key = hosts with ports`, and `server host:port;`.
fn of_setting(line: &str) -> Vec<Address<'_>> {
    if let Some(rest) = line.strip_prefix("server ") {
        let server = rest.split([' ', ';']).find(|it| !it.is_empty()).unwrap_or_default();
        let is_nginx = line.ends_with([';', '}']);
        return host_and_port(server)
            .filter(|it| is_nginx && it.port.is_some())
            .into_iter()
            .collect();
    }
    let Some((key, value)) = line.split_once(['=', ':']) else { return Vec::new() };
    let key = key.trim_matches([' ', '\t', '"', '\'', '-', ',', '{']);
    let is_key = |it: char| it.is_ascii_alphanumeric() || "._-".contains(it);
    if key.is_empty() || !key.chars().all(is_key) {
        return Vec::new();
    }
    let value = value.trim_matches([' ', '\t', '"', '\'', ',', ';', '[', ']']);
    of_whole(key, value)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const PIECES: [&str; 14] =
        ["\n", "\r\n", ":", "/", "://", "http", "db", "host", "80", "=", " ", "server ", ";", "# "];

    proptest! {
        #[test]
        fn no_line_that_is_passed_over_holds_an_address(
            pieces in proptest::collection::vec(proptest::sample::select(&PIECES[..]), 0..40),
        ) {
            let text = pieces.concat();
            prop_assert_eq!(of_each(promising(&text)), of_each(text.lines()));
        }
    }

    fn found(text: &str) -> Vec<String> {
        let show =
            |it: Address<'_>| it.port.map_or(it.host.into(), |port| format!("{} {port}", it.host));
        in_lines(text).into_iter().map(show).collect()
    }

    #[test]
    fn addresses_stand_in_lines() {
        for (text, expected) in [
            ("server {\n  proxy_pass http://api:8080/x;\n}", &["api 8080"][..]),
            ("upstream all { server api:80; }\nserver {", &[]),
            ("upstream all {\n  server api:80 weight=5;\n}\nproxy_pass http://all;", &["api 80"]),
            ("a=1\nspring.datasource.url=jdbc:postgresql://db:5432/x", &["db 5432"]),
            ("a=1\nkafka.bootstrap.servers=a:9092,b:9092", &["a 9092", "b 9092"]),
            ("db:\n  address: \"db:5432\"", &["db 5432"]),
            ("<a>\n<url>http://api:80</url>", &["api 80"]),
            ("{\n\"url\": \"http://prometheus:9090\",", &["prometheus 9090"]),
            ("if x\nhttp://a:1 b http://c", &["a 1", "c"]),
        ] {
            assert_eq!(found(text), expected, "{text}");
        }
    }

    #[test]
    fn what_is_no_address_is_skipped() {
        for text in [
            "# http://api\n// http://api\n; x=http://api",
            "proxy_pass http://$backend;\nproxy_pass http://${HOST}:80;",
            "listen.address: api:8080\nimage: redis:7",
            "x: y\nserver_name api:80;\nserver api 10.0.0.1:80 check",
            "url: http://localhost:80\nurl: http://10.0.0.1",
            "git+ssh://host/x\ns3://bucket/x",
        ] {
            assert_eq!(found(text), Vec::<String>::new(), "{text}");
        }
    }
}
