//! What an object has to do with objects outside its namespace: by what it is found from there, and what of there the
//! rules look at for its sake.
//!
//! Read once, when the object comes in, so that the world of a namespace can be put together without a look at others.

use super::key::Key;
use crate::analyze::access::subjects::Who;
use crate::analyze::network::access::Caller;
use crate::analyze::network::addresses::{addresses, name};
use crate::analyze::network::dns::is_kubelet_config;
use crate::analyze::network::monitors::namespaces;
use crate::analyze::references::backends::ROUTES;
use crate::analyze::references::called_services::{CALLERS, Purpose, called_by};
use crate::analyze::references::custom_references::{From, named_by};
use crate::analyze::selection::namespaces::NAME_LABEL;
use crate::analyze::selection::workloads::template;
use crate::api::kind::{Kind, group};
use crate::text::tree::Node;

/// What is to be looked at for an object's sake.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Want {
    /// One object.
    Object(Key),
    /// All objects of a kind in a namespace.
    All(Kind, Box<str>),
    /// All that are found by this.
    Topic(Box<str>),
    /// One of those that are found by this, beside the object itself.
    One(Box<str>),
    /// Every Prometheus of the cluster.
    Prometheuses,
    /// Namespaces that are selected by the selector at this place of the document's tree.
    Namespaces(u32),
    /// A namespace with all that is in it, for the sake of this object alone.
    Neighbour(Box<str>),
    /// Namespaces that are selected by the selector at this place, as neighbours.
    Neighbours(u32),
    /// Those who call by trade and are found by this, with the policies of their namespaces.
    Callers(&'static str),
}

/// What an object has to do with others outside its namespace.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Links {
    found_by: Box<[Box<str>]>,
    wants: Box<[Want]>,
}

/// Whether a denial may rest on objects of this kind in other namespaces, or rest on others for their sake.
pub(super) fn is_outward(kind: Kind) -> bool {
    const KINDS: [Kind; 7] = [
        Kind::Gateway,
        Kind::Ingress,
        Kind::Namespace,
        Kind::NetworkPolicy,
        Kind::PodMonitor,
        Kind::ReferenceGrant,
        Kind::ServiceMonitor,
    ];
    KINDS.contains(&kind) || ROUTES.contains(&kind)
}

/// The topic of every Prometheus, agents included.
pub(super) const PROMETHEUSES: &str = "prometheuses";

const AGENT: &str = "monitoring.coreos.com/PrometheusAgent";

/// The topic of what answers DNS.
pub(super) const DNS: &str = "dns";

/// The topic of those who call pods of other namespaces by trade.
fn callers(caller: Caller) -> &'static str {
    match caller {
        Caller::Controller => "callers: controllers",
        Caller::Prometheus => "callers: prometheus",
    }
}

/// The topic of the monitors that scrape another namespace; `*` is every one.
pub(super) fn scraping(namespace: &str) -> Box<str> {
    ["scraping ", namespace].concat().into()
}

/// The topic of the bindings elsewhere that mean accounts of a namespace; `*` is every one.
pub(super) fn into(namespace: &str) -> Box<str> {
    ["into ", namespace].concat().into()
}

/// The topic of what refers to a namespace where a ReferenceGrant has to let it.
pub(super) fn referring(namespace: &str) -> Box<str> {
    ["referring to ", namespace].concat().into()
}

/// The topic of the objects outside its namespace that use an object.
pub(super) fn users(key: &Key) -> Box<str> {
    let Key { namespace, kind, custom, name } = key;
    ["users of ", kind.name(), custom, "/", namespace, "/", name].concat().into()
}

/// The topic of the Namespaces with a label.
pub(super) fn label(key: &str, value: &str) -> Box<str> {
    format!("label {key}={value}").into()
}

/// The topic of the Ingresses of a class.
fn ingresses(class: &str) -> Box<str> {
    format!("ingresses of {class}").into()
}

/// The topic of the volumes of a class.
fn volumes(class: &str) -> Box<str> {
    format!("volumes of {class}").into()
}

/// The topic of the Services that ask for a port of the nodes: one of all namespaces gets it.
fn node_port(number: i64) -> Box<str> {
    format!("node port {number}").into()
}

/// The topic of the definition of a custom kind (`group/Kind`).
fn definition(kind: &str) -> Box<str> {
    format!("definition of {kind}").into()
}

impl Links {
    /// Those of this object.
    pub(super) fn of(key: &Key, root: Node<'_>) -> Links {
        let mut reader = Reader { key, found_by: Vec::new(), wants: Vec::new() };
        reader.read(root);
        let Reader { mut found_by, wants, .. } = reader;
        found_by.sort();
        found_by.dedup();
        Links { found_by: found_by.into(), wants: wants.into() }
    }

