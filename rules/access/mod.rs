//! Identity and access: ServiceAccounts, their tokens, and what roles let them do.

use crate::rule::Rule;

mod access_as_cluster_admin;
mod access_by_wildcard;
mod access_for_everyone;
mod access_to_create_pods;
mod access_to_escalate;
mod access_to_exec;
mod access_to_secrets;
mod default_service_account_bound;
mod default_service_account_used;
mod secret_in_environment;
mod token_in_secret;
mod token_mounted_unused;

/// The rules of this group, by id.
pub(super) const RULES: &[&Rule] = &[
    &access_as_cluster_admin::RULE,
    &access_by_wildcard::RULE,
    &access_for_everyone::RULE,
    &access_to_create_pods::RULE,
    &access_to_escalate::RULE,
    &access_to_exec::RULE,
    &access_to_secrets::RULE,
    &default_service_account_bound::RULE,
    &default_service_account_used::RULE,
    &secret_in_environment::RULE,
    &token_in_secret::RULE,
    &token_mounted_unused::RULE,
];
