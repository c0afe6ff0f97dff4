//! Policies of kinds that are not judged: a verdict that one of them could reverse is undefined.

use super::Reach;
use super::endpoint::{Endpoint, EndpointId};
use super::side::Side;
use super::verdict::{Reason, Truth, Verdict};
use crate::analyze::Facts;
use crate::analyze::network::other_policies::{Closes, Effects, OtherId, OtherPolicies};
use crate::analyze::network::policies::Direction;
use crate::api::ports::PortMap;
use crate::model::ObjId;

/// What each of them may do, and which are for the nodes.
#[derive(Debug, Default)]
pub(super) struct Others {
    all: Vec<(ObjId, [Effects; 2])>,
    of_nodes: Vec<OtherId>,
}

impl Others {
    pub(super) fn new(facts: &Facts<'_>) -> Others {
        let others: &OtherPolicies<'_> = facts.other_policies();
        let effects = |it| {
            [Direction::Ingress, Direction::Egress]
                .map(|direction| others.get(it).effects(direction))
        };
        let all = others.ids().map(|it| (others.get(it).object, effects(it))).collect();
        Others { all, of_nodes: others.of_nodes().to_vec() }
    }
}

impl Reach<'_> {
    /// The policies of kinds that are not judged which may be for an endpoint.
    fn others_of(&self, id: EndpointId) -> &[OtherId] {
        match self.get(id) {
            Endpoint::Addresses(_) => &[],
            Endpoint::Pods(it) if !it.is_in_host_network => &it.others,
            _ => &self.others.of_nodes,
        }
    }

    /// One that may let through what an endpoint is denied.
    pub(super) fn opener(&self, direction: Direction, subject: EndpointId) -> Option<ObjId> {
        self.other(direction, subject, |it| it.opens)
    }

    /// One that may hold up what an endpoint is allowed.
    pub(super) fn closer(&self, direction: Direction, subject: EndpointId) -> Option<ObjId> {
        let selecting = self.selecting(direction, subject);
        let least = match selecting.iter().any(|it| it.1 == Truth::Yes) {
            true => Closes::Anything,
            false => Closes::Unisolated,
        };
        self.other(direction, subject, |it| it.closes >= least)
    }

    fn other(
        &self,
        direction: Direction,
        subject: EndpointId,
        does: impl Fn(Effects) -> bool,
    ) -> Option<ObjId> {
        let all = self.others_of(subject).iter().map(|it| &self.others.all[it.index()]);
        let mut all = all.filter(|it| does(it.1[direction as usize]));
        all.next().map(|it| it.0)
    }

    /// A verdict of all others at one end, beside them.
    pub(super) fn with_others(
        &self,
        direction: Direction,
        subject: EndpointId,
        verdict: Verdict,
    ) -> Verdict {
        let (other, allowed) = match verdict {
            Verdict::Allow => (self.closer(direction, subject), true),
            Verdict::Deny => (self.opener(direction, subject), false),
            Verdict::Undefined(_) => return verdict,
        };
        let reason = |object| Verdict::Undefined(Reason::OtherPolicy { object, allowed });
        other.map_or(verdict, reason)
    }

    /// The same for every port.
    pub(super) fn beside_others(&self, side: Side, judged: PortMap<Verdict>) -> PortMap<Verdict> {
        let (direction, subject) = (side.direction, side.subject);
        if self.others_of(subject).is_empty() {
            return judged;
        }
        judged.with(&PortMap::of(()), |it, ()| self.with_others(direction, subject, it))
    }
}
