//! Replicas, requests, quotas and room.

pub(super) mod hpa_bounds;
pub(super) mod hpa_duplicate_target;
pub(super) mod hpa_fights_replicas;
pub(super) mod hpa_target_missing;
pub(super) mod hpa_vpa_conflict;
pub(super) mod hpa_without_requests;
pub(super) mod limit_range_violation;
pub(super) mod quota_below_hpa_max;
pub(super) mod quota_below_rollout;
pub(super) mod quota_rejects_pod;
pub(super) mod requests_above_limits;
pub(super) mod vpa_cannot_evict;
