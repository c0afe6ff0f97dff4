//! The list of rules: everything that names rules is derived from it.

use crate::rule::Rule;

mod disruption;
mod input;
mod missing;
mod network;
mod object;
mod routing;
mod scaling;
mod security;

/// Every rule, by id.
pub const RULES: &[&Rule] = &[
    &disruption::anti_affinity_matches_nothing::RULE,
    &routing::dangling_ingress::RULE,
    &routing::dangling_role_binding::RULE,
    &routing::dangling_service::RULE,
    &network::default_allow_cancels_deny::RULE,
    &network::default_deny_missing::RULE,
    &input::duplicate_key::RULE,
    &routing::duplicate_object::RULE,
    &network::egress_without_dns::RULE,
    &input::expired_exception::RULE,
    &network::exposed_node_port::RULE,
    &network::flow_missing::RULE,
    &network::flow_names_nothing::RULE,
    &network::flow_undeclared::RULE,
    &routing::gateway_reference_denied::RULE,
    &scaling::hpa_bounds::RULE,
    &scaling::hpa_duplicate_target::RULE,
    &scaling::hpa_fights_replicas::RULE,
    &scaling::hpa_target_missing::RULE,
    &scaling::hpa_vpa_conflict::RULE,
    &scaling::hpa_without_requests::RULE,
    &object::image_tag_latest::RULE,
    &routing::ingress_collision::RULE,
    &network::ingress_cut_off::RULE,
    &routing::ingress_tls_missing::RULE,
    &network::invalid_network_policy::RULE,
    &input::invalid_quantity::RULE,
    &input::invalid_yaml::RULE,
    &scaling::limit_range_violation::RULE,
    &routing::missing_config_key::RULE,
    &routing::missing_config_map::RULE,
    &routing::missing_ingress_class::RULE,
    &routing::missing_priority_class::RULE,
    &routing::missing_runtime_class::RULE,
    &routing::missing_secret::RULE,
    &routing::missing_service_account::RULE,
    &routing::missing_storage_class::RULE,
    &routing::missing_volume_claim::RULE,
    &disruption::pdb_blocks_drain::RULE,
    &disruption::pdb_breaks_quorum::RULE,
    &disruption::pdb_missing::RULE,
    &disruption::pdb_overlap::RULE,
    &disruption::pdb_owner_not_scalable::RULE,
    &disruption::pdb_selects_nothing::RULE,
    &disruption::pdb_unhealthy_pods_block_drain::RULE,
    &network::pod_not_isolated::RULE,
    &network::policy_peer_matches_nothing::RULE,
    &network::policy_port_is_service_port::RULE,
    &network::policy_port_unused::RULE,
    &network::policy_selects_nothing::RULE,
    &scaling::quota_below_hpa_max::RULE,
    &scaling::quota_below_rollout::RULE,
    &scaling::quota_rejects_pod::RULE,
    &disruption::replicas_not_spread::RULE,
    &scaling::requests_above_limits::RULE,
    &disruption::rollout_deadlock::RULE,
    &disruption::rollout_drops_all::RULE,
    &network::scrape_cut_off::RULE,
    &security::secret_in_repository::RULE,
    &routing::selector_mismatch::RULE,
    &network::service_cut_off::RULE,
    &routing::service_monitor_matches_nothing::RULE,
    &routing::service_port_unserved::RULE,
    &routing::service_spans_workloads::RULE,
    &disruption::shared_read_write_once_volume::RULE,
    &disruption::single_replica::RULE,
    &routing::stateful_set_service_missing::RULE,
    &routing::unresolvable_address::RULE,
    &routing::unused_config::RULE,
    &input::unused_exception::RULE,
    &scaling::vpa_cannot_evict::RULE,
];

/// The rule of this id.
pub fn find(id: &str) -> Option<&'static Rule> {
    RULES.iter().copied().find(|it| it.id == id)
}
