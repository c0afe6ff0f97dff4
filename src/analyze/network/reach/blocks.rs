//! The addresses outside the cluster, cut where policies cut them.

use super::endpoint::{Addresses, Endpoint, EndpointId};
use super::network::Block;
use super::pieces::Pieces;
use super::sets::Spec;
use ipnet::{IpNet, Ipv4Net, Ipv6Net};
use std::net::IpAddr;

/// Every block that a policy names, each once, as a tree in preorder: what lies in a block follows it.
#[derive(Debug, Default)]
pub(super) struct Blocks {
    all: Vec<IpNet>,
    /// The block that each lies in.
    outer: Vec<Option<usize>>,
    /// One past the last that lies in each.
    ends: Vec<usize>,
    /// The endpoint of what is left of each without those below it, if anything is.
    endpoints: Vec<Option<EndpointId>>,
}

impl Blocks {
    /// Cuts the addresses.
    pub(super) fn new(specs: &[Spec<'_>]) -> Blocks {
        let named = specs.iter().filter_map(|it| match it {
            Spec::Block(it) | Spec::Network(it) => Some(it),
            _ => None,
        });
        let mut all: Vec<IpNet> =
            named.flat_map(|it| it.except.iter().copied().chain([it.cidr])).collect();
        all.push(IpNet::V4(Ipv4Net::default()));
        if all.iter().any(|it| matches!(it, IpNet::V6(_))) {
            all.push(IpNet::V6(Ipv6Net::default()));
        }
        // Version 4 comes first, and a block before what lies in it.
        all.sort_unstable_by_key(|it| (it.addr(), it.prefix_len()));
        all.dedup();
        let mut ends = vec![all.len(); all.len()];
        let mut outer = vec![None; all.len()];
        let mut open: Vec<usize> = Vec::new();
        for (at, block) in all.iter().enumerate() {
            while let Some(closed) = open.pop_if(|it| !all[*it].contains(block)) {
                ends[closed] = at;
            }
            outer[at] = open.last().copied();
            open.push(at);
        }
        Blocks { all, outer, ends, endpoints: Vec::new() }
    }

    /// Adds an endpoint for each piece.
    pub(super) fn add_to(&mut self, endpoints: &mut Vec<Endpoint<'_>>) {
        let mut within = vec![Vec::new(); self.all.len()];
        for (block, outer) in self.all.iter().zip(&self.outer) {
            if let Some(outer) = outer {
                within[*outer].push(*block);
            }
        }
        let pieces = self.all.iter().zip(within).map(|(block, without)| {
            if is_full(block, &without) {
                return None;
            }
            endpoints.push(Endpoint::Addresses(Addresses { block: *block, without }));
            Some(EndpointId(endpoints.len() as u32 - 1))
        });
        self.endpoints = pieces.collect();
    }

    /// The smallest block that holds an address: all that policies can tell of it.
    pub(super) fn around(&self, address: IpAddr) -> IpNet {
        let before = self.all.partition_point(|it| it.addr() <= address);
        let mut at = before.checked_sub(1);
        while let Some(it) = at {
            if self.all[it].contains(&address) {
                return self.all[it];
            }
            at = self.outer[it];
        }
        // Nobody names a block of this version.
        IpNet::V6(Ipv6Net::default())
    }

    /// Whether any is one of addresses of version 6.
    pub(super) fn has_version_6(&self) -> bool {
        matches!(self.all.last(), Some(IpNet::V6(_)))
    }

    /// Whether a block and its holes are among those that the addresses are cut by.
    pub(super) fn has(&self, block: &Block) -> bool {
        let mut nets = block.except.iter().chain([&block.cidr]);
        nets.all(|it| self.find(it).is_some())
    }

    /// The pieces that a block with holes consists of.
    pub(super) fn pieces(&self, block: &Block) -> Pieces {
        let mut pieces = Pieces::default();
        let Some(start) = self.find(&block.cidr) else { return pieces };
        let holes = block.except.iter().filter_map(|it| self.find(it));
        let mut holes: Vec<_> =
            holes.filter(|it| (start + 1..self.ends[start]).contains(it)).collect();
        holes.sort_unstable();
        let mut at = start;
        for hole in holes {
            // A hole in a hole leaves nothing more out.
            if hole >= at {
                pieces.extend(&self.endpoints[at..hole]);
                at = self.ends[hole];
            }
        }
        pieces.extend(&self.endpoints[at..self.ends[start]]);
        pieces
    }

    fn find(&self, block: &IpNet) -> Option<usize> {
        self.all
            .binary_search_by_key(&(block.addr(), block.prefix_len()), |it| {
                (it.addr(), it.prefix_len())
            })
            .ok()
    }
}

/// Whether disjoint blocks leave nothing of the one that they lie in.
fn is_full(block: &IpNet, within: &[IpNet]) -> bool {
    let bits = u32::from(block.max_prefix_len() - block.prefix_len());
    let free = |it: &IpNet| u32::from(block.max_prefix_len() - it.prefix_len());
    // Halves of halves: two of a size are one of the next.
    let mut sizes = vec![0_usize; bits as usize + 1];
    for it in within {
        sizes[free(it) as usize] += 1;
    }
    let mut carried = 0;
    for size in sizes {
        carried = size + carried / 2;
    }
    carried > 0 && !within.is_empty()
}
