//! Pods by what selectors can ask of them: the first, coarse grouping, so that selectors are held against few.

use super::blocks::Blocks;
use super::nodes::Nodes;
use super::sets::{Scope, Spec};
use super::stranger::{Stranger, StrangerId};
use super::verdict::{Reason, Truth};
use crate::analyze::Facts;
use crate::analyze::network::other_policies::OtherId;
use crate::analyze::network::policies::is_in_host_network;
use crate::analyze::selection::alike::AlikeId;
use crate::analyze::selection::namespaces::{NAME_LABEL, Namespace};
use crate::analyze::selection::selector::{
    LabelValue, Operator, PodLabels, Requirement, Selector, Selects,
};
use crate::analyze::selection::services::{Exposure, Service};
use crate::analyze::selection::workloads::{Workload, WorkloadId};
use crate::api::kind::Kind;
use crate::api::ports::{PortSet, Ports, Protocol};
use crate::model::Model;
use crate::text::tree::Node;
use ipnet::IpNet;
use rustc_hash::{FxHashMap, FxHashSet};

/// Pods of one namespace with the same labels, as far as any policy asks for them, and the same ports and addresses.
#[derive(Clone, Debug)]
pub(super) struct Shape<'d> {
    pub(super) key: Key<'d>,
    /// The labels of one of the workloads.
    labels: PodLabels<'d>,
    pub(super) workloads: Vec<WorkloadId>,
}

/// What tells shapes apart.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Key<'d> {
    pub(super) namespace: &'d str,
    pub(super) is_in_host_network: bool,
    /// Those of the labels that policies ask for, in the order of their keys.
    labels: Vec<(&'d str, LabelValue<'d>)>,
    /// The workload whose name a label that varies is made of.
    owner: &'d str,
    pub(super) names: Vec<(&'d str, Protocol, u16)>,
    pub(super) addresses: Vec<IpNet>,
    pub(super) exposed: PortSet,
    /// The policies of kinds that are not judged which may select them.
    pub(super) others: Vec<OtherId>,
    /// The node that they run on, where the input says so of a bare pod.
    pub(super) node: &'d str,
    /// Where they are pods that the input does not hold: which.
    pub(super) stranger: Option<StrangerId>,
}

/// What policies ask of pods.
#[derive(Debug)]
pub(super) struct Asked<'d> {
    /// Their labels under these keys, in order.
    keys: Vec<&'d str>,
    /// Their ports of these names.
    names: FxHashSet<&'d str>,
    /// In which of these blocks their addresses lie.
    pub(super) blocks: Blocks,
}

/// All shapes, found by label.
#[derive(Debug)]
pub(super) struct Shapes<'d> {
    pub(super) all: Vec<Shape<'d>>,
    pub(super) asked: Asked<'d>,
    by_namespace: FxHashMap<&'d str, Vec<u32>>,
    by_label: FxHashMap<(&'d str, &'d str, &'d str), Vec<u32>>,
}

impl<'d> Asked<'d> {
    pub(super) fn new(specs: &[Spec<'d>], names: FxHashSet<&'d str>) -> Asked<'d> {
        let mut keys: Vec<_> = specs.iter().flat_map(keys_of).collect();
        keys.sort_unstable();
        keys.dedup();
        Asked { keys, names, blocks: Blocks::new(specs) }
    }

    /// Whether a description asks for nothing else.
    pub(super) fn has(&self, spec: &Spec<'d>) -> bool {
        keys_of(spec).all(|it| self.keys.binary_search(&it).is_ok())
            && match spec {
                Spec::Block(it) | Spec::Network(it) => self.blocks.has(it),
                _ => true,
            }
    }

    /// Whether it is known of each pod whether it has a port of this name.
    pub(super) fn has_name(&self, name: &str) -> bool {
        self.names.contains(name)
    }
}

