//! Names that point to other objects.

pub(super) mod dangling_ingress;
pub(super) mod dangling_role_binding;
pub(super) mod dangling_service;
pub(super) mod duplicate_object;
pub(super) mod gateway_reference_denied;
pub(super) mod ingress_collision;
pub(super) mod ingress_tls_missing;
pub(super) mod missing_config_key;
pub(super) mod missing_config_map;
pub(super) mod missing_ingress_class;
pub(super) mod missing_priority_class;
pub(super) mod missing_runtime_class;
pub(super) mod missing_secret;
pub(super) mod missing_service_account;
pub(super) mod missing_storage_class;
pub(super) mod missing_volume_claim;
pub(super) mod selector_mismatch;
pub(super) mod service_monitor_matches_nothing;
pub(super) mod service_port_unserved;
pub(super) mod service_spans_workloads;
pub(super) mod stateful_set_service_missing;
pub(super) mod unresolvable_address;
pub(super) mod unused_config;
