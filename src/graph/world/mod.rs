//! From the facts to a scene: what runs, who may talk to whom, where the outside begins.
//!
//! Only what somebody decided becomes an arrow: a policy that lets a peer in or out, an Ingress, a Service that is open
//! to the outside, an address that a workload is given. That two pods may talk because no policy stands in the way is
//! said of each of them and not drawn for every pair.

mod addresses;
mod declared;
mod entries;
mod pods;
mod promised;
mod strangers;

use super::scene::{
    Component, ComponentKind, Flow, Namespace, PortRange, Ports, Posture, Scene, State,
};
use crate::analyze::Facts;
use crate::analyze::network::policies::{
    DIRECTIONS, Direction, NetworkPolicy, PortRange as Range, PortRule,
};
use crate::analyze::network::reach::{EndpointId, Verdict};
use crate::analyze::selection::workloads::{Workload, WorkloadId};
use crate::api::kind::Kind;
use crate::api::ports::{PortSet, Ports as Span, Protocol};
use crate::architecture::Promise;
use crate::model::Model;
use crate::policy::Policy;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// More workloads than this make no picture that anybody could read, nor one that is drawn in a moment.
pub const MOST: usize = 500;

/// The same of rules of network policies, whose peers are drawn too.
pub const MOST_RULES: usize = 5_000;

/// The kinds that a scene shows something of, beside those that run pods.
pub const READS: &[Kind] = &[
    Kind::AdminNetworkPolicy,
    Kind::BaselineAdminNetworkPolicy,
    Kind::ClusterNetworkPolicy,
    Kind::ConfigMap,
    // Policies of network plugins, of which only that they are there is known.
    Kind::Custom,
    Kind::GRPCRoute,
    Kind::HTTPRoute,
    Kind::HorizontalPodAutoscaler,
    Kind::Ingress,
    Kind::Namespace,
    Kind::NetworkPolicy,
    Kind::Node,
    Kind::Service,
    Kind::TCPRoute,
    Kind::TLSRoute,
    Kind::UDPRoute,
];

/// The scene of a model; the policy tells which flows are meant to be.
pub fn scene<'d>(model: &Model<'d>, facts: &Facts<'d>, policy: &Policy, title: &str) -> Scene {
    scene_of((model, facts), policy, &[], title)
}

/// The same, held to what architectures promise.
pub fn scene_of<'d>(
    (model, facts): (&Model<'d>, &Facts<'d>),
    policy: &Policy,
    promises: &[Arc<Promise>],
    title: &str,
) -> Scene {
    let mut painter = Painter::new(model, facts, title);
    painter.pods();
    painter.addresses();
    let strangers = painter.strangers();
    painter.entries(&strangers);
    painter.compare(policy);
    promises.iter().for_each(|it| painter.hold_to(it));
    painter.one_outside();
    painter.tell_apart();
    painter.scene
}

struct Painter<'m, 'd> {
    model: &'m Model<'d>,
    facts: &'m Facts<'d>,
    scene: Scene,
    namespaces: BTreeMap<String, usize>,
    /// The component of each workload; `None` where it has no pods on the network.
    of_workload: Vec<Option<usize>>,
    /// On which ports each workload may talk to everybody, by direction.
    open: [Vec<PortSet>; 2],
}

impl<'m, 'd> Painter<'m, 'd> {
    fn new(model: &'m Model<'d>, facts: &'m Facts<'d>, title: &str) -> Painter<'m, 'd> {
        let scene = Scene { title: title.to_string(), ..Scene::default() };
        let mut painter = Painter {
            model,
            facts,
            scene,
            namespaces: BTreeMap::new(),
            of_workload: Vec::new(),
            open: Default::default(),
        };
        painter.find_open();
        for workload in facts.workloads().iter() {
            let component =
                facts.reach().of_workload(workload.id).map(|_| painter.workload(workload));
            painter.of_workload.push(component);
        }
        painter
    }

    fn workload(&mut self, workload: &Workload<'d>) -> usize {
        let namespace = Some(self.namespace(workload.namespace));
        let templates = self.model.object(workload.object).field(&["spec", "volumeClaimTemplates"]);
        let has_claims = templates.is_some_and(|it| it.items().next().is_some());
        let kind = match has_claims || keeps_data(workload) {
            true => ComponentKind::DataStore,
            false => ComponentKind::Workload,
        };
        self.add(Component {
            name: workload.name.to_string(),
            caption: self.caption(workload),
            kind,
            namespace,
            ingress: self.posture(workload, Direction::Ingress),
            egress: self.posture(workload, Direction::Egress),
            state: State::Allowed,
        })
    }

