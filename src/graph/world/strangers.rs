//! Peers that policies name and that the input does not hold: the ingress controller, the cluster's DNS, Prometheus.

use super::Painter;
use crate::analyze::network::policies::{DIRECTIONS, Direction, PeerKind};
use crate::analyze::selection::namespaces::NAME_LABEL;
use crate::analyze::selection::selector::{Operator, Selector};
use crate::api::ports::PortSet;
use crate::graph::scene::{ComponentKind, State};
use std::collections::BTreeMap;

pub(super) use crate::graph::scene::NOT_IN_INPUT;

/// Labels that hold a name, the best first.
const NAMES: [&str; 5] =
    ["app.kubernetes.io/name", "app", "k8s-app", "app.kubernetes.io/component", "name"];

impl Painter<'_, '_> {
    /// Draws them, and returns the components of those who are let in.
    pub(super) fn strangers(&mut self) -> Vec<usize> {
        let facts = self.facts;
        let mut known: BTreeMap<(Option<String>, [String; 2]), usize> = BTreeMap::new();
        let mut callers = Vec::new();
        for (policy, direction) in
            facts.policies().iter().flat_map(|it| DIRECTIONS.map(|direction| (it, direction)))
        {
            let selected = self.selected(policy);
            for rule in policy.rules(direction).unwrap_or_default() {
                for peer in rule.peers.iter().flatten() {
                    let PeerKind::Pods { namespaces, pods } = &peer.kind else { continue };
                    let every = Selector::default();
                    let pods = pods.as_ref().unwrap_or(&every);
                    if self.is_known(policy.namespace, namespaces.as_ref(), pods) {
                        continue;
                    }
                    let place = place(policy.namespace, namespaces.as_ref());
                    let of_namespace = match &place {
                        Some(_) => String::new(),
                        None => namespaces.as_ref().map(labels).unwrap_or_default(),
                    };
                    let key = (place.clone(), [of_namespace, labels(pods)]);
                    let name = name(pods);
                    let at = *known.entry(key).or_insert_with(|| {
                        let namespace = place.map(|it| self.namespace(&it));
                        let kind = match pods.is_empty() {
                            true => ComponentKind::EveryPod,
                            false => ComponentKind::Workload,
                        };
                        let caption = match (namespace, namespaces) {
                            (None, Some(it)) if !it.is_empty() => {
                                format!("in namespaces with {}", labels(it))
                            }
                            (None, _) => "in any namespace".to_string(),
                            _ => NOT_IN_INPUT.to_string(),
                        };
                        self.add_outside(kind, namespace, &name, &caption)
                    });
                    if direction == Direction::Ingress && !callers.contains(&at) {
                        callers.push(at);
                    }
                    for (workload, component) in &selected {
                        let named = Some(*workload).filter(|_| direction == Direction::Ingress);
                        let ports: PortSet =
                            self.spans(rule.ports.as_deref(), named).into_iter().collect();
                        let (from, to) = match direction {
                            Direction::Ingress => (at, *component),
                            Direction::Egress => (*component, at),
                        };
                        self.flow(from, to, &ports, State::Allowed);
                    }
                }
            }
        }
        callers
    }

    /// Whether the input holds pods that a peer means.
    fn is_known(&self, own: &str, namespaces: Option<&Selector<'_>>, pods: &Selector<'_>) -> bool {
        let found = match namespaces {
            None => vec![own],
            Some(it) => self.facts.namespaces().select(it),
        };
        found.into_iter().any(|it| !self.facts.workloads().select(it, pods).is_empty())
    }
}

/// The one namespace that a peer means, if it is one.
fn place(own: &str, namespaces: Option<&Selector<'_>>) -> Option<String> {
    let Some(selector) = namespaces else { return Some(own.to_string()) };
    let value = |key: &str| {
        let requirement = selector.requirements.iter().find(|it| it.key == key)?;
        match &requirement.operator {
            Operator::In(values) if values.len() == 1 => Some(values[0].to_string()),
            _ => None,
        }
    };
    value(NAME_LABEL).or_else(|| value("name"))
}

fn name(pods: &Selector<'_>) -> String {
    let value = |key: &&str| {
        let requirement = pods.requirements.iter().find(|it| it.key == *key)?;
        match &requirement.operator {
            Operator::In(values) if values.len() == 1 => Some(values[0].to_string()),
            _ => None,
        }
    };
    match NAMES.iter().find_map(value) {
        Some(name) => name,
        None if pods.is_empty() => "every pod".to_string(),
        None => labels(pods),
    }
}

fn labels(selector: &Selector<'_>) -> String {
    let each = selector.requirements.iter().map(|it| match &it.operator {
        Operator::In(values) => format!("{}={}", it.key, values.join("|")),
        Operator::NotIn(values) => format!("{}≠{}", it.key, values.join("|")),
        Operator::Exists => it.key.to_string(),
        Operator::DoesNotExist => format!("no {}", it.key),
    });
    each.collect::<Vec<_>>().join(", ")
}
