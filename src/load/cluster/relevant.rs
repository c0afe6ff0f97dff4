//! What a cluster makes and keeps for itself, and what is over: no rule has anything to say of it.

use serde_json::Value;

/// Whether an object is somebody's, and still there for something.
pub(super) fn is_relevant(kind: &str, object: &Value) -> bool {
    let metadata = &object["metadata"];
    match kind {
        // What made it is listed itself; old ones are kept only to roll back to.
        "ReplicaSet" | "Job" => !is_controlled(metadata),
        "Pod" => !matches!(object["status"]["phase"].as_str(), Some("Succeeded" | "Failed")),
        // The API server makes those anew at each start, for controllers that need not run.
        "ClusterRoleBinding" | "RoleBinding" => {
            metadata["labels"]["kubernetes.io/bootstrapping"].as_str() != Some("rbac-defaults")
        }
        _ => true,
    }
}

fn is_controlled(metadata: &Value) -> bool {
    let owners = metadata["ownerReferences"].as_array();
    owners.into_iter().flatten().any(|it| it["controller"] == Value::Bool(true))
}
