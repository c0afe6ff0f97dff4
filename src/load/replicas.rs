//! Whether somebody asked for the one replica of a live workload, or the API server filled it in.
//!
//! A manifest of an autoscaled workload says nothing of replicas, and the API server makes that 1. Read as if it were
//! written, it contradicts every budget that keeps a pod, until the autoscaler comes.

use super::live::LAST_APPLIED;
use serde_json::{Map, Value};

/// Workloads that have one replica unless told.
const KINDS: [&str; 2] = ["Deployment", "StatefulSet"];

/// Helm leaves this on what it makes, and nothing that tells what its templates wrote.
const HELM: &str = "meta.helm.sh/release-name";

/// Whether a workload, as the API server sends it, has one replica that nobody is known to have asked for.
pub(super) fn are_filled_in(object: &Map<String, Value>) -> bool {
    let kind = object.get("kind").and_then(Value::as_str);
    let replicas = object.get("spec").and_then(|it| it.get("replicas"));
    if !kind.is_some_and(|it| KINDS.contains(&it)) || replicas.and_then(Value::as_i64) != Some(1) {
        return false;
    }
    let Some(metadata) = object.get("metadata") else { return false };
    let fields = metadata.get("managedFields").and_then(Value::as_array);
    let fields = fields.map_or(&[][..], Vec::as_slice);
    let mut owners = fields.iter().filter(|it| it.pointer("/fieldsV1/f:spec/f:replicas").is_some());
    let annotation = |name: &str| metadata.get("annotations")?.get(name)?.as_str();
    match annotation(LAST_APPLIED).map(serde_json::from_str::<Value>) {
        Some(Ok(sent)) => sent.pointer("/spec/replicas").is_none() && owners.all(has_applied),
        Some(Err(_)) => false,
        None if annotation(HELM).is_some() => owners.all(|it| it["manager"] == "helm"),
        // Nobody owns what is filled in when an object is applied by the server; of other writers it owns the writer.
        None => fields.iter().any(|it| it["operation"] == "Apply") && owners.next().is_none(),
    }
}

/// Whether these are the fields of who keeps what was applied last; the API server adds to them what it fills in.
fn has_applied(fields: &Value) -> bool {
    let annotations = &fields["fieldsV1"]["f:metadata"]["f:annotations"];
    !annotations[format!("f:{LAST_APPLIED}")].is_null()
}
