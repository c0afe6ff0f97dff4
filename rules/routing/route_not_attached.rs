//! Routes that their Gateway does not take.

use crate::absence::Wanted;
use crate::analyze::references::route_attachment::{
    Attachment, Parent, Refusal, attachment, parents,
};
use crate::api::kind::Kind;
use crate::model::{Object, Place};
use crate::policy::closest;
use crate::rule::{Admission, Check, Cx, Finding, Group, Out, Preset, Rule, Severity};
use crate::text::tree::Node;

/// The rule.
pub(super) static RULE: Rule = Rule {
    id: "route-not-attached",
    title: "a route names a Gateway that does not take it",
    severity: Severity::Error,
    group: Group::Routing,
    admission: Admission::Warn,
    presets: &[Preset::Invariants],
    reads: &[
        Kind::GRPCRoute,
        Kind::Gateway,
        Kind::HTTPRoute,
        Kind::Namespace,
        Kind::TCPRoute,
        Kind::TLSRoute,
        Kind::UDPRoute,
    ],
    like: &[],
    parameters: &[],
    page: include_str!("route_not_attached.md"),
    reads_images: None,
    checks: &[Check::World(check)],
};

fn check(cx: &Cx<'_, '_>, out: &mut Out) {
    for parent in parents(cx.model) {
        let route = cx.object(parent.route);
        let Some(gateway) = cx.model.find(Kind::Gateway, parent.namespace, parent.name) else {
            let wanted = Wanted::object(Kind::Gateway, parent.namespace, parent.name);
            out.report_absent(route, cx.absence_of(wanted), || no_gateway(cx, route, &parent));
            continue;
        };
        match attachment(cx.facts, &parent, gateway) {
            Attachment::Taken => {}
            Attachment::CannotTell(missing) => out.cannot_tell(route, missing),
            Attachment::Refused(refusal, listeners) => {
                out.find(refused(route, &parent, gateway, refusal, &listeners));
            }
        }
    }
}

const UNTAKEN: &str = "a route that no listener takes gets no traffic, and says so only in its status (Accepted is False)";

/// How many Gateways are looked at for one that was meant.
const LOOKED_AT: usize = 200;

fn no_gateway(cx: &Cx<'_, '_>, route: &Object<'_>, parent: &Parent<'_>) -> Finding {
    let (namespace, name) = (parent.namespace, parent.name);
    let finding = Finding::new(
        format!("`{route}` names Gateway `{name}`, which namespace `{namespace}` does not have"),
        route.place(parent.node.get("name").unwrap_or(parent.node)),
        "no such Gateway",
    )
    .note(UNTAKEN);
    let gateways: Vec<_> = cx.model.of_kind(Kind::Gateway).take(LOOKED_AT).collect();
    let same_name = gateways.iter().find(|it| it.name == name);
    let here = gateways.iter().filter(|it| it.namespace == namespace);
    let near = closest(name, here.clone().map(|it| it.name));
    let near = near.and_then(|near| here.clone().find(|it| it.name == near));
    match (same_name, near) {
        (Some(it), _) => finding
            .hint(it.whole(), "a Gateway of this name, in another namespace")
            .help(format!("set `namespace: {}` in `parentRefs`", it.namespace)),
        (None, Some(it)) => finding
            .hint(it.whole(), "a Gateway that is there")
            .help(format!("if `{it}` is meant, use `name: {}`", it.name)),
        (None, None) => finding.help(format!(
            "add Gateway `{name}` to namespace `{namespace}`, or correct `parentRefs`"
        )),
    }
}

