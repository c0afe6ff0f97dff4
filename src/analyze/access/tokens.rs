//! Which pods get a token of the API server unasked.

use super::account;
use crate::analyze::selection::workloads::Workload;
use crate::api::kind::Kind;
use crate::model::Model;
use crate::text::tree::Node;

/// The field of pods and ServiceAccounts that says so.
pub const AUTOMOUNT: &str = "automountServiceAccountToken";

/// Whether the pods of a workload mount a token: as the pod says, else its ServiceAccount, else they do. `None` where the
/// account is not in the input and may say no.
///
/// `plugin/pkg/admission/serviceaccount/admission.go`, shouldAutomount. Every namespace has its `default` account, which
/// says nothing unless somebody writes it.
pub fn mounts_token(model: &Model<'_>, workload: &Workload<'_>) -> Option<bool> {
    let says = |node: Node<'_>| node.get(AUTOMOUNT).and_then(Node::bool);
    if let Some(mounts) = says(workload.pod) {
        return Some(mounts);
    }
    let name = account(workload);
    match model.find(Kind::ServiceAccount, workload.namespace, name) {
        Some(it) => Some(says(it.root).unwrap_or(true)),
        None => (name == "default").then_some(true),
    }
}
