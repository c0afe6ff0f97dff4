//! Staying up through drains, failures and rollouts.

use crate::rule::Rule;

mod anti_affinity_matches_nothing;
mod anti_affinity_unsatisfiable;
mod drain_impossible;
mod node_loss_stops_service;
mod pdb_blocks_drain;
mod pdb_breaks_quorum;
mod pdb_missing;
mod pdb_overlap;
mod pdb_owner_not_scalable;
mod pdb_selects_nothing;
mod pdb_unhealthy_pods_block_drain;
mod replicas_not_spread;
mod rollout_deadlock;
mod rollout_drops_all;
mod shared_read_write_once_volume;
mod single_replica;
mod webhook_locks_itself_out;
mod zone_loss_stops_service;

/// The rules of this group, by id.
pub(super) const RULES: &[&Rule] = &[
    &anti_affinity_matches_nothing::RULE,
    &anti_affinity_unsatisfiable::RULE,
    &drain_impossible::RULE,
    &node_loss_stops_service::RULE,
    &pdb_blocks_drain::RULE,
    &pdb_breaks_quorum::RULE,
    &pdb_missing::RULE,
    &pdb_overlap::RULE,
    &pdb_owner_not_scalable::RULE,
    &pdb_selects_nothing::RULE,
    &pdb_unhealthy_pods_block_drain::RULE,
    &replicas_not_spread::RULE,
    &rollout_deadlock::RULE,
    &rollout_drops_all::RULE,
    &shared_read_write_once_volume::RULE,
    &single_replica::RULE,
    &webhook_locks_itself_out::RULE,
    &zone_loss_stops_service::RULE,
];
