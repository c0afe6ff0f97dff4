//! Who is given the address of which Service: the pods that mean to call it, as far as manifests tell.
//!
//! A variable or an argument of their own tells for certain, and so does one key of a ConfigMap that they ask for. Who
//! reads a whole ConfigMap need not use all of it: of several such, one at least is meant, and a single one is. Some keys
//! say that an address is for others: for links, for browsers, for a certificate.

use super::access::may_serve;
use super::config_readers::{ConfigMaps, Readers};
use super::reach::ask::{Party, Question};
use super::service_addresses::Contact;
use crate::analyze::Facts;
use crate::analyze::selection::services::{Service, ServiceId, ServicePort};
use crate::analyze::selection::workloads::WorkloadId;
use crate::api::kind::Kind;
use crate::api::ports::{Ports, Protocol};
use crate::model::Model;
use rustc_hash::FxHashMap;

/// Words of keys whose hosts are shown to others, or compared with what comes in, by who is given them.
///
/// `public` is one even where only a pod can look the host up. `NEXT_PUBLIC_API_URL: http://api.shop.svc` may be what a
/// server calls before a page gets to the browser; `PUBLIC_URL: http://web.shop.svc` is what the others of the cluster are
/// told to call. No manifest tells these apart, and to hold the second for a call is a false alarm. That the host resolves
/// is asked of both (`unresolvable-address`).
const NOT_CALLED: &[&str] = &[
    "advertise",
    "advertised",
    "allowed",
    "announce",
    "audience",
    "callback",
    "cert",
    "certificate",
    "cors",
    "csrf",
    "domain",
    "domains",
    "external",
    "frontend",
    "noproxy",
    "origin",
    "origins",
    "public",
    "redirect",
    "sans",
    "trusted",
];

/// A Service, and those who are given its address.
#[derive(Clone, Debug)]
pub struct Client<'d> {
    /// Where the address stands.
    pub contact: Contact<'d>,
    /// The Service that it means.
    pub service: ServiceId,
    /// Who reads it.
    pub readers: Readers,
}

/// All clients.
#[derive(Debug, Default)]
pub struct Clients<'d> {
    all: Vec<Client<'d>>,
    /// The Services that each workload is given the addresses of.
    given: FxHashMap<WorkloadId, Vec<ServiceId>>,
}

impl<'d> Clients<'d> {
    pub(in crate::analyze) fn new(model: &Model<'d>, facts: &Facts<'d>) -> Clients<'d> {
        let mut clients = Clients { all: read(model, facts), given: FxHashMap::default() };
        for client in &clients.all {
            let all = client.readers.ids();
            for reader in all {
                clients.given.entry(*reader).or_default().push(client.service);
            }
        }
        clients
    }

    /// In the order of the addresses.
    pub fn iter(&self) -> impl Iterator<Item = &Client<'d>> {
        self.all.iter()
    }

    /// Whether pods behind a Service are themselves given the address of a workload.
    pub fn call_back(&self, facts: &Facts<'d>, service: &Service<'d>, to: WorkloadId) -> bool {
        let given = service.selects.iter().flat_map(|it| self.given.get(&it.0)).flatten();
        let mut called = given.flat_map(|it| facts.services().get(*it).selects.iter());
        called.any(|it| it.0 == to)
    }
}

impl<'d> Client<'d> {
    /// Those who use the address for certain.
    pub fn certain(&self) -> &[WorkloadId] {
        match &self.readers {
            Readers::Each(all) => all,
            Readers::AnyOf(_) => &[],
        }
    }

