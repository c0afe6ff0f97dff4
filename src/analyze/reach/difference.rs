//! What policies change, before they are there: of what they touch, the verdicts with them and without.

use super::change::Touched;
use super::endpoint::EndpointId;
use super::ports::PortMap;
use super::verdict::Verdict;
use super::{Network, Reach};
use crate::analyze::Facts;
use crate::analyze::policies::NetworkPolicy;
use crate::model::{Model, ObjId};
use std::collections::BTreeMap;

/// A pair of endpoints that is judged otherwise.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    /// The source.
    pub from: EndpointId,
    /// The destination.
    pub to: EndpointId,
    /// The verdict on every port of the destination as it was,
    pub before: PortMap<Verdict>,
    /// and as it is with the change.
    pub after: PortMap<Verdict>,
}

/// Which policy stands in which place.
type Places<'p, 'd> = Vec<(usize, Option<&'p NetworkPolicy<'d>>)>;

impl<'d> Reach<'d> {
    /// The pairs that are judged otherwise with some policies, each in place of the one that it comes with, or added where
    /// it comes with none; and who the endpoints of these pairs are. A policy is changed once at most.
    ///
    /// Only what the policies touch is judged.
    pub fn changed(
        model: &Model<'d>,
        facts: &Facts<'d>,
        network: &Network,
        changes: &[(Option<ObjId>, &NetworkPolicy<'d>)],
    ) -> (Reach<'d>, Vec<Difference>) {
        let more: Vec<_> = changes.iter().map(|it| it.1).collect();
        let mut reach = Reach::told_apart_for(model, facts, network, &more);
        // The policies may be of another model, whose ids are not those of this one: places do not change.
        let (mut old, mut new) = (Places::new(), Places::new());
        let mut added = reach.policies.len()..;
        for (id, policy) in changes {
            let position = reach.policies.iter().position(|it| Some(it.object) == *id);
            let Some(at) = position.or_else(|| added.next()) else { continue };
            old.push((at, facts.policies().iter().find(|it| Some(it.object) == *id)));
            new.push((at, Some(policy)));
        }
        let touched = reach.replace_all(facts, new);
        let after = reach.flows_of(&touched);
        reach.replace_all(facts, old);
        let before = reach.flows_of(&touched);
        let mut pairs: BTreeMap<(EndpointId, EndpointId), [PortMap<Verdict>; 2]> = BTreeMap::new();
        for (which, flows) in [before, after].into_iter().enumerate() {
            for flow in flows {
                let closed = || [(); 2].map(|()| PortMap::of(Verdict::Deny));
                pairs.entry((flow.from, flow.to)).or_insert_with(closed)[which] = flow.ports;
            }
        }
        let differences = pairs.into_iter().filter(|(_, [before, after])| before != after);
        let differences = differences
            .map(|((from, to), [before, after])| Difference { from, to, before, after })
            .collect();
        (reach, differences)
    }

    /// Puts one policy after the other into its place. They ask for nothing that the endpoints were not told apart for.
    fn replace_all(&mut self, facts: &Facts<'d>, places: Places<'_, 'd>) -> Touched {
        let mut all = Touched::default();
        for (at, policy) in places {
            let touched = self.replace_at(facts, at, policy);
            all.add(touched.expect("everybody is told apart whom the policies tell apart"));
        }
        all
    }
}
