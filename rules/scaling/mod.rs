//! Replicas, requests, quotas and room.

use crate::rule::Rule;

mod capacity_below_hpa_max;
mod hpa_bounds;
mod hpa_duplicate_target;
mod hpa_fights_replicas;
mod hpa_selector_ambiguous;
mod hpa_target_missing;
mod hpa_vpa_conflict;
mod hpa_without_requests;
mod limit_range_violation;
mod pod_fits_no_node;
mod quota_below_hpa_max;
mod quota_below_rollout;
mod quota_rejects_pod;
mod requests_above_limits;
mod vpa_cannot_evict;
mod vpa_duplicate_target;
mod vpa_floor_above_request;
mod vpa_target_missing;

/// The rules of this group, by id.
pub(super) const RULES: &[&Rule] = &[
    &capacity_below_hpa_max::RULE,
    &hpa_bounds::RULE,
    &hpa_duplicate_target::RULE,
    &hpa_fights_replicas::RULE,
    &hpa_selector_ambiguous::RULE,
    &hpa_target_missing::RULE,
    &hpa_vpa_conflict::RULE,
    &hpa_without_requests::RULE,
    &limit_range_violation::RULE,
    &pod_fits_no_node::RULE,
    &quota_below_hpa_max::RULE,
    &quota_below_rollout::RULE,
    &quota_rejects_pod::RULE,
    &requests_above_limits::RULE,
    &vpa_cannot_evict::RULE,
    &vpa_duplicate_target::RULE,
    &vpa_floor_above_request::RULE,
    &vpa_target_missing::RULE,
];
