//! Ingresses and routes whose Service, or its port, is not there.

use crate::absence::Wanted;
use crate::analyze::references::backends::{Backend, INGRESS_V1, ROUTES, of_ingress_spec};
use crate::analyze::selection::services::{Exposure, Service, ServicePort, Target};
use crate::api::kind::Kind;
use crate::model::Object;
use crate::rule::{Admission, Check, Cx, Finding, Group, Out, Preset, Rule, Severity};
use crate::text::tree::Node;

/// The rule.
pub(super) static RULE: Rule = Rule {
    id: "dangling-ingress",
    title: "an Ingress or route names a Service, or a port of it, that is not there",
    severity: Severity::Error,
    group: Group::Routing,
    admission: Admission::Warn,
    presets: &[Preset::Invariants],
    reads: &[
        Kind::Ingress,
        Kind::Service,
        Kind::GRPCRoute,
        Kind::HTTPRoute,
        Kind::Route,
        Kind::TCPRoute,
        Kind::TLSRoute,
        Kind::UDPRoute,
    ],
    like: &["kube-linter:dangling-ingress", "kube-score:ingress-targets-service"],
    parameters: &[],
    page: include_str!("dangling_ingress.md"),
    reads_images: None,
    checks: &[Check::World(check)],
};

fn check(cx: &Cx<'_, '_>, out: &mut Out) {
    let ingresses = cx.model.of_kind(Kind::Ingress).filter(|it| it.api_version == INGRESS_V1);
    for object in ingresses {
        out.find_some(of_ingress_spec(object).filter_map(|it| incomplete(object, it)));
    }
    for backend in cx.facts.backends() {
        let object = cx.object(backend.object);
        if is_action(object, backend) {
            continue;
        }
        match cx.facts.services().find(backend.namespace, backend.service) {
            Some(service) => out.findings.extend(port(cx, object, backend, service)),
            None => {
                let wanted = Wanted::object(Kind::Service, backend.namespace, backend.service);
                out.report_absent(object, cx.absence_of(wanted), || missing(cx, object, backend));
            }
        }
    }
}

/// A backend that the API server does not take for one: written as before networking.k8s.io/v1, or without a port
/// (`pkg/apis/networking/validation/validation.go`, validateIngressBackend).
fn incomplete(object: &Object<'_>, backend: Node<'_>) -> Option<Finding> {
    let finding = |message: &str, place: Node<'_>, text: &str| {
        let finding = Finding::new(format!("`{object}` {message}"), object.place(place), text);
        finding.note("the API server refuses it, or drops the field and refuses the rest")
    };
    let Some(service) = backend.get("service") else {
        let name = backend.get("serviceName")?;
        let port = backend.get("servicePort").map_or(("number", "80".into()), |it| {
            let field = if it.int().is_some() { "number" } else { "name" };
            (field, it.scalar().unwrap_or_default())
        });
        let help = format!(
            "write `service: {{name: {}, port: {{{}: {}}}}}`",
            name.scalar().unwrap_or_default(),
            port.0,
            port.1
        );
        let message = "names its Service as before networking.k8s.io/v1";
        return Some(finding(message, name, "no field of this version").help(help));
    };
    let port = service.get("port");
    let has_port = port.is_some_and(|it| it.get("number").or_else(|| it.get("name")).is_some());
    if has_port {
        return None;
    }
    let place = port.unwrap_or(service);
    let help = "name the port of the Service: `port: {number: 80}`, or its name";
    Some(finding("names a Service without a port", place, "no port here").help(help))
}

/// The AWS load balancer controller takes a "Service" with port `use-annotation` for the name of an annotation.
fn is_action(object: &Object<'_>, backend: &Backend<'_>) -> bool {
    let is_written_there = matches!(backend.port, Some((Target::Name("use-annotation"), _)));
    let action = format!("alb.ingress.kubernetes.io/actions.{}", backend.service);
    is_written_there || object.annotation(&action).is_some()
}

