//! Which nodes the cluster has, where the input says which are all.

use crate::analyze::placement::planned::AllNodes;
use crate::api::kind::Kind;
use crate::load::cluster::coverage::Coverage;
use crate::model::Model;
use crate::policy::Policy;
use crate::run::Run;

/// All nodes: those that are described, else the Nodes of a cluster, or of an input that is complete.
pub(super) fn all(model: &Model<'_>, policy: &Policy, run: &Run) -> Option<AllNodes> {
    let coverage = model.loaded.coverage.as_ref();
    let is_whole = policy.is_complete("*") || coverage.is_some_and(Coverage::is_whole);
    let has_all = || is_whole || coverage.is_some_and(|it| it.has_all(Kind::Node.name(), ""));
    let described = run.nodes_of(model).cloned();
    (described.is_some() || has_all()).then_some(AllNodes { described, is_whole })
}
