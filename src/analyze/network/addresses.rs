//! Addresses in texts (variables, arguments, configuration), and what of the cluster a name among them means.
//!
//! Only what can be nothing else is taken for an address of the cluster: names that end in `.svc`, wherever they stand;
//! and shorter ones where a whole value is a URL or, under a key that speaks of addresses, a list of hosts with ports.
//! A bare word is one only where a Service of that name is there, which [`bare`] leaves to others to find out.

use super::config_files::in_lines;

/// A host and a port as they stand in a text.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Address<'t> {
    /// The host, as written.
    pub host: &'t str,
    /// The port, if one is written.
    pub port: Option<i64>,
}

/// What a host of the cluster means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Name<'t> {
    /// One pod of the Service.
    pub pod: Option<&'t str>,
    /// The Service.
    pub service: &'t str,
    /// Its namespace; `None` is that of the pod which asks.
    pub namespace: Option<&'t str>,
}

/// Schemes of URLs whose host is looked up in DNS.
pub(super) const SCHEMES: &[&str] = &[
    "amqp",
    "amqps",
    "bolt",
    "clickhouse",
    "grpc",
    "grpcs",
    "http",
    "https",
    "kafka",
    "ldap",
    "ldaps",
    "mariadb",
    "mongodb",
    "mqtt",
    "mqtts",
    "mysql",
    "nats",
    "neo4j",
    "otlp",
    "postgres",
    "postgresql",
    "redis",
    "rediss",
    "smtp",
    "smtps",
    "sqlserver",
    "tcp",
    "tls",
    "udp",
    "ws",
    "wss",
];

/// Words of keys whose values are hosts with ports.
const ADDRESS_WORDS: &[&str] = &[
    "addr",
    "address",
    "addresses",
    "backend",
    "bootstrap",
    "broker",
    "brokers",
    "endpoint",
    "endpoints",
    "host",
    "hosts",
    "peers",
    "server",
    "servers",
    "target",
    "upstream",
    "uri",
    "url",
    "urls",
];

/// Words of keys whose values only look like it: where a process listens, and images with tags.
const OTHER_WORDS: &[&str] = &["bind", "image", "images", "listen", "listener", "listeners"];

/// Last words of keys whose values are a host alone: `DB_HOST` has its port in a key of its own.
const HOST_WORDS: &[&str] = &["addr", "address", "host", "hostname"];

/// Words that stand for a host in examples.
const PLACEHOLDERS: &[&str] =
    &["changeme", "example", "host", "hostname", "localhost", "metadata", "placeholder", "todo"];

/// The addresses of the cluster in a text that stands under a key. Comments of configuration files are left out.
pub fn addresses<'t>(key: &str, text: &'t str) -> Vec<Address<'t>> {
    let mut found: Vec<Address<'t>> = Vec::new();
    if text.contains(".svc") {
        for line in text.lines().filter(|it| !it.trim_start().starts_with(['#', ';'])) {
            found.extend(in_cluster(line));
        }
    }
    let short = match text.trim() {
        whole if whole.contains('\n') => in_lines(whole),
        whole => of_whole(key, whole),
    };
    found.extend(short.into_iter().filter(|it| !is_in_cluster(it.host)));
    found.sort();
    found.dedup();
    found
}

/// A value that is a host without a port, if its key says that it is one.
pub fn bare<'t>(key: &str, text: &'t str) -> Option<Address<'t>> {
    let key = key.to_ascii_lowercase();
    let mut words = key.split(|it: char| !it.is_ascii_alphanumeric());
    let is_meant = words.next_back().is_some_and(|it| HOST_WORDS.contains(&it))
        && !words.any(|it| OTHER_WORDS.contains(&it));
    let host = text.trim();
    let is_written = is_host(host) && !is_placeholder(host) && !is_in_cluster(host);
    (is_meant && is_written).then_some(Address { host, port: None })
}

/// What a host means: `service.namespace.svc`, `pod.service.namespace.svc`, or one or two labels for the search path of
/// `/etc/resolv.conf` (`namespace.svc.cluster.local`, `svc.cluster.local`).
pub fn name(host: &str) -> Option<Name<'_>> {
    let labels: Vec<_> = host.trim_end_matches('.').split('.').collect();
    let of_cluster = match labels.as_slice() {
        [before @ .., "svc", "cluster", "local"] | [before @ .., "svc"] => Some(before),
        _ => None,
    };
    if let Some(before) = of_cluster {
        // SRV records: `_http._tcp.service.namespace.svc`.
        let skipped = before.iter().take_while(|it| it.starts_with('_')).count();
        return match &before[skipped..] {
            [service, namespace] => Some(Name { pod: None, service, namespace: Some(namespace) }),
            [pod, service, namespace] => {
                Some(Name { pod: Some(pod), service, namespace: Some(namespace) })
            }
            _ => None,
        };
    }
    match labels.as_slice() {
        [service] => Some(Name { pod: None, service, namespace: None }),
        [service, namespace] => Some(Name { pod: None, service, namespace: Some(namespace) }),
        _ => None,
    }
}

