//! What Ingresses and HTTPRoutes serve to the outside.

use crate::analyze::Facts;
use crate::analyze::references::route_attachment::{is_of_mesh, parents};
use crate::analyze::selection::workloads::WorkloadId;
use crate::api::kind::Kind;
use crate::model::{Model, Object};
use crate::text::tree::Node;
use rustc_hash::FxHashMap;
use std::collections::BTreeSet;

/// A path of a host, and where it leads.
#[derive(Clone, Debug)]
pub struct Served<'m, 'd> {
    /// The Ingress or HTTPRoute.
    pub object: &'m Object<'d>,
    /// The host; empty where it is any.
    pub host: &'d str,
    /// The path.
    pub path: &'d str,
    /// Where it stands.
    pub node: Node<'d>,
    /// The name and the port of the first backend.
    pub backend: (Option<Node<'d>>, Option<Node<'d>>),
    /// The workloads behind it, each with the port of its pods.
    pub to: Vec<(WorkloadId, Option<i64>)>,
    /// Whether it is served over TLS; `None` where the input does not tell.
    pub has_tls: Option<bool>,
}

/// All of it.
pub fn served<'m, 'd>(model: &'m Model<'d>, facts: &Facts<'d>) -> Vec<Served<'m, 'd>> {
    let mut all = Vec::new();
    for object in model.of_kind(Kind::Ingress) {
        ingress(facts, object, &mut all);
    }
    let tls = tls_of_routes(model);
    for object in model.of_kind(Kind::HTTPRoute).filter(|it| !is_of_mesh(it)) {
        let has_tls = tls.get(&object.id).copied().flatten();
        http_route(facts, object, has_tls, &mut all);
    }
    all
}

fn ingress<'m, 'd>(facts: &Facts<'d>, object: &'m Object<'d>, all: &mut Vec<Served<'m, 'd>>) {
    let Some(spec) = object.field(&["spec"]) else { return };
    let hosts: BTreeSet<&str> =
        spec.list("tls").flat_map(|it| it.list("hosts")).filter_map(Node::str).collect();
    for rule in spec.list("rules") {
        let host = rule.text("host").unwrap_or("");
        for node in rule.get("http").into_iter().flat_map(|it| it.list("paths")) {
            let service = node.at(&["backend", "service"]);
            let port = service.and_then(|it| it.get("port"));
            let name = service.and_then(|it| it.get("name"));
            let wanted = Wanted {
                name: name.and_then(Node::str),
                number: port.and_then(|it| it.get("number")).and_then(Node::int),
                port: port.and_then(|it| it.get("name")).and_then(Node::str),
            };
            all.push(Served {
                object,
                host,
                path: node.text("path").unwrap_or("/"),
                node: node.get("path").unwrap_or(node),
                backend: (name, port),
                to: behind(facts, object.namespace, &wanted),
                has_tls: Some(hosts.contains(host)),
            });
        }
    }
}

/// `gateway-api/apis/v1/httproute_types.go`: without a match a rule takes every path, without hostnames a route those of its
/// listeners.
fn http_route<'m, 'd>(
    facts: &Facts<'d>,
    object: &'m Object<'d>,
    has_tls: Option<bool>,
    all: &mut Vec<Served<'m, 'd>>,
) {
    let Some(spec) = object.field(&["spec"]) else { return };
    let mut hosts: Vec<&str> = spec.list("hostnames").filter_map(Node::str).collect();
    if hosts.is_empty() {
        hosts.push("");
    }
    for rule in spec.list("rules") {
        let references: Vec<Node<'_>> = rule.list("backendRefs").collect();
        let to = references.iter().flat_map(|it| {
            let is_service = it.text("kind").is_none_or(|it| it == "Service");
            let namespace = it.text("namespace").unwrap_or(object.namespace);
            let wanted = Wanted {
                name: it.text("name").filter(|_| is_service),
                number: it.get("port").and_then(Node::int),
                port: None,
            };
            behind(facts, namespace, &wanted)
        });
        let to: Vec<_> = to.collect();
        let first = references.first();
        let backend = (first.and_then(|it| it.get("name")), first.and_then(|it| it.get("port")));
        let paths = rule.list("matches").map(|it| {
            let value = it.at(&["path", "value"]);
            (value.and_then(Node::str).unwrap_or("/"), value.unwrap_or(it))
        });
        let mut paths: Vec<(&str, Node<'_>)> = paths.collect();
        if paths.is_empty() {
            paths.push(("/", rule));
        }
        for host in &hosts {
            all.extend(paths.iter().map(|(path, node)| Served {
                object,
                host,
                path,
                node: *node,
                backend,
                to: to.clone(),
                has_tls,
            }));
        }
    }
}

/// By route, whether a listener that it asks for ends TLS; `None` of those whose Gateway is not in the input.
fn tls_of_routes(model: &Model<'_>) -> FxHashMap<crate::model::ObjId, Option<bool>> {
    let mut all: FxHashMap<_, Option<bool>> = FxHashMap::default();
    for parent in parents(model) {
        let gateway = model.find(Kind::Gateway, parent.namespace, parent.name);
        let has_tls = gateway.map(|gateway| {
            let section = parent.node.text("sectionName");
            let listeners =
                gateway.field(&["spec"]).into_iter().flat_map(|it| it.list("listeners"));
            let mut own = listeners.filter(|it| section.is_none() || it.text("name") == section);
            own.any(|it| matches!(it.text("protocol"), Some("HTTPS" | "TLS")))
        });
        let known = all.entry(parent.route).or_insert(Some(false));
        *known = match (*known, has_tls) {
            (Some(true), _) | (_, Some(true)) => Some(true),
            (Some(false), Some(false)) => Some(false),
            (None, _) | (_, None) => None,
        };
    }
    all
}

/// A Service, and one of its ports by number or name.
struct Wanted<'d> {
    name: Option<&'d str>,
    number: Option<i64>,
    port: Option<&'d str>,
}

/// The workloads behind a backend.
fn behind(
    facts: &Facts<'_>,
    namespace: &str,
    wanted: &Wanted<'_>,
) -> Vec<(WorkloadId, Option<i64>)> {
    let found = wanted.name.and_then(|it| facts.services().find(namespace, it));
    let Some(service) = found else { return Vec::new() };
    let is_it = |number: i64, name: Option<&str>| {
        wanted.number == Some(number) || wanted.port.is_some() && name == wanted.port
    };
    let port = service.ports.iter().find(|it| is_it(it.port, it.name));
    let each = service.selects.iter();
    each.map(|it| (it.0, port.and_then(|port| port.on(facts.ports(it.0))))).collect()
}