    /// By what it is found.
    pub(super) fn found_by(&self) -> &[Box<str>] {
        &self.found_by
    }

    /// Whether a verdict on it rests on what else happens in other namespaces, or one there on it.
    pub(super) fn are_outward(&self) -> bool {
        self.wants.iter().any(|it| matches!(it, Want::Neighbour(_) | Want::Neighbours(_)))
    }

    /// What is to be looked at for its sake.
    pub(super) fn wants(&self) -> &[Want] {
        &self.wants
    }

    pub(super) fn bytes(&self) -> usize {
        let found_by: usize = self.found_by.iter().map(|it| size_of::<Box<str>>() + it.len()).sum();
        let wants: usize = self.wants.iter().map(|it| size_of::<Want>() + it.bytes()).sum();
        found_by + wants
    }
}

impl Want {
    fn bytes(&self) -> usize {
        match self {
            Want::Object(key) => key.namespace.len() + key.custom.len() + key.name.len(),
            Want::All(_, text) | Want::Topic(text) | Want::One(text) | Want::Neighbour(text) => {
                text.len()
            }
            Want::Namespaces(_) | Want::Neighbours(_) | Want::Callers(_) | Want::Prometheuses => 0,
        }
    }
}

struct Reader<'k> {
    key: &'k Key,
    found_by: Vec<Box<str>>,
    wants: Vec<Want>,
}

