//! What a cluster makes and keeps for itself, and what is over: no rule has anything to say of it.

use crate::api::kind::{Kind, WORKLOADS, group};
use crate::text::tree::Node;

/// Whether an object is somebody's, and still there for something.
pub(super) fn is_relevant(kind: &str, object: Node<'_>) -> bool {
    match kind {
        // What made it is listed itself; old ones are kept only to roll back to.
        "ReplicaSet" | "Job" => !is_of_template(object),
        "Pod" => !matches!(text(object, &["status", "phase"]), Some("Succeeded" | "Failed")),
        // The API server makes those anew at each start, for controllers that need not run.
        "ClusterRoleBinding" | "RoleBinding" => {
            let bootstrapping = ["metadata", "labels", "kubernetes.io/bootstrapping"];
            text(object, &bootstrapping) != Some("rbac-defaults")
        }
        _ => true,
    }
}

fn text<'o>(object: Node<'o>, path: &[&str]) -> Option<&'o str> {
    object.at(path).and_then(Node::str)
}

/// Whether its controller has a template that is read itself. What others make stands for itself.
fn is_of_template(object: Node<'_>) -> bool {
    let metadata = object.get("metadata");
    let mut owners = metadata.into_iter().flat_map(|it| it.list("ownerReferences"));
    let controller = owners.find(|it| it.get("controller").and_then(Node::bool) == Some(true));
    controller.is_some_and(|it| {
        let text = |key| it.text(key).unwrap_or_default();
        WORKLOADS.contains(&Kind::of(group(text("apiVersion")), text("kind")))
    })
}
