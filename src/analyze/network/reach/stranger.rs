//! Pods that the input does not hold: those whom policies name all the same, such as an ingress controller, and those
//! whom somebody asks about by their namespace or labels.

use super::Reach;
use super::endpoint::EndpointId;
use super::sets::{Scope, SetId, Spec};
use super::shapes::namespace_fits;
use super::verdict::{Reason, Truth, Verdict};
use crate::analyze::Facts;
use crate::analyze::network::policies::{Direction, PeerKind};
use crate::analyze::selection::namespaces::NAME_LABEL;
use crate::analyze::selection::selector::{Operator, PodLabels, Requirement, Selector, Selects};
use crate::api::ports::Protocol;
use std::fmt;

/// A stranger's place among those that are asked about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct StrangerId(pub u32);

/// Pods that the input does not hold, by what is known of them; what else they may bear nobody knows.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Stranger<'d> {
    /// Their namespace, if its name is known.
    pub namespace: Option<&'d str>,
    /// Labels of their namespace.
    pub namespace_labels: Vec<(&'d str, &'d str)>,
    /// Their labels.
    pub labels: Vec<(&'d str, &'d str)>,
}

/// More of them than these are not looked at: a policy of thousands of rules names thousands.
const MOST: usize = 200;

/// The pods that NetworkPolicies name and that the input does not hold, each once.
pub fn strangers<'d>(facts: &Facts<'d>) -> Vec<Stranger<'d>> {
    let mut found: Vec<Stranger<'d>> = Vec::new();
    for policy in facts.policies().iter() {
        let rules = policy.ingress.iter().chain(&policy.egress).flatten();
        for peer in rules.flat_map(|it| it.peers.iter().flatten()) {
            let PeerKind::Pods { namespaces, pods } = &peer.kind else { continue };
            let every = Selector::default();
            let pods = pods.as_ref().unwrap_or(&every);
            if found.len() >= MOST || may_be_here(facts, policy.namespace, namespaces, pods) {
                continue;
            }
            let stranger = named(policy.namespace, namespaces.as_ref(), pods);
            if !found.contains(&stranger) {
                found.push(stranger);
            }
        }
    }
    found
}

/// Whether the input may hold pods that a peer means.
fn may_be_here(
    facts: &Facts<'_>,
    own: &str,
    namespaces: &Option<Selector<'_>>,
    pods: &Selector<'_>,
) -> bool {
    let is_there = |it: &str| !facts.workloads().select(it, pods).is_empty();
    match namespaces {
        None => is_there(own),
        Some(it) => {
            let may_be = |name: &str, known| namespace_fits(it, name, known) != Truth::No;
            let mut all = facts.namespaces().iter();
            all.any(|(name, known)| may_be(name, Some(known)) && is_there(name))
        }
    }
}

/// Whom a peer means, as far as its selectors ask for one value.
fn named<'d>(own: &'d str, namespaces: Option<&Selector<'d>>, pods: &Selector<'d>) -> Stranger<'d> {
    let values = |selector: &Selector<'d>| -> Vec<(&'d str, &'d str)> {
        let each = selector.requirements.iter().filter_map(|it| match &it.operator {
            Operator::In(values) if values.len() == 1 => Some((it.key, values[0])),
            _ => None,
        });
        each.collect()
    };
    let (namespace, namespace_labels) = match namespaces {
        None => (Some(own), Vec::new()),
        Some(it) => {
            let mut labels = values(it);
            let name = labels.iter().find(|it| it.0 == NAME_LABEL).map(|it| it.1);
            labels.retain(|it| it.0 != NAME_LABEL);
            (name, labels)
        }
    };
    Stranger { namespace, namespace_labels, labels: values(pods) }
}

