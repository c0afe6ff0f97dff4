//! The rules of NetworkPolicies by whom they name, for endpoints that many of them are for: of these few name one peer.

use super::Reach;
use super::compile::{Policy, Rule};
use super::endpoint::{Endpoint, EndpointId};
use super::sets::SetId;
use super::side::Side;
use super::verdict::Truth;
use crate::analyze::network::policies::{DIRECTIONS, Direction};
use rustc_hash::FxHashMap;

/// So many are looked through one by one.
const FEW: usize = 8;

/// A rule, by its policy and its place there.
type RuleAt = (u32, u32);

/// The rules of all NetworkPolicies by whom they name, and the sets that pods are in.
#[derive(Debug, Default)]
pub(super) struct Named {
    /// By direction.
    rules: [Rules; 2],
    /// The sets that list some pods.
    sets_of: FxHashMap<EndpointId, Vec<SetId>>,
    /// The sets that may mean any pods whose addresses are not known.
    vague: Vec<SetId>,
}

#[derive(Debug, Default)]
struct Rules {
    of_set: FxHashMap<SetId, Vec<RuleAt>>,
    /// Those for everybody, by policy.
    open: FxHashMap<u32, Vec<u32>>,
}

impl Named {
    fn new(reach: &Reach<'_>) -> Named {
        let mut named = Named::default();
        for (at, set) in (0..).zip(&reach.sets) {
            for (id, _) in &set.members {
                named.sets_of.entry(*id).or_default().push(SetId(at));
            }
            named.vague.extend((set.pods != Truth::No).then_some(SetId(at)));
        }
        for direction in DIRECTIONS {
            let rules = &mut named.rules[direction as usize];
            for (at, policy) in (0..).zip(&reach.policies) {
                rules.add(at, policy, direction);
            }
        }
        named
    }

    /// The sets that may mean pods.
    fn sets_of(&self, id: EndpointId, has_addresses: bool) -> impl Iterator<Item = SetId> + Clone {
        let listed = self.sets_of.get(&id).into_iter().flatten();
        listed.chain(self.vague.iter().filter(move |_| !has_addresses)).copied()
    }
}

impl Rules {
    fn add(&mut self, policy: u32, compiled: &Policy<'_>, direction: Direction) {
        for (at, rule) in (0..).zip(compiled.rules(direction).unwrap_or_default()) {
            match &rule.peers {
                None => self.open.entry(policy).or_default().push(at),
                Some(sets) => sets
                    .iter()
                    .for_each(|it| self.of_set.entry(*it).or_default().push((policy, at))),
            }
        }
    }

    fn of(&self, set: SetId) -> &[RuleAt] {
        self.of_set.get(&set).map_or(&[], Vec::as_slice)
    }

    /// Those for everybody that are of one of these policies.
    fn open_of<'r>(&'r self, policies: &'r [(u32, Truth)]) -> impl Iterator<Item = RuleAt> + 'r {
        let is_shorter = self.open.len() < policies.len();
        let fewer: Box<dyn Iterator<Item = u32> + 'r> = match is_shorter {
            true => Box::new(self.open.keys().copied().filter(|it| place(policies, *it).is_some())),
            false => Box::new(policies.iter().map(|it| it.0)),
        };
        fewer.flat_map(|policy| {
            self.open.get(&policy).into_iter().flatten().map(move |rule| (policy, *rule))
        })
    }
}

/// The place of a policy in a list by policy.
fn place(policies: &[(u32, Truth)], policy: u32) -> Option<usize> {
    policies.binary_search_by_key(&policy, |it| it.0).ok()
}

impl<'d> Reach<'d> {
    /// The rules about the peer of the policies that are for the subject, in their order, each with how surely it is about
    /// the peer and its policy for the subject; `None` where it is as well to look through all of them.
    pub(super) fn rules_naming(
        &self,
        side: Side,
        selecting: &[(u32, Truth)],
    ) -> Option<impl Iterator<Item = (&Rule<'d>, Truth, Truth)>> {
        let endpoint = self.get(side.peer);
        let Endpoint::Pods(pods) = endpoint else { return None };
        let weighs_more = |than: usize| {
            let mut left = than;
            selecting.iter().any(|it| {
                let weight = self.policies[it.0 as usize].weight(side.direction);
                let is_more = weight > left;
                left = left.saturating_sub(weight);
                is_more
            })
        };
        if pods.is_in_host_network || side.kind.is_some() || !weighs_more(FEW) {
            return None;
        }
        let named = self.named.get_or_init(|| Named::new(self));
        let rules = &named.rules[side.direction as usize];
        let sets = named.sets_of(side.peer, !pods.addresses.is_empty());
        let steps: usize = sets.clone().map(|it| rules.of(it).len() + 1).sum();
        if !weighs_more(steps) {
            return None;
        }
        let about = sets.flat_map(|set| {
            let truth = self.set(set).has_peer(side.peer, endpoint, side.kind, &self.network);
            let rules = rules.of(set).iter().filter(|it| place(selecting, it.0).is_some());
            rules.map(move |it| (*it, truth))
        });
        let open = rules.open_of(selecting).map(|it| (it, Truth::Yes));
        let mut all: Vec<_> = about.filter(|it| it.1 != Truth::No).chain(open).collect();
        // Of the sets that a rule names the one that means the peer most surely counts.
        all.sort_unstable_by(|a, b| (a.0, b.1).cmp(&(b.0, a.1)));
        all.dedup_by_key(|it| it.0);
        Some(all.into_iter().filter_map(move |((policy, rule), of_peer)| {
            let of_subject = selecting[place(selecting, policy)?].1;
            let rules = self.policies[policy as usize].rules(side.direction)?;
            Some((&rules[rule as usize], of_peer, of_subject))
        }))
    }
}
