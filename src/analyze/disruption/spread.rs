//! What keeps the pods of a workload apart or together: affinity terms and topology spread constraints.
//!
//! `pkg/scheduler/framework/types.go` and `pkg/scheduler/framework/plugins/podtopologyspread/common.go`: a term without
//! namespaces means those of the pod itself, an empty `namespaceSelector` all; a constraint means its own namespace only;
//! without a `labelSelector` either matches nothing. By an empty one a term means every pod, while a constraint counts the
//! new pod and none of those that run (countPodsMatchSelector).

use crate::analyze::selection::selector::{LabelValue, Selector, Selects};
use crate::analyze::selection::workloads::Workload;
use crate::text::tree::Node;

/// In which namespaces a term looks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reach<'d> {
    /// These: what it names, or else the pod's own.
    Named(Vec<&'d str>),
    /// These, and those with labels that are not looked up here.
    Selected(Vec<&'d str>),
    /// All.
    All,
}

/// A term or constraint.
#[derive(Clone, Debug)]
pub struct Term<'d> {
    /// Where it stands.
    pub node: Node<'d>,
    /// The pods that it is about; `None` matches none.
    pub selector: Option<Selector<'d>>,
    /// In which namespaces it looks.
    pub reach: Reach<'d>,
    /// Whether it is a topology spread constraint.
    pub is_constraint: bool,
}

impl<'d> Term<'d> {
    fn affinity(node: Node<'d>, own: &'d str) -> Term<'d> {
        let names: Vec<_> = node.list("namespaces").filter_map(Node::str).collect();
        let reach = match node.get("namespaceSelector").map(Selector::parse) {
            Some(selector) if selector.is_empty() => Reach::All,
            Some(_) => Reach::Selected(names),
            None if names.is_empty() => Reach::Named(vec![own]),
            None => Reach::Named(names),
        };
        Term {
            node,
            selector: node.get("labelSelector").map(Selector::parse),
            reach,
            is_constraint: false,
        }
    }

    /// Whether it keeps pods of the workload apart from each other.
    pub fn keeps_own_apart(&self, workload: &Workload<'_>) -> bool {
        let counts_none =
            self.is_constraint && self.selector.as_ref().is_some_and(Selector::is_empty);
        // `mismatchLabelKeys` leaves out the pods with the same value of a label, which are its own before all.
        let mut mismatch = self.node.list("mismatchLabelKeys").filter_map(Node::str);
        let leaves_own_out = mismatch.any(|key| workload.labels.get(key) != LabelValue::Absent);
        self.may_match(workload) && !counts_none && !leaves_own_out
    }

    /// Whether it may match pods of the workload.
    pub fn may_match(&self, workload: &Workload<'_>) -> bool {
        let may_look_there = match &self.reach {
            Reach::Named(names) => names.contains(&workload.namespace),
            Reach::Selected(_) | Reach::All => true,
        };
        may_look_there && self.selects(workload) != Selects::None
    }

    /// Whether it surely matches every pod of the workload, of whichever release.
    pub fn matches_all(&self, workload: &Workload<'_>) -> bool {
        // These keys tell the pods of one release from those of the next.
        let keys = ["matchLabelKeys", "mismatchLabelKeys"];
        if keys.iter().any(|it| self.node.list(it).next().is_some()) {
            return false;
        }
        let looks_there = match &self.reach {
            Reach::Named(names) | Reach::Selected(names) => names.contains(&workload.namespace),
            Reach::All => true,
        };
        looks_there && self.selects(workload) == Selects::All
    }

    fn selects(&self, workload: &Workload<'_>) -> Selects {
        self.selector.as_ref().map_or(Selects::None, |it| it.selects(&workload.labels))
    }
}

/// Whether a pod takes a port of its node, so that no node has room for two (`nodeports`).
pub fn takes_host_port(workload: &Workload<'_>) -> bool {
    // On the node's network every port of a container is one of the node's.
    let field = match workload.pod.get("hostNetwork").and_then(Node::bool) {
        Some(true) => "containerPort",
        _ => "hostPort",
    };
    workload
        .pod
        .list("containers")
        .flat_map(|it| it.list("ports"))
        .any(|it| it.get(field).and_then(Node::int).is_some_and(|it| it > 0))
}

/// The anti-affinity terms and spread constraints of a workload's pods.
pub fn terms<'d>(workload: &Workload<'d>) -> Vec<Term<'d>> {
    let own = workload.namespace;
    let required = required(workload.pod, "podAntiAffinity");
    let affinity = required.chain(preferred(workload.pod, "podAntiAffinity"));
    let spread = workload.pod.list("topologySpreadConstraints").map(|node| Term {
        node,
        selector: node.get("labelSelector").map(Selector::parse),
        reach: Reach::Named(vec![own]),
        is_constraint: true,
    });
    affinity.map(|it| Term::affinity(it, own)).chain(spread).collect()
}

/// What pods require of the other pods of their node.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Neighbour {
    /// To be on a node with such a pod.
    Beside,
    /// To be on a node without such a pod.
    Apart,
}

/// The required term by which each pod of `workload` runs only on a node with, or without, any pod of `other`.
pub fn neighbour<'d>(
    workload: &Workload<'d>,
    other: &Workload<'_>,
    neighbour: Neighbour,
) -> Option<Node<'d>> {
    let kind = match neighbour {
        Neighbour::Beside => "podAffinity",
        Neighbour::Apart => "podAntiAffinity",
    };
    required(workload.pod, kind)
        .filter(|it| it.text("topologyKey") == Some("kubernetes.io/hostname"))
        .find(|it| Term::affinity(*it, workload.namespace).matches_all(other))
}

/// The terms under `podAffinity` or `podAntiAffinity` without which a pod stays pending.
pub(in crate::analyze) fn required<'d>(
    pod: Node<'d>,
    kind: &str,
) -> impl Iterator<Item = Node<'d>> {
    let affinity = pod.at(&["affinity", kind]);
    affinity.into_iter().flat_map(|it| it.list("requiredDuringSchedulingIgnoredDuringExecution"))
}

/// The terms under `podAffinity` or `podAntiAffinity` that the scheduler would rather meet.
pub(in crate::analyze) fn preferred<'d>(
    pod: Node<'d>,
    kind: &str,
) -> impl Iterator<Item = Node<'d>> {
    let affinity = pod.at(&["affinity", kind]);
    let weighted = affinity
        .into_iter()
        .flat_map(|it| it.list("preferredDuringSchedulingIgnoredDuringExecution"));
    weighted.filter_map(|it| it.get("podAffinityTerm"))
}
