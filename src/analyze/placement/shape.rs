//! What the scheduler sees of a pod: pods that are equal in that are of one shape.

use super::labels::{Asks, Condition, LabelSelector, Labels, NodeTerm};
use super::node::{Amounts, Toleration};
use super::volume::VolumeNeed;
use crate::analyze::selection::selector::Selector;
use crate::analyze::selection::workloads::is_sidecar;
use crate::text::tree::Node;
use std::collections::BTreeSet;

/// What the scheduler sees of a pod.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Shape {
    /// Its namespace.
    pub namespace: String,
    /// Its labels, those of its controller included.
    pub labels: Labels,
    /// What it requests.
    pub requests: Amounts,
    /// `nodeSelector`.
    pub node_selector: Vec<(String, String)>,
    /// The ways to choose a node that it requires; `None` where it requires none.
    pub node_terms: Option<Vec<NodeTerm>>,
    /// What it would rather have, by weight.
    pub node_preferences: Vec<(i64, NodeTerm)>,
    /// What it tolerates.
    pub tolerations: Vec<Toleration>,
    /// How it is spread: constraints that have to hold.
    pub spread: Vec<Spread>,
    /// How it would rather be spread.
    pub soft_spread: Vec<Spread>,
    /// The pods that it has to be beside.
    pub affinity: Vec<Term>,
    /// The pods that it has to be apart from.
    pub anti_affinity: Vec<Term>,
    /// The pods that it would rather be beside, or apart from where the weight is less than nothing.
    pub preferences: Vec<(i64, Term)>,
    /// The ports of its node that it takes.
    pub host_ports: Vec<HostPort>,
    /// The volumes that it needs.
    pub volumes: Vec<VolumeNeed>,
    /// Whether it is being deleted.
    pub is_terminating: bool,
    /// Whether it waits for somebody to let it into the queue (`schedulingGates`).
    pub is_gated: bool,
    /// Its priority.
    pub priority: i64,
}

/// A topology spread constraint.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Spread {
    /// The most by which domains may differ.
    pub max_skew: i64,
    /// The label whose values are the domains.
    pub key: String,
    /// Which pods count; `None` counts none.
    pub selector: Option<LabelSelector>,
    /// How many domains there have to be.
    pub min_domains: i64,
    /// Whether nodes that the pod does not choose are no domains.
    pub honors_affinity: bool,
    /// Whether nodes whose taints it does not tolerate are no domains.
    pub honors_taints: bool,
}

/// Other pods, by their labels and namespaces, and how near is near.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Term {
    /// Which pods; `None` is none.
    pub selector: Option<LabelSelector>,
    /// In these namespaces,
    pub namespaces: BTreeSet<String>,
    /// and in those that this selects.
    pub namespace_selector: Option<LabelSelector>,
    /// Nodes with the same value of this label are one place.
    pub key: String,
}

/// A port of a node.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct HostPort {
    /// The address; `0.0.0.0` stands for all.
    pub address: String,
    /// `TCP`, `UDP` or `SCTP`.
    pub protocol: String,
    /// The number.
    pub port: i64,
}

impl HostPort {
    /// Whether two pods with these cannot share a node (`kube-scheduler/framework/types.go`, CheckConflict).
    pub fn conflicts(&self, other: &HostPort) -> bool {
        const ALL: &str = "0.0.0.0";
        self.port == other.port
            && self.protocol == other.protocol
            && (self.address == other.address
                || [&self.address, &other.address].iter().any(|it| *it == ALL))
    }
}

impl Shape {
    /// Reads what a pod's specification says, all but its requests and volumes.
    pub fn parse(pod: Node<'_>, namespace: &str, labels: Labels) -> Shape {
        let node_affinity = pod.at(&["affinity", "nodeAffinity"]);
        let required =
            node_affinity.and_then(|it| it.get("requiredDuringSchedulingIgnoredDuringExecution"));
        let pairs = pod.get("nodeSelector").into_iter().flat_map(Node::pairs);
        let spread = |hard: bool| {
            let all = pod.list("topologySpreadConstraints");
            let wanted =
                all.filter(|it| (it.text("whenUnsatisfiable") != Some("ScheduleAnyway")) == hard);
            wanted.map(|it| Spread::parse(it, &labels)).collect()
        };
        let required_terms = |kind: &str| -> Vec<Term> {
            let terms = pod.at(&["affinity", kind]).into_iter();
            let terms =
                terms.flat_map(|it| it.list("requiredDuringSchedulingIgnoredDuringExecution"));
            terms.map(|it| Term::parse(it, namespace, &labels)).collect()
        };
        let preferred = |kind: &str, sign: i64| -> Vec<(i64, Term)> {
            let terms = pod.at(&["affinity", kind]).into_iter();
            let terms =
                terms.flat_map(|it| it.list("preferredDuringSchedulingIgnoredDuringExecution"));
            terms
                .filter_map(|it| {
                    let weight = it.get("weight").and_then(Node::int)?;
                    Some((
                        sign * weight,
                        Term::parse(it.get("podAffinityTerm")?, namespace, &labels),
                    ))
                })
                .collect()
        };
        let mut preferences = preferred("podAffinity", 1);
        preferences.extend(preferred("podAntiAffinity", -1));
        let node_preferences = node_affinity
            .into_iter()
            .flat_map(|it| it.list("preferredDuringSchedulingIgnoredDuringExecution"))
            .filter_map(|it| {
                let weight = it.get("weight").and_then(Node::int)?;
                Some((weight, NodeTerm::parse(it.get("preference")?)))
            });
        Shape {
            namespace: namespace.to_string(),
            requests: Amounts::new(),
            node_selector: pairs
                .filter_map(|(key, it)| Some((key.to_string(), it.str()?.to_string())))
                .collect(),
            node_terms: required
                .map(|it| it.list("nodeSelectorTerms").map(NodeTerm::parse).collect()),
            node_preferences: node_preferences.collect(),
            tolerations: pod.list("tolerations").filter_map(Toleration::parse).collect(),
            spread: spread(true),
            soft_spread: spread(false),
            affinity: required_terms("podAffinity"),
            anti_affinity: required_terms("podAntiAffinity"),
            preferences,
            host_ports: host_ports(pod),
            volumes: Vec::new(),
            is_terminating: false,
            is_gated: pod.list("schedulingGates").next().is_some(),
            priority: pod.get("priority").and_then(Node::int).unwrap_or(0),
            labels,
        }
    }