/// The label keys that a description asks for.
fn keys_of<'s, 'd>(spec: &'s Spec<'d>) -> impl Iterator<Item = &'d str> + use<'s, 'd> {
    let selector = match spec {
        Spec::Pods { pods, .. } => Some(pods),
        _ => None,
    };
    selector.into_iter().flat_map(|it| it.requirements.iter().map(|it| it.key))
}

impl<'d> Shapes<'d> {
    pub(super) fn new(
        model: &Model<'d>,
        facts: &Facts<'d>,
        nodes: &Nodes<'d>,
        asked: Asked<'d>,
    ) -> Shapes<'d> {
        let mut all: Vec<Shape<'d>> = Vec::new();
        let exposing = Exposing::new(model, facts);
        let mut by_key: FxHashMap<Key<'d>, u32> = FxHashMap::default();
        for workload in facts.workloads().iter() {
            if !is_on_the_network(workload) {
                continue;
            }
            let key = key(facts, nodes, workload, &asked, &exposing);
            let at = by_key.get(&key).copied().unwrap_or_else(|| {
                let at = all.len() as u32;
                by_key.insert(key.clone(), at);
                all.push(Shape { key, labels: workload.labels.clone(), workloads: Vec::new() });
                at
            });
            all[at as usize].workloads.push(workload.id);
        }
        let mut by_namespace: FxHashMap<_, Vec<_>> = FxHashMap::default();
        let mut by_label: FxHashMap<_, Vec<_>> = FxHashMap::default();
        for (at, shape) in all.iter().enumerate() {
            by_namespace.entry(shape.key.namespace).or_default().push(at as u32);
            for (key, value) in &shape.key.labels {
                if let LabelValue::Is(value) = value {
                    let label = (shape.key.namespace, *key, *value);
                    by_label.entry(label).or_default().push(at as u32);
                }
            }
        }
        // Those that the input does not hold are few, and found one by one.
        let strangers = (0..).zip(facts.strangers());
        all.extend(strangers.map(|(at, it)| stranger(facts, StrangerId(at), it)));
        Shapes { all, asked, by_namespace, by_label }
    }

    /// The shapes that a description by labels means, in order.
    pub(super) fn of(
        &self,
        facts: &Facts<'d>,
        scope: &Scope<'d>,
        pods: &Selector<'d>,
    ) -> Vec<(u32, Truth)> {
        let mut found = Vec::new();
        match scope {
            Scope::Namespace(it) => self.in_namespace(it, pods, Truth::Yes, &mut found),
            Scope::Selected(selector) => {
                let names = facts.namespaces().may_be_selected(selector).into_iter();
                for name in names.filter(|it| self.by_namespace.contains_key(it)) {
                    match namespace_fits(selector, name, facts.namespaces().get(name)) {
                        Truth::No => {}
                        truth => self.in_namespace(name, pods, truth, &mut found),
                    }
                }
            }
        }
        self.strangers(facts, scope, pods, &mut found);
        found.sort_unstable();
        found
    }

    /// Adds the pods that the input does not hold.
    fn strangers(
        &self,
        facts: &Facts<'d>,
        scope: &Scope<'d>,
        pods: &Selector<'d>,
        found: &mut Vec<(u32, Truth)>,
    ) {
        let first = self.all.len() - facts.strangers().len();
        for (at, stranger) in (first..).zip(facts.strangers()) {
            let in_scope = match scope {
                Scope::Namespace(it) => stranger.is_in(it),
                Scope::Selected(it) => stranger.fits(facts, it),
            };
            let selected = match pods.selects(&self.all[at].labels) {
                Selects::None => Truth::No,
                Selects::Some => Truth::Maybe(Reason::PodLabels),
                Selects::All => Truth::Yes,
            };
            match in_scope.and(selected) {
                Truth::No => {}
                truth => found.push((at as u32, truth)),
            }
        }
    }

    fn in_namespace(
        &self,
        namespace: &str,
        pods: &Selector<'_>,
        truth: Truth,
        found: &mut Vec<(u32, Truth)>,
    ) {
        let none = Vec::new();
        let mut candidates = self.by_namespace.get(namespace).unwrap_or(&none);
        // The rarest of the labels that have to be there narrows the search, where no controller sets it.
        for requirement in &pods.requirements {
            let Operator::In(values) = &requirement.operator else { continue };
            let [value] = values.as_slice() else { continue };
            let written = self.by_label.get(&(namespace, requirement.key, value)).unwrap_or(&none);
            if written.len() < candidates.len()
                && !crate::analyze::selection::workloads::is_added(requirement.key)
            {
                candidates = written;
            }
        }
        for at in candidates {
            let selects = match pods.selects(&self.all[*at as usize].labels) {
                Selects::None => continue,
                Selects::Some => Truth::Maybe(Reason::PodLabels),
                Selects::All => Truth::Yes,
            };
            found.push((*at, truth.and(selects)));
        }
    }
}

