//! The list of rules: everything that names rules is derived from it.

use crate::rule::Rule;

mod dangling_ingress;
mod dangling_service;
mod duplicate_key;
mod expired_exception;
mod image_tag_latest;
mod ingress_collision;
mod ingress_tls_missing;
mod hpa_bounds;
mod hpa_duplicate_target;
mod hpa_fights_replicas;
mod hpa_target_missing;
mod hpa_without_requests;
mod invalid_yaml;
mod pdb_blocks_drain;
mod quota_below_hpa_max;
mod quota_below_rollout;
mod quota_rejects_pod;
mod service_port_unserved;
mod unused_exception;

/// Every rule, by id.
pub const RULES: &[&Rule] = &[
    &dangling_ingress::RULE,
    &dangling_service::RULE,
    &duplicate_key::RULE,
    &expired_exception::RULE,
    &image_tag_latest::RULE,
    &ingress_collision::RULE,
    &ingress_tls_missing::RULE,
    &hpa_bounds::RULE,
    &hpa_duplicate_target::RULE,
    &hpa_fights_replicas::RULE,
    &hpa_target_missing::RULE,
    &hpa_without_requests::RULE,
    &invalid_yaml::RULE,
    &pdb_blocks_drain::RULE,
    &quota_below_hpa_max::RULE,
    &quota_below_rollout::RULE,
    &quota_rejects_pod::RULE,
    &service_port_unserved::RULE,
    &unused_exception::RULE,
];

/// The rule of this id.
pub fn find(id: &str) -> Option<&'static Rule> {
    RULES.iter().copied().find(|it| it.id == id)
}
