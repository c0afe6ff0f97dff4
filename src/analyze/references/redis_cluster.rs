//! Redis as a cluster, told by the options or the configuration that its containers are given, or by its bus port.
//!
//! What a member calls the others on: `cluster_legacy.c`, `clusterInit`: the bus listens on `cluster-port`, or on the
//! port of the clients + 10000 (`CLUSTER_PORT_INCR`). Replicas and `MIGRATE` use the port of the clients.

use crate::analyze::selection::workloads::Workload;
use crate::api::image::Image;
use crate::api::kind::Kind;
use crate::model::Model;
use crate::text::tree::Node;
use std::collections::BTreeMap;

/// The ports of a member.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RedisCluster {
    /// That of the clients, of replicas, and of slots that move.
    pub port: u16,
    /// That on which members tell each other who is there.
    pub bus: u16,
}

impl RedisCluster {
    /// What a container runs as, if it is a member of a Redis cluster.
    pub fn of(
        model: &Model<'_>,
        workload: &Workload<'_>,
        container: Node<'_>,
    ) -> Option<RedisCluster> {
        if !is_server(container.text("image").unwrap_or_default()) {
            return None;
        }
        let settings = settings(model, workload, container);
        let number = |name: &str| settings.get(name)?.parse::<u16>().ok().filter(|it| *it > 0);
        // Without TLS there is one port; `port 0` leaves the encrypted one alone.
        let port = number("port").or_else(|| number("tls-port")).unwrap_or(6379);
        let bus = number("cluster-port").or_else(|| port.checked_add(10_000))?;
        let is_enabled = match settings.get("cluster-enabled").map(String::as_str) {
            Some(it) => it == "yes",
            None => {
                let mut ports =
                    container.list("ports").filter_map(|it| it.get("containerPort")?.int());
                settings.keys().any(|it| it.starts_with("cluster-"))
                    || ports.any(|it| it == i64::from(bus))
            }
        };
        is_enabled.then_some(RedisCluster { port, bus })
    }
}

/// Exporters and other helpers are named after what they serve.
fn is_server(image: &str) -> bool {
    let name = Image::of(image).name();
    ["redis", "valkey", "keydb"].iter().any(|it| name.contains(it))
        && !["exporter", "backup", "operator", "proxy"].iter().any(|it| name.contains(it))
}

/// What the mounted files say, and then the options, which win.
fn settings(
    model: &Model<'_>,
    workload: &Workload<'_>,
    container: Node<'_>,
) -> BTreeMap<String, String> {
    let mut settings = BTreeMap::new();
    let volumes = workload.pod.list("volumes").flat_map(|volume| {
        let projected = volume.get("projected").into_iter().flat_map(|it| it.list("sources"));
        projected.chain([volume]).filter_map(|it| it.at(&["configMap", "name"])?.str())
    });
    for name in volumes {
        let map = model.find(Kind::ConfigMap, workload.namespace, name);
        let data = map.and_then(|it| it.root.get("data")).into_iter().flat_map(Node::pairs);
        for text in data.filter_map(|(_, value)| value.str()) {
            for line in text.lines() {
                if let Some((name, value)) = line.trim().split_once(char::is_whitespace) {
                    settings.insert(name.to_ascii_lowercase(), unquoted(value));
                }
            }
            // A script that starts the server is mounted as well.
            settings.extend(options(text.split_whitespace()));
        }
    }
    // A shell's script is one argument of many words.
    let arguments = container.list("command").chain(container.list("args"));
    settings.extend(options(arguments.filter_map(Node::str).flat_map(str::split_whitespace)));
    settings
}

/// `--name value`.
fn options<'a>(words: impl Iterator<Item = &'a str>) -> Vec<(String, String)> {
    let mut words = words.peekable();
    let mut options = Vec::new();
    while let Some(word) = words.next() {
        let Some(name) = word.trim_start_matches(['"', '\'']).strip_prefix("--") else { continue };
        if let Some(value) = words.next_if(|it| !it.starts_with("--")) {
            options.push((name.to_ascii_lowercase(), unquoted(value)));
        }
    }
    options
}

fn unquoted(value: &str) -> String {
    value.trim().trim_matches(['"', '\'', ';']).to_string()
}