/// Whether a namespace has such labels; of one that the input does not define, only its name is known.
pub(super) fn namespace_fits(
    selector: &Selector<'_>,
    name: &str,
    namespace: Option<&Namespace<'_>>,
) -> Truth {
    if selector.invalid {
        return Truth::No;
    }
    let of = |labels: &[(&str, &str)], it: &Requirement<'_>| {
        let one = Selector { requirements: vec![it.clone()], invalid: false };
        if one.matches(labels) { Truth::Yes } else { Truth::No }
    };
    let defined = namespace.filter(|it| it.object.is_some());
    let each = selector.requirements.iter().map(|it| match defined {
        Some(namespace) => of(&namespace.labels, it),
        None if it.key == NAME_LABEL => of(&[(NAME_LABEL, name)], it),
        None => Truth::Maybe(Reason::NamespaceLabels),
    });
    each.min().unwrap_or(Truth::Yes)
}

/// A pod that has ended has given its address back; one that waits has none yet.
fn is_on_the_network(workload: &Workload<'_>) -> bool {
    let is_one = workload.kind == Kind::Pod && workload.members.len() == 1;
    let status = workload.template.get("status").filter(|_| is_one);
    let phase = status.and_then(|it| it.text("phase"));
    match phase {
        Some("Succeeded" | "Failed") => false,
        Some("Pending") => status.is_some_and(|it| it.get("podIP").is_some()),
        _ => true,
    }
}

fn key<'d>(
    facts: &Facts<'d>,
    nodes: &Nodes<'d>,
    workload: &Workload<'d>,
    asked: &Asked<'d>,
    exposing: &Exposing<'_, 'd>,
) -> Key<'d> {
    let written = workload.labels.written.iter().map(|it| it.0);
    let carried = written.chain(workload.labels.added.iter().copied());
    let carried = carried.chain(workload.labels.varying());
    let mut labels: Vec<_> = carried
        .filter(|it| asked.keys.binary_search(it).is_ok())
        .map(|it| (it, workload.labels.get(it)))
        .collect();
    labels.sort_unstable_by_key(|it| it.0);
    labels.dedup_by_key(|it| it.0);
    let varies = labels.iter().any(|it| it.1 == LabelValue::Varies);
    let owner = if varies { workload.labels.owner } else { "" };
    let ports = facts.ports(workload.id).iter();
    let named = ports.filter_map(|it| {
        let name = it.name.filter(|it| asked.names.contains(it))?;
        Some((name, Protocol::parse(it.protocol)?, u16::try_from(it.number).ok()?))
    });
    let named = named.collect();
    let is_in_host_network = is_in_host_network(workload);
    let is_bare = workload.kind == Kind::Pod && workload.members.len() == 1;
    let on_node = nodes.of(node(workload)).iter().filter(|_| is_in_host_network);
    Key {
        namespace: workload.namespace,
        is_in_host_network,
        labels,
        owner,
        names: named,
        addresses: match is_bare {
            true => addresses(workload.template, on_node, &asked.blocks),
            false => Vec::new(),
        },
        exposed: exposing.ports(facts, workload),
        others: facts.other_policies().of_workload(workload.id).to_vec(),
        node: node(workload),
        stranger: None,
    }
}