impl Reader<'_> {
    fn read(&mut self, root: Node<'_>) {
        let spec = root.get("spec");
        self.custom_references(root);
        match self.key.kind {
            Kind::Ingress => {
                self.uses(Kind::IngressClass, "", spec.and_then(|it| it.text("ingressClassName")));
                for rule in spec.into_iter().flat_map(|it| it.list("rules")) {
                    let topic = format!("host {}", rule.text("host").unwrap_or(""));
                    self.wants.push(Want::Topic(topic.as_str().into()));
                    self.found_by.push(topic.into());
                }
                let class = spec.and_then(|it| it.text("ingressClassName"));
                let named = || root.at(&["metadata", "annotations", "kubernetes.io/ingress.class"]);
                let class = class.or_else(|| named()?.str()).unwrap_or_default();
                self.wants.push(Want::One(ingresses(class)));
                self.found_by.push(ingresses(class));
                self.called_by(Caller::Controller);
            }
            Kind::RoleBinding | Kind::ClusterRoleBinding => self.binding(root),
            Kind::Namespace => {
                let labels = root.at(&["metadata", "labels"]).into_iter().flat_map(Node::pairs);
                let topics = labels.filter_map(|(key, value)| Some(label(key, value.str()?)));
                self.found_by.extend(topics);
                self.found_by.push(label(NAME_LABEL, &self.key.name));
            }
            Kind::NetworkPolicy => {
                for (rules, peers) in [("ingress", "from"), ("egress", "to")] {
                    let rules = spec.into_iter().flat_map(|it| it.list(rules));
                    for peer in rules.flat_map(|it| it.list(peers)) {
                        let Some(selector) = peer.get("namespaceSelector") else { continue };
                        self.wants.push(Want::Namespaces(selector.index()));
                        if peer.get("podSelector").is_some() {
                            self.wants.push(Want::Neighbours(selector.index()));
                        }
                    }
                }
            }
            Kind::ServiceMonitor | Kind::PodMonitor => {
                match namespaces(root, &self.key.namespace) {
                    None => self.found_by.push(scraping("*")),
                    Some(names) => {
                        for name in names.into_iter().filter(|it| **it != *self.key.namespace) {
                            self.found_by.push(scraping(name));
                            self.wants.push(Want::Neighbour(name.into()));
                        }
                    }
                }
                self.called_by(Caller::Prometheus);
                self.wants.push(Want::Prometheuses);
            }
            Kind::Prometheus => self.found_by.push(PROMETHEUSES.into()),
            Kind::Custom if *self.key.custom == *AGENT => self.found_by.push(PROMETHEUSES.into()),
            Kind::Route => self.called_by(Caller::Controller),
            kind if CALLERS.contains(&kind) => self.called_services(kind, root),
            Kind::PersistentVolumeClaim => {
                self.claim(spec);
            }
            Kind::PersistentVolume => {
                let class = spec.and_then(|it| it.text("storageClassName"));
                self.found_by.extend(class.map(volumes));
            }
            // `count/<resource>.<group>`.
            Kind::ResourceQuota => {
                let hard = root.at(&["spec", "hard"]).into_iter().flat_map(Node::pairs);
                for name in hard.filter_map(|(key, _)| key.strip_prefix("count/")) {
                    if name.contains('.') {
                        let key = Key::known(Kind::CustomResourceDefinition, "", name);
                        self.wants.push(Want::Object(key));
                    }
                }
            }
            Kind::ConfigMap => {
                if is_kubelet_config(&self.key.namespace, &self.key.name) {
                    self.found_by.push(DNS.into());
                }
                for (key, value) in root.get("data").into_iter().flat_map(Node::pairs) {
                    self.address(key, value);
                }
            }
            Kind::Service => self.service(root),
            kind if kind == Kind::Gateway || ROUTES.contains(&kind) => {
                self.references(root);
                self.parents(spec);
                self.called_by(Caller::Controller);
            }
            kind => self.workload(kind, root),
        }
    }

    fn service(&mut self, root: Node<'_>) {
        if is_dns(&self.key.namespace, root.at(&["metadata", "labels"])) {
            self.found_by.push(DNS.into());
        }
        let Some(spec) = root.get("spec") else { return };
        if let Some(alias) = spec.get("externalName") {
            self.address("", alias);
        }
        let of_ports = spec.list("ports").filter_map(|it| it.get("nodePort"));
        for number in of_ports.chain(spec.get("healthCheckNodePort")).filter_map(Node::int) {
            let topic = node_port(number);
            self.wants.push(Want::Topic(topic.clone()));
            self.found_by.push(topic);
        }
        self.annotated(root);
    }

    /// Annotations that ask to be scraped are a monitor's word.
    fn annotated(&mut self, object: Node<'_>) {
        let annotation = object.at(&["metadata", "annotations", "prometheus.io/scrape"]);
        if annotation.and_then(Node::str) == Some("true") {
            self.called_by(Caller::Prometheus);
        }
    }

    /// What custom objects and annotations name, of another namespace or of none.
    fn custom_references(&mut self, root: Node<'_>) {
        let namespace = self.key.namespace.to_string();
        let (version, kind) = (root.text("apiVersion"), root.text("kind"));
        let from = From {
            group: version.map_or("", group),
            kind: kind.unwrap_or_default(),
            namespace: &namespace,
            root,
        };
        for it in named_by(from).into_iter().filter(|it| it.namespace != namespace) {
            let key = match it.known() {
                Some(kind) => Key::known(kind, it.namespace, it.name),
                None => Key::custom(it.group, it.kind, it.namespace, it.name),
            };
            self.found_by.push(users(&key));
            self.wants.push(Want::Object(key));
        }
    }

    /// The Gateways that a route names as its parents.
    fn parents(&mut self, spec: Option<Node<'_>>) {
        for parent in spec.into_iter().flat_map(|it| it.list("parentRefs")) {
            if parent.text("kind").is_none_or(|it| it == "Gateway") {
                let namespace = parent.text("namespace").unwrap_or(&self.key.namespace).to_string();
                self.uses(Kind::Gateway, &namespace, parent.text("name"));
            }
        }
    }

    /// The Services that the API server calls for it; a webhook is judged beside the pods that answer.
    fn called_services(&mut self, kind: Kind, root: Node<'_>) {
        if kind == Kind::CustomResourceDefinition {
            self.definition(root);
        }
        for called in called_by(kind, root) {
            self.uses(Kind::Service, called.namespace, Some(called.name));
            if matches!(called.purpose, Purpose::Admission(_)) {
                self.wants.push(Want::Neighbour(called.namespace.into()));
            }
        }
    }

    fn definition(&mut self, root: Node<'_>) {
        let group = root.at(&["spec", "group"]).and_then(Node::str).unwrap_or_default();
        let kind = root.at(&["spec", "names", "kind"]).and_then(Node::str);
        self.found_by.push(definition(&format!("{group}/{}", kind.unwrap_or_default())));
    }

    /// Who calls by trade has to get to its pods.
    fn called_by(&mut self, caller: Caller) {
        self.wants.push(Want::Callers(callers(caller)));
    }

    /// It names an object, which is not of its own namespace.
    fn uses(&mut self, kind: Kind, namespace: &str, name: Option<&str>) {
        let Some(name) = name.filter(|it| !it.is_empty()) else { return };
        let key = Key::known(kind, namespace, name);
        self.found_by.push(users(&key));
        self.wants.push(Want::Object(key));
    }

    fn binding(&mut self, root: Node<'_>) {
        if root.at(&["roleRef", "kind"]).and_then(Node::str) == Some("ClusterRole") {
            self.uses(Kind::ClusterRole, "", root.at(&["roleRef", "name"]).and_then(Node::str));
        }
        for subject in root.list("subjects") {
            match Who::parse(subject, &self.key.namespace) {
                Some(Who::Account(namespace, name)) if *namespace != *self.key.namespace => {
                    self.uses(Kind::ServiceAccount, namespace, Some(name));
                    self.found_by.push(into(namespace));
                }
                Some(Who::AccountsOf(namespace)) if *namespace != *self.key.namespace => {
                    self.found_by.push(into(namespace));
                }
                Some(Who::AllAccounts | Who::Authenticated) => self.found_by.push(into("*")),
                _ => {}
            }
        }
    }

    /// References of the Gateway API to other namespaces, and what lets them.
    fn references(&mut self, root: Node<'_>) {
        let mut open: Vec<Node<'_>> = root.get("spec").into_iter().collect();
        while let Some(node) = open.pop() {
            let namespace = node.text("namespace").filter(|it| **it != *self.key.namespace);
            if let Some(namespace) = namespace {
                self.wants.push(Want::All(Kind::ReferenceGrant, namespace.into()));
                self.found_by.push(referring(namespace));
                if node.text("kind").is_none_or(|it| it == "Service") {
                    self.uses(Kind::Service, namespace, node.text("name"));
                }
            }
            open.extend(node.pairs().map(|(_, value)| value));
            open.extend(node.items());
        }
    }

    fn claim(&mut self, spec: Option<Node<'_>>) {
        let text = |field: &str| spec.and_then(|it| it.text(field));
        self.uses(Kind::StorageClass, "", text("storageClassName"));
        self.wants.extend(text("storageClassName").map(|it| Want::One(volumes(it))));
        self.uses(Kind::PersistentVolume, "", text("volumeName"));
    }

    fn workload(&mut self, kind: Kind, root: Node<'_>) {
        let Some((_, template)) = template(kind, root) else { return };
        let Some(pod) = template.get("spec") else { return };
        let labels = template.at(&["metadata", "labels"]);
        if is_dns(&self.key.namespace, labels) {
            self.found_by.push(DNS.into());
        }
        let labels: Vec<_> = labels.into_iter().flat_map(Node::pairs).collect();
        for caller in [Caller::Controller, Caller::Prometheus] {
            let mut labels = labels.iter().filter_map(|(key, value)| Some((*key, value.str()?)));
            if labels.any(|(key, value)| caller.is_called(key, value)) {
                self.found_by.push(callers(caller).into());
            }
        }
        self.annotated(template);
        self.terms(pod);
        if kind == Kind::Custom {
            self.wants.push(Want::Topic(definition(&self.key.custom)));
        }
        self.uses(Kind::PriorityClass, "", pod.text("priorityClassName"));
        self.uses(Kind::RuntimeClass, "", pod.text("runtimeClassName"));
        for claim in root.get("spec").into_iter().flat_map(|it| it.list("volumeClaimTemplates")) {
            self.claim(claim.get("spec"));
        }
        for container in pod.list("containers").chain(pod.list("initContainers")) {
            for variable in container.list("env") {
                let value = variable.get("value");
                value
                    .into_iter()
                    .for_each(|it| self.address(variable.text("name").unwrap_or(""), it));
            }
            for argument in container.list("command").chain(container.list("args")) {
                self.address("", argument);
            }
        }
    }

    /// The pods of other namespaces that its own keep away from.
    fn terms(&mut self, pod: Node<'_>) {
        let affinity = pod.at(&["affinity", "podAntiAffinity"]);
        let required = "requiredDuringSchedulingIgnoredDuringExecution";
        let preferred = "preferredDuringSchedulingIgnoredDuringExecution";
        let terms = affinity.into_iter().flat_map(|it| {
            let preferred = it.list(preferred).filter_map(|it| it.get("podAffinityTerm"));
            it.list(required).chain(preferred)
        });
        for namespace in terms.flat_map(|it| it.list("namespaces")).filter_map(Node::str) {
            if *namespace != *self.key.namespace {
                self.wants.push(Want::Neighbour(namespace.into()));
            }
        }
    }

    /// The Services of other namespaces in a text.
    fn address(&mut self, key: &str, value: Node<'_>) {
        let Some(text) = value.str().filter(|it| it.contains('.')) else { return };
        for address in addresses(key, text) {
            let Some(name) = name(address.host) else { continue };
            if let Some(namespace) = name.namespace.filter(|it| **it != *self.key.namespace) {
                self.uses(Kind::Service, namespace, Some(name.service));
                self.wants.push(Want::Object(Key::known(Kind::Namespace, "", namespace)));
                self.wants.push(Want::Neighbour(namespace.into()));
            }
        }
    }
}

fn is_dns(namespace: &str, labels: Option<Node<'_>>) -> bool {
    const APPS: [&str; 2] = ["kube-dns", "node-local-dns"];
    let app = labels.and_then(|it| it.text("k8s-app"));
    namespace == "kube-system" && app.is_some_and(|it| APPS.contains(&it))
}
