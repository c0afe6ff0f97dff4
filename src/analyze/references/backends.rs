//! Where Ingresses, OpenShift Routes and Gateway API routes send their requests: Services and their ports.

use crate::analyze::selection::services::{Service, ServicePort, Target};
use crate::api::kind::Kind;
use crate::model::{Model, ObjId, Object};
use crate::text::tree::{Node, Value};

/// A Service that an Ingress or a route names.
#[derive(Clone, Copy, Debug)]
pub struct Backend<'d> {
    /// The Ingress or route.
    pub object: ObjId,
    /// The field that names the Service.
    pub name: Node<'d>,
    /// The Service's namespace.
    pub namespace: &'d str,
    /// The Service's name.
    pub service: &'d str,
    /// The port of the Service (of an OpenShift Route, of its endpoints) and the field that says so.
    pub port: Option<(Target<'d>, Node<'d>)>,
}

impl<'d> Backend<'d> {
    /// The ports of the Service that it means.
    pub fn ports<'s>(
        &self,
        model: &Model<'d>,
        service: &'s Service<'d>,
    ) -> Vec<&'s ServicePort<'d>> {
        let is_of_pods = model.object(self.object).kind == Kind::Route;
        match self.port {
            Some((Target::Name(name), _)) => service.named(name).into_iter().collect(),
            // An OpenShift Route names the port of the endpoints, by which a Service knows it as `targetPort`.
            Some((Target::Number(number), _)) if is_of_pods => {
                let ports = service.ports.iter();
                ports
                    .filter(|it| {
                        matches!(it.target, Target::Name(_)) || it.target == Target::Number(number)
                    })
                    .collect()
            }
            Some((Target::Number(number), _)) => service.numbered(number).collect(),
            // Without a port an OpenShift Route leads to all.
            None if is_of_pods => service.ports.iter().collect(),
            None => Vec::new(),
        }
    }
}

/// The routes of the Gateway API.
pub const ROUTES: &[Kind] =
    &[Kind::GRPCRoute, Kind::HTTPRoute, Kind::TCPRoute, Kind::TLSRoute, Kind::UDPRoute];

/// The backends of all Ingresses and routes that are Services.
pub(in crate::analyze) fn backends<'d>(model: &Model<'d>) -> Vec<Backend<'d>> {
    let mut backends = Vec::new();
    for object in model.of_kind(Kind::Ingress) {
        backends.extend(of_ingress_spec(object).filter_map(|it| of_ingress(object, it)));
    }
    for object in model.of_kind(Kind::Route) {
        backends.extend(of_openshift(object));
    }
    for object in ROUTES.iter().flat_map(|it| model.of_kind(*it)) {
        let Some(spec) = object.field(&["spec"]) else { continue };
        for rule in spec.list("rules") {
            let own = rule.list("backendRefs");
            let filters = rule.list("filters").chain(own.flat_map(|it| it.list("filters")));
            let mirrors = filters.filter_map(|it| it.at(&["requestMirror", "backendRef"]));
            let references = rule.list("backendRefs").chain(mirrors);
            backends.extend(references.filter_map(|it| of_route(object, it)));
        }
    }
    backends
}

/// The backends of an Ingress as they are written, whether or not they are Services.
pub fn of_ingress_spec<'d>(object: &Object<'d>) -> impl Iterator<Item = Node<'d>> {
    let spec = object.field(&["spec"]);
    let default = spec.and_then(|it| it.get("defaultBackend").or_else(|| it.get("backend")));
    let rules = spec.into_iter().flat_map(|it| it.list("rules"));
    let paths = rules.filter_map(|it| it.get("http")).flat_map(|it| it.list("paths"));
    default.into_iter().chain(paths.filter_map(|it| it.get("backend")))
}

/// The version whose backends are written `service: {name, port}`; those before had `serviceName` and `servicePort`.
pub const INGRESS_V1: &str = "networking.k8s.io/v1";

fn of_ingress<'d>(object: &Object<'d>, backend: Node<'d>) -> Option<Backend<'d>> {
    let (name, port) = match backend.get("service") {
        Some(service) => {
            let port = service.get("port");
            (service.get("name"), port.and_then(|it| it.get("number").or_else(|| it.get("name"))))
        }
        None if object.api_version == INGRESS_V1 => return None,
        None => (backend.get("serviceName"), backend.get("servicePort")),
    };
    let name = name?;
    Some(Backend {
        object: object.id,
        name,
        namespace: object.namespace,
        service: name.str()?,
        port: port.and_then(|it| Some((target(it)?, it))),
    })
}

/// `route.openshift.io/v1`, RouteSpec: `to`, and others that share the traffic.
fn of_openshift<'d>(object: &Object<'d>) -> Vec<Backend<'d>> {
    let Some(spec) = object.field(&["spec"]) else { return Vec::new() };
    let port = spec.at(&["port", "targetPort"]);
    let targets = spec.get("to").into_iter().chain(spec.list("alternateBackends"));
    let services = targets.filter(|it| it.text("kind").is_none_or(|it| it == "Service"));
    services
        .filter_map(|it| {
            let name = it.get("name")?;
            Some(Backend {
                object: object.id,
                name,
                namespace: object.namespace,
                service: name.str()?,
                port: port.and_then(|it| Some((target(it)?, it))),
            })
        })
        .collect()
}

fn of_route<'d>(object: &Object<'d>, reference: Node<'d>) -> Option<Backend<'d>> {
    let is_service = reference.text("group").unwrap_or("").is_empty()
        && reference.text("kind").is_none_or(|it| it == "Service");
    let name = reference.get("name").filter(|_| is_service)?;
    Some(Backend {
        object: object.id,
        name,
        namespace: reference.text("namespace").unwrap_or(object.namespace),
        service: name.str()?,
        port: reference.get("port").and_then(|it| Some((target(it)?, it))),
    })
}

fn target(node: Node<'_>) -> Option<Target<'_>> {
    match node.value() {
        Value::Str(name) => Some(Target::Name(name)),
        _ => node.int().map(Target::Number),
    }
}