/// The shape of pods that the input does not hold.
fn stranger<'d>(facts: &Facts<'d>, id: StrangerId, it: &Stranger<'d>) -> Shape<'d> {
    let labels = it.pod_labels();
    let key = Key {
        namespace: it.namespace.unwrap_or_default(),
        is_in_host_network: false,
        labels: Vec::new(),
        owner: "",
        names: Vec::new(),
        addresses: Vec::new(),
        exposed: PortSet::default(),
        others: facts.other_policies().selecting(facts, it.namespace, &labels),
        node: "",
        stranger: Some(id),
    };
    Shape { key, labels, workloads: Vec::new() }
}

/// The node that a bare pod runs on, or has to.
fn node<'d>(workload: &Workload<'d>) -> &'d str {
    let named = workload.pod.text("nodeName").filter(|_| workload.kind == Kind::Pod);
    named.unwrap_or_default()
}

/// What policies can tell of the addresses of a pod: its own, or those of its node, in whose network it is.
fn addresses<'n>(
    pod: Node<'_>,
    on_node: impl Iterator<Item = &'n IpNet>,
    blocks: &Blocks,
) -> Vec<IpNet> {
    let status = pod.get("status");
    let listed = status.into_iter().flat_map(|it| it.list("podIPs")).filter_map(|it| it.text("ip"));
    let first = status.and_then(|it| it.text("podIP"));
    let parsed = listed.chain(first).filter_map(|it| it.parse().ok());
    let mut addresses: Vec<IpNet> =
        parsed.chain(on_node.map(IpNet::addr)).map(|it| blocks.around(it)).collect();
    addresses.sort_unstable();
    addresses.dedup();
    addresses
}

/// The Services by which pods are reached from outside with the address of a node as the source:
/// `externalTrafficPolicy` is `Cluster` unless it says `Local`.
enum Exposing<'f, 'd> {
    /// Those that have the same selector, where there are some.
    Known(FxHashMap<AlikeId, Vec<&'f Service<'d>>>),
    /// Services may not be read.
    Unknown,
}

impl<'f, 'd> Exposing<'f, 'd> {
    fn new(model: &Model<'d>, facts: &'f Facts<'d>) -> Exposing<'f, 'd> {
        let coverage = model.loaded.coverage.as_ref();
        if coverage.is_some_and(|it| it.lack_of(Kind::Service.name()).is_some()) {
            return Exposing::Unknown;
        }
        let policy = |it: &Service<'_>| {
            let policy = model.object(it.object).field(&["spec", "externalTrafficPolicy"]);
            policy.and_then(Node::str)
        };
        let mut known: FxHashMap<_, Vec<_>> = FxHashMap::default();
        for service in facts.services().iter() {
            let is_outside =
                matches!(service.exposure, Exposure::NodePort | Exposure::LoadBalancer);
            if let Some(alike) = service.alike
                && is_outside
                && policy(service) != Some("Local")
            {
                known.entry(alike).or_default().push(service);
            }
        }
        Exposing::Known(known)
    }

    /// The ports of a workload's pods that they lead to.
    fn ports(&self, facts: &Facts<'d>, workload: &Workload<'_>) -> PortSet {
        let Exposing::Known(known) = self else { return PortSet::all() };
        let alike = facts.services().alike_of(workload.id);
        let services = alike.filter_map(|(id, _)| known.get(&id)).flatten();
        let pods = facts.ports(workload.id);
        let ports = services.flat_map(|it| it.ports.iter()).filter_map(|it| {
            let number = u16::try_from(it.on(pods)?).ok()?;
            Some(Ports::one(Protocol::parse(it.protocol)?, number))
        });
        ports.collect()
    }
}
