//! Rollouts of several objects at a time: who changes one of a release changes others of it in the same breath.
//!
//! Tools send the objects of a release one after the other, so between two of them the world may be what nobody means: a
//! budget raised before the replicas that it counts on. That is told by the marks that such tools leave on their objects,
//! and by who changed what a moment ago.

use super::key::Key;
use super::review::{Operation, Review};
use super::rollouts::APPLYING;
use super::snapshot::Snapshot;
use crate::api::kind::Kind;
use crate::text::tree::Node;
use jiff::Timestamp;
use std::collections::BTreeSet;

/// Whether a change is one of several that a tool makes in one go, among them probably one to another of these objects.
pub(super) fn is_under_way(
    snapshot: &Snapshot,
    review: &Review,
    objects: &[Key],
    now: Timestamp,
) -> bool {
    if review.operation != Operation::Update || !review.subresource.is_empty() {
        return false;
    }
    let mut others = objects.iter().filter(|it| **it != review.key).peekable();
    if others.peek().is_none() {
        return false;
    }
    if APPLYING.contains(&review.manager.as_str()) {
        // kubectl sends budgets after their workloads and before the autoscalers of these. Other changes one after the
        // other may as well be commands of their own.
        let is_rolled_out = |key: &Key| {
            target(snapshot, key)
                .is_some_and(|it| snapshot.rollouts.has(&it, snapshot.confirmed(), review, now))
        };
        return review.key.kind == Kind::PodDisruptionBudget && others.any(is_rolled_out);
    }
    if is_by_hand(&review.manager) {
        return false;
    }
    let own = review.object.as_ref().map(|it| marks(it.tree.root())).unwrap_or_default();
    let is_of_release = |key: &Key| {
        let entry = snapshot.get(key);
        entry.is_some_and(|it| !own.is_disjoint(&marks(it.document.tree.root())))
    };
    others.all(is_of_release)
}

/// Commands that change one object, and whoever does not say what it is.
fn is_by_hand(manager: &str) -> bool {
    manager.is_empty() || manager.starts_with("kubectl")
}

/// What an autoscaler scales.
fn target(snapshot: &Snapshot, key: &Key) -> Option<Key> {
    if !matches!(key.kind, Kind::HorizontalPodAutoscaler | Kind::ScaledObject) {
        return None;
    }
    let entry = snapshot.get(key)?;
    let target = entry.document.tree.root().at(&["spec", "scaleTargetRef"])?;
    let kind = target.text("kind").unwrap_or("Deployment");
    let kind = [Kind::Deployment, Kind::StatefulSet].into_iter().find(|it| it.name() == kind)?;
    Some(Key::known(kind, &key.namespace, target.text("name")?))
}

/// Where release tools say to what an object belongs.
const MARKS: [&str; 10] = [
    "argocd.argoproj.io/instance",
    "argocd.argoproj.io/tracking-id",
    "fleet.cattle.io/bundle-id",
    "helm.toolkit.fluxcd.io/name",
    "kapp.k14s.io/app",
    "kustomize.toolkit.fluxcd.io/name",
    "meta.helm.sh/release-name",
    "objectset.rio.cattle.io/id",
    "pulumi.com/stack",
    "skaffold.dev/run-id",
];

/// The releases that an object belongs to.
pub(super) fn marks(root: Node<'_>) -> BTreeSet<(&'static str, String)> {
    let metadata = root.get("metadata");
    let of = |field: &'static str| {
        let pairs = metadata.and_then(|it| it.get(field)).into_iter().flat_map(Node::pairs);
        pairs.filter_map(|(key, value)| {
            let mark = MARKS.iter().find(|it| **it == key)?;
            // The application comes first: `app:apps/Deployment:shop/api`.
            let value = value.str()?;
            let value = match *mark {
                "argocd.argoproj.io/tracking-id" => value.split(':').next().unwrap_or(value),
                _ => value,
            };
            Some((*mark, value.to_string()))
        })
    };
    of("labels").chain(of("annotations")).filter(|it| !it.1.is_empty()).collect()
}
