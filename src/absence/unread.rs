//! What was not read: documents that do not parse, and what a cluster does not show. What they may hold is not missing.

use super::Wanted;
use crate::analyze::selection::unreadable::may_run_pods;
use crate::api::kind::{Kind, WORKLOADS};
use crate::load::Broken;
use crate::load::cluster::coverage::Coverage;
use crate::model::Model;
use crate::rule::Cx;

/// The kinds that run pods which stay.
const LASTING: &[Kind] = &[
    Kind::DaemonSet,
    Kind::Deployment,
    Kind::Pod,
    Kind::ReplicaSet,
    Kind::ReplicationController,
    Kind::Rollout,
    Kind::StatefulSet,
];

impl Cx<'_, '_> {
    /// That a document which does not parse may hold what is wanted.
    pub(super) fn may_be_lost(&self, wanted: Wanted<'_>) -> Option<String> {
        let unreadable = self.facts.unreadable();
        let broken = match wanted {
            Wanted::Object { kind, name, .. } => unreadable.object(kind.name(), Some(name)),
            Wanted::Any { kind, .. } => unreadable.object(kind.name(), None),
            Wanted::Workload { kind, name, .. } | Wanted::Custom { kind, name, .. } => {
                unreadable.object(kind, Some(name))
            }
            Wanted::Pods { selector, .. } => {
                unreadable.pods(selector, |it| may_run_pods(it, WORKLOADS))
            }
            Wanted::LastingPods { selector, .. } => {
                unreadable.pods(selector, |it| may_run_pods(it, LASTING))
            }
            Wanted::Policies { .. } => unreadable.object(Kind::NetworkPolicy.name(), None),
            Wanted::Budget(_) => unreadable.object(Kind::PodDisruptionBudget.name(), None),
        };
        Some(may_be_in(self.model, broken?))
    }

    /// That a document which does not parse, or a kind that nobody may see, may hold an object of one of these kinds.
    pub fn any_unseen(&self, kinds: &[Kind]) -> Option<String> {
        let unreadable = self.facts.unreadable();
        let broken = kinds.iter().find_map(|it| unreadable.object(it.name(), None));
        let lost = broken.map(|it| may_be_in(self.model, it));
        let lost = lost.or_else(|| self.lack_of(kinds));
        lost.or_else(|| self.unrendered_beside(None, "something that refers to it"))
    }

    /// That the cluster was asked, and not for all objects of the kind in the namespace.
    pub(super) fn unread_of_cluster(&self, wanted: Wanted<'_>) -> Option<String> {
        let coverage = self.coverage()?;
        let kinds: &[Kind] = match &wanted {
            Wanted::Object { kind, .. } | Wanted::Any { kind, .. } => &[*kind],
            Wanted::Custom { .. } => &[Kind::Custom],
            Wanted::Workload { .. } | Wanted::Pods { .. } | Wanted::LastingPods { .. } => WORKLOADS,
            Wanted::Policies { .. } => &[Kind::NetworkPolicy],
            Wanted::Budget(_) => &[Kind::PodDisruptionBudget],
        };
        let namespace = wanted.namespace();
        let unread = kinds.iter().find(|it| !coverage.has_all(it.name(), namespace))?;
        Some(coverage.why_not(unread.name(), namespace))
    }

    /// That nobody may see what may make something in a namespace, unless the user vouches for it.
    pub(super) fn lack_of_makers(&self, kinds: &[Kind], namespace: &str) -> Option<String> {
        self.lack_of(kinds).filter(|_| !self.policy.is_complete(namespace))
    }

    /// That the cluster does not let one of these kinds be read.
    fn lack_of(&self, kinds: &[Kind]) -> Option<String> {
        let coverage = self.coverage()?;
        kinds.iter().find_map(|it| coverage.lack_of(it.name())).map(String::from)
    }

    pub(super) fn coverage(&self) -> Option<&Coverage> {
        self.model.loaded.coverage.as_ref()
    }
}

fn may_be_in(model: &Model<'_>, broken: &Broken) -> String {
    let source = model.loaded.sources.get(broken.source);
    let line = source.position(broken.span.start).line;
    format!(
        "`{}` does not parse (line {line}) and may hold what is missing; mend it first",
        source.name
    )
}
