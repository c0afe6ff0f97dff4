//! Which policies and rules decide a port of a flow.

use super::endpoint::EndpointId;
use super::outcome::Outcome;
use super::side::{Side, WhichNode};
use super::tiers::Tier;
use super::verdict::{Because, Effect, Reason, Truth, Verdict};
use super::{PortSpec, Reach};
use crate::analyze::network::policies::Direction;
use crate::api::ports::Protocol;

/// What was found out while policies are asked in order.
enum Asked {
    /// Somebody decided.
    Decided,
    /// The next in line has a say.
    Open,
}

impl<'d> Reach<'d> {
    /// The policies that decide a port of a flow, with the rule where there is one: egress of the source first.
    pub fn because(
        &self,
        from: EndpointId,
        to: EndpointId,
        protocol: Protocol,
        port: u16,
    ) -> Vec<Because<'d>> {
        let egress = Side::new(Direction::Egress, from, to);
        let ingress = Side::new(Direction::Ingress, to, from);
        let mut because = Vec::new();
        let mut is_closed = false;
        for side in [egress, ingress] {
            let told = self.side(side).get(protocol, port);
            is_closed |= told == Verdict::Deny;
            let verdict = self.judged_from(side, WhichNode::Any).get(protocol, port);
            let point = Point { side, protocol, port, verdict };
            if let Verdict::Undefined(Reason::OtherPolicy { object, .. }) = told {
                because.push(point.because(object, Effect::MayDecide, None));
                // What the others close one of these may open.
                if verdict == Verdict::Deny {
                    continue;
                }
            }
            if let Asked::Open = self.because_of_tier(&point, Tier::Admin, &mut because)
                && let Asked::Open = self.because_of_policies(&point, &mut because)
            {
                self.because_of_tier(&point, Tier::Baseline, &mut because);
            }
        }
        // Where one end closes, what the other opens does not matter.
        if is_closed {
            because.retain(|it| it.effect == Effect::Closes);
        }
        because
    }

    fn because_of_tier(&self, point: &Point, tier: Tier, because: &mut Vec<Because<'d>>) -> Asked {
        let selecting = self.selecting_in_tiers(point.side.subject).iter();
        let all = selecting.map(|(at, truth)| (&self.tiers[*at as usize], *truth));
        let of_tier: Vec<_> = all.filter(|(it, _)| it.tier == tier).collect();
        for group in of_tier.chunk_by(|a, b| a.0.priority == b.0.priority) {
            let mut decided = None;
            for (policy, selected) in group {
                for rule in policy.rules(point.side.direction) {
                    let truth = selected.and(self.is_peer_of_tier(&rule.peers, point.side));
                    if truth == Truth::No || !self.has(&rule.ports, point) {
                        continue;
                    }
                    if rule.action != Outcome::PASS {
                        let effect = match point.verdict {
                            Verdict::Undefined(_) => Effect::MayDecide,
                            Verdict::Allow => Effect::Opens,
                            Verdict::Deny => Effect::Closes,
                        };
                        because.push(point.because(policy.object, effect, Some(rule.node)));
                    }
                    if truth == Truth::Yes {
                        decided = Some(rule.action);
                        break;
                    }
                }
            }
            match decided {
                Some(it) if it == Outcome::PASS => return Asked::Open,
                Some(_) => return Asked::Decided,
                None => {}
            }
        }
        Asked::Open
    }

    fn because_of_policies(&self, point: &Point, because: &mut Vec<Because<'d>>) -> Asked {
        let side = point.side;
        let selecting = self.selecting(side.direction, side.subject);
        for (at, selected) in selecting {
            let policy = &self.policies[*at as usize];
            let fitting = self.rules_about(policy, side).filter(|it| self.has(&it.ports, point));
            let fitting = fitting.map(|it| (it.node, selected.and(self.is_peer(it, side))));
            let best =
                fitting.filter(|it| it.1 != Truth::No).reduce(|a, b| if b.1 > a.1 { b } else { a });
            let rule = best.map(|it| it.0);
            because.extend(match (point.verdict, best) {
                // What means some of the nodes opens to all of them, beside what means the others.
                (Verdict::Allow, Some((_, Truth::Yes | Truth::Maybe(Reason::NodeAddress)))) => {
                    Some(point.because(policy.object, Effect::Opens, rule))
                }
                (Verdict::Allow, _) => None,
                (Verdict::Deny, _) => Some(point.because(policy.object, Effect::Closes, None)),
                (Verdict::Undefined(_), _) => {
                    Some(point.because(policy.object, Effect::MayDecide, rule))
                }
            });
        }
        let is_isolated = selecting.iter().any(|(_, truth)| *truth == Truth::Yes);
        if is_isolated { Asked::Decided } else { Asked::Open }
    }

    fn has(&self, ports: &PortSpec<'d>, point: &Point) -> bool {
        let names = self.names(point.side.destination());
        ports
            .on(names)
            .any(|it| it.protocol == point.protocol && (it.first..=it.last).contains(&point.port))
    }
}

/// A port at one end of a flow, and what that end says.
struct Point {
    side: Side,
    protocol: Protocol,
    port: u16,
    verdict: Verdict,
}

impl Point {
    fn because<'d>(
        &self,
        policy: crate::model::ObjId,
        effect: Effect,
        rule: Option<crate::text::tree::Node<'d>>,
    ) -> Because<'d> {
        Because { policy, direction: self.side.direction, effect, rule }
    }
}
