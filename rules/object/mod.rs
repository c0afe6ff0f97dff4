//! One object at a time.

use crate::rule::Rule;

mod cron_job_never_runs;
mod cron_job_piles_up;
mod default_namespace_used;
mod deprecated_api;
mod deprecated_field;
mod duplicate_entry;
mod ephemeral_storage_unbounded;
mod grace_period_too_short;
mod image_from_elsewhere;
mod image_not_pinned;
mod image_pull_policy;
mod image_tag_latest;
mod invalid_field;
mod invalid_schema;
mod job_never_removed;
mod limit_above_request;
mod limits_missing;
mod liveness_probe_missing;
mod metadata_missing;
mod naked_pod;
mod priority_class_not_set;
mod probe_port_unserved;
mod probes_identical;
mod readiness_probe_missing;
mod removed_api;
mod requests_missing;
mod scaled_to_zero;

/// The rules of this group, by id.
pub(super) const RULES: &[&Rule] = &[
    &cron_job_never_runs::RULE,
    &cron_job_piles_up::RULE,
    &default_namespace_used::RULE,
    &deprecated_api::RULE,
    &deprecated_field::RULE,
    &duplicate_entry::RULE,
    &ephemeral_storage_unbounded::RULE,
    &grace_period_too_short::RULE,
    &image_from_elsewhere::RULE,
    &image_not_pinned::RULE,
    &image_pull_policy::RULE,
    &image_tag_latest::RULE,
    &invalid_field::RULE,
    &invalid_schema::RULE,
    &job_never_removed::RULE,
    &limit_above_request::RULE,
    &limits_missing::RULE,
    &liveness_probe_missing::RULE,
    &metadata_missing::RULE,
    &naked_pod::RULE,
    &priority_class_not_set::RULE,
    &probe_port_unserved::RULE,
    &probes_identical::RULE,
    &readiness_probe_missing::RULE,
    &removed_api::RULE,
    &requests_missing::RULE,
    &scaled_to_zero::RULE,
];