fn port(
    cx: &Cx<'_, '_>,
    object: &Object<'_>,
    backend: &Backend<'_>,
    service: &Service<'_>,
) -> Option<Finding> {
    let (port, node) = backend.port?;
    // What an ExternalName leads to has the ports that it has.
    if service.exposure == Exposure::ExternalName || service.ports.is_empty() {
        return None;
    }
    let is_there = match port {
        _ if object.kind == Kind::Route => !backend.ports(cx.model, service).is_empty(),
        Target::Number(number) => service.numbered(number).next().is_some(),
        // Routes have numbers only; what they hold otherwise is refused by the API server.
        Target::Name(name) => service.named(name).is_some() || ROUTES.contains(&object.kind),
    };
    if is_there {
        return None;
    }
    let found = cx.object(service.object);
    let ports: Vec<_> = service
        .ports
        .iter()
        .map(|it| it.name.map_or(it.port.to_string(), |name| format!("{} ({name})", it.port)))
        .collect();
    let place = service.ports.first().map_or(found.at("spec.ports"), |it| found.place(it.node));
    let leads_there = |it: &&ServicePort<'_>| it.target == port;
    let behind = service.ports.iter().find(leads_there);
    let fitting = behind.or(service.ports.first().filter(|_| service.ports.len() == 1));
    let finding = Finding::new(
        format!("`{object}` names port `{port}` of `{found}`, which has no such port"),
        object.place(node),
        "no such port of the Service",
    )
    .label(place, format!("its ports: {}", ports.join(", ")));
    let finding = match behind {
        _ if object.kind == Kind::Route => {
            finding.note("a Route names a port of the endpoints: the name of a Service's port, or the number of the pods' port")
        }
        Some(it) => finding.note(format!(
            "{port} is the pods' port behind port {} of the Service; a backend names the Service's own port",
            it.port
        )),
        None => finding.note("a backend names a port of the Service, by its number or its name, not a port of the pods"),
    };
    Some(match fitting {
        Some(it) if object.kind == Kind::Route => {
            let port = it.name.map_or(it.target.to_string(), String::from);
            finding.help(format!("use `targetPort: {port}`"))
        }
        Some(it) => {
            let field = if object.kind == Kind::Ingress { "number" } else { "port" };
            finding.help(format!("use `{field}: {}`", it.port))
        }
        None => finding.help(format!("use one of the Service's ports: {}", ports.join(", "))),
    })
}

fn missing(cx: &Cx<'_, '_>, object: &Object<'_>, backend: &Backend<'_>) -> Finding {
    let (namespace, name) = (backend.namespace, backend.service);
    let finding = Finding::new(
        format!("`{object}` names Service `{name}`, which namespace `{namespace}` does not have"),
        object.place(backend.name),
        "no such Service",
    )
    .note(
        "without its Service a backend answers 503, or the controller leaves the whole route out",
    );
    let same_name = cx.facts.services().called(name).next();
    let near = same_name.or_else(|| cx.facts.services().nearest(namespace, name));
    let Some(near) = near else {
        return finding.help(format!("add Service `{name}` to namespace `{namespace}`"));
    };
    let found = cx.object(near.object);
    if near.namespace == namespace {
        return finding
            .hint(found.whole(), "a Service that is there")
            .help(format!("if `{found}` is meant, use `name: {}`", near.name));
    }
    let help = if matches!(object.kind, Kind::Ingress | Kind::Route) {
        let what = if object.kind == Kind::Route { "a Route" } else { "an Ingress" };
        format!(
            "{what} reaches Services of its own namespace: put it into namespace `{}`",
            near.namespace
        )
    } else {
        format!("set `namespace: {}`, with a ReferenceGrant there", near.namespace)
    };
    finding.hint(found.whole(), "a Service of this name, in another namespace").help(help)
}
