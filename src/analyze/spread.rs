//! What keeps the pods of a workload apart: anti-affinity terms and topology spread constraints.
//!
//! `pkg/scheduler/framework/types.go` and `pkg/scheduler/framework/plugins/podtopologyspread/common.go`: a term without
//! namespaces means those of the pod itself, an empty `namespaceSelector` all; a constraint means its own namespace only;
//! without a `labelSelector` either matches nothing.

use super::selector::{Selector, Selects};
use super::workloads::Workload;
use crate::tree::Node;

/// In which namespaces a term looks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reach<'d> {
    /// The pod's own.
    Own,
    /// These.
    Named(Vec<&'d str>),
    /// Those with labels that are not looked up here.
    Selected,
    /// All.
    All,
}

/// A term or constraint.
#[derive(Clone, Debug)]
pub struct Term<'d> {
    /// Where it stands.
    pub node: Node<'d>,
    /// Whether the scheduler leaves a pod pending rather than break it.
    pub is_required: bool,
    /// The pods that it keeps away from; `None` matches none.
    pub selector: Option<Selector<'d>>,
    /// In which namespaces it looks.
    pub reach: Reach<'d>,
    /// The label of nodes that makes domains.
    pub topology_key: &'d str,
}

impl Term<'_> {
    /// Whether it keeps pods of the workload apart from each other.
    pub fn matches_own(&self, workload: &Workload<'_>) -> bool {
        let looks_here = match &self.reach {
            Reach::Own | Reach::All | Reach::Selected => true,
            Reach::Named(names) => names.contains(&workload.namespace),
        };
        looks_here
            && self
                .selector
                .as_ref()
                .is_some_and(|it| it.selects(&workload.labels) != Selects::None)
    }
}

/// The anti-affinity terms and spread constraints of a workload's pods.
pub fn terms<'d>(workload: &Workload<'d>) -> Vec<Term<'d>> {
    let anti = workload.pod.at(&["affinity", "podAntiAffinity"]);
    let list = |key| anti.into_iter().flat_map(move |it: Node<'d>| it.list(key));
    let required =
        list("requiredDuringSchedulingIgnoredDuringExecution").map(|it| affinity(it, true));
    let preferred = list("preferredDuringSchedulingIgnoredDuringExecution")
        .filter_map(|it| it.get("podAffinityTerm"))
        .map(|it| affinity(it, false));
    let spread = workload.pod.list("topologySpreadConstraints").map(|node| Term {
        node,
        // DoNotSchedule unless told.
        is_required: node.text("whenUnsatisfiable") != Some("ScheduleAnyway"),
        selector: node.get("labelSelector").map(Selector::parse),
        reach: Reach::Own,
        topology_key: node.text("topologyKey").unwrap_or(""),
    });
    required.chain(preferred).chain(spread).collect()
}

fn affinity(node: Node<'_>, is_required: bool) -> Term<'_> {
    let names: Vec<_> = node.list("namespaces").filter_map(Node::str).collect();
    let reach = match node.get("namespaceSelector").map(Selector::parse) {
        Some(selector) if selector.is_empty() => Reach::All,
        Some(_) => Reach::Selected,
        None if names.is_empty() => Reach::Own,
        None => Reach::Named(names),
    };
    let selector = node.get("labelSelector").map(Selector::parse);
    Term {
        node,
        is_required,
        selector,
        reach,
        topology_key: node.text("topologyKey").unwrap_or(""),
    }
}
