//! Pods that may change their own labels, by what their ServiceAccount may do: a database or Vault that marks its
//! leader, so that a Service can select it.

use super::workloads::{Workload, WorkloadId, Workloads};
use crate::api::kind::Kind;
use crate::model::{Model, Object};
use crate::text::tree::Node;
use rustc_hash::{FxHashMap, FxHashSet};

/// The workloads whose pods may, by namespace.
#[derive(Debug, Default)]
pub struct Relabelling<'d> {
    by_namespace: FxHashMap<&'d str, Vec<WorkloadId>>,
}

impl<'d> Relabelling<'d> {
    /// Finds them in a model.
    pub fn new(model: &Model<'d>, workloads: &Workloads<'d>) -> Relabelling<'d> {
        let accounts = accounts(model);
        let mut by_namespace: FxHashMap<_, Vec<_>> = FxHashMap::default();
        for workload in workloads.iter() {
            if accounts.contains(&(workload.namespace, account(workload))) {
                by_namespace.entry(workload.namespace).or_default().push(workload.id);
            }
        }
        Relabelling { by_namespace }
    }

    /// Those of a namespace.
    pub fn in_namespace(&self, namespace: &str) -> &[WorkloadId] {
        self.by_namespace.get(namespace).map_or(&[], Vec::as_slice)
    }
}

fn account<'d>(workload: &Workload<'d>) -> &'d str {
    let pod = workload.pod;
    pod.text("serviceAccountName").or_else(|| pod.text("serviceAccount")).unwrap_or("default")
}

/// The ServiceAccounts, by namespace and name, that may change the pods of their own namespace.
fn accounts<'d>(model: &Model<'d>) -> FxHashSet<(&'d str, &'d str)> {
    let mut found = FxHashSet::default();
    for kind in [Kind::RoleBinding, Kind::ClusterRoleBinding] {
        for binding in model.of_kind(kind).filter(|it| may_change_pods(model, it)) {
            for subject in binding.root.list("subjects") {
                let Some(name) = subject.text("name") else { continue };
                let namespace = subject.text("namespace").unwrap_or(binding.namespace);
                let is_reached = kind == Kind::ClusterRoleBinding || namespace == binding.namespace;
                if is_reached && subject.text("kind") == Some("ServiceAccount") {
                    found.insert((namespace, name));
                }
            }
        }
    }
    found
}

/// Whether the role of a binding lets change pods. One that is not in the input may.
fn may_change_pods(model: &Model<'_>, binding: &Object<'_>) -> bool {
    let text = |field: &str| binding.field(&["roleRef", field]).and_then(Node::str);
    let name = text("name").unwrap_or_default();
    let role = match text("kind") {
        Some("Role") => model.find(Kind::Role, binding.namespace, name),
        _ => model.find(Kind::ClusterRole, "", name),
    };
    match role {
        Some(role) => role.root.list("rules").any(changes_pods),
        None => !(name == "view" || name.starts_with("system:")),
    }
}

fn changes_pods(rule: Node<'_>) -> bool {
    let has = |field: &str, wanted: &[&str]| {
        rule.list(field).filter_map(Node::str).any(|it| wanted.contains(&it))
    };
    has("apiGroups", &["", "*"])
        && has("resources", &["pods", "*"])
        && has("verbs", &["patch", "update", "*"])
}
