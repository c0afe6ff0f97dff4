//! Staying up through drains, failures and rollouts.

pub(super) mod anti_affinity_matches_nothing;
pub(super) mod pdb_blocks_drain;
pub(super) mod pdb_breaks_quorum;
pub(super) mod pdb_missing;
pub(super) mod pdb_overlap;
pub(super) mod pdb_owner_not_scalable;
pub(super) mod pdb_selects_nothing;
pub(super) mod pdb_unhealthy_pods_block_drain;
pub(super) mod replicas_not_spread;
pub(super) mod rollout_deadlock;
pub(super) mod rollout_drops_all;
pub(super) mod shared_read_write_once_volume;
pub(super) mod single_replica;
