//! The policies of the cluster as a whole, beside those of a namespace: what they make of any pod that could be created
//! there, whatever its labels, and which of them are for the pods of a workload.

use super::outcome::Outcome;
use super::rest::is_everybody;
use super::sets::{Scope, SetId, Spec, Specs};
use super::shapes::namespace_fits;
use super::tiers::{Tier, TierPolicy, TierRule, read};
use super::verdict::{Effect, Truth};
use crate::analyze::Facts;
use crate::analyze::network::policies::{Direction, NetworkPolicy};
use crate::analyze::selection::selector::{Selector, Selects};
use crate::analyze::selection::selector_coverage::{Cover, Escape, cover};
use crate::analyze::selection::workloads::Workload;
use crate::api::ports::PortSet;
use crate::model::{Model, ObjId};
use rustc_hash::FxHashMap;
use std::sync::OnceLock;

/// The policies of the cluster as a whole.
#[derive(Debug)]
pub struct Above<'d> {
    /// By tier and priority.
    policies: Vec<TierPolicy<'d>>,
    specs: Specs<'d>,
    /// By namespace, in order, the policies for pods in it for certain or perhaps, made when first asked for.
    by_namespace: OnceLock<FxHashMap<&'d str, Vec<(u32, Truth)>>>,
}

/// How a pod of a namespace stands in a direction that nobody singles out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AnyPod<'d> {
    /// Everything is denied, whatever its labels.
    Denied,
    /// NetworkPolicies deny everything, and others allow everything again.
    Cancelled,
    /// Everything is open, at least to such a pod.
    Open(Escape<'d>),
    /// There are too many selectors to tell.
    CannotTell,
}

impl<'d> Above<'d> {
    /// Reads them.
    pub fn new(model: &Model<'d>) -> Above<'d> {
        let mut specs = Specs::default();
        Above { policies: read(model, &mut specs), specs, by_namespace: OnceLock::new() }
    }

    /// The policies whose subject is in a namespace for certain or perhaps, which of its pods, and how certain it is.
    fn in_namespace(
        &self,
        facts: &Facts<'d>,
        namespace: &str,
    ) -> Vec<(&TierPolicy<'d>, &Selector<'d>, Truth)> {
        let by_namespace = self.by_namespace.get_or_init(|| {
            let mut by_namespace: FxHashMap<_, Vec<_>> = FxHashMap::default();
            for (at, policy) in (0..).zip(&self.policies) {
                let Some((namespaces, _)) = self.subject(policy) else { continue };
                for name in facts.namespaces().may_be_selected(namespaces) {
                    match namespace_fits(namespaces, name, facts.namespaces().get(name)) {
                        Truth::No => {}
                        truth => by_namespace.entry(name).or_default().push((at, truth)),
                    }
                }
            }
            by_namespace
        });
        let with_subject = |policy, truth| Some((policy, self.subject(policy)?.1, truth));
        if facts.namespaces().get(namespace).is_some() {
            let all = by_namespace.get(namespace).into_iter().flatten();
            let all = all.map(|(at, truth)| (&self.policies[*at as usize], *truth));
            return all.filter_map(|(it, truth)| with_subject(it, truth)).collect();
        }
        // One that nothing but a policy names.
        let fits = |it| match namespace_fits(self.subject(it)?.0, namespace, None) {
            Truth::No => None,
            truth => Some(truth),
        };
        self.policies.iter().filter_map(|it| with_subject(it, fits(it)?)).collect()
    }

    /// The namespaces and the pods of them that a policy is for.
    fn subject(&self, policy: &TierPolicy<'d>) -> Option<(&Selector<'d>, &Selector<'d>)> {
        match &self.specs.all[policy.subject.0 as usize] {
            Spec::Pods { scope: Scope::Selected(namespaces), pods } => Some((namespaces, pods)),
            _ => None,
        }
    }

    /// How any pod of a namespace stands in a direction.
    pub fn any_pod(&self, facts: &Facts<'d>, namespace: &str, direction: Direction) -> AnyPod<'d> {
        let of_tier = |tier| self.of_tier_for_any(facts, namespace, direction, tier);
        match of_tier(Tier::Admin) {
            Some(it) if it == Outcome::DENY => return AnyPod::Denied,
            Some(it) if it == Outcome::ALLOW => return AnyPod::Open(Escape::default()),
            _ => {}
        }
        let isolating =
            facts.policies().in_namespace(namespace).filter(|it| it.isolates(direction));
        let isolating: Vec<&NetworkPolicy<'d>> = isolating.collect();
        let selectors: Vec<_> = isolating.iter().map(|it| &it.selector).collect();
        let opening = isolating.iter().filter(|it| it.allow_all(direction).is_some());
        let opening: Vec<_> = opening.map(|it| &it.selector).collect();
        match (cover(&selectors), cover(&opening)) {
            (_, Cover::Every) => AnyPod::Cancelled,
            (Cover::Every, Cover::AllBut(_)) => AnyPod::Denied,
            (Cover::CannotTell, _) | (_, Cover::CannotTell) => AnyPod::CannotTell,
            (Cover::AllBut(_), _) if of_tier(Tier::Baseline) == Some(Outcome::DENY) => {
                AnyPod::Denied
            }
            (Cover::AllBut(escape), _) => AnyPod::Open(escape),
        }
    }

    /// What the first rule of a tier does that is for every pod of the namespace, every peer and every port.
    fn of_tier_for_any(
        &self,
        facts: &Facts<'d>,
        namespace: &str,
        direction: Direction,
        tier: Tier,
    ) -> Option<Outcome> {
        let of_tier = self.in_namespace(facts, namespace).into_iter();
        let of_tier = of_tier.filter(|(it, _, _)| it.tier == tier);
        let for_any = of_tier.filter(|(_, pods, truth)| pods.is_empty() && *truth == Truth::Yes);
        let mut rules = for_any.flat_map(|(it, _, _)| it.rules(direction));
        rules.find(|it| self.is_for_all(it, direction)).map(|it| it.action)
    }

    fn is_for_all(&self, rule: &TierRule<'d>, direction: Direction) -> bool {
        let is_everybody = |it: &SetId| is_everybody(&self.specs, *it, direction);
        rule.ports.numbers == PortSet::all()
            && rule.peers.as_ref().is_none_or(|it| it.iter().any(is_everybody))
    }

    /// Those that may close something to the pods of a workload, or open it before NetworkPolicies are asked.
    pub fn of_workload(
        &self,
        facts: &Facts<'d>,
        workload: &Workload<'d>,
        direction: Direction,
        effect: Effect,
    ) -> Option<ObjId> {
        let action = if effect == Effect::Opens { Outcome::ALLOW } else { Outcome::DENY };
        let mut meant = self.in_namespace(facts, workload.namespace).into_iter();
        let meant = meant.find(|(it, pods, _)| {
            (effect != Effect::Opens || it.tier == Tier::Admin)
                && it.rules(direction).iter().any(|it| it.action == action)
                && pods.selects(&workload.labels) != Selects::None
        });
        meant.map(|(it, _, _)| it.object)
    }
}
