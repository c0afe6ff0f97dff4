//! What the policies at one end of a flow say, tier after tier.

use super::Reach;
use super::ask::both;
use super::compile::{Policy, Rule};
use super::endpoint::{Endpoint, EndpointId};
use super::outcome::Outcome;
use super::sets::SetId;
use super::tiers::{Tier, first_match};
use super::unlisted::with_more;
use super::verdict::{Reason, Truth, Verdict};
use crate::analyze::network::policies::Direction;
use crate::api::network::Plugin;
use crate::api::ports::{PortMap, PortSet, Ports, Protocol};
use rustc_hash::FxHashSet;

/// One end of a flow.
#[derive(Clone, Copy, Debug)]
pub(super) struct Side {
    pub(super) direction: Direction,
    /// Whose policies are asked.
    pub(super) subject: EndpointId,
    /// The other end.
    pub(super) peer: EndpointId,
    /// Where that is of a node: of which kind, if only one is meant.
    pub(super) kind: Option<usize>,
}

impl Side {
    pub(super) fn new(direction: Direction, subject: EndpointId, peer: EndpointId) -> Side {
        Side { direction, subject, peer, kind: None }
    }

    /// Whose ports are meant.
    pub(super) fn destination(self) -> EndpointId {
        match self.direction {
            Direction::Ingress => self.subject,
            Direction::Egress => self.peer,
        }
    }
}

/// Which node, where the peer is one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum WhichNode {
    /// Nobody knows whether it is the pod's own.
    Any,
    /// Not the pod's own.
    Another,
}

impl<'d> Reach<'d> {
    /// What one end says of every port.
    pub(super) fn side(&self, side: Side) -> PortMap<Verdict> {
        self.side_from(side, WhichNode::Any)
    }

    /// The same, where it is known that a node is not the pod's own.
    pub(super) fn side_from(&self, side: Side, node: WhichNode) -> PortMap<Verdict> {
        self.beside_others(side, self.judged_from(side, node))
    }

    /// What the policies that are judged say of every port.
    pub(super) fn judged_from(&self, side: Side, node: WhichNode) -> PortMap<Verdict> {
        // What one block says of some nodes and another one of the others is said of all.
        if side.kind.is_none() && self.is_of_any_node(side.peer) {
            let kinds = 0..self.nodes.alike.len();
            let each = kinds.map(|it| self.judged_from(Side { kind: Some(it), ..side }, node));
            let all = each.reduce(|a, b| a.with(&b, |a, b| both(a, b, Reason::NodeAddress)));
            if let Some(all) = all {
                return all;
            }
        }
        let policies = self.of_policies(side, node);
        if self.may_be_selected(side.subject) {
            return self.with_unlisted(side, &policies);
        }
        if self.selecting_in_tiers(side.subject).is_empty() {
            let open = |it: Outcome, ()| it.then(Outcome::ALLOW).verdict();
            return policies.with(&PortMap::of(()), open);
        }
        let baseline = self.of_baseline(side);
        let rest = policies.with(&baseline, Outcome::then);
        let all = self.of_tier(side, Tier::Admin).with(&rest, Outcome::then);
        all.with(&PortMap::of(()), |it, ()| it.verdict())
    }

    /// The same where policies of some kinds are not known.
    fn with_unlisted(&self, side: Side, policies: &PortMap<Outcome>) -> PortMap<Verdict> {
        let more = |is_unlisted: bool, map: PortMap<Outcome>| {
            if is_unlisted { with_more(&map) } else { map }
        };
        let admin = more(self.unlisted.admin, self.of_tier(side, Tier::Admin));
        // What a NetworkPolicy allows no other one takes back.
        let policies = match self.unlisted.policies {
            true => with_more(policies)
                .with(policies, |more, it| if it == Outcome::ALLOW { it } else { more }),
            false => policies.clone(),
        };
        let baseline = more(self.unlisted.baseline, self.of_baseline(side));
        let rest = policies.with(&baseline, Outcome::then);
        admin.with(&rest, |it, rest| it.then(rest).verdict())
    }

    /// What the baseline tier says, and after it Kubernetes' own "all may talk to all".
    fn of_baseline(&self, side: Side) -> PortMap<Outcome> {
        let allow = PortMap::of(Outcome::ALLOW);
        let baseline = self.of_tier(side, Tier::Baseline).with(&allow, Outcome::then);
        // "Further evaluation only happens for Pods not selected by a v1.NetworkPolicy": selected for the other direction
        // alone, a pod is or is not.
        let other = match side.direction {
            Direction::Ingress => Direction::Egress,
            Direction::Egress => Direction::Ingress,
        };
        let is_by_direction =
            matches!(self.network.plugin, Plugin::Calico | Plugin::Antrea | Plugin::OvnKubernetes);
        if is_by_direction || self.selecting(other, side.subject).is_empty() {
            return baseline;
        }
        baseline.with(&allow, |it, allow| it.or_for(allow, Reason::Baseline))
    }