    /// The ports of the Service that the address means: all where it names none.
    pub fn ports<'s>(
        &self,
        service: &'s Service<'d>,
    ) -> impl Iterator<Item = &'s ServicePort<'d>> + use<'s, 'd> {
        let port = self.contact.address.port;
        service.ports.iter().filter(move |it| port.is_none_or(|port| it.port == port))
    }

    /// The numbers on the pods of a workload that the address leads to.
    pub fn pod_ports(&self, facts: &Facts<'d>, workload: WorkloadId) -> Vec<i64> {
        let service = facts.services().get(self.service);
        match self.contact.address.port.filter(|_| service.is_headless) {
            Some(port) => vec![port],
            None => self.ports(service).filter_map(|it| it.on(facts.ports(workload))).collect(),
        }
    }

    /// What a reader asks of the network when it calls the address, as far as the pods serve it.
    pub fn questions(&self, facts: &Facts<'d>, reader: WorkloadId) -> Vec<Question> {
        let service = facts.services().get(self.service);
        let from = Party::Workload(reader);
        let pods = service.selects.iter().map(|it| it.0);
        let is_served = |workload, protocol, number| may_serve(facts, workload, protocol, number);
        // The name of a headless Service stands for its pods, and the port is theirs.
        if let Some(number) = self.contact.address.port.filter(|_| service.is_headless) {
            let protocol = self.ports(service).next().map_or("TCP", |it| it.protocol);
            let port = Protocol::parse(protocol).zip(u16::try_from(number).ok());
            let Some((protocol, port)) = port else { return Vec::new() };
            let meant = pods.filter(|it| {
                let name = facts.workloads().get(*it).name;
                let is_of =
                    |pod: &str| pod.strip_prefix(name).is_some_and(|it| it.starts_with('-'));
                self.contact.name.pod.is_none_or(is_of) && is_served(*it, protocol, number)
            });
            let ports = [Ports::one(protocol, port)];
            return meant
                .map(|it| Question {
                    from,
                    to: Party::Workload(it),
                    ports: ports.into_iter().collect(),
                })
                .collect();
        }
        let served = self.ports(service).filter_map(|it| {
            let protocol = Protocol::parse(it.protocol)?;
            let mut numbers = pods.clone().filter_map(|pod| Some((pod, it.on(facts.ports(pod))?)));
            let is_served = numbers.any(|(pod, number)| is_served(pod, protocol, number));
            is_served.then_some(Ports::one(protocol, u16::try_from(it.port).ok()?))
        });
        vec![Question { from, to: Party::Service(service.id), ports: served.collect() }]
    }
}

/// The clients of all Services, in the order of the addresses.
fn read<'d>(model: &Model<'d>, facts: &Facts<'d>) -> Vec<Client<'d>> {
    let maps = ConfigMaps::new(facts);
    let called = facts.contacts().iter().filter(|it| is_called(it.key));
    let found = called.filter_map(|contact| {
        let object = model.object(contact.object);
        let namespace = contact.name.namespace.unwrap_or(object.namespace);
        let service = facts.services().find(namespace, contact.name.service)?.id;
        let readers = match facts.workloads().of_object(contact.object) {
            Some(workload) => Readers::Each(vec![workload.id]),
            None if object.kind == Kind::ConfigMap => {
                maps.readers(object.namespace, object.name, contact.field)?
            }
            None => return None,
        };
        Some(Client { contact: contact.clone(), service, readers })
    });
    found.collect()
}

/// Whether a key leaves it possible that its host is called. `--host` names the process itself.
fn is_called(key: &str) -> bool {
    let key = key.to_ascii_lowercase();
    let words = key.split(|it: char| !it.is_ascii_alphanumeric()).filter(|it| !it.is_empty());
    let words: Vec<&str> = words.collect();
    let is_for_others = words.iter().any(|it| NOT_CALLED.contains(it));
    !is_for_others && words != ["no", "proxy"] && words != ["host"] && words != ["hostname"]
}

#[cfg(test)]
mod tests {
    use super::is_called;

    #[test]
    fn some_keys_are_for_others() {
        for key in ["DB_HOST", "API_URL", "--upstream", "", "nginx.conf", "PROXY_URL", "HOST_URL"] {
            assert!(is_called(key), "{key}");
        }
        for key in ["FRONTEND_URL", "NO_PROXY", "--host", "CORS_ALLOWED_ORIGINS", "public-url"] {
            assert!(!is_called(key), "{key}");
        }
    }
}
