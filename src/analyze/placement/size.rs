//! The fewest nodes of each pool that hold all pods, and that hold them after a loss.
//!
//! Pools are made smaller in turn, in their order: of the result no pool can be one node smaller. Where pods may stand in
//! several pools, other results may be as good.

use super::cluster::NodeId;
use super::losses::{Loss, each, every_node};
use super::place::{Fits, place};
use super::proof::{Proof, proofs};
use super::wanted::Wanted;
use super::world::World;
use std::collections::{BTreeMap, BTreeSet};

/// Pools are tried up to so many nodes in all.
pub const MOST_NODES: usize = 4_096;

/// A pool of so many nodes is in all zones that it will ever be in.
const MANY: usize = 32;

/// What the nodes have to bear.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Bears {
    /// Nothing but the pods.
    Pods,
    /// The loss of any one node.
    NodeLoss,
    /// The loss of any one zone.
    ZoneLoss,
}

/// All that is asked, in order.
pub const BEARS: [Bears; 3] = [Bears::Pods, Bears::NodeLoss, Bears::ZoneLoss];

/// The fewest nodes of each pool.
#[derive(Debug)]
pub struct Size {
    /// What these bear.
    pub bears: Bears,
    /// By pool, in order; `None` where no number was found.
    pub pools: Option<Vec<usize>>,
    /// Whether it is known that no pool can be smaller by itself.
    pub is_exact: bool,
    /// Why no number was found.
    pub proof: Option<(Box<World>, Proof)>,
    /// Components of which no other node, however many there are, can take the pods that are lost: their volumes stay.
    pub bound: BTreeSet<String>,
}

/// Makes the world in which pools have so many nodes.
pub type Make<'m> = dyn Fn(&[usize]) -> World + 'm;

#[derive(PartialEq, Eq)]
enum Held {
    Yes,
    No,
    Unknown,
}

/// The fewest nodes of each pool, beginning with these.
pub fn fewest(make: &Make<'_>, start: &[usize], bears: Bears) -> Size {
    let mut size = Size { bears, pools: None, is_exact: true, proof: None, bound: BTreeSet::new() };
    let mut pools: Vec<usize> = start.iter().map(|it| (*it).max(1)).collect();
    if bears == Bears::ZoneLoss && zones(&make(&vec![MANY; pools.len()])).len() < 2 {
        return size;
    }
    loop {
        let world = make(&pools);
        if holds(&world, bears, &mut size.bound) == Held::Yes {
            break;
        }
        let is_most = pools.iter().sum::<usize>() * 2 > MOST_NODES;
        let proof = proofs(&world.cluster, &Wanted::of(&world, &|_| true)).into_iter().next();
        // What no node admits no number of nodes does.
        let is_hopeless =
            matches!(proof, Some(Proof::NoNode { .. } | Proof::NotThere { .. })) || is_most;
        if is_hopeless {
            size.proof = proof.map(|it| (Box::new(world), it));
            return size;
        }
        pools.iter_mut().for_each(|it| *it *= 2);
    }
    for pool in 0..pools.len() {
        let (mut least, mut most) = (0, pools[pool]);
        while least < most {
            pools[pool] = least + (most - least) / 2;
            match holds(&make(&pools), bears, &mut size.bound) {
                Held::Yes => most = pools[pool],
                held => {
                    size.is_exact &= held == Held::No;
                    least = pools[pool] + 1;
                }
            }
        }
        pools[pool] = most;
    }
    size.bound.clear();
    holds(&make(&pools), bears, &mut size.bound);
    size.pools = Some(pools);
    size
}

/// Whether all pods have places, and have them after each loss.
fn holds(world: &World, bears: Bears, bound: &mut BTreeSet<String>) -> Held {
    let placed = place(world);
    match placed.fits {
        Fits::All(_) => {}
        Fits::NotAll => return Held::No,
        Fits::Unknown => return Held::Unknown,
    }
    let losses: Vec<Loss> = match bears {
        Bears::Pods => Vec::new(),
        Bears::NodeLoss => every_node(world, &placed.nodes),
        Bears::ZoneLoss => {
            if zones(world).len() < 2 {
                return Held::No;
            }
            each(world, &placed.nodes, &zones(world).into_values().collect::<Vec<_>>())
        }
    };
    let stay = losses.iter().flat_map(|it| it.bound.keys());
    bound.extend(stay.map(|it| world.components[*it].name.clone()));
    if losses.iter().all(|it| it.pending.is_empty()) { Held::Yes } else { Held::No }
}

/// The nodes of each zone.
fn zones(world: &World) -> BTreeMap<&str, Vec<NodeId>> {
    let mut zones: BTreeMap<&str, Vec<NodeId>> = BTreeMap::new();
    for (at, node) in world.cluster.nodes.iter().enumerate() {
        if let Some(zone) = node.zone() {
            zones.entry(zone).or_default().push(at);
        }
    }
    zones
}
