//! Pieces of the addresses outside, as ranges: a block with a hole is two of them, however many pieces others cut it into.

use super::endpoint::EndpointId;
use std::ops::Range;

/// Pieces of the addresses outside.
#[derive(Clone, Debug, Default)]
pub(super) struct Pieces {
    /// Ids of endpoints, in order and apart from each other.
    ranges: Vec<Range<u32>>,
}

impl Pieces {
    /// Adds pieces that come after all others, leaving out blocks of which nothing is left.
    pub(super) fn extend(&mut self, endpoints: &[Option<EndpointId>]) {
        let (first, last) =
            (endpoints.iter().flatten().next(), endpoints.iter().rev().flatten().next());
        if let (Some(first), Some(last)) = (first, last) {
            self.ranges.push(first.0..last.0 + 1);
        }
    }

    /// Whether one of them is this endpoint.
    pub(super) fn has(&self, id: EndpointId) -> bool {
        let at = self.ranges.partition_point(|it| it.end <= id.0);
        self.ranges.get(at).is_some_and(|it| it.contains(&id.0))
    }

    /// How many they are.
    pub(super) fn count(&self) -> usize {
        self.ranges.iter().map(ExactSizeIterator::len).sum()
    }

    /// Each of them, in order.
    pub(super) fn iter(&self) -> impl Iterator<Item = EndpointId> {
        self.ranges.iter().cloned().flatten().map(EndpointId)
    }

    /// Those that are in any of some.
    pub(super) fn union<'p>(each: impl IntoIterator<Item = &'p Pieces>) -> Pieces {
        let mut all: Vec<_> = each.into_iter().flat_map(|it| it.ranges.iter().cloned()).collect();
        all.sort_unstable_by_key(|it| it.start);
        let mut ranges: Vec<Range<u32>> = Vec::new();
        for it in all {
            match ranges.last_mut().filter(|last| it.start <= last.end) {
                Some(last) => last.end = last.end.max(it.end),
                None => ranges.push(it),
            }
        }
        Pieces { ranges }
    }
}
