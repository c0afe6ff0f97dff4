//! Kinds of policies that a cluster does not let be listed: what they would say, nobody knows.

use super::Reach;
use super::endpoint::{Endpoint, EndpointId};
use super::outcome::Outcome;
use super::verdict::Reason;
use crate::api::kind::Kind;
use crate::api::ports::PortMap;
use crate::model::Model;

/// Where policies may be that are not in the input.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Unlisted {
    /// In the admin tier.
    pub(super) admin: bool,
    /// Among NetworkPolicies.
    pub(super) policies: bool,
    /// In the baseline tier.
    pub(super) baseline: bool,
}

impl Unlisted {
    pub(super) fn new(model: &Model<'_>) -> Unlisted {
        let coverage = model.loaded.coverage.as_ref();
        let lacks = |it: Kind| coverage.is_some_and(|all| all.lack_of(it.name()).is_some());
        let in_both = lacks(Kind::ClusterNetworkPolicy);
        Unlisted {
            admin: in_both || lacks(Kind::AdminNetworkPolicy),
            policies: lacks(Kind::NetworkPolicy),
            baseline: in_both || lacks(Kind::BaselineAdminNetworkPolicy),
        }
    }

    fn any(self) -> bool {
        self.admin || self.policies || self.baseline
    }
}

impl Reach<'_> {
    /// Whether an endpoint may be the subject of policies that the cluster does not let be listed.
    pub fn may_be_selected(&self, id: EndpointId) -> bool {
        let endpoint = self.get(id);
        self.unlisted.any() && matches!(endpoint, Endpoint::Pods(_)) && !endpoint.is_of_node()
    }
}

/// What comes of policies where more of them may say anything, too: another may come first.
pub(super) fn with_more(map: &PortMap<Outcome>) -> PortMap<Outcome> {
    map.with(&PortMap::of(()), |it, ()| {
        it.or_for(Outcome::ALLOW, Reason::Unlisted).or_for(Outcome::DENY, Reason::Unlisted)
    })
}
