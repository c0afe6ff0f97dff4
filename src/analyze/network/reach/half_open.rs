//! Entries of NetworkPolicies that open one end of a flow whose other end is closed.

use super::Reach;
use super::endpoint::EndpointId;
use super::sets::{SetId, Spec};
use super::side::Side;
use super::verdict::{Effect, Truth, Verdict};
use crate::analyze::network::policies::{DIRECTIONS, Direction};
use crate::api::ports::PortSet;
use crate::model::ObjId;
use crate::text::tree::Node;

/// An entry whose other end is closed, whoever of its peers is meant.
#[derive(Clone, Debug)]
pub struct HalfOpen<'d> {
    /// The policy.
    pub policy: ObjId,
    /// In which of its lists the entry stands.
    pub direction: Direction,
    /// The peer.
    pub peer: Node<'d>,
    /// Some of those whom it opens the policy's end for, one for all.
    pub flow: (EndpointId, EndpointId),
    /// The policies that close the other end.
    pub closed_by: Vec<ObjId>,
}

impl<'d> Reach<'d> {
    /// All of them. Where any of the peers gets through on any of the ports, or may, the entry is as it should be.
    pub fn half_open(&self) -> Vec<HalfOpen<'d>> {
        let mut found = Vec::new();
        for policy in &self.policies {
            for direction in DIRECTIONS {
                for rule in policy.rules(direction).unwrap_or_default() {
                    let list = if direction == Direction::Ingress { "from" } else { "to" };
                    let sets = rule.peers.iter().flatten();
                    for (set, peer) in sets.zip(rule.node.list(list)) {
                        let ports = |to| -> PortSet { rule.ports.on(self.names(to)).collect() };
                        let closed = self.closed(policy.subject, *set, direction, ports);
                        found.extend(closed.map(|(flow, closed_by)| HalfOpen {
                            policy: policy.object,
                            direction,
                            peer,
                            flow,
                            closed_by,
                        }));
                    }
                }
            }
        }
        found
    }

    /// One of the flows between some pods and their peers, and what closes it, where all are closed at the peers' end.
    fn closed(
        &self,
        subject: SetId,
        peers: SetId,
        direction: Direction,
        ports: impl Fn(EndpointId) -> PortSet,
    ) -> Option<((EndpointId, EndpointId), Vec<ObjId>)> {
        // "Everybody of a namespace" is said of whoever may send, and not of some in particular.
        let is_of_some = matches!(&self.specs.all[peers.0 as usize], Spec::Pods { pods, .. } if !pods.is_empty());
        let peers = Some(&self.set(peers).members).filter(|_| is_of_some)?;
        let subjects = &self.set(subject).members;
        let mut first = None;
        for (peer, truth) in peers {
            for (subject, selected) in subjects {
                if truth.and(*selected) != Truth::Yes {
                    return None;
                }
                let (other, flow) = match direction {
                    Direction::Ingress => (Direction::Egress, (*peer, *subject)),
                    Direction::Egress => (Direction::Ingress, (*subject, *peer)),
                };
                let side = Side::new(other, *peer, *subject);
                let map = self.side(side);
                let open = map.ports(|it| it != Verdict::Deny).and(&ports(flow.1));
                if !open.is_empty() {
                    return None;
                }
                first = first.or(Some((side, flow)));
            }
        }
        let (side, flow) = first?;
        let port = ports(flow.1).iter().next()?;
        let because = self.because(flow.0, flow.1, port.protocol, port.first);
        let closing = because
            .into_iter()
            .filter(|it| it.effect == Effect::Closes && it.direction == side.direction);
        let mut closed_by: Vec<ObjId> = closing.map(|it| it.policy).collect();
        closed_by.dedup();
        Some((flow, closed_by))
    }
}