    fn add(&mut self, component: Component) -> usize {
        self.scene.components.push(component);
        self.scene.components.len() - 1
    }

    /// A component of which no policy of the input says anything.
    fn add_outside(
        &mut self,
        kind: ComponentKind,
        namespace: Option<usize>,
        name: &str,
        caption: &str,
    ) -> usize {
        self.add(Component {
            name: name.to_string(),
            caption: caption.to_string(),
            kind,
            namespace,
            ingress: Posture::Unknown,
            egress: Posture::Unknown,
            state: State::Allowed,
        })
    }

    fn namespace(&mut self, name: &str) -> usize {
        if let Some(at) = self.namespaces.get(name) {
            return *at;
        }
        self.scene.namespaces.push(Namespace { name: name.to_string() });
        let at = self.scene.namespaces.len() - 1;
        self.namespaces.insert(name.to_string(), at);
        at
    }

    fn flow(&mut self, from: usize, to: usize, ports: &PortSet, state: State) {
        if !ports.is_empty() {
            self.scene.flows.push(Flow { from, to, ports: plain(ports), state });
        }
    }

    fn caption(&self, workload: &Workload<'_>) -> String {
        let kind = self.model.object(workload.object).kind_name;
        let pods = |count: u64| format!("{count} pod{}", if count == 1 { "" } else { "s" });
        match self.facts.envelope(workload.id) {
            _ if matches!(workload.kind, Kind::Pod | Kind::Job | Kind::CronJob) => kind.to_string(),
            Some(it) if it.floor.count == it.peak.count => {
                format!("{kind}, {}", pods(it.peak.count))
            }
            Some(it) => format!("{kind}, {} to {}", it.floor.count, pods(it.peak.count)),
            None => kind.to_string(),
        }
    }

    /// What the policies that isolate a workload make of the rest of its traffic.
    fn posture(&self, workload: &Workload<'_>, direction: Direction) -> Posture {
        let reach = self.facts.reach();
        match reach.of_workload(workload.id).and_then(|it| reach.rest(direction, it)) {
            Some(true) => Posture::Open,
            Some(false) => Posture::Denied,
            None => Posture::Unknown,
        }
    }

    /// On which ports a workload may talk to everybody, as far as it depends on itself.
    fn open(&self, workload: WorkloadId, direction: Direction) -> PortSet {
        self.open[direction as usize].get(workload.0 as usize).cloned().unwrap_or_default()
    }

    /// The same of all workloads; pods that no policy tells apart are asked about once.
    fn find_open(&mut self) {
        let reach = self.facts.reach();
        self.open = DIRECTIONS.map(|direction| {
            let mut known: BTreeMap<EndpointId, PortSet> = BTreeMap::new();
            let all = self.facts.workloads().iter().map(|it| match reach.of_workload(it.id) {
                None => PortSet::all(),
                Some(end) => {
                    let open = || reach.for_everybody(direction, end);
                    let open =
                        known.entry(end).or_insert_with(|| open().ports(|it| it == Verdict::Allow));
                    open.clone()
                }
            });
            all.collect()
        });
    }

