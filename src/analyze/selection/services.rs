//! Services: which workloads they select, and which ports they lead to.
//!
//! `pkg/controller/endpointslice`: a Service without a selector, or with an empty one, gets no endpoints and is maintained
//! by hand; one of type ExternalName is only a name in DNS. What is selected are pods of its own namespace.

use super::ports::PodPorts;
use super::selector::Selector;
use super::workloads::{WorkloadId, Workloads};
use crate::analyze::selection::alike::{Alike, AlikeId, AllAlike, Selected};
use crate::api::kind::Kind;
use crate::model::{Model, ObjId, Object};
use crate::text::tree::{Node, Value};
use rustc_hash::FxHashMap;
use std::fmt;

/// A Service's place among all Services.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ServiceId(pub u32);

/// A Service.
#[derive(Clone, Debug)]
pub struct Service<'d> {
    /// Its place among all Services.
    pub id: ServiceId,
    /// The object.
    pub object: ObjId,
    /// Its namespace.
    pub namespace: &'d str,
    /// Its name.
    pub name: &'d str,
    /// How it is reached.
    pub exposure: Exposure,
    /// Without an address of its own (`clusterIP: None`): its name stands for the pods themselves.
    pub is_headless: bool,
    /// `None` selects nothing: absent or empty, or of type ExternalName, which ignores it.
    pub selector: Option<Selector<'d>>,
    /// Its ports.
    pub ports: Vec<ServicePort<'d>>,
    /// The workloads whose pods it selects, and how many of these.
    pub selects: Selected,
    /// Those that have the same selector; `None` where it selects nothing.
    pub alike: Option<AlikeId>,
}

/// `spec.type`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exposure {
    /// Inside the cluster.
    ClusterIp,
    /// On a port of every node as well.
    NodePort,
    /// By a load balancer as well.
    LoadBalancer,
    /// Only a name that stands for another.
    ExternalName,
}

/// A port of a Service.
#[derive(Clone, Copy, Debug)]
pub struct ServicePort<'d> {
    /// The entry of `ports`.
    pub node: Node<'d>,
    /// Its name, if it has one.
    pub name: Option<&'d str>,
    /// The number that clients of the Service use.
    pub port: i64,
    /// The port of the pods; the same number where none is written.
    pub target: Target<'d>,
    /// `TCP` where none is written.
    pub protocol: &'d str,
    /// `nodePort`, where one is written.
    pub node_port: Option<i64>,
}

/// Which port of the pods is meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Target<'d> {
    /// This number, declared or not.
    Number(i64),
    /// Whatever each pod calls by this name.
    Name(&'d str),
}

impl<'d> Service<'d> {
    /// Whether it has a port between these.
    pub fn has(&self, protocol: &str, first: u16, last: u16) -> bool {
        let numbers = i64::from(first)..=i64::from(last);
        self.ports.iter().any(|it| it.protocol == protocol && numbers.contains(&it.port))
    }

    /// Its ports of this number; several with different protocols.
    pub fn numbered(&self, port: i64) -> impl Iterator<Item = &ServicePort<'d>> {
        self.ports.iter().filter(move |it| it.port == port)
    }

    /// Its port of this name; a Service with a single port may leave it without one.
    pub fn named(&self, name: &str) -> Option<&ServicePort<'d>> {
        self.ports.iter().find(|it| it.name == Some(name))
    }
}

impl ServicePort<'_> {
    /// The number that it leads to on pods with these ports; `None` where they do not know the name.
    pub fn on(&self, pods: &PodPorts<'_>) -> Option<i64> {
        match self.target {
            Target::Number(number) => Some(number),
            Target::Name(name) => pods.named(name, self.protocol).map(|it| it.number),
        }
    }
}

/// All Services, found by name and by the workloads they select.
#[derive(Debug, Default)]
pub struct Services<'d> {
    all: Vec<Service<'d>>,
    by_name: FxHashMap<(&'d str, &'d str), ServiceId>,
    alike: AllAlike<'d>,
    by_namespace: FxHashMap<&'d str, Vec<ServiceId>>,
    by_bare_name: FxHashMap<&'d str, Vec<ServiceId>>,
}

/// How many Services of a namespace are looked at for a hint.
const LOOKED_AT: usize = 500;

