//! The nodes that architectures describe.

use super::Promise;
use crate::analyze::placement::described::of_mapping;
use crate::analyze::placement::planned::Described;
use crate::analyze::placement::world::At;
use crate::load::read::mistake::Mistake;
use std::sync::Arc;

/// All nodes, where an architecture describes any.
///
/// # Errors
///
/// What is wrong with them.
pub fn nodes(promises: &[Arc<Promise>]) -> Result<Option<Arc<Described>>, Vec<Mistake>> {
    let mut all = Described::default();
    for promise in promises {
        let Some(nodes) = promise.at(&["cluster", "nodes"]) else { continue };
        all.floor.extend(of_mapping(nodes, At::Floor)?);
        all.peak.extend(of_mapping(nodes, At::Peak)?);
    }
    Ok((!all.peak.is_empty()).then(|| Arc::new(all)))
}
