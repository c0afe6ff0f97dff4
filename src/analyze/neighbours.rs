//! What pods require of the other pods of their node.
//!
//! `pkg/scheduler/framework/plugins/interpodaffinity`: a term without a labelSelector selects no pods, one with an empty
//! selector all; its namespaces are the pod's own unless it names some.

use super::selector::{Selector, Selects};
use super::workloads::Workload;
use crate::tree::Node;

/// What a term requires.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Neighbour {
    /// To be on a node with such a pod.
    Beside,
    /// To be on a node without such a pod.
    Apart,
}

/// The required term by which each pod of `workload` runs only on a node with, or without, any pod of `other`.
pub fn required<'d>(
    workload: &Workload<'d>,
    other: &Workload<'_>,
    neighbour: Neighbour,
) -> Option<Node<'d>> {
    let field = match neighbour {
        Neighbour::Beside => "podAffinity",
        Neighbour::Apart => "podAntiAffinity",
    };
    let affinity = workload.pod.at(&["affinity", field])?;
    affinity
        .list("requiredDuringSchedulingIgnoredDuringExecution")
        .filter(|it| it.text("topologyKey") == Some("kubernetes.io/hostname"))
        .find(|it| selects(*it, workload.namespace, other))
}

fn selects(term: Node<'_>, namespace: &str, other: &Workload<'_>) -> bool {
    // These keys tell the pods of one release from those of the next.
    if term.list("matchLabelKeys").chain(term.list("mismatchLabelKeys")).next().is_some() {
        return false;
    }
    let named: Vec<_> = term.list("namespaces").filter_map(Node::str).collect();
    let of_namespaces = term.get("namespaceSelector").map(Selector::parse);
    let is_own = named.is_empty() && of_namespaces.is_none() && other.namespace == namespace;
    let is_every = of_namespaces.is_some_and(|it| it.is_empty());
    let is_seen = is_own || is_every || named.contains(&other.namespace);
    let selector = term.get("labelSelector").map(Selector::parse);
    is_seen && selector.is_some_and(|it| it.selects(&other.labels) == Selects::All)
}

/// Whether every pod of a workload runs on one and the same node, which the workload names.
pub fn is_pinned(workload: &Workload<'_>) -> bool {
    workload.pod.text("nodeName").is_some()
        || workload
            .pod
            .at(&["nodeSelector", "kubernetes.io/hostname"])
            .is_some_and(|it| it.str().is_some())
}