fn refused(
    route: &Object<'_>,
    parent: &Parent<'_>,
    gateway: &Object<'_>,
    refusal: Refusal,
    listeners: &[Node<'_>],
) -> Finding {
    let reference = |field| route.place(parent.node.get(field).unwrap_or(parent.node));
    let text = |field| parent.node.get(field).and_then(Node::scalar).unwrap_or_default();
    let (why, place, what) = match refusal {
        Refusal::Section if parent.node.get("sectionName").is_none() => {
            ("has no listener".to_string(), reference("name"), "the Gateway")
        }
        Refusal::Section => (
            format!("has no listener `{}`", text("sectionName")),
            reference("sectionName"),
            "names a listener",
        ),
        Refusal::Port => (
            format!("has no such listener on port {}", text("port")),
            reference("port"),
            "asks for this port",
        ),
        Refusal::Kind => {
            (format!("takes no {} there", route.kind_name), reference("name"), "the Gateway")
        }
        Refusal::Namespace => (
            format!("takes no routes of namespace `{}`", route.namespace),
            reference("name"),
            "the Gateway",
        ),
        Refusal::Hostname => (
            "has none of its hostnames".to_string(),
            route.at("spec.hostnames"),
            "the hostnames of the route",
        ),
    };
    let mut finding =
        Finding::new(format!("`{gateway}`, which `{route}` names, {why}"), place, what);
    for listener in listeners.iter().take(4) {
        let (place, text) = shown(gateway, *listener, refusal);
        finding = finding.label(place, text);
    }
    finding.note(UNTAKEN).help(help(route, parent, gateway, refusal))
}

/// What a listener says that a route fails by, and where.
fn shown(gateway: &Object<'_>, listener: Node<'_>, refusal: Refusal) -> (Place, String) {
    let name = listener.text("name").unwrap_or("?");
    let at = |keys: &[&str]| gateway.place(listener.at(keys).unwrap_or(listener));
    match refusal {
        Refusal::Section => (at(&["name"]), format!("there is listener `{name}`")),
        Refusal::Port => (at(&["port"]), format!("the port of listener `{name}`")),
        Refusal::Kind => match listener.at(&["allowedRoutes", "kinds"]) {
            Some(kinds) => (gateway.place(kinds), format!("the kinds that `{name}` takes")),
            None => (at(&["protocol"]), format!("decides which kinds `{name}` takes")),
        },
        Refusal::Namespace => match listener.at(&["allowedRoutes", "namespaces"]) {
            Some(namespaces) => {
                (gateway.place(namespaces), format!("the namespaces that `{name}` takes routes of"))
            }
            None => (
                at(&["name"]),
                format!("`{name}` takes routes of its own namespace, as it says nothing else"),
            ),
        },
        Refusal::Hostname => (at(&["hostname"]), format!("the hostname of `{name}`")),
    }
}

fn help(route: &Object<'_>, parent: &Parent<'_>, gateway: &Object<'_>, refusal: Refusal) -> String {
    let listeners = gateway.field(&["spec"]).into_iter().flat_map(|it| it.list("listeners"));
    match refusal {
        Refusal::Section => {
            let names: Vec<_> = listeners.filter_map(|it| it.text("name")).collect();
            let wanted = parent.node.text("sectionName").unwrap_or_default();
            match (closest(wanted, names.iter().copied()), names.as_slice()) {
                (Some(near), _) => {
                    format!("set `sectionName: {near}`, or add a listener `{wanted}`")
                }
                (None, []) => "add a listener to the Gateway".into(),
                (None, names) => {
                    format!(
                        "name one of its listeners ({}), or leave `sectionName` out",
                        names.join(", ")
                    )
                }
            }
        }
        Refusal::Port => "set `port` to one that the Gateway listens on, or leave it out".into(),
        Refusal::Kind => format!(
            "add {} to `allowedRoutes.kinds`, or name a listener whose protocol takes it",
            route.kind_name
        ),
        Refusal::Namespace => format!(
            "let the listener take routes of namespace `{}`: `allowedRoutes: {{namespaces: {{from: Selector, selector: {{matchLabels: {{kubernetes.io/metadata.name: {}}}}}}}}}`",
            route.namespace, route.namespace
        ),
        Refusal::Hostname => {
            let hosts: Vec<_> = listeners.filter_map(|it| it.text("hostname")).collect();
            format!(
                "use a hostname that the listener has ({}); `*.` stands for one label or more, never for none",
                hosts.join(", ")
            )
        }
    }
}