impl<'d> Services<'d> {
    /// Finds the Services of a model.
    pub fn new(model: &Model<'d>, workloads: &Workloads<'d>) -> Services<'d> {
        let mut services = Services::default();
        for object in model.of_kind(Kind::Service) {
            let id = ServiceId(services.all.len() as u32);
            let mut service = service(id, object);
            if let Some(selector) = &service.selector {
                let selector = (service.namespace, selector);
                let (alike, selects) = services.alike.add(id.0, selector, workloads, |_| true);
                (service.alike, service.selects) = (Some(alike), selects);
            }
            services.by_name.insert((service.namespace, service.name), id);
            services.by_namespace.entry(service.namespace).or_default().push(id);
            services.by_bare_name.entry(service.name).or_default().push(id);
            services.all.push(service);
        }
        services
    }

    /// The Service of this id.
    pub fn get(&self, id: ServiceId) -> &Service<'d> {
        &self.all[id.0 as usize]
    }

    /// All Services.
    pub fn iter(&self) -> impl Iterator<Item = &Service<'d>> {
        self.all.iter()
    }

    /// The Service of this namespace and name.
    pub fn find(&self, namespace: &str, name: &str) -> Option<&Service<'d>> {
        self.by_name.get(&(namespace, name)).map(|id| self.get(*id))
    }

    /// The Services of a namespace.
    pub fn in_namespace(&self, namespace: &str) -> impl Iterator<Item = &Service<'d>> {
        self.by_namespace.get(namespace).into_iter().flatten().map(|id| self.get(*id))
    }

    /// The Services of this name, whatever their namespace.
    pub fn called(&self, name: &str) -> impl Iterator<Item = &Service<'d>> {
        self.by_bare_name.get(name).into_iter().flatten().map(|id| self.get(*id))
    }

    /// The one that was probably meant by a name that no Service of the namespace has: the name shares most of its words
    /// with it, or one holds the other.
    pub fn nearest(&self, namespace: &str, name: &str) -> Option<&Service<'d>> {
        let words = |it: &'_ str| -> Vec<String> {
            let all = it.split('-').filter(|it| !matches!(*it, "service" | "svc" | ""));
            all.map(String::from).collect()
        };
        let wanted = words(name);
        let bare = name.replace('-', "");
        let score = |it: &Service<'_>| {
            let shared = words(it.name).iter().filter(|it| wanted.contains(it)).count();
            let other = it.name.replace('-', "");
            let is_within =
                other.len().min(bare.len()) > 2 && (other.contains(&bare) || bare.contains(&other));
            2 * shared + usize::from(is_within)
        };
        self.in_namespace(namespace)
            .take(LOOKED_AT)
            .map(|it| (score(it), it))
            .filter(|(score, _)| *score > 0)
            .max_by_key(|(score, it)| (*score, std::cmp::Reverse(it.id)))
            .map(|(_, it)| it)
    }

    /// Whether a Service of the namespace is called so, but for a slip of the pen.
    pub fn resembles(&self, namespace: &str, name: &str) -> bool {
        let may_slip = 1 + name.len() / 8;
        let mut near = self.in_namespace(namespace).take(LOOKED_AT);
        near.any(|it| strsim::osa_distance(it.name, name) <= may_slip)
    }

    /// The Services that select pods of this workload.
    pub fn of_workload(&self, workload: WorkloadId) -> impl Iterator<Item = &Service<'d>> {
        self.alike.members_of(workload).map(|(id, _)| self.get(ServiceId(id)))
    }

    /// The selectors of Services that select pods of this workload, each with those Services that have it.
    pub fn alike_of(&self, workload: WorkloadId) -> impl Iterator<Item = (AlikeId, &Alike)> {
        self.alike.of_workload(workload).iter().map(|(id, _)| (*id, self.alike.get(*id)))
    }

    /// All selectors of Services.
    pub fn alike(&self) -> impl Iterator<Item = (AlikeId, &Alike)> {
        self.alike.iter()
    }
}

fn service<'d>(id: ServiceId, object: &Object<'d>) -> Service<'d> {
    let spec = object.field(&["spec"]);
    let text = |key: &str| spec.and_then(|it| it.text(key));
    let exposure = match text("type") {
        Some("NodePort") => Exposure::NodePort,
        Some("LoadBalancer") => Exposure::LoadBalancer,
        Some("ExternalName") => Exposure::ExternalName,
        _ => Exposure::ClusterIp,
    };
    let selector = spec.and_then(|it| it.get("selector")).map(Selector::parse_map);
    let selector = selector.filter(|it| !it.is_empty() && exposure != Exposure::ExternalName);
    Service {
        id,
        object: object.id,
        namespace: object.namespace,
        name: object.name,
        exposure,
        is_headless: text("clusterIP") == Some("None"),
        ports: spec.into_iter().flat_map(|it| it.list("ports")).filter_map(port).collect(),
        selects: Selected::default(),
        alike: None,
        selector,
    }
}

fn port(node: Node<'_>) -> Option<ServicePort<'_>> {
    let port = node.get("port")?.int()?;
    let target = match node.get("targetPort").map(Node::value) {
        // Empty and 0 are "not written" (`pkg/apis/core/v1/defaults.go`, SetDefaults_Service).
        Some(Value::Str(name)) if !name.is_empty() => Target::Name(name),
        Some(Value::Number(_)) => {
            let number = node.get("targetPort").and_then(Node::int).filter(|it| *it != 0);
            Target::Number(number.unwrap_or(port))
        }
        _ => Target::Number(port),
    };
    Some(ServicePort {
        node,
        name: node.text("name").filter(|it| !it.is_empty()),
        port,
        target,
        protocol: node.text("protocol").unwrap_or("TCP"),
        node_port: node.get("nodePort").and_then(Node::int),
    })
}

/// `8080` or `http`.
impl fmt::Display for Target<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Target::Number(number) => write!(f, "{number}"),
            Target::Name(name) => f.write_str(name),
        }
    }
}
