//! Routes that are not as the architecture promises.

use crate::absence::Wanted;
use crate::analyze::selection::workloads::WorkloadId;
use crate::api::kind::Kind;
use crate::api::ports::Ports;
use crate::architecture::Promise;
use crate::architecture::statements::{Route, Section};
use crate::model::{Object, Place};
use crate::rule::{Admission, Check, Cx, Finding, Group, Out, Preset, Rule, Severity};
use crate::text::tree::Node;
use std::collections::BTreeSet;

/// The rule.
pub(super) static RULE: Rule = Rule {
    id: "route-differs",
    title: "a route is not as the architecture promises",
    severity: Severity::Error,
    group: Group::Architecture,
    admission: Admission::Deny,
    presets: &[Preset::Invariants],
    reads: &[Kind::HTTPRoute, Kind::Ingress, Kind::Service],
    like: &[],
    parameters: &[],
    page: include_str!("route_differs.md"),
    reads_images: false,
    checks: &[Check::Section(Section::Routes, check)],
};

fn check(cx: &Cx<'_, '_>, out: &mut Out) {
    for promise in cx.promises().filter(|it| !it.value.routes.is_empty()) {
        let there = routes(cx);
        let mut met = BTreeSet::new();
        for (route, node) in promise.value.routes.iter().zip(promise.root().list("routes")) {
            let own = there.iter().enumerate().find(|(_, it)| it.is(route));
            met.extend(own.map(|it| it.0));
            match own {
                Some((_, found)) => compare(cx, promise, (route, node), found, out),
                None => missing(cx, promise, (route, node), out),
            }
        }
        let others = there.iter().enumerate().filter(|it| !met.contains(&it.0)).map(|it| it.1);
        others.for_each(|it| undeclared(cx, promise, it, out));
    }
}

/// A path of an Ingress, and where it leads.
struct There<'c, 'd> {
    object: &'c Object<'d>,
    host: &'d str,
    path: &'d str,
    node: Node<'d>,
    /// The workloads behind it, each with the port of its pods.
    to: Vec<(WorkloadId, Option<i64>)>,
    has_tls: bool,
}

/// The part of a path that requests begin with: without a wildcard or the groups of an expression.
fn prefix(path: &str) -> &str {
    let end = path.find(['(', '*', '?', '$']).unwrap_or(path.len());
    path[..end].trim_end_matches('/')
}

impl There<'_, '_> {
    fn is(&self, route: &Route) -> bool {
        let host = route.host.as_ref().map_or("", |it| it.0.as_str());
        let path = route.path.as_ref().map_or("", |it| it.0.as_str());
        host == self.host && prefix(path) == prefix(self.path)
    }

    fn shown(&self) -> String {
        format!("{}{}", self.host, self.path)
    }
}

/// What Ingresses serve.
fn routes<'c, 'd>(cx: &Cx<'c, 'd>) -> Vec<There<'c, 'd>> {
    let mut all = Vec::new();
    for object in cx.model.of_kind(Kind::Ingress) {
        let Some(spec) = object.field(&["spec"]) else { continue };
        let hosts: BTreeSet<&str> =
            spec.list("tls").flat_map(|it| it.list("hosts")).filter_map(Node::str).collect();
        for rule in spec.list("rules") {
            let host = rule.text("host").unwrap_or("");
            for node in rule.get("http").into_iter().flat_map(|it| it.list("paths")) {
                let service = node.at(&["backend", "service"]);
                let to = service.map(|it| behind(cx, object.namespace, it)).unwrap_or_default();
                let (path, has_tls) = (node.text("path").unwrap_or("/"), hosts.contains(host));
                all.push(There { object, host, path, node, to, has_tls });
            }
        }
    }
    all
}

/// The workloads behind a backend.
fn behind(cx: &Cx<'_, '_>, namespace: &str, backend: Node<'_>) -> Vec<(WorkloadId, Option<i64>)> {
    let found = backend.text("name").and_then(|it| cx.facts.services().find(namespace, it));
    let Some(service) = found else { return Vec::new() };
    let number = backend.at(&["port", "number"]).and_then(Node::int);
    let name = backend.at(&["port", "name"]).and_then(Node::str);
    let port = service
        .ports
        .iter()
        .find(|it| number == Some(it.port) || name.is_some() && it.name == name);
    let each = service
        .selects
        .iter()
        .map(|it| (it.0, port.and_then(|port| port.on(cx.facts.ports(it.0)))));
    each.collect()
}

