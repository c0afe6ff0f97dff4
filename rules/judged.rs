//! What rules about single objects leave alone: the namespaces of the cluster itself, what has run to its end, and the
//! tests of charts.

use crate::api::kind::Kind;
use crate::model::Object;
use crate::rule::{Cx, Parameter};
use crate::text::tree::Node;

/// The parameter that [`Cx::is_judged`] reads; rules that ask it list it.
pub(super) const NAMESPACES: Parameter = Parameter {
    name: "namespaces",
    about: "namespaces whose objects are not judged",
    default: &["kube-system", "kube-public", "kube-node-lease"],
};

impl Cx<'_, '_> {
    /// Whether a rule about single objects looks at this one.
    pub(super) fn is_judged(&self, object: &Object<'_>) -> bool {
        self.is_judged_namespace(object.namespace)
            && !has_run_to_its_end(object)
            && !is_chart_test(object)
    }

    /// Whether it looks at objects of this namespace; those of the cluster as a whole have the empty one.
    pub(super) fn is_judged_namespace(&self, namespace: &str) -> bool {
        namespace.is_empty() || !self.parameter(NAMESPACES.name).contains(&namespace)
    }
}

/// Whether an object of a cluster has done what it was for: a pod by its phase, a Job by its conditions.
fn has_run_to_its_end(object: &Object<'_>) -> bool {
    let Some(status) = object.root.get("status") else { return false };
    match object.kind {
        Kind::Pod => matches!(status.text("phase"), Some("Succeeded" | "Failed")),
        Kind::Job => status.list("conditions").any(|it| {
            matches!(it.text("type"), Some("Complete" | "Failed"))
                && it.get("status").and_then(Node::scalar).as_deref() == Some("True")
        }),
        _ => false,
    }
}

/// Whether `helm test` runs it, and no release (`helm.sh/helm`, pkg/release/hook.go: `test`, and `test-success` and
/// `test-failure` of old).
fn is_chart_test(object: &Object<'_>) -> bool {
    let hooks = object.annotation("helm.sh/hook").into_iter().flat_map(|it| it.split(','));
    hooks.map(str::trim).any(|it| it == "test" || it.starts_with("test-"))
}