    /// What the cluster-wide policies of a tier say.
    fn of_tier(&self, side: Side, tier: Tier) -> PortMap<Outcome> {
        let mut map = PortMap::of(Outcome::NEXT);
        let selecting = self.selecting_in_tiers(side.subject);
        let of_tier = selecting.iter().map(|(at, truth)| (&self.tiers[*at as usize], *truth));
        let of_tier: Vec<_> = of_tier.filter(|(it, _)| it.tier == tier).collect();
        for group in of_tier.chunk_by(|a, b| a.0.priority == b.0.priority) {
            let mut both: Option<PortMap<Outcome>> = None;
            for (policy, truth) in group {
                let rules = policy.rules(side.direction).iter();
                let own = first_match(rules.map(|rule| {
                    let ports = rule.ports.on(self.names(side.destination())).collect();
                    (self.is_peer_of_tier(&rule.peers, side), rule.action, ports)
                }));
                let own = own.with(&PortMap::of(()), |it, ()| it.provided(*truth));
                both = Some(both.map_or_else(|| own.clone(), |it| it.with(&own, Outcome::beside)));
            }
            if let Some(both) = both {
                map = map.with(&both, Outcome::then);
            }
        }
        map.with(&PortMap::of(()), |it, ()| it.end_of_tier())
    }

    /// What NetworkPolicies say. They are additive and have no order: a pod that one of them selects for a direction is
    /// isolated there, and what any of them allows is allowed (`k8s.io/api/networking/v1/types.go`).
    fn of_policies(&self, side: Side, node: WhichNode) -> PortMap<Outcome> {
        let selecting = self.selecting(side.direction, side.subject);
        if selecting.is_empty() {
            return PortMap::of(Outcome::NEXT);
        }
        let is_isolated = selecting.iter().any(|(_, truth)| *truth == Truth::Yes);
        let mut opened = Opened::default();
        if let Some(about) = is_isolated.then(|| self.rules_naming(side, selecting)).flatten() {
            for (rule, of_peer, of_subject) in about {
                let mut own = Opened::default();
                self.open(&mut own, side, rule, of_peer);
                opened.add(own, of_subject);
            }
            // The peer is pods of the network, and no node.
            return opened.outcomes();
        }
        // Where only some pods are isolated, a port is surely open if each policy that may isolate them opens it.
        let mut by_each: Option<PortSet> = None;
        let mut why = None;
        for (at, truth) in selecting {
            let own = self.opened(side, &self.policies[*at as usize], *truth);
            if let Truth::Maybe(reason) = truth {
                why = Some(why.map_or(*reason, |it: Reason| it.min(*reason)));
            }
            if !is_isolated {
                let open = own.surely();
                by_each = Some(by_each.map_or(open.clone(), |it| it.and(&open)));
            }
            opened.add(own, *truth);
        }
        let map = match why.filter(|_| !is_isolated) {
            None => opened.outcomes(),
            Some(reason) => {
                let open = Outcome::ALLOW.or_for(Outcome::NEXT, reason);
                let mut map = PortMap::of(open.or_for(Outcome::DENY, reason));
                map.set(&by_each.unwrap_or_default(), open);
                map
            }
        };
        // "Traffic is allowed to a pod … if the traffic source is the pod's local node" (types.go, Ingress).
        let is_of_node = side.direction == Direction::Ingress && self.get(side.peer).is_of_node();
        if !is_of_node || node == WhichNode::Another {
            return map;
        }
        match self.is_own_node(side) {
            Some(false) => map,
            Some(true) => PortMap::of(Outcome::ALLOW),
            None => map.with(&PortMap::of(()), |it, ()| {
                if it.may(Outcome::DENY) { it.or_for(Outcome::ALLOW, Reason::OwnNode) } else { it }
            }),
        }
    }

    /// Whether a peer bears the address of a node, and nobody knows of which.
    fn is_of_any_node(&self, peer: EndpointId) -> bool {
        let peer = self.get(peer);
        peer.is_of_node() && peer.pods().is_none_or(|it| it.addresses.is_empty())
    }

    /// Whether a peer in the network of its node is on the subject's; `None` where the input does not tell.
    fn is_own_node(&self, side: Side) -> Option<bool> {
        let node = |id| self.get(id).pods().map(|it| it.node).filter(|it| !it.is_empty());
        Some(node(side.subject)? == node(side.peer)?)
    }

    /// What the rules of one policy, which selects the subject as surely as this, open towards the peer.
    fn opened(&self, side: Side, policy: &Policy<'d>, selected: Truth) -> Opened {
        let mut opened = Opened::default();
        let rules = policy.rules(side.direction).unwrap_or_default();
        // Only an index, which few policies have, tells of a rule twice.
        let is_listed = policy.index(side.direction).is_some();
        let mut seen = FxHashSet::default();
        for at in self.numbers_about(policy, side).filter(|it| !is_listed || seen.insert(*it)) {
            let rule = &rules[at as usize];
            let truth = self.is_peer(rule, side);
            self.open(&mut opened, side, rule, truth);
            // What is open for sure no other rule closes, and there may be thousands of them.
            if truth.and(selected) == Truth::Yes && rule.ports.is_all() {
                break;
            }
        }
        opened
    }

