//! What the API server is to ask about: the resources that the rules of the webhook need, both sides of each invariant.

use super::rulebook::Rulebook;
use crate::api::kind::{Kind, WORKLOADS};
use std::collections::{BTreeMap, BTreeSet};

/// Resources of one API version.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Subscription {
    /// The group; empty for the core group.
    pub group: &'static str,
    /// The stable version of it, or `*`.
    pub version: &'static str,
    /// Its resources, and the subresource `scale` of those that have one.
    pub resources: Vec<String>,
}

/// Kinds that rules read and that the API server does not ask about.
const LEFT_OUT: &[Kind] = &[
    // Their owners are judged, and nothing must come between a node, a controller and its pods.
    Kind::Pod,
    Kind::ReplicaSet,
    Kind::Node,
    // Storage drivers make them, and the webhook's own node may wait for one.
    Kind::PersistentVolume,
    // Whoever installs an operator is not to wait for us, and they are large.
    Kind::CustomResourceDefinition,
    // The API server asks nobody about webhooks, and an API that is not served is to be repaired.
    Kind::APIService,
    Kind::MutatingWebhookConfiguration,
    Kind::ValidatingWebhookConfiguration,
    // Their contents stay where they are.
    Kind::Secret,
];

/// Kinds with a `scale` subresource, apart from those that are left out.
const SCALABLE: &[Kind] =
    &[Kind::Deployment, Kind::ReplicationController, Kind::Rollout, Kind::StatefulSet];

/// The version of a built-in group that rules are written for. `matchPolicy: Equivalent` brings objects of the others
/// in this one. Of custom kinds any version will do: which ones are served is up to whoever installs them.
const STABLE: &[(&str, &str)] = &[
    ("", "v1"),
    ("apps", "v1"),
    ("autoscaling", "v2"),
    ("batch", "v1"),
    ("networking.k8s.io", "v1"),
    ("node.k8s.io", "v1"),
    ("policy", "v1"),
    ("rbac.authorization.k8s.io", "v1"),
    ("scheduling.k8s.io", "v1"),
    ("storage.k8s.io", "v1"),
];

/// Whether a change to an object of this kind is asked about.
pub fn is_subscribed(rules: &Rulebook, kind: Kind) -> bool {
    let mut read = rules.speaking().flat_map(|it| it.reads).chain(WORKLOADS);
    kind != Kind::Custom && !LEFT_OUT.contains(&kind) && read.any(|it| *it == kind)
}

/// What the API server is to ask about, by group.
pub fn subscriptions(rules: &Rulebook) -> Vec<Subscription> {
    let mut groups: BTreeMap<&str, BTreeSet<String>> = BTreeMap::new();
    for info in crate::api::kind::KINDS.iter().filter(|it| is_subscribed(rules, it.kind)) {
        let resources = groups.entry(info.groups[0]).or_default();
        resources.insert(info.resource.into());
        if SCALABLE.contains(&info.kind) {
            resources.insert(format!("{}/scale", info.resource));
        }
    }
    let of_group = |(group, resources): (&'static str, BTreeSet<String>)| {
        let stable = STABLE.iter().find(|it| it.0 == group);
        let resources = resources.into_iter().collect();
        Subscription { group, version: stable.map_or("*", |it| it.1), resources }
    };
    groups.into_iter().map(of_group).collect()
}
