//! The pairs between which something may pass. Of who is isolated only those are looked at whom a policy names, so that the
//! table costs what it holds, and not the square of the endpoints.

use super::endpoint::{Endpoint, EndpointId};
use super::outcome::Outcome;
use super::pieces::Pieces;
use super::sets::SetId;
use super::tiers::Tier;
use super::verdict::{Truth, Verdict};
use super::{DIRECTIONS, Direction, Reach};
use crate::api::ports::PortMap;

/// What is said of a pair of endpoints.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Flow {
    /// The source.
    pub from: EndpointId,
    /// The destination.
    pub to: EndpointId,
    /// The verdict on every port of the destination.
    pub ports: PortMap<Verdict>,
}

/// Whom one end may let through.
pub(super) enum Peers {
    /// Anybody.
    All,
    /// None but these, in order.
    Only(Vec<EndpointId>),
}

impl Peers {
    pub(super) fn has(&self, id: EndpointId) -> bool {
        match self {
            Peers::All => true,
            Peers::Only(all) => all.binary_search(&id).is_ok(),
        }
    }
}

/// Whom policies may mean without naming them.
pub(super) struct Unnamed {
    /// The nodes, and pods in their network.
    of_nodes: Vec<EndpointId>,
    /// Pods whose addresses are not known.
    without_address: Vec<EndpointId>,
    /// Addresses outside.
    outside: Vec<EndpointId>,
}

impl<'d> Reach<'d> {
    /// The pairs between which something is allowed or undefined on some port, in order.
    pub fn table(&self) -> Vec<Flow> {
        let unnamed = self.unnamed();
        let ids: Vec<EndpointId> =
            (0..self.endpoints.len()).map(|it| EndpointId(it as u32)).collect();
        let [ingress, egress] = DIRECTIONS.map(|direction| -> Vec<Peers> {
            ids.iter().map(|it| self.peers(direction, *it, &unnamed)).collect()
        });
        // Who may send to anybody, pods and others, and to each who else may.
        let (mut pods, mut outside) = (Vec::new(), Vec::new());
        let mut senders: Vec<Vec<EndpointId>> = vec![Vec::new(); ids.len()];
        for (from, peers) in ids.iter().zip(&egress) {
            match peers {
                Peers::All if self.is_outside(*from) => outside.push(*from),
                Peers::All => pods.push(*from),
                Peers::Only(all) => all.iter().for_each(|to| senders[to.0 as usize].push(*from)),
            }
        }
        let mut flows = Vec::new();
        for (to, peers) in ids.iter().zip(&ingress) {
            let mut judge = |from: &EndpointId| flows.extend(self.flow(*from, *to));
            match peers {
                Peers::Only(all) => {
                    all.iter().filter(|it| egress[it.0 as usize].has(*to)).for_each(&mut judge);
                }
                Peers::All => {
                    pods.iter().chain(&senders[to.0 as usize]).for_each(&mut judge);
                    if !self.is_outside(*to) {
                        outside.iter().for_each(&mut judge);
                    }
                }
            }
        }
        flows.sort_unstable_by_key(|it| (it.from, it.to));
        flows
    }

    /// What may pass from one endpoint to another, if anything may.
    pub(super) fn flow(&self, from: EndpointId, to: EndpointId) -> Option<Flow> {
        let is_elsewhere = |it| self.is_outside(it) || self.is_stranger(it);
        if is_elsewhere(from) && is_elsewhere(to) {
            return None;
        }
        let ports = self.judge(from, to);
        (ports.uniform() != Some(Verdict::Deny)).then_some(Flow { from, to, ports })
    }

    /// Whether no policy says anything of its own traffic.
    fn is_outside(&self, id: EndpointId) -> bool {
        matches!(self.get(id), Endpoint::Addresses(_) | Endpoint::Nodes)
    }

    /// Whether it is pods that the input does not hold.
    fn is_stranger(&self, id: EndpointId) -> bool {
        self.get(id).pods().is_some_and(|it| it.stranger.is_some())
    }

    pub(super) fn unnamed(&self) -> Unnamed {
        let all = |is_it: fn(&Endpoint<'d>) -> bool| -> Vec<EndpointId> {
            self.endpoints().filter(|it| is_it(it.1)).map(|it| it.0).collect()
        };
        Unnamed {
            of_nodes: all(|it| it.is_of_node()),
            without_address: all(|it| it.pods().is_some_and(|it| it.addresses.is_empty())),
            outside: all(|it| matches!(it, Endpoint::Addresses(_))),
        }
    }

    /// Whom an endpoint may let through in a direction. All others are denied for certain.
    pub(super) fn peers(
        &self,
        direction: Direction,
        subject: EndpointId,
        unnamed: &Unnamed,
    ) -> Peers {
        if Some(subject) == self.of_version_6 {
            return Peers::Only(Vec::new());
        }
        let selecting = self.selecting(direction, subject);
        let may_open = self.may_be_selected(subject) || self.opener(direction, subject).is_some();
        if may_open || !selecting.iter().any(|(_, truth)| *truth == Truth::Yes) {
            return Peers::All;
        }
        let (mut only, mut pieces) = (Vec::new(), Vec::new());
        let named = selecting.iter().flat_map(|(at, _)| {
            let rules = self.policies[*at as usize].rules(direction).unwrap_or_default();
            rules.iter().map(|it| &it.peers)
        });
        let admin = self.selecting_in_tiers(subject).iter().map(|it| &self.tiers[it.0 as usize]);
        let admin = admin.filter(|it| it.tier == Tier::Admin).flat_map(|it| it.rules(direction));
        let above = admin.filter(|it| it.action == Outcome::ALLOW).map(|it| &it.peers);
        for peers in named.chain(above) {
            let Some(sets) = peers else { return Peers::All };
            sets.iter().for_each(|it| self.add_members(*it, unnamed, &mut only));
            pieces.extend(sets.iter().map(|it| &self.set(*it).pieces));
        }
        only.extend(Pieces::union(pieces).iter());
        if direction == Direction::Ingress {
            // The own node is always let in, and behind an exposed port an address may turn into a node's.
            only.extend(&unnamed.of_nodes);
            if self.get(subject).pods().is_some_and(|it| !it.exposed.is_empty()) {
                only.extend(&unnamed.outside);
            }
        }
        only.sort_unstable();
        only.dedup();
        Peers::Only(only)
    }

    fn add_members(&self, set: SetId, unnamed: &Unnamed, all: &mut Vec<EndpointId>) {
        let set = self.set(set);
        all.extend(set.members.iter().chain(&set.in_host_network).map(|it| it.0));
        if set.nodes != Truth::No {
            all.extend(&unnamed.of_nodes);
        }
        if set.pods != Truth::No {
            all.extend(&unnamed.without_address);
        }
    }
}
