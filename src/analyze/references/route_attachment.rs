//! Which Gateways take which routes of the Gateway API.
//!
//! `gateway-api/apis/v1/shared_types.go` (ParentReference), `gateway_types.go` (Listener, AllowedRoutes) and
//! `httproute_types.go` (hostnames): a route is attached where one listener of the Gateway has the section and port that it
//! asks for, allows its kind and its namespace, and shares a hostname with it.

use crate::analyze::Facts;
use crate::analyze::references::backends::ROUTES;
use crate::analyze::selection::selector::Selector;
use crate::api::kind::Kind;
use crate::model::{Model, ObjId, Object};
use crate::text::tree::Node;

/// The group of Gateways and routes.
pub const GATEWAY_API: &str = "gateway.networking.k8s.io";

/// A Gateway that a route names as its parent.
#[derive(Clone, Debug)]
pub struct Parent<'d> {
    /// The route.
    pub route: ObjId,
    /// Its entry of `parentRefs`.
    pub node: Node<'d>,
    /// The namespace of the Gateway.
    pub namespace: &'d str,
    /// The name of the Gateway.
    pub name: &'d str,
}

/// What a Gateway makes of a route.
#[derive(Clone, Debug)]
pub enum Attachment<'d> {
    /// A listener takes it.
    Taken,
    /// None does: how far the listeners that came farthest go along, and these.
    Refused(Refusal, Vec<Node<'d>>),
    /// The input does not tell; this would settle it.
    CannotTell(String),
}

/// What a route fails by, in the order in which that is looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Refusal {
    /// No listener has the name that `sectionName` asks for.
    Section,
    /// None listens on the port that `port` asks for.
    Port,
    /// None takes routes of this kind.
    Kind,
    /// None takes routes of this namespace.
    Namespace,
    /// None has a hostname in common with the route.
    Hostname,
}

/// The Gateways that routes name. Services as parents belong to a mesh (GEP-1294), and other kinds to whoever defines
/// them.
pub fn parents<'d>(model: &Model<'d>) -> Vec<Parent<'d>> {
    let routes = ROUTES.iter().flat_map(|it| model.of_kind(*it));
    let parents = routes.flat_map(|route| {
        let spec = route.field(&["spec"]);
        let references = spec.into_iter().flat_map(|it| it.list("parentRefs"));
        references.filter_map(|node| {
            let is_gateway = node.text("group").is_none_or(|it| it == GATEWAY_API)
                && node.text("kind").is_none_or(|it| it == "Gateway");
            let name = node.text("name").filter(|_| is_gateway)?;
            let namespace = node.text("namespace").unwrap_or(route.namespace);
            Some(Parent { route: route.id, node, namespace, name })
        })
    });
    parents.collect()
}

/// Whether every parent of a route is a Service: it then belongs to a mesh.
pub fn is_of_mesh(route: &Object<'_>) -> bool {
    let spec = route.field(&["spec"]);
    let mut parents = spec.into_iter().flat_map(|it| it.list("parentRefs")).peekable();
    parents.peek().is_some()
        && parents.all(|it| it.text("group") == Some("") && it.text("kind") == Some("Service"))
}

/// What a listener makes of a route.
enum Listening {
    Takes,
    Refuses(Refusal),
    CannotTell(String),
}

/// What a Gateway makes of a route that names it.
pub fn attachment<'d>(
    facts: &Facts<'d>,
    parent: &Parent<'d>,
    gateway: &Object<'d>,
) -> Attachment<'d> {
    let route = facts.model.object(parent.route);
    let listeners = gateway.field(&["spec"]).into_iter().flat_map(|it| it.list("listeners"));
    let mut unknown = None;
    let mut refused: Vec<(Refusal, Node<'d>)> = Vec::new();
    for listener in listeners {
        match listening(facts, parent, route, gateway, listener) {
            Listening::Takes => return Attachment::Taken,
            Listening::CannotTell(missing) => unknown = unknown.or(Some(missing)),
            Listening::Refuses(refusal) => refused.push((refusal, listener)),
        }
    }
    if let Some(missing) = unknown {
        return Attachment::CannotTell(missing);
    }
    let farthest = refused.iter().map(|(it, _)| *it).max().unwrap_or(Refusal::Section);
    let listeners = refused.iter().filter(|(it, _)| *it == farthest).map(|(_, it)| *it);
    Attachment::Refused(farthest, listeners.collect())
}