/// Whether a host is written out as one of the cluster's.
pub fn is_in_cluster(host: &str) -> bool {
    let host = host.trim_end_matches('.');
    host.ends_with(".svc") || host.ends_with(".svc.cluster.local")
}

/// Hosts that are written out, wherever they stand in a line.
fn in_cluster(line: &str) -> Vec<Address<'_>> {
    let mut found = Vec::new();
    let mut from = 0;
    while let Some(at) = line[from..].find(".svc") {
        let inside = |it: char| it.is_ascii_alphanumeric() || matches!(it, '.' | '-' | '_');
        let start = line[..from + at]
            .rfind(|it| !inside(it))
            .map_or(0, |it| it + line[it..].chars().next().map_or(1, char::len_utf8));
        let end = line[from + at..].find(|it| !inside(it)).map_or(line.len(), |it| from + at + it);
        from = end;
        let host = line[start..end].trim_end_matches('.');
        let before = line[..start].chars().next_back();
        let after = line[end..].chars().next();
        // What a template or a regular expression continues is no host yet.
        let begins = before.is_none_or(|it| it.is_whitespace() || "\"'=/@,;|([:`".contains(it));
        let ends = after.is_none_or(|it| it.is_whitespace() || "\"':/,;|)]?#`&".contains(it));
        if begins && ends && is_in_cluster(host) && is_host(host) {
            found.push(Address { host, port: port(&line[end..]) });
        }
    }
    found
}

/// The port that a text begins with: `:8080`, and then no letter.
pub(super) fn port(text: &str) -> Option<i64> {
    let digits = text.strip_prefix(':')?;
    let end = digits.find(|it: char| !it.is_ascii_digit()).unwrap_or(digits.len());
    if digits[end..].starts_with(|it: char| it.is_alphanumeric() || "{$%<".contains(it)) {
        return None;
    }
    digits[..end].parse().ok().filter(|it| (1..=65535).contains(it))
}

/// The hosts of a value that is a URL or a list of hosts with ports, and nothing else.
pub(super) fn of_whole<'t>(key: &str, text: &'t str) -> Vec<Address<'t>> {
    if text.contains(char::is_whitespace) {
        return Vec::new();
    }
    let url = text.strip_prefix("jdbc:").unwrap_or(text).split_once("://");
    let (hosts, needs_port) = match url {
        Some((scheme, rest)) if SCHEMES.contains(&scheme.to_ascii_lowercase().as_str()) => {
            (rest, false)
        }
        None if speaks_of_addresses(key) => (text, true),
        _ => return Vec::new(),
    };
    let authority = hosts.split(['/', '?', '#', ';']).next().unwrap_or_default();
    let hosts = authority.rsplit_once('@').map_or(authority, |(_, hosts)| hosts);
    let each = hosts.split(',').map(|it| {
        let (host, rest) = it.split_at(it.find(':').unwrap_or(it.len()));
        let port = port(rest);
        // `name:` without a number, or with one that a template will give.
        let is_whole = if rest.is_empty() { !needs_port } else { port.is_some() };
        (is_whole && is_host(host) && !is_placeholder(host)).then_some(Address { host, port })
    });
    // One entry that is no address makes the others doubtful: an image's tag, a list of something else.
    each.collect::<Option<Vec<_>>>().unwrap_or_default()
}

fn speaks_of_addresses(key: &str) -> bool {
    let key = key.to_ascii_lowercase();
    let has = |list: &[&str]| {
        key.split(|it: char| !it.is_ascii_alphanumeric()).any(|it| list.contains(&it))
    };
    has(ADDRESS_WORDS) && !has(OTHER_WORDS)
}

/// Labels as DNS has them, at least one letter, in lower case.
pub(super) fn is_host(text: &str) -> bool {
    let is_label = |it: &str| {
        let bare = it.trim_start_matches('_');
        !bare.is_empty()
            && bare.len() <= 63
            && !bare.starts_with('-')
            && !bare.ends_with('-')
            && bare.bytes().all(|it| it.is_ascii_lowercase() || it.is_ascii_digit() || it == b'-')
    };
    text.split('.').all(is_label) && text.bytes().any(|it| it.is_ascii_lowercase())
}

