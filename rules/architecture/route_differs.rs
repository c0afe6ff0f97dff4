//! Routes that are not as the architecture promises.

use crate::absence::{Absence, Wanted};
use crate::api::kind::Kind;
use crate::api::ports::Ports;
use crate::architecture::Promise;
use crate::architecture::served::{Served, served};
use crate::architecture::statements::{Route, Section};
use crate::documents::Scalar;
use crate::model::Place;
use crate::rule::{Admission, Check, Cx, Finding, Group, Out, Preset, Rule, Severity};
use crate::text::tree::Node;
use std::collections::{BTreeMap, BTreeSet};

/// The rule.
pub(super) static RULE: Rule = Rule {
    id: "route-differs",
    title: "a route is not as the architecture promises",
    severity: Severity::Error,
    group: Group::Architecture,
    admission: Admission::Deny,
    presets: &[Preset::Invariants],
    reads: &[Kind::Gateway, Kind::HTTPRoute, Kind::Ingress, Kind::Service],
    like: &[],
    parameters: &[],
    page: include_str!("route_differs.md"),
    reads_images: None,
    checks: &[Check::Section(Section::Routes, check)],
};

fn check(cx: &Cx<'_, '_>, out: &mut Out) {
    for promise in cx.promises().filter(|it| !it.value.routes.is_empty()) {
        let there = served(cx.model, cx.facts);
        let mut places: BTreeMap<(&str, &str), Vec<usize>> = BTreeMap::new();
        for (at, it) in there.iter().enumerate() {
            places.entry((it.host, prefix(it.path))).or_default().push(at);
        }
        let mut met: BTreeSet<usize> = BTreeSet::new();
        for (route, node) in promise.value.routes.iter().zip(promise.root().list("routes")) {
            let part = |it: &Option<Scalar>| it.as_ref().map_or(String::new(), |it| it.0.clone());
            let (host, path) = (part(&route.host), part(&route.path));
            match places.get(&(host.as_str(), prefix(&path))) {
                Some(own) => {
                    own.iter().for_each(|it| {
                        compare(cx, promise, (route, node), &there[*it], out);
                    });
                    met.extend(own);
                }
                None => missing(cx, promise, (route, node), out),
            }
        }
        let others = there.iter().enumerate().filter(|it| !met.contains(&it.0)).map(|it| it.1);
        others.for_each(|it| undeclared(cx, promise, it, out));
    }
}

/// The part of a path that requests begin with: without a wildcard or the groups of an expression.
fn prefix(path: &str) -> &str {
    let end = path.find(['(', '*', '?', '$']).unwrap_or(path.len());
    path[..end].trim_end_matches('/')
}

fn place(cx: &Cx<'_, '_>, promise: &Promise, node: Node<'_>, key: &str) -> Place {
    promise.place(cx.model, node.get(key).unwrap_or(node))
}

fn told(route: &Route) -> String {
    let part = |it: &Option<Scalar>| it.as_ref().map_or(String::new(), |it| it.0.clone());
    format!("{}{}", part(&route.host), part(&route.path))
}

fn compare(
    cx: &Cx<'_, '_>,
    promise: &Promise,
    (route, node): (&Route, Node<'_>),
    found: &Served<'_, '_>,
    out: &mut Out,
) {
    let severity = if route.observed { Severity::Note } else { Severity::Error };
    let at = |node: Option<Node<'_>>| found.object.place(node.unwrap_or(found.node));
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
                    Finding::new(message, at(found.backend.0), "leads elsewhere")
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
                        Finding::new(message, at(found.backend.1), format!("{there} in the end"))
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
    if route.tls != Some(true) {
        return;
    }
    let Some(has_tls) = found.has_tls else {
        let missing = format!(
            "whether `{}` is served over TLS: its Gateway is not in the input",
            told(route)
        );
        return out.cannot_tell(found.object, missing);
    };
    if !has_tls {
        let field = if found.object.kind == Kind::Ingress { "spec.tls" } else { "spec.parentRefs" };
        let message = format!(
            "`{}` is to be served over TLS, and `{}` has none for it",
            told(route),
            found.object
        );
        out.find(
            Finding::new(message, found.object.at(field), "not of this host")
                .label(place(cx, promise, node, "tls"), "promised here")
                .severity(severity),
        );
    }
}

fn missing(cx: &Cx<'_, '_>, promise: &Promise, (route, node): (&Route, Node<'_>), out: &mut Out) {
    let component = promise.value.components.get(&route.to.0);
    let Some(workload) = component.and_then(|it| promise.workload(&route.to.0, it)) else { return };
    let message = format!("nothing serves `{}`, which is to lead to `{}`", told(route), route.to.0);
    let mut finding = Finding::new(message, promise.place(cx.model, node), "promised here")
        .awaits(&[Kind::HTTPRoute, Kind::Ingress]);
    if route.observed {
        finding = finding.severity(Severity::Note);
    }
    let own = cx.model.own(promise.document());
    // Either kind of object would serve it.
    let absences = [Kind::Ingress, Kind::HTTPRoute]
        .map(|kind| cx.absence_of(Wanted::any(kind, &workload.namespace)));
    let unsure = absences.into_iter().find(|it| *it != Absence::Absent);
    out.report_absent(own, unsure.unwrap_or(Absence::Absent), || finding);
}

fn undeclared(cx: &Cx<'_, '_>, promise: &Promise, found: &Served<'_, '_>, out: &mut Out) {
    // Who serves other namespaces is none of this architecture's.
    let is_own = promise.workloads().any(|it| it.2.namespace == found.object.namespace);
    let Some(at) = promise.at(&["routes"]).filter(|_| is_own) else { return };
    let message = format!(
        "`{}` serves `{}`, which is no route of the architecture",
        found.object,
        format_args!("{}{}", found.host, found.path)
    );
    let at_path = found.object.place(found.node);
    let finding = Finding::new(message, at_path, "not promised")
        .label(promise.place(cx.model, at), "all routes");
    out.find(finding.help("promise it, or take it away"));
}
