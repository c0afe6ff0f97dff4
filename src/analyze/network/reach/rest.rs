//! What policies make of the traffic that none of them speaks of: with somebody whom no rule names.

use super::Reach;
use super::endpoint::EndpointId;
use super::outcome::Outcome;
use super::sets::{Scope, SetId, Spec, Specs};
use super::side::Side;
use super::tiers::{Tier, TierRule};
use super::verdict::{Truth, Verdict};
use crate::analyze::network::policies::Direction;
use crate::api::ports::{PortMap, PortSet};

impl Reach<'_> {
    /// Whether somebody whom no rule names may talk to an endpoint, or be talked to; `None` where that cannot be told, or
    /// differs from port to port.
    pub fn rest(&self, direction: Direction, subject: EndpointId) -> Option<bool> {
        if self.may_be_selected(subject) {
            return None;
        }
        let judged = self.judged_rest(direction, subject)?;
        let other = match judged {
            true => self.closer(direction, subject),
            false => self.opener(direction, subject),
        };
        other.is_none().then_some(judged)
    }

    /// What one end says to everybody at once: allowed where every pod and every address may, undefined where nobody is held
    /// up for certain. The nodes are left out: a pod's own node is let in whatever policies say.
    pub fn for_everybody(&self, direction: Direction, subject: EndpointId) -> PortMap<Verdict> {
        let peers = self.endpoints().filter(|(id, it)| *id != subject && !it.is_of_node());
        let each = peers.map(|(peer, _)| self.side(Side::new(direction, subject, peer)));
        let all = each.reduce(|a, b| a.with(&b, Verdict::and));
        all.unwrap_or_else(|| PortMap::of(Verdict::Allow))
    }

    /// Whether any policy is for an endpoint in a direction.
    pub fn is_decided(&self, direction: Direction, subject: EndpointId) -> bool {
        let above = self.selecting_in_tiers(subject).iter();
        !self.selecting(direction, subject).is_empty()
            || above.map(|it| &self.tiers[it.0 as usize]).any(|it| !it.rules(direction).is_empty())
    }

    fn judged_rest(&self, direction: Direction, subject: EndpointId) -> Option<bool> {
        if let Some(decided) = self.rest_of_tier(direction, subject, Tier::Admin) {
            return decided;
        }
        let selecting = self.selecting(direction, subject);
        if selecting.iter().any(|it| it.1 == Truth::Yes) {
            let sure = selecting.iter().filter(|it| it.1 == Truth::Yes);
            let mut rules = sure.flat_map(|(at, _)| {
                self.policies[*at as usize].rules(direction).unwrap_or_default()
            });
            return Some(rules.any(|it| it.peers.is_none() && it.ports.numbers == PortSet::all()));
        }
        if !selecting.is_empty() {
            return None;
        }
        self.rest_of_tier(direction, subject, Tier::Baseline).unwrap_or(Some(true))
    }

    /// What a tier decides; the outer `None` where the next one is asked.
    fn rest_of_tier(
        &self,
        direction: Direction,
        subject: EndpointId,
        tier: Tier,
    ) -> Option<Option<bool>> {
        let all = self.selecting_in_tiers(subject).iter();
        let all = all.map(|(at, truth)| (&self.tiers[*at as usize], *truth));
        for (policy, truth) in all.filter(|it| it.0.tier == tier) {
            let mut rules = policy.rules(direction).iter();
            let Some(rule) = rules.find(|it| !self.is_for_some(it, direction)) else { continue };
            let is_sure = truth == Truth::Yes && rule.ports.numbers == PortSet::all();
            return match rule.action {
                _ if !is_sure => Some(None),
                it if it == Outcome::PASS => None,
                it => Some(Some(it == Outcome::ALLOW)),
            };
        }
        None
    }

    /// Whether a rule names those whom it is for.
    fn is_for_some(&self, rule: &TierRule<'_>, direction: Direction) -> bool {
        let peers = rule.peers.as_ref();
        peers.is_some_and(|it| !it.iter().any(|it| is_everybody(&self.specs, *it, direction)))
    }
}

/// Whether a set is everybody that a rule for this direction may mean.
pub(super) fn is_everybody(specs: &Specs<'_>, set: SetId, direction: Direction) -> bool {
    match &specs.all[set.0 as usize] {
        // Rules for ingress never mean the outside, so every pod is all that there is.
        Spec::Pods { scope: Scope::Selected(namespaces), pods } => {
            direction == Direction::Ingress && namespaces.is_empty() && pods.is_empty()
        }
        Spec::Network(block) => block.cidr.prefix_len() == 0,
        _ => false,
    }
}