pub(super) fn is_placeholder(host: &str) -> bool {
    PLACEHOLDERS.contains(&host)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(key: &str, text: &str) -> Vec<String> {
        let show =
            |it: Address<'_>| it.port.map_or(it.host.into(), |port| format!("{} {port}", it.host));
        addresses(key, text).into_iter().map(show).collect()
    }

    #[test]
    fn written_out_names_are_found_anywhere() {
        for (text, expected) in [
            ("api.shop.svc", "api.shop.svc"),
            ("http://api.shop.svc.cluster.local:8080/v1", "api.shop.svc.cluster.local 8080"),
            ("--peer=redis-0.redis.data.svc:6379", "redis-0.redis.data.svc 6379"),
            ("user:secret@db.data.svc:5432/shop", "db.data.svc 5432"),
            ("proxy_pass http://web.front.svc.cluster.local.;", "web.front.svc.cluster.local"),
            ("_http._tcp.api.shop.svc.cluster.local", "_http._tcp.api.shop.svc.cluster.local"),
        ] {
            assert_eq!(found("x", text), [expected], "{text}");
        }
        assert_eq!(found("x", "a.b.svc:1,c.d.svc:2"), ["a.b.svc 1", "c.d.svc 2"]);
        assert_eq!(
            found("x", "one\nupstream a.b.svc:80;\n  # server c.d.svc:80;\n"),
            ["a.b.svc 80"]
        );
    }

    #[test]
    fn what_is_not_finished_is_no_name() {
        for text in [
            "$(HOST).shop.svc:80",
            "{{ .Name }}.shop.svc",
            "${ns}.svc.cluster.local",
            "*.shop.svc",
            ".svc,.cluster.local",
            "(.+)\\.shop\\.svc",
            "api.svc-old.example",
            "api.shop.svc.corp.example",
            "api.shop.svc{{ .Domain }}",
            "über.svc",
        ] {
            assert_eq!(found("URL", text), Vec::<String>::new(), "{text}");
        }
    }

    #[test]
    fn short_names_count_where_a_value_is_an_address() {
        for (key, text, expected) in [
            ("X", "http://api", &["api"][..]),
            ("X", "http://api:8080/health?x=1", &["api 8080"]),
            ("X", "postgres://user:p%40ss@db:5432/shop", &["db 5432"]),
            ("X", "jdbc:postgresql://db:5432/shop", &["db 5432"]),
            ("X", "mongodb://a:27017,b:27017/shop", &["a 27017", "b 27017"]),
            ("KAFKA_BROKERS", "a:9092,b:9092", &["a 9092", "b 9092"]),
            ("NEXT_PUBLIC_API_URL", "api:5000", &["api 5000"]),
            ("redis-address", "redis:6379/0", &["redis 6379"]),
            ("X", "https://shop.example/x", &["shop.example"]),
        ] {
            assert_eq!(found(key, text), expected, "{text}");
        }
    }

    #[test]
    fn what_may_be_something_else_is_no_address() {
        for (key, text) in [
            ("DB_HOST", "postgres"),
            ("IMAGE", "redis:6379"),
            ("IMAGE_URL", "redis:6379"),
            ("VERSION", "node:1800"),
            ("LISTEN_ADDRESS", "api:8080"),
            ("URL", "http://localhost:8080"),
            ("URL", "http://127.0.0.1:8080"),
            ("URL", "http://${HOST}:80"),
            ("URL", "http://api:${PORT}"),
            ("URL", "s3://bucket/key"),
            ("URL", "file:///etc/api"),
            ("URL", "mongodb+srv://cluster/shop"),
            ("URL", "use http://api please"),
            ("BROKERS", "a:9092,PLAINTEXT://b:9092"),
            ("ADDRESS", ":8080"),
            ("ADDRESS", "0.0.0.0:8080"),
        ] {
            assert_eq!(found(key, text), Vec::<String>::new(), "{key} {text}");
        }
    }

    #[test]
    fn a_bare_word_is_a_host_under_a_key_that_ends_so() {
        let found = |key, text| bare(key, text).map(|it| it.host);
        for key in ["DB_HOST", "redis-address", "POSTGRES_HOSTNAME", "--db.host"] {
            assert_eq!(found(key, "postgres"), Some("postgres"), "{key}");
        }
        for (key, text) in [
            ("CACHE_BACKEND", "redis"),
            ("HOST_KIND", "redis"),
            ("BIND_HOST", "api"),
            ("DB_HOST", "localhost"),
            ("DB_HOST", "10.0.0.1"),
            ("DB_HOST", "$(HOST)"),
            ("DB_HOST", "a b"),
            ("DB_HOST", "db.shop.svc"),
        ] {
            assert_eq!(found(key, text), None, "{key} {text}");
        }
    }

    #[test]
    fn names_are_read_by_the_search_path() {
        let of = |host| name(host).map(|it| (it.pod, it.service, it.namespace));
        assert_eq!(of("api"), Some((None, "api", None)));
        assert_eq!(of("api.shop"), Some((None, "api", Some("shop"))));
        assert_eq!(of("api.shop.svc"), Some((None, "api", Some("shop"))));
        assert_eq!(of("db-0.db.shop.svc.cluster.local."), Some((Some("db-0"), "db", Some("shop"))));
        assert_eq!(of("_sql._tcp.db.shop.svc"), Some((None, "db", Some("shop"))));
        assert_eq!(of("www.shop.example"), None);
        assert_eq!(of("shop.svc"), None);
    }
}
