//! Names that point to other objects.

use crate::rule::Rule;

mod dangling_ingress;
mod dangling_reference;
mod dangling_role_binding;
mod dangling_service;
mod dangling_webhook;
mod duplicate_object;
mod gateway_reference_denied;
mod ingress_catches_all;
mod ingress_collision;
mod ingress_snippet;
mod ingress_tls_missing;
mod missing_config_key;
mod missing_config_map;
mod missing_ingress_class;
mod missing_priority_class;
mod missing_runtime_class;
mod missing_secret;
mod missing_service_account;
mod missing_storage_class;
mod missing_volume_claim;
mod namespace_missing;
mod node_port_collision;
mod route_not_attached;
mod selector_mismatch;
mod service_monitor_matches_nothing;
mod service_monitor_unselected;
mod service_port_unserved;
mod service_spans_workloads;
mod stateful_set_service_missing;
mod unresolvable_address;
mod unused_config;
mod volume_claim_unbindable;

/// The rules of this group, by id.
pub(super) const RULES: &[&Rule] = &[
    &dangling_ingress::RULE,
    &dangling_reference::RULE,
    &dangling_role_binding::RULE,
    &dangling_service::RULE,
    &dangling_webhook::RULE,
    &duplicate_object::RULE,
    &gateway_reference_denied::RULE,
    &ingress_catches_all::RULE,
    &ingress_collision::RULE,
    &ingress_snippet::RULE,
    &ingress_tls_missing::RULE,
    &missing_config_key::RULE,
    &missing_config_map::RULE,
    &missing_ingress_class::RULE,
    &missing_priority_class::RULE,
    &missing_runtime_class::RULE,
    &missing_secret::RULE,
    &missing_service_account::RULE,
    &missing_storage_class::RULE,
    &missing_volume_claim::RULE,
    &namespace_missing::RULE,
    &node_port_collision::RULE,
    &route_not_attached::RULE,
    &selector_mismatch::RULE,
    &service_monitor_matches_nothing::RULE,
    &service_monitor_unselected::RULE,
    &service_port_unserved::RULE,
    &service_spans_workloads::RULE,
    &stateful_set_service_missing::RULE,
    &unresolvable_address::RULE,
    &unused_config::RULE,
    &volume_claim_unbindable::RULE,
];
