//! The list of rules: everything that names rules is derived from it.

use crate::rule::Rule;

mod anti_affinity_matches_nothing;
mod dangling_ingress;
mod dangling_role_binding;
mod dangling_service;
mod default_allow_cancels_deny;
mod default_deny_missing;
mod duplicate_key;
mod duplicate_object;
mod egress_without_dns;
mod expired_exception;
mod exposed_node_port;
mod flow_missing;
mod flow_names_nothing;
mod flow_undeclared;
mod gateway_reference_denied;
mod hpa_bounds;
mod hpa_duplicate_target;
mod hpa_fights_replicas;
mod hpa_target_missing;
mod hpa_vpa_conflict;
mod hpa_without_requests;
mod image_tag_latest;
mod ingress_collision;
mod ingress_cut_off;
mod ingress_tls_missing;
mod invalid_network_policy;
mod invalid_quantity;
mod invalid_yaml;
mod limit_range_violation;
mod missing_config_key;
mod missing_config_map;
mod missing_ingress_class;
mod missing_priority_class;
mod missing_runtime_class;
mod missing_secret;
mod missing_service_account;
mod missing_storage_class;
mod missing_volume_claim;
mod pdb_blocks_drain;
mod pdb_breaks_quorum;
mod pdb_missing;
mod pdb_overlap;
mod pdb_owner_not_scalable;
mod pdb_selects_nothing;
mod pdb_unhealthy_pods_block_drain;
mod pod_not_isolated;
mod policy_peer_matches_nothing;
mod policy_port_is_service_port;
mod policy_port_unused;
mod policy_selects_nothing;
mod quota_below_hpa_max;
mod quota_below_rollout;
mod quota_rejects_pod;
mod replicas_not_spread;
mod requests_above_limits;
mod rollout_deadlock;
mod rollout_drops_all;
mod scrape_cut_off;
mod secret_in_repository;
mod selector_mismatch;
mod service_cut_off;
mod service_monitor_matches_nothing;
mod service_port_unserved;
mod service_spans_workloads;
mod shared_read_write_once_volume;
mod single_replica;
mod stateful_set_service_missing;
mod unresolvable_address;
mod unused_config;
mod unused_exception;
mod vpa_cannot_evict;

/// Every rule, by id.
pub const RULES: &[&Rule] = &[
    &anti_affinity_matches_nothing::RULE,
    &dangling_ingress::RULE,
    &dangling_role_binding::RULE,
    &dangling_service::RULE,
    &default_allow_cancels_deny::RULE,
    &default_deny_missing::RULE,
    &duplicate_key::RULE,
    &duplicate_object::RULE,
    &egress_without_dns::RULE,
    &expired_exception::RULE,
    &exposed_node_port::RULE,
    &flow_missing::RULE,
    &flow_names_nothing::RULE,
    &flow_undeclared::RULE,
    &gateway_reference_denied::RULE,
    &hpa_bounds::RULE,
    &hpa_duplicate_target::RULE,
    &hpa_fights_replicas::RULE,
    &hpa_target_missing::RULE,
    &hpa_vpa_conflict::RULE,
    &hpa_without_requests::RULE,
    &image_tag_latest::RULE,
    &ingress_collision::RULE,
    &ingress_cut_off::RULE,
    &ingress_tls_missing::RULE,
    &invalid_network_policy::RULE,
    &invalid_quantity::RULE,
    &invalid_yaml::RULE,
    &limit_range_violation::RULE,
    &missing_config_key::RULE,
    &missing_config_map::RULE,
    &missing_ingress_class::RULE,
    &missing_priority_class::RULE,
    &missing_runtime_class::RULE,
    &missing_secret::RULE,
    &missing_service_account::RULE,
    &missing_storage_class::RULE,
    &missing_volume_claim::RULE,
    &pdb_blocks_drain::RULE,
    &pdb_breaks_quorum::RULE,
    &pdb_missing::RULE,
    &pdb_overlap::RULE,
    &pdb_owner_not_scalable::RULE,
    &pdb_selects_nothing::RULE,
    &pdb_unhealthy_pods_block_drain::RULE,
    &pod_not_isolated::RULE,
    &policy_peer_matches_nothing::RULE,
    &policy_port_is_service_port::RULE,
    &policy_port_unused::RULE,
    &policy_selects_nothing::RULE,
    &quota_below_hpa_max::RULE,
    &quota_below_rollout::RULE,
    &quota_rejects_pod::RULE,
    &replicas_not_spread::RULE,
    &requests_above_limits::RULE,
    &rollout_deadlock::RULE,
    &rollout_drops_all::RULE,
    &scrape_cut_off::RULE,
    &secret_in_repository::RULE,
    &selector_mismatch::RULE,
    &service_cut_off::RULE,
    &service_monitor_matches_nothing::RULE,
    &service_port_unserved::RULE,
    &service_spans_workloads::RULE,
    &shared_read_write_once_volume::RULE,
    &single_replica::RULE,
    &stateful_set_service_missing::RULE,
    &unresolvable_address::RULE,
    &unused_config::RULE,
    &unused_exception::RULE,
    &vpa_cannot_evict::RULE,
];

/// The rule of this id.
pub fn find(id: &str) -> Option<&'static Rule> {
    RULES.iter().copied().find(|it| it.id == id)
}