    /// Whether its `nodeSelector` and required node affinity choose a node.
    pub fn chooses(&self, name: &str, labels: &Labels) -> bool {
        self.node_selector.iter().all(|(key, value)| labels.get(key) == Some(value))
            && self
                .node_terms
                .as_ref()
                .is_none_or(|it| it.iter().any(|it| it.matches(name, labels)))
    }
}

impl Spread {
    fn parse(node: Node<'_>, own: &Labels) -> Spread {
        let int = |key| node.get(key).and_then(Node::int);
        let mut selector =
            node.get("labelSelector").map(Selector::parse).as_ref().map(LabelSelector::of);
        // The API server writes the keys into the selector (`pkg/registry/core/pod/strategy.go`,
        // applyMatchLabelKeysInTopologySpread), and leaves a constraint without one alone.
        if let Some(selector) = &mut selector {
            merge_keys(selector, node, own);
        }
        Spread {
            max_skew: int("maxSkew").unwrap_or(1),
            key: node.text("topologyKey").unwrap_or_default().to_string(),
            selector,
            min_domains: int("minDomains").unwrap_or(1),
            honors_affinity: node.text("nodeAffinityPolicy") != Some("Ignore"),
            honors_taints: node.text("nodeTaintsPolicy") == Some("Honor"),
        }
    }
}

impl Term {
    fn parse(node: Node<'_>, own: &str, labels: &Labels) -> Term {
        let mut selector =
            node.get("labelSelector").map(Selector::parse).as_ref().map(LabelSelector::of);
        if let Some(selector) = &mut selector {
            merge_keys(selector, node, labels);
        }
        let mut namespaces: BTreeSet<String> =
            node.list("namespaces").filter_map(Node::str).map(String::from).collect();
        let namespace_selector = node.get("namespaceSelector").map(Selector::parse);
        if namespaces.is_empty() && namespace_selector.is_none() {
            namespaces.insert(own.to_string());
        }
        Term {
            selector,
            namespaces,
            namespace_selector: namespace_selector.as_ref().map(LabelSelector::of),
            key: node.text("topologyKey").unwrap_or_default().to_string(),
        }
    }
}

/// Adds what `matchLabelKeys` and `mismatchLabelKeys` ask for; a label that the pod does not carry asks for nothing.
fn merge_keys(selector: &mut LabelSelector, node: Node<'_>, own: &Labels) {
    for (field, is_match) in [("matchLabelKeys", true), ("mismatchLabelKeys", false)] {
        for key in node.list(field).filter_map(Node::str) {
            let Some(value) = own.get(key) else { continue };
            let values = BTreeSet::from([value.clone()]);
            let asks = if is_match { Asks::In(values) } else { Asks::NotIn(values) };
            selector.conditions.push(Condition { key: key.to_string(), asks });
        }
    }
}

/// The ports of its node that a pod takes: of containers and sidecars; on the node's network every port is one
/// (`pkg/apis/core/v1/defaults.go`, defaultHostNetworkPorts; `pkg/scheduler/util`, GetHostPorts).
fn host_ports(pod: Node<'_>) -> Vec<HostPort> {
    let is_host = pod.get("hostNetwork").and_then(Node::bool) == Some(true);
    let sidecars = pod.list("initContainers").filter(|it| is_sidecar(*it));
    let ports = pod.list("containers").chain(sidecars).flat_map(|it| it.list("ports"));
    let mut found: Vec<_> = ports
        .filter_map(|it| {
            let number = |key| it.get(key).and_then(Node::int).filter(|it| *it > 0);
            let port =
                number("hostPort").or_else(|| number("containerPort").filter(|_| is_host))?;
            Some(HostPort {
                address: it
                    .text("hostIP")
                    .filter(|it| !it.is_empty())
                    .unwrap_or("0.0.0.0")
                    .to_string(),
                protocol: it
                    .text("protocol")
                    .filter(|it| !it.is_empty())
                    .unwrap_or("TCP")
                    .to_string(),
                port,
            })
        })
        .collect();
    found.sort_by(|a, b| (a.port, &a.protocol, &a.address).cmp(&(b.port, &b.protocol, &b.address)));
    found
}