impl<'d> Stranger<'d> {
    /// Their labels, of which there may be more.
    pub(super) fn pod_labels(&self) -> PodLabels<'d> {
        PodLabels { written: self.labels.clone().into(), has_more: true, ..PodLabels::default() }
    }

    /// Whether they may be in a namespace that is named.
    pub(super) fn is_in(&self, namespace: &str) -> Truth {
        match self.namespace {
            Some(it) if it == namespace => Truth::Yes,
            Some(_) => Truth::No,
            None => Truth::Maybe(Reason::NamespaceLabels),
        }
    }

    /// Whether their namespace fits a selector.
    pub(super) fn fits(&self, facts: &Facts<'_>, selector: &Selector<'_>) -> Truth {
        let defined = self.namespace.and_then(|it| facts.namespaces().get(it));
        if let Some(name) = self.namespace.filter(|_| defined.is_some_and(|it| it.object.is_some()))
        {
            return namespace_fits(selector, name, defined);
        }
        if selector.invalid {
            return Truth::No;
        }
        let mut known = self.namespace_labels.clone();
        known.extend(self.namespace.map(|it| (NAME_LABEL, it)));
        let fits = |it: &Requirement<'_>| {
            if !known.iter().any(|(key, _)| *key == it.key) {
                return Truth::Maybe(Reason::NamespaceLabels);
            }
            let one = Selector { requirements: vec![it.clone()], invalid: false };
            if one.matches(&known) { Truth::Yes } else { Truth::No }
        };
        selector.requirements.iter().map(fits).min().unwrap_or(Truth::Yes)
    }
}

impl Reach<'_> {
    /// Whether a port of an endpoint may be open to any of these, whose other labels nobody knows; denied where it is not.
    pub fn any_of(
        &self,
        facts: &Facts<'_>,
        strangers: &[Stranger<'_>],
        to: EndpointId,
        protocol: Protocol,
        port: u16,
    ) -> Verdict {
        let selecting = self.selecting(Direction::Ingress, to);
        let is_isolated = selecting.iter().any(|(_, truth)| *truth == Truth::Yes);
        if self.may_be_selected(to) || !is_isolated || !self.selecting_in_tiers(to).is_empty() {
            return Verdict::Allow;
        }
        let mut rules = selecting.iter().flat_map(|(at, _)| {
            self.policies[*at as usize].rules(Direction::Ingress).unwrap_or_default()
        });
        let means = |set: &SetId| match &self.specs.all[set.0 as usize] {
            Spec::Pods { scope, pods } => strangers.iter().any(|it| {
                let in_scope = match scope {
                    Scope::Namespace(own) => it.is_in(own),
                    Scope::Selected(selector) => it.fits(facts, selector),
                };
                in_scope != Truth::No && pods.selects(&it.pod_labels()) != Selects::None
            }),
            // Their addresses may lie in any block.
            _ => true,
        };
        let names = self.names(to);
        let is_open = rules.any(|rule| {
            let mut ports = rule.ports.on(names);
            rule.peers.as_ref().is_none_or(|it| it.iter().any(means))
                && ports.any(|it| it.protocol == protocol && (it.first..=it.last).contains(&port))
        });
        match is_open {
            true => Verdict::Allow,
            false => self.with_others(Direction::Ingress, to, Verdict::Deny),
        }
    }

    /// The endpoint of pods that the input does not hold.
    pub fn of_stranger(&self, id: StrangerId) -> Option<EndpointId> {
        let mut all = self.endpoints();
        all.find(|(_, it)| it.pods().and_then(|it| it.stranger) == Some(id)).map(|it| it.0)
    }
}

/// As it can be asked for again: `shop/app=web`, `Namespace/monitoring`, `team=red/app=web`.
impl fmt::Display for Stranger<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let pairs = |labels: &[(&str, &str)]| {
            let each = labels.iter().map(|(key, value)| format!("{key}={value}"));
            each.collect::<Vec<_>>().join(",")
        };
        let labels = pairs(&self.labels);
        let of_namespace = pairs(&self.namespace_labels);
        match (self.namespace, labels.as_str()) {
            (Some(it), "") => write!(f, "Namespace/{it}"),
            (Some(it), labels) => write!(f, "{it}/{labels}"),
            (None, labels) if of_namespace.is_empty() => f.write_str(labels),
            (None, "") => write!(f, "Namespace/{of_namespace}"),
            (None, labels) => write!(f, "Namespace/{of_namespace}/{labels}"),
        }
    }
}
