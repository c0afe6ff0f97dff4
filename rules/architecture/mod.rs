//! What only an architecture document can get wrong, and what breaks its promises.

mod architecture_conflict;
mod architecture_flow_incomplete;
mod architecture_picture_impossible;
mod architecture_preference_as_promise;
mod architecture_promise_unfounded;
mod architecture_recovery_against_availability;
mod architecture_scale_out_too_slow;
mod architecture_scaling_impossible;
mod architecture_version_unsupported;
mod component_differs;
mod component_missing;
mod component_undeclared;
mod invalid_architecture;
mod node_differs;
mod objective_broken;
mod quota_differs;
mod route_differs;

use crate::analyze::selection::workloads::Workload;
use crate::api::kind::Kind;
use crate::architecture::Promise;
use crate::architecture::text::WorkloadName;
use crate::policy::closest;
use crate::rule::{Cx, Rule};

/// The rules, by id.
pub(super) const RULES: &[&Rule] = &[
    &architecture_conflict::RULE,
    &architecture_flow_incomplete::RULE,
    &architecture_picture_impossible::RULE,
    &architecture_preference_as_promise::RULE,
    &architecture_promise_unfounded::RULE,
    &architecture_recovery_against_availability::RULE,
    &architecture_scale_out_too_slow::RULE,
    &architecture_scaling_impossible::RULE,
    &architecture_version_unsupported::RULE,
    &component_differs::RULE,
    &component_missing::RULE,
    &component_undeclared::RULE,
    &invalid_architecture::RULE,
    &node_differs::RULE,
    &objective_broken::RULE,
    &quota_differs::RULE,
    &route_differs::RULE,
];

/// The workload that a component is, if the input holds it.
fn workload_of<'c, 'd>(cx: &Cx<'c, 'd>, name: &WorkloadName) -> Option<&'c Workload<'d>> {
    let kind = Kind::of(name.kind.group(), name.kind.name());
    let object = cx.model.find(kind, &name.namespace, &name.name)?;
    cx.facts.workloads().of_object(object.id)
}

/// `; did you mean ...`, where a component is called nearly so.
fn meant(promise: &Promise, name: &str) -> Option<String> {
    let known = promise.value.components.keys().map(String::as_str);
    closest(name, known).map(|it| format!("did you mean `{it}`?"))
}
