//! Addresses with short names in the lines of a configuration file: URLs, keys that speak of addresses, and nginx's
//! `server` lines. Which names a file gives to something of its own is known, too.

use super::addresses::{Address, SCHEMES, is_host, is_placeholder, of_whole, port};
use rustc_hash::FxHashSet;

/// What ends the host and port of a URL.
const ENDS: &[char] =
    &['/', '?', '#', ';', '"', '\'', '`', '<', '>', ')', ']', '}', '\\', '|', '&'];

/// The addresses in the lines of a file; whole values are not for here.
pub(super) fn in_lines(text: &str) -> Vec<Address<'_>> {
    let own = own_names(text);
    let lines = text.lines().filter_map(without_comment);
    let found = lines.flat_map(|line| {
        let mut found = urls(line);
        if found.is_empty() && !line.contains("://") {
            found = of_setting(line);
        }
        found
    });
    found.filter(|it| !own.contains(it.host)).collect()
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
fn urls(line: &str) -> Vec<Address<'_>> {
    let mut found = Vec::new();
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
    found
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
