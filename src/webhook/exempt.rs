//! What is never denied, whatever it breaks.
//!
//! Who cannot delete, release or scale is locked out of the repair, and a controller that is denied makes an outage.

use super::change::are_alike;
use super::context::Context;
use super::review::{Operation, Review};
use crate::api::kind::group;
use crate::policy::{Asker, Exemption, Mode};
use crate::rule::Rule;
use crate::text::tree::Node;

/// Whether nothing is to be said of the request at all.
pub(super) fn passes(review: &Review, context: &Context<'_>) -> bool {
    review.operation == Operation::Connect
        || review.is_terminating
        || is_collector(&review.user)
        || context.own_account == Some(review.user.as_str())
        || !changes_anything(review)
}

/// Deletions of what its owner or namespace is gone of.
fn is_collector(user: &str) -> bool {
    matches!(controller(user), Some("generic-garbage-collector" | "namespace-controller"))
}

/// The name of a controller of the control plane, which asks by an account of its own.
fn controller(user: &str) -> Option<&str> {
    let name = user.strip_prefix("system:serviceaccount:kube-system:")?;
    CONTROLLERS.binary_search(&name).ok().map(|_| name)
}

/// `plugin/pkg/auth/authorizer/rbac/bootstrappolicy/controller_policy.go`, and those of the cloud.
const CONTROLLERS: &[&str] = &[
    "attachdetach-controller",
    "bootstrap-signer",
    "certificate-controller",
    "cloud-controller-manager",
    "clusterrole-aggregation-controller",
    "cronjob-controller",
    "daemon-set-controller",
    "deployment-controller",
    "device-taint-eviction-controller",
    "disruption-controller",
    "endpoint-controller",
    "endpointslice-controller",
    "endpointslicemirroring-controller",
    "ephemeral-volume-controller",
    "expand-controller",
    "generic-garbage-collector",
    "horizontal-pod-autoscaler",
    "job-controller",
    "legacy-service-account-token-cleaner",
    "namespace-controller",
    "node-controller",
    "persistent-volume-binder",
    "pod-garbage-collector",
    "pv-protection-controller",
    "pvc-protection-controller",
    "replicaset-controller",
    "replication-controller",
    "resource-claim-controller",
    "resourcequota-controller",
    "root-ca-cert-publisher",
    "route-controller",
    "selinux-warning-controller",
    "service-account-controller",
    "service-cidrs-controller",
    "service-controller",
    "statefulset-controller",
    "storage-version-migrator-controller",
    "taint-eviction-controller",
    "token-cleaner",
    "ttl-after-finished-controller",
    "ttl-controller",
    "validatingadmissionpolicy-status-controller",
    "volumeattributesclass-protection-controller",
];

/// How far a denial may go: what the control plane does by itself, such as an autoscaler's scaling, and deletions are
/// never stopped.
pub(super) fn limit(review: &Review) -> Mode {
    let is_of_the_cluster = controller(&review.user).is_some()
        || review.user.starts_with("system:node:")
        || matches!(
            review.user.as_str(),
            "system:apiserver"
                | "system:cloud-controller-manager"
                | "system:kube-controller-manager"
                | "system:kube-scheduler"
        );
    if is_of_the_cluster || review.operation == Operation::Delete {
        Mode::Warn
    } else {
        Mode::Enforce
    }
}

/// Whether an update changes what a rule may look at; finalizers, owners and the like it does not.
fn changes_anything(review: &Review) -> bool {
    let (Some(object), Some(old)) = (&review.object, &review.old) else { return true };
    !are_alike(object.tree.root(), old.tree.root(), &["labels", "annotations"])
}

/// The exemptions of the policy that are for a request.
pub(super) fn exemptions<'c>(review: &Review, context: &Context<'c>) -> Vec<&'c Exemption> {
    let all = &context.policy.admission.exempt;
    if all.is_empty() {
        return Vec::new();
    }
    let object = review.object.as_ref().or(review.old.as_ref());
    let owners: Vec<(&str, &str)> = object
        .and_then(|it| it.tree.root().get("metadata"))
        .into_iter()
        .flat_map(|it| it.list("ownerReferences"))
        .filter_map(|it| Some((group(it.text("apiVersion")?), it.text("kind")?)))
        .collect();
    let labels = |it: &'_ std::sync::Arc<crate::load::Document>| -> Vec<(String, String)> {
        let labels = it.tree.root().at(&["metadata", "labels"]);
        let pairs = labels.into_iter().flat_map(Node::pairs);
        pairs.filter_map(|(key, value)| Some((key.to_string(), value.str()?.to_string()))).collect()
    };
    // A label that comes with the request exempts an object that is new, and none that was there without it.
    let old = review.old.as_ref().map(labels);
    let new = object.map(labels).unwrap_or_default();
    let kept = new.iter().filter(|it| old.as_ref().is_none_or(|old| old.contains(it)));
    let kept: Vec<(&str, &str)> = kept.map(|(key, value)| (&**key, &**value)).collect();
    let asker =
        Asker { user: &review.user, groups: &review.groups, owners: &owners, labels: &kept };
    all.iter().filter(|it| it.is_for(&asker)).collect()
}

/// Whether an absence that the request makes is no longer one that the rest of an apply may fill: the object was there
/// for longer than the grace period of the rule.
pub(super) fn grace_is_over(review: &Review, rule: &Rule, context: &Context<'_>) -> bool {
    let Some(grace) = context.policy.admission.grace(rule.id) else { return false };
    let Ok(created) = review.created.parse::<jiff::Timestamp>() else { return false };
    created.checked_add(grace).is_ok_and(|it| it < context.now)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn controllers_are_found_by_their_names() {
        assert!(CONTROLLERS.is_sorted());
        assert!(
            controller("system:serviceaccount:kube-system:horizontal-pod-autoscaler").is_some()
        );
        assert!(controller("system:serviceaccount:shop:horizontal-pod-autoscaler").is_none());
        assert!(controller("system:serviceaccount:kube-system:helm").is_none());
    }
}
