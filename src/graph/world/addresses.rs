//! Arrows from and to addresses outside: blocks of which policies say the same are one component.

use super::Painter;
use super::entries::INTERNET;
use crate::analyze::network::policies::Direction;
use crate::analyze::network::reach::verdict::Verdict;
use crate::analyze::network::reach::{Addresses, Endpoint, EndpointId};
use crate::analyze::selection::workloads::WorkloadId;
use crate::api::ports::PortSet;
use crate::graph::scene::{ComponentKind, State};
use std::collections::BTreeMap;

/// An arrow of a block: the other end, and the ports that are allowed and undefined.
type Arrow = (usize, PortSet, PortSet);

impl Painter<'_, '_> {
    /// Draws what policies let in from addresses, and out to them.
    pub(super) fn addresses(&mut self) {
        for direction in [Direction::Ingress, Direction::Egress] {
            // Blocks in their order, those with the same arrows together; a handful, so a search in a list will do.
            let mut groups: Vec<(Vec<Arrow>, Vec<Addresses>)> = Vec::new();
            for (id, block) in self.facts.reach().endpoints() {
                let Endpoint::Addresses(block) = block else { continue };
                let arrows = self.arrows(id, direction);
                if arrows.is_empty() {
                    continue;
                }
                match groups.iter_mut().find(|it| it.0 == arrows) {
                    Some(group) => group.1.push(block.clone()),
                    None => groups.push((arrows, vec![block.clone()])),
                }
            }
            for (arrows, blocks) in groups {
                self.block(direction, arrows, &blocks);
            }
        }
    }

    fn block(&mut self, direction: Direction, arrows: Vec<Arrow>, blocks: &[Addresses]) {
        let kind = match direction {
            Direction::Ingress => ComponentKind::Internet,
            Direction::Egress => ComponentKind::External,
        };
        let (name, caption) = described(blocks);
        let at = self.add_outside(kind, None, &name, &caption);
        for (other, allowed, undefined) in arrows {
            let (from, to) = match direction {
                Direction::Ingress => (at, other),
                Direction::Egress => (other, at),
            };
            self.flow(from, to, &allowed, State::Allowed);
            self.flow(from, to, &undefined, State::Undefined);
        }
    }

    /// What passes between a block and each workload that a policy decided so.
    fn arrows(&self, block: EndpointId, direction: Direction) -> Vec<Arrow> {
        let mut arrows = Vec::new();
        let mut known: BTreeMap<EndpointId, (PortSet, PortSet)> = BTreeMap::new();
        for (workload, at) in self.workloads() {
            let Some(end) = self.facts.reach().of_workload(workload) else { continue };
            let (allowed, undefined) =
                known.entry(end).or_insert_with(|| self.passing(block, end, direction));
            let anyway = self.open(workload, direction);
            let undefined = self.relevant(workload, direction, undefined.without(&anyway));
            let allowed = allowed.without(&anyway);
            if !allowed.is_empty() || !undefined.is_empty() {
                arrows.push((at, allowed, undefined));
            }
        }
        arrows
    }

    /// Of what is undefined only what the pods declare is worth a mark.
    fn relevant(&self, workload: WorkloadId, direction: Direction, ports: PortSet) -> PortSet {
        match direction {
            Direction::Ingress => ports.and(&self.declared(workload)),
            Direction::Egress => ports,
        }
    }

    fn passing(
        &self,
        block: EndpointId,
        pods: EndpointId,
        direction: Direction,
    ) -> (PortSet, PortSet) {
        let reach = self.facts.reach();
        let judged = match direction {
            Direction::Ingress => reach.judge(block, pods),
            Direction::Egress => reach.judge(pods, block),
        };
        let undefined = judged.ports(|it| matches!(it, Verdict::Undefined(_)));
        (judged.ports(|it| it == Verdict::Allow), undefined)
    }
}

/// A name for blocks, and what else is to be said of them.
fn described(blocks: &[Addresses]) -> (String, String) {
    let Some(widest) = blocks.iter().min_by_key(|it| it.block.prefix_len()) else {
        return Default::default();
    };
    let without = match widest.without.as_slice() {
        [] => String::new(),
        [one] => format!("except {one}"),
        [first, rest @ ..] => format!("except {first} + {}", rest.len()),
    };
    let others = blocks.len() - 1;
    match (widest.block.prefix_len(), others) {
        (0, _) => (INTERNET.into(), without),
        (_, 0) => (widest.block.to_string(), without),
        (_, others) => (widest.block.to_string(), format!("and {others} more")),
    }
}
