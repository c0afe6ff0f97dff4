//! The nodes that architectures describe.

use super::Promise;
use crate::analyze::placement::described::of_mapping;
use crate::analyze::placement::planned::Described;
use crate::analyze::placement::world::At;
use crate::load::read::mistake::Mistake;
use std::sync::Arc;

/// The nodes of each architecture that is for some targets alone, by its place among all.
///
/// # Errors
///
/// What is wrong with them.
pub fn nodes_of_targets(
    promises: &[Arc<Promise>],
) -> Result<Vec<(usize, Arc<Described>)>, Vec<Mistake>> {
    let mut all = Vec::new();
    for (at, promise) in promises.iter().enumerate().filter(|it| !it.1.targets.is_empty()) {
        let Some(nodes) = promise.at(&["cluster", "nodes"]) else { continue };
        let (floor, peak) = (of_mapping(nodes, At::Floor)?, of_mapping(nodes, At::Peak)?);
        all.push((at, Arc::new(Described { floor, peak })));
    }
    Ok(all)
}

/// All nodes, where an architecture for all targets describes any.
///
/// # Errors
///
/// What is wrong with them.
pub fn nodes(promises: &[Arc<Promise>]) -> Result<Option<Arc<Described>>, Vec<Mistake>> {
    let mut all = Described::default();
    for promise in promises.iter().filter(|it| it.targets.is_empty()) {
        let Some(nodes) = promise.at(&["cluster", "nodes"]) else { continue };
        all.floor.extend(of_mapping(nodes, At::Floor)?);
        all.peak.extend(of_mapping(nodes, At::Peak)?);
    }
    Ok((!all.peak.is_empty()).then(|| Arc::new(all)))
}