fn listening<'d>(
    facts: &Facts<'d>,
    parent: &Parent<'d>,
    route: &Object<'d>,
    gateway: &Object<'d>,
    listener: Node<'d>,
) -> Listening {
    let section = parent.node.text("sectionName");
    if section.is_some_and(|it| listener.text("name") != Some(it)) {
        return Listening::Refuses(Refusal::Section);
    }
    let port = parent.node.get("port").and_then(Node::int);
    if port.is_some_and(|it| listener.get("port").and_then(Node::int) != Some(it)) {
        return Listening::Refuses(Refusal::Port);
    }
    if !takes_kind(listener, route) {
        return Listening::Refuses(Refusal::Kind);
    }
    if !shares_hostname(listener, route) {
        // A namespace that is not let in is what is to be mended first.
        return match takes_namespace(facts, listener, route, gateway) {
            Some(false) => Listening::Refuses(Refusal::Namespace),
            _ => Listening::Refuses(Refusal::Hostname),
        };
    }
    match takes_namespace(facts, listener, route, gateway) {
        Some(true) => Listening::Takes,
        Some(false) => Listening::Refuses(Refusal::Namespace),
        None => Listening::CannotTell(format!(
            "whether `{gateway}` takes routes of namespace `{}`: its Namespace and so its labels are not in the input",
            route.namespace
        )),
    }
}

/// The kinds that a listener names, else those of its protocol. A protocol with a domain is its vendor's.
fn takes_kind(listener: Node<'_>, route: &Object<'_>) -> bool {
    let mut kinds =
        listener.get("allowedRoutes").into_iter().flat_map(|it| it.list("kinds")).peekable();
    if kinds.peek().is_some() {
        return kinds.any(|it| {
            it.text("group").unwrap_or(GATEWAY_API) == route.group()
                && it.text("kind") == Some(route.kind_name)
        });
    }
    match listener.text("protocol") {
        Some("HTTP" | "HTTPS") => matches!(route.kind, Kind::HTTPRoute | Kind::GRPCRoute),
        Some("TLS") => matches!(route.kind, Kind::TLSRoute | Kind::TCPRoute),
        Some("TCP") => route.kind == Kind::TCPRoute,
        Some("UDP") => route.kind == Kind::UDPRoute,
        _ => true,
    }
}

/// Whether a listener takes routes of the route's namespace; `None` where labels decide that the input does not hold.
fn takes_namespace(
    facts: &Facts<'_>,
    listener: Node<'_>,
    route: &Object<'_>,
    gateway: &Object<'_>,
) -> Option<bool> {
    let namespaces = listener.at(&["allowedRoutes", "namespaces"]);
    match namespaces.and_then(|it| it.text("from")).unwrap_or("Same") {
        "All" => Some(true),
        "Same" => Some(route.namespace == gateway.namespace),
        "Selector" => {
            let selector = namespaces.and_then(|it| it.get("selector"));
            let selector = selector.map(Selector::parse).unwrap_or_default();
            facts.namespaces().is_selected(route.namespace, &selector)
        }
        _ => Some(false),
    }
}

/// Whether a listener and a route have a hostname in common. A route of TCP or UDP has none.
fn shares_hostname(listener: Node<'_>, route: &Object<'_>) -> bool {
    if matches!(route.kind, Kind::TCPRoute | Kind::UDPRoute) {
        return true;
    }
    let Some(host) = listener.text("hostname").filter(|it| !it.is_empty()) else { return true };
    let spec = route.field(&["spec"]);
    let mut hostnames = spec.into_iter().flat_map(|it| it.list("hostnames")).peekable();
    hostnames.peek().is_none() || hostnames.filter_map(Node::str).any(|it| meet(host, it))
}

/// Whether two hostnames meet. `*.` stands for one or more labels, so `*.shop.example` meets `a.b.shop.example` and not
/// `shop.example`; two wildcards meet where one ends with the other.
fn meet(a: &str, b: &str) -> bool {
    let (a, b) = (a.to_ascii_lowercase(), b.to_ascii_lowercase());
    match (a.strip_prefix('*'), b.strip_prefix('*')) {
        (None, None) => a == b,
        (Some(suffix), None) => b.len() > suffix.len() && b.ends_with(suffix),
        (None, Some(suffix)) => a.len() > suffix.len() && a.ends_with(suffix),
        (Some(a), Some(b)) => a.ends_with(b) || b.ends_with(a),
    }
}

#[cfg(test)]
mod tests {
    use super::meet;

    #[test]
    fn hostnames_meet_as_the_gateway_api_says() {
        for (listener, route, meets) in [
            ("a.example", "a.example", true),
            ("a.example", "A.Example", true),
            ("a.example", "b.example", false),
            ("*.example", "a.example", true),
            ("*.example", "a.b.example", true),
            ("*.example", "example", false),
            ("*.example", "aexample", false),
            ("a.example", "*.example", true),
            ("*.example", "*.example", true),
            ("*.a.example", "*.example", true),
            ("*.a.example", "*.b.example", false),
        ] {
            assert_eq!(meet(listener, route), meets, "{listener} and {route}");
            assert_eq!(meet(route, listener), meets, "{route} and {listener}");
        }
    }
}