    /// Opens what a rule opens that is about the peer as surely as this.
    fn open(&self, opened: &mut Opened, side: Side, rule: &Rule<'d>, truth: Truth) {
        if let Some(ports) = opened.of(truth) {
            ports.extend(rule.ports.on(self.names(side.destination())));
        }
        let unknown = truth.and(Truth::Maybe(Reason::PortName));
        if let Some(ports) = opened.of(unknown).filter(|_| self.may_have_names(side)) {
            let every = |it: Option<Protocol>| match it {
                Some(it) => vec![Ports::every(it)],
                None => PortSet::all().iter().collect(),
            };
            ports.extend(rule.ports.names.iter().flat_map(|it| every(it.1)));
        }
    }

    /// Whether nobody knows the names of the destination's ports.
    fn may_have_names(&self, side: Side) -> bool {
        self.get(side.destination()).pods().is_some_and(|it| it.stranger.is_some())
    }

    /// The rules of a policy that may be about the peer, in their order.
    pub(super) fn rules_about<'r>(
        &self,
        policy: &'r Policy<'d>,
        side: Side,
    ) -> impl Iterator<Item = &'r Rule<'d>> {
        let rules = policy.rules(side.direction).unwrap_or_default();
        let mut numbers: Vec<_> = self.numbers_about(policy, side).collect();
        numbers.sort_unstable();
        numbers.dedup();
        numbers.into_iter().map(|it| &rules[it as usize])
    }

    /// The numbers of these rules, in no order, some more than once. Addresses are many where blocks are, and are meant by
    /// name alone.
    fn numbers_about<'r>(
        &'r self,
        policy: &'r Policy<'d>,
        side: Side,
    ) -> impl Iterator<Item = u32> + 'r {
        let around = self.around.get(&side.peer).map(Vec::as_slice);
        let is_outside = matches!(self.get(side.peer), Endpoint::Addresses(_));
        let around = around.or(is_outside.then_some(&[]));
        let named = policy.index(side.direction).zip(around).map(|(index, sets)| {
            let wide = self.wide.iter().filter(move |it| self.set(**it).pieces.has(side.peer));
            let named = sets.iter().chain(wide).filter_map(|it| index.of_set.get(it)).flatten();
            index.open.iter().chain(named).copied()
        });
        let count = policy.rules(side.direction).map_or(0, <[_]>::len) as u32;
        let all = if named.is_some() { 0..0 } else { 0..count };
        named.into_iter().flatten().chain(all)
    }

    /// Whether a rule of a NetworkPolicy is about this peer.
    pub(super) fn is_peer(&self, rule: &Rule<'d>, side: Side) -> Truth {
        let Some(sets) = &rule.peers else { return Truth::Yes };
        let (peer, endpoint) = (side.peer, self.get(side.peer));
        let has = |it: &SetId| self.set(*it).has_peer(peer, endpoint, side.kind, &self.network);
        let each = sets.iter().map(has);
        each.max().unwrap_or(Truth::No)
    }

    /// Whether a rule of a cluster-wide policy is about this peer.
    pub(super) fn is_peer_of_tier(&self, peers: &Option<Vec<SetId>>, side: Side) -> Truth {
        let Some(sets) = peers else { return Truth::Yes };
        let endpoint = self.get(side.peer);
        let each = sets.iter().map(|it| self.set(*it).has(side.peer, endpoint, side.kind));
        each.max().unwrap_or(Truth::No)
    }
}

/// Ports that are open, surely or perhaps.
#[derive(Debug, Default)]
struct Opened {
    surely: Vec<Ports>,
    perhaps: Vec<(Reason, Vec<Ports>)>,
}

impl Opened {
    fn of(&mut self, truth: Truth) -> Option<&mut Vec<Ports>> {
        let reason = match truth {
            Truth::No => return None,
            Truth::Yes => return Some(&mut self.surely),
            Truth::Maybe(it) => it,
        };
        let at = self.perhaps.iter().position(|it| it.0 == reason).unwrap_or_else(|| {
            self.perhaps.push((reason, Vec::new()));
            self.perhaps.len() - 1
        });
        Some(&mut self.perhaps[at].1)
    }

    fn surely(&self) -> PortSet {
        self.surely.iter().copied().collect()
    }

    fn add(&mut self, other: Opened, truth: Truth) {
        if let Some(it) = self.of(truth) {
            it.extend(other.surely);
        }
        for (reason, ports) in other.perhaps {
            if let Some(it) = self.of(truth.and(Truth::Maybe(reason))) {
                it.extend(ports);
            }
        }
    }

    /// For pods that are isolated.
    fn outcomes(mut self) -> PortMap<Outcome> {
        let mut map = PortMap::of(Outcome::DENY);
        self.perhaps.sort_unstable_by_key(|it| std::cmp::Reverse(it.0));
        for (reason, ports) in self.perhaps {
            let outcome = Outcome::DENY.or_for(Outcome::ALLOW, reason);
            map.set(&ports.into_iter().collect(), outcome);
        }
        map.set(&self.surely.into_iter().collect(), Outcome::ALLOW);
        map
    }
}
