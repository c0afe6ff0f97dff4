//! What policies change, before they are there: of what they touch, the verdicts with them and without.

use super::Reach;
use super::change::Touched;
use super::endpoint::EndpointId;
use super::tiers;
use super::tiers::TierPolicy;
use super::verdict::Verdict;
use crate::analyze::Facts;
use crate::analyze::network::policies::NetworkPolicy;
use crate::api::network::Network;
use crate::api::ports::PortMap;
use crate::model::{Model, ObjId, Object};
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

/// Policies to put in place of others, each with the one that it replaces; without one it is added. None is replaced twice.
#[derive(Clone, Debug, Default)]
pub struct Changes<'c, 'd> {
    /// NetworkPolicies.
    pub policies: Vec<(Option<ObjId>, &'c NetworkPolicy<'d>)>,
    /// Those for the whole cluster, of the kinds [`super::CLUSTER_WIDE`].
    pub cluster_wide: Vec<(Option<ObjId>, &'c Object<'d>)>,
}

/// Which policy stands in which place.
type Places<'p, 'd> = Vec<(usize, Option<&'p NetworkPolicy<'d>>)>;

impl<'d> Reach<'d> {
    /// The pairs that are judged otherwise with some changes, and who their endpoints are.
    ///
    /// Only what the changes touch is judged.
    pub fn changed(
        model: &Model<'d>,
        facts: &Facts<'d>,
        network: &Network,
        changes: &Changes<'_, 'd>,
    ) -> (Reach<'d>, Vec<Difference>) {
        let mut reach = Reach::told_apart_for(model, facts, network, changes);
        // The policies may be of another model, whose ids are not those of this one: places do not change.
        let (mut old, mut new) = (Places::new(), Places::new());
        let mut added = reach.policies.len()..;
        for (id, policy) in &changes.policies {
            let position = reach.policies.iter().position(|it| Some(it.object) == *id);
            let Some(at) = position.or_else(|| added.next()) else { continue };
            old.push((at, facts.policies().iter().find(|it| Some(it.object) == *id)));
            new.push((at, Some(policy)));
        }
        let (tiers, mut touched) = reach.tiers_with(&changes.cluster_wide);
        let old_tiers = reach.replace_tiers(tiers);
        touched.add(reach.replace_all(facts, new));
        let after = reach.flows_of(&touched);
        reach.replace_all(facts, old);
        reach.replace_tiers(old_tiers);
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

    /// The cluster-wide policies with some in place of others, and what that touches.
    fn tiers_with(
        &mut self,
        changes: &[(Option<ObjId>, &Object<'d>)],
    ) -> (Vec<TierPolicy<'d>>, Touched) {
        let is_replaced =
            |it: &TierPolicy<'d>| changes.iter().any(|(id, _)| *id == Some(it.object));
        let (replaced, mut tiers): (Vec<_>, Vec<_>) =
            self.tiers.iter().cloned().partition(is_replaced);
        let added: Vec<_> =
            changes.iter().filter_map(|it| tiers::policy(it.1, &mut self.specs)).collect();
        let changed = replaced.iter().chain(&added).map(|it| self.set(it.subject));
        let touched = Touched::of(changed.flat_map(|it| it.members.iter().map(|it| it.0)));
        tiers.extend(added);
        tiers::sort(&mut tiers);
        (tiers, touched)
    }

    /// Puts cluster-wide policies in place of all that there are, which are handed back.
    fn replace_tiers(&mut self, tiers: Vec<TierPolicy<'d>>) -> Vec<TierPolicy<'d>> {
        let before = std::mem::replace(&mut self.tiers, tiers);
        self.find_above();
        before
    }
}
