//! One object at a time.

use crate::rule::Rule;

mod cron_job_never_runs;
mod cron_job_piles_up;
mod default_namespace_used;
mod image_tag_latest;
mod invalid_schema;
mod job_never_removed;
mod metadata_missing;
mod priority_class_not_set;
mod scaled_to_zero;

/// The rules of this group, by id.
pub(super) const RULES: &[&Rule] = &[
    &cron_job_never_runs::RULE,
    &cron_job_piles_up::RULE,
    &default_namespace_used::RULE,
    &image_tag_latest::RULE,
    &invalid_schema::RULE,
    &job_never_removed::RULE,
    &metadata_missing::RULE,
    &priority_class_not_set::RULE,
    &scaled_to_zero::RULE,
];
