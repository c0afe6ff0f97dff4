//! How a namespace stands in a direction where nothing in it is denied by default.

use super::policies::{DIRECTIONS, Direction, NetworkPolicy, is_in_host_network};
use super::reach::{Above, AnyPod, Effect};
use crate::analyze::Facts;
use crate::analyze::selection::workloads::Workload;
use crate::model::ObjId;

/// The cluster's own: what runs there is not the user's to isolate.
pub const SYSTEM: [&str; 3] = ["kube-node-lease", "kube-public", "kube-system"];

/// How a namespace stands in a direction where it denies nothing by default.
#[derive(Clone, Debug)]
pub struct Open<'f, 'd> {
    /// The direction.
    pub direction: Direction,
    /// How any pod stands.
    pub any: AnyPod<'d>,
    /// The workloads open to everything; without any, each is isolated by a policy of its own.
    pub workloads: Vec<&'f Workload<'d>>,
    /// The policies that allow everything to all pods; one, but where several share them out.
    pub allow_all: Vec<&'f NetworkPolicy<'d>>,
    /// Whether there is a default deny, which those cancel.
    pub has_deny: bool,
    /// A policy of a kind that is not judged, which may deny something by default.
    pub other: Option<ObjId>,
}

/// The workloads of a namespace that network policies hold: not those in the network of their node.
pub fn held<'f, 'd>(facts: &'f Facts<'d>, namespace: &str) -> Vec<&'f Workload<'d>> {
    let all = facts.workloads().in_namespace(namespace);
    all.filter(|it| !is_in_host_network(it)).collect()
}

/// In which directions a namespace denies nothing by default, and how it stands there.
pub fn open<'f, 'd>(
    facts: &'f Facts<'d>,
    above: &Above<'d>,
    namespace: &str,
    workloads: &[&'f Workload<'d>],
) -> Vec<Open<'f, 'd>> {
    let one = |it: &Direction| in_direction(facts, above, namespace, workloads, *it);
    DIRECTIONS.iter().filter_map(one).collect()
}

fn in_direction<'f, 'd>(
    facts: &'f Facts<'d>,
    above: &Above<'d>,
    namespace: &str,
    workloads: &[&'f Workload<'d>],
    direction: Direction,
) -> Option<Open<'f, 'd>> {
    let policies = facts.policies();
    let any = above.any_pod(facts, namespace, direction);
    if any == AnyPod::Denied {
        return None;
    }
    let closed_above =
        |it: &Workload<'d>| above.of_workload(facts, it, direction, Effect::Closes).is_some();
    let is_open = |it: &&&Workload<'d>| {
        let mut isolating = policies.isolating(it.id, direction).peekable();
        let is_open = isolating.peek().is_none()
            || isolating.any(|(it, _)| it.allow_all(direction).is_some());
        is_open && !closed_above(it)
    };
    let workloads = workloads.iter().filter(is_open).copied().collect();
    let allow_all = match any {
        AnyPod::Cancelled => {
            let all = policies.in_namespace(namespace);
            let all: Vec<_> = all.filter(|it| it.allow_all(direction).is_some()).collect();
            let one = all.iter().copied().find(|it| it.selects_all());
            one.map_or(all, |it| vec![it])
        }
        _ => Vec::new(),
    };
    let denies = |it: &NetworkPolicy<'_>| {
        it.selects_all() && it.isolates(direction) && it.allow_all(direction).is_none()
    };
    let has_deny = policies.in_namespace(namespace).any(denies);
    let other = facts.other_policies().closing_all(facts, namespace, direction);
    Some(Open { direction, any, workloads, allow_all, has_deny, other })
}
