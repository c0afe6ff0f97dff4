//! Where workloads and ConfigMaps give addresses of the cluster, and what Service each means.
//!
//! A short name is looked up in the namespace of the pod that asks: by the search path of its `/etc/resolv.conf`, after its
//! own `/etc/hosts`. A ConfigMap is read by pods of its namespace, and a file in it by those that mount it.

use super::addresses::{Address, Name, addresses, bare, is_in_cluster, name};
use super::config_readers::{ConfigMaps, Readers};
use crate::analyze::Facts;
use crate::analyze::selection::workloads::Workload;
use crate::api::kind::Kind;
use crate::model::{Model, ObjId, Object};
use crate::text::tree::Node;

/// An address and where it stands.
#[derive(Clone, Debug)]
pub struct Contact<'d> {
    /// The workload or ConfigMap.
    pub object: ObjId,
    /// What the value is called: the variable, the flag, or the key of the ConfigMap; may be empty.
    pub key: &'d str,
    /// The same as it is written, without a look into the value: the key of the ConfigMap.
    pub field: &'d str,
    /// The value that holds it.
    pub node: Node<'d>,
    /// The address as written.
    pub address: Address<'d>,
    /// What it means.
    pub name: Name<'d>,
}

/// Names of namespaces that the Internet knows as well: `http://api.dev` may be a host out there, unless the namespace has
/// a Service that is called nearly so.
const TOP_LEVEL: &[&str] = &[
    "ai", "app", "blog", "bot", "chat", "cloud", "com", "dev", "health", "host", "info",
    "internal", "io", "link", "live", "local", "media", "net", "network", "online", "org",
    "services", "shop", "site", "store", "systems", "team", "tech", "tools", "web", "zone",
];

/// All addresses of the cluster in variables, arguments and ConfigMaps.
pub(in crate::analyze) fn contacts<'d>(model: &Model<'d>, facts: &Facts<'d>) -> Vec<Contact<'d>> {
    let mut reader = Reader { facts, found: Vec::new() };
    for workload in facts.workloads().iter() {
        let object = model.object(workload.object);
        for container in workload.containers() {
            for variable in container.list("env") {
                let key = variable.text("name").unwrap_or("");
                reader.read(object, Some(workload), key, variable.get("value"));
            }
            for argument in ["command", "args"].iter().flat_map(|it| container.list(it)) {
                reader.read(object, Some(workload), "", Some(argument));
            }
        }
    }
    let readers = ConfigMaps::new(facts);
    for object in model.of_kind(Kind::ConfigMap) {
        for (key, value) in object.field(&["data"]).into_iter().flat_map(Node::pairs) {
            match value.str().is_some_and(|it| it.trim().contains('\n')) {
                true => {
                    let readers = readers.readers(object.namespace, object.name, key);
                    reader.read_file(object, readers.as_ref(), key, value);
                }
                false => reader.read(object, None, key, Some(value)),
            }
        }
    }
    // What an ExternalName stands for is a CNAME: a name of the cluster has to be written out.
    for object in model.of_kind(Kind::Service).filter(|it| is_alias(it)) {
        reader.read(object, None, "", object.field(&["spec", "externalName"]));
    }
    reader.found
}

fn is_alias(service: &Object<'_>) -> bool {
    service.field(&["spec", "type"]).and_then(Node::str) == Some("ExternalName")
}

struct Reader<'f, 'd> {
    facts: &'f Facts<'d>,
    found: Vec<Contact<'d>>,
}

impl<'d> Reader<'_, 'd> {
    fn read(
        &mut self,
        object: &Object<'d>,
        workload: Option<&Workload<'d>>,
        key: &'d str,
        value: Option<Node<'d>>,
    ) {
        let Some((node, text)) = value.and_then(|it| Some((it, it.str()?))) else { return };
        let field = key;
        // `--upstream=http://api:8080`: what is before the sign is the key.
        let (key, text) = match text.split_once('=') {
            Some((flag, value)) if key.is_empty() && flag.starts_with('-') => (flag, value),
            _ => (key, text),
        };
        for address in addresses(key, text) {
            let Some(name) = name(address.host) else { continue };
            if is_in_cluster(address.host) || self.means_a_service(object, workload, &name) {
                self.found.push(Contact { object: object.id, key, field, node, address, name });
            }
        }
        // A word is a host where it is the name of a Service: otherwise it may be anything.
        let Some(address) = bare(key, text) else { return };
        let Some(name) = name(address.host) else { return };
        let namespace = name.namespace.unwrap_or(object.namespace);
        let is_there = self.facts.services().find(namespace, name.service).is_some();
        if is_there && self.means_a_service(object, workload, &name) {
            self.found.push(Contact { object: object.id, key, field, node, address, name });
        }
    }

    /// A file of a ConfigMap: what is short in it means what it means to all pods that have it.
    fn read_file(
        &mut self,
        object: &Object<'d>,
        readers: Option<&Readers>,
        key: &'d str,
        node: Node<'d>,
    ) {
        let text = node.str().unwrap_or_default();
        for address in addresses(key, text) {
            let Some(name) = name(address.host) else { continue };
            let is_short = || {
                readers.is_some_and(|it| {
                    let mut all = it.ids().iter().map(|it| self.facts.workloads().get(*it));
                    all.all(|it| self.means_a_service(object, Some(it), &name))
                })
            };
            if is_in_cluster(address.host) || is_short() {
                self.found.push(Contact {
                    object: object.id,
                    key,
                    field: key,
                    node,
                    address,
                    name,
                });
            }
        }
    }

    /// Whether a host that is not written out can mean nothing but a Service.
    fn means_a_service(
        &self,
        object: &Object<'_>,
        workload: Option<&Workload<'_>>,
        name: &Name<'_>,
    ) -> bool {
        if let Some(namespace) = name.namespace {
            // `pod.service`, by the search path.
            let is_pod = self.facts.services().find(object.namespace, namespace).is_some();
            let is_known = self.facts.namespaces().get(namespace).is_some();
            let is_domain = TOP_LEVEL.contains(&namespace)
                && !self.facts.services().resembles(namespace, name.service);
            if is_pod || !is_known || is_domain {
                return false;
            }
        }
        workload.is_none_or(|it| asks_cluster(it) && !knows_itself(it, name.service))
    }
}

/// Whether the pod looks short names up in the cluster's DNS, and nowhere before.
fn asks_cluster(workload: &Workload<'_>) -> bool {
    let is_on_host = workload.pod.get("hostNetwork").and_then(Node::bool) == Some(true);
    let is_extended =
        ["nameservers", "searches"].iter().any(|it| workload.pod.at(&["dnsConfig", it]).is_some());
    match workload.pod.text("dnsPolicy") {
        _ if is_extended => false,
        None | Some("ClusterFirst") => !is_on_host,
        Some(policy) => policy == "ClusterFirstWithHostNet",
    }
}

/// Whether the pod's own `/etc/hosts` has the name.
fn knows_itself(workload: &Workload<'_>, name: &str) -> bool {
    let mut aliases = workload.pod.list("hostAliases").flat_map(|it| it.list("hostnames"));
    workload.pod.text("hostname") == Some(name) || aliases.any(|it| it.str() == Some(name))
}