    /// The ports of a rule; names are those of this workload, and mean nothing where nobody knows whose they are.
    fn spans(&self, ports: Option<&[PortRule<'_>]>, named: Option<WorkloadId>) -> Vec<Span> {
        let Some(ports) = ports else { return PortSet::all().iter().collect() };
        let mut spans = Vec::new();
        for rule in ports {
            let Some(protocol) = Protocol::parse(rule.protocol) else { continue };
            match rule.ports {
                Range::All => spans.push(Span::every(protocol)),
                Range::Numbers(first, last) => spans.push(Span { protocol, first, last }),
                Range::Named(name) => {
                    let pods = named.map(|it| self.facts.ports(it));
                    let number =
                        pods.and_then(|it| it.named(name, rule.protocol)).map(|it| it.number);
                    let number = number.and_then(|it| u16::try_from(it).ok());
                    spans.extend(number.map(|it| Span::one(protocol, it)));
                }
                Range::Invalid => {}
            }
        }
        spans
    }

    /// The ports that the containers of a workload declare.
    fn declared(&self, workload: WorkloadId) -> PortSet {
        let ports = self.facts.ports(workload).iter().filter_map(|it| {
            Some(Span::one(Protocol::parse(it.protocol)?, u16::try_from(it.number).ok()?))
        });
        ports.collect()
    }

    /// Where everybody may call what the Internet calls, one component stands for both.
    fn one_outside(&mut self) {
        let named = |name: &str| {
            let is_it = |it: &Component| it.kind == ComponentKind::Internet && it.name == name;
            self.scene.components.iter().position(is_it)
        };
        let Some((anyone, internet)) = named(pods::ANYONE).zip(named(entries::INTERNET)) else {
            return;
        };
        let calls = |from: usize| {
            let flows = self.scene.flows.iter().filter(move |it| it.from == from);
            flows.map(|it| (it.to, it.ports.clone())).collect::<BTreeSet<_>>()
        };
        if calls(anyone) != calls(internet) {
            return;
        }
        self.scene.flows.retain(|it| it.from != anyone);
        self.scene.components[internet].caption = "and every pod".into();
        self.scene.components.remove(anyone);
        let moved = |it: usize| if it > anyone { it - 1 } else { it };
        for flow in &mut self.scene.flows {
            (flow.from, flow.to) = (moved(flow.from), moved(flow.to));
        }
    }

    /// Gives components of one place and name a name each: with their kind, or what else is said of them.
    fn tell_apart(&mut self) {
        let mut by_name: BTreeMap<(Option<usize>, String), Vec<usize>> = BTreeMap::new();
        for (at, it) in self.scene.components.iter().enumerate() {
            // Callers and destinations outside are the same, drawn on both sides.
            if it.name != entries::INTERNET {
                by_name.entry((it.namespace, it.name.clone())).or_default().push(at);
            }
        }
        for several in by_name.into_values().filter(|it| it.len() > 1) {
            let what = |at: &usize| {
                let caption = &self.scene.components[*at].caption;
                caption.split(',').next().unwrap_or_default().to_string()
            };
            let mut known = BTreeSet::new();
            let kinds: Vec<String> = several.iter().map(what).collect();
            let differ = kinds.iter().all(|it| !it.is_empty() && known.insert(it));
            for (which, (at, kind)) in several.iter().zip(&kinds).enumerate() {
                let more = if differ { kind.clone() } else { (which + 1).to_string() };
                let component = &mut self.scene.components[*at];
                component.name = format!("{} ({more})", component.name);
            }
        }
    }

    /// The workloads that have pods on the network, with their components.
    fn workloads(&self) -> Vec<(WorkloadId, usize)> {
        let all = self.facts.workloads().iter();
        all.filter_map(|it| Some((it.id, self.of_workload[it.id.0 as usize]?))).collect()
    }

    /// The workloads that a policy selects, with their components.
    fn selected(&self, policy: &NetworkPolicy<'_>) -> Vec<(WorkloadId, usize)> {
        let all = policy.selects.iter();
        all.filter_map(|(it, _)| Some((*it, self.of_workload[it.0 as usize]?))).collect()
    }
}

/// Ports as pictures show them.
pub(super) fn plain(ports: &PortSet) -> Ports {
    if *ports == PortSet::all() {
        return [PortRange::ANY].into_iter().collect();
    }
    let ranges = ports.iter().map(|it| PortRange {
        first: it.first,
        last: it.last,
        protocol: it.protocol.name(),
    });
    ranges.collect()
}

/// What runs in images of databases, caches and queues.
const STORES: &[&str] = &[
    "cassandra",
    "clickhouse",
    "cockroach",
    "couchdb",
    "elasticsearch",
    "etcd",
    "influxdb",
    "kafka",
    "mariadb",
    "memcached",
    "minio",
    "mongo",
    "mysql",
    "nats",
    "neo4j",
    "opensearch",
    "percona",
    "pgvector",
    "postgis",
    "postgres",
    "rabbitmq",
    "redis",
    "redpanda",
    "scylla",
    "timescaledb",
    "valkey",
    "vault",
    "weaviate",
    "zookeeper",
];

/// Whether a workload without claims for each pod keeps data: a claim that a set of pods mounts, or the image of something
/// that does.
fn keeps_data(workload: &Workload<'_>) -> bool {
    let image = workload.pod.list("containers").next().and_then(|it| it.text("image"));
    let name = image.map(|it| it.rsplit('/').next().unwrap_or(it).to_ascii_lowercase());
    let name = name.as_deref().map(|it| it.split([':', '@']).next().unwrap_or(it)).unwrap_or("");
    let is_around_one = ["exporter", "operator", "proxy", "backup", "admin", "ui"]
        .iter()
        .any(|it| name.contains(it));
    let is_store = !is_around_one && STORES.iter().any(|it| name.contains(it));
    let claims = workload.kind == Kind::StatefulSet
        && workload.pod.list("volumes").any(|it| it.get("persistentVolumeClaim").is_some());
    is_store || claims
}