fn place(cx: &Cx<'_, '_>, promise: &Promise, node: Node<'_>, key: &str) -> Place {
    promise.place(cx.model, node.get(key).unwrap_or(node))
}

fn told(route: &Route) -> String {
    let part = |it: &Option<crate::documents::Scalar>| {
        it.as_ref().map_or(String::new(), |it| it.0.clone())
    };
    format!("{}{}", part(&route.host), part(&route.path))
}

fn compare(
    cx: &Cx<'_, '_>,
    promise: &Promise,
    (route, node): (&Route, Node<'_>),
    found: &There<'_, '_>,
    out: &mut Out,
) {
    let severity = if route.observed { Severity::Note } else { Severity::Error };
    let at = |path: &[&str]| found.object.place(found.node.at(path).unwrap_or(found.node));
    let component = promise.value.components.get(&route.to.0);
    let workload = component.and_then(|it| promise.workload(&route.to.0, it));
    let own = workload.and_then(|it| super::workload_of(cx, &it)).map(|it| it.id);
    if let Some(own) = own.filter(|_| !found.to.is_empty()) {
        match found.to.iter().find(|it| it.0 == own) {
            None => {
                let other = cx.object(cx.facts.workloads().get(found.to[0].0).object);
                let message = format!(
                    "`{}` is to lead to `{}`, and leads to `{other}`",
                    told(route),
                    route.to.0
                );
                out.find(
                    Finding::new(message, at(&["backend", "service", "name"]), "leads elsewhere")
                        .label(place(cx, promise, node, "to"), "promised here")
                        .severity(severity),
                );
            }
            Some((_, port)) => {
                let is_it = |it: &Ports| {
                    port.is_none_or(|port| {
                        (i64::from(it.first)..=i64::from(it.last)).contains(&port)
                    })
                };
                if let Some(promised) = route.port.filter(|it| !is_it(it)) {
                    let there = port.unwrap_or_default();
                    let message = format!(
                        "`{}` is to lead to port {} of `{}`, and leads to {there}",
                        told(route),
                        promised.first,
                        route.to.0
                    );
                    out.find(
                        Finding::new(
                            message,
                            at(&["backend", "service", "port"]),
                            format!("{there} in the end"),
                        )
                        .label(
                            place(cx, promise, node, "port"),
                            format!("{} promised", promised.first),
                        )
                        .severity(severity),
                    );
                }
            }
        }
    }
    if route.tls == Some(true) && !found.has_tls {
        let message = format!(
            "`{}` is to be served over TLS, and `{}` has none for it",
            told(route),
            found.object
        );
        out.find(
            Finding::new(message, found.object.at("spec.tls"), "not of this host")
                .label(place(cx, promise, node, "tls"), "promised here")
                .severity(severity),
        );
    }
}

fn missing(cx: &Cx<'_, '_>, promise: &Promise, (route, node): (&Route, Node<'_>), out: &mut Out) {
    let component = promise.value.components.get(&route.to.0);
    let Some(workload) = component.and_then(|it| promise.workload(&route.to.0, it)) else { return };
    let message =
        format!("no Ingress serves `{}`, which is to lead to `{}`", told(route), route.to.0);
    let mut finding = Finding::new(message, promise.place(cx.model, node), "promised here")
        .awaits(&[Kind::Ingress]);
    if route.observed {
        finding = finding.severity(Severity::Note);
    }
    // Routes of the Gateway API serve as well, and are not compared.
    if let Some(other) = cx.model.of_kind(Kind::HTTPRoute).next() {
        return out.cannot_tell(
            other,
            format!("whether it serves `{}`: only Ingresses are compared", told(route)),
        );
    }
    let wanted = Wanted::any(Kind::Ingress, &workload.namespace);
    out.report_absent(cx.model.own(promise.document()), cx.absence_of(wanted), || finding);
}

fn undeclared(cx: &Cx<'_, '_>, promise: &Promise, found: &There<'_, '_>, out: &mut Out) {
    // Who serves other namespaces is none of this architecture's.
    let is_own = promise.workloads().any(|it| it.2.namespace == found.object.namespace);
    let Some(at) = promise.at(&["routes"]).filter(|_| is_own) else { return };
    let message = format!(
        "`{}` serves `{}`, which is no route of the architecture",
        found.object,
        found.shown()
    );
    let at_path = found.object.place(found.node.get("path").unwrap_or(found.node));
    let finding = Finding::new(message, at_path, "not promised")
        .label(promise.place(cx.model, at), "all routes");
    out.find(finding.help("promise it, or take it away"));
}
