//! Policies in the form in which they are judged: peers as sets, ports as ranges and names.

use super::network::Block;
use super::sets::{Scope, SetId, Spec, Specs};
use crate::analyze::network::policies::{
    DIRECTIONS, Direction, NetworkPolicy, Peer, PeerKind, PortRange, PortRule, TrafficRule,
};
use crate::analyze::selection::selector::Selector;
use crate::api::ports::{PortSet, Ports, Protocol};
use crate::model::ObjId;
use crate::text::tree::Node;
use rustc_hash::FxHashMap;

/// A NetworkPolicy.
#[derive(Debug)]
pub(super) struct Policy<'d> {
    pub(super) object: ObjId,
    pub(super) subject: SetId,
    /// `None` where it says nothing of the direction.
    pub(super) ingress: Option<Vec<Rule<'d>>>,
    pub(super) egress: Option<Vec<Rule<'d>>>,
    /// By direction.
    indexes: [Option<RuleIndex>; 2],
    /// By direction, how many peers its rules name, and at least one.
    weights: [usize; 2],
}

/// Rules of one direction that are many, found by whom they mean.
#[derive(Debug, Default)]
pub(super) struct RuleIndex {
    /// Those for everybody.
    pub(super) open: Vec<u32>,
    /// Those for each set.
    pub(super) of_set: FxHashMap<SetId, Vec<u32>>,
}

/// How many rules are looked through one by one.
const FEW: usize = 8;

impl RuleIndex {
    fn new(rules: &Option<Vec<Rule<'_>>>) -> Option<RuleIndex> {
        let rules = rules.as_ref().filter(|it| it.len() > FEW)?;
        let mut index = RuleIndex::default();
        for (at, rule) in rules.iter().enumerate() {
            match &rule.peers {
                None => index.open.push(at as u32),
                Some(sets) => {
                    sets.iter().for_each(|it| index.of_set.entry(*it).or_default().push(at as u32));
                }
            }
        }
        Some(index)
    }
}

/// What a policy says of traffic with some peers on some ports.
#[derive(Debug)]
pub(super) struct Rule<'d> {
    pub(super) node: Node<'d>,
    /// `None` for everybody.
    pub(super) peers: Option<Vec<SetId>>,
    pub(super) ports: PortSpec<'d>,
}

/// Ports as a policy says them.
#[derive(Clone, Debug, Default)]
pub(super) struct PortSpec<'d> {
    pub(super) numbers: PortSet,
    /// A name of a port, and of which protocol; `None` for whichever it has.
    pub(super) names: Vec<(&'d str, Option<Protocol>)>,
}

impl PortSpec<'_> {
    /// Every port.
    pub(super) fn all() -> Self {
        PortSpec { numbers: PortSet::all(), names: Vec::new() }
    }

    /// Whether it means every port.
    pub(super) fn is_all(&self) -> bool {
        self.numbers.is_all()
    }

    /// The ports of a destination that it means, with what the destination calls by which name. A name that several
    /// containers use means the port of each; one that none uses means nothing.
    pub(super) fn on<'p>(
        &'p self,
        named: &'p [(&str, Protocol, u16)],
    ) -> impl Iterator<Item = Ports> + 'p {
        let named = self.names.iter().flat_map(move |(name, protocol)| {
            let fits = move |it: &&(&str, Protocol, u16)| {
                it.0 == *name && protocol.is_none_or(|protocol| it.1 == protocol)
            };
            named.iter().filter(fits).map(|it| Ports::one(it.1, it.2))
        });
        self.numbers.iter().chain(named)
    }
}

impl<'d> Policy<'d> {
    pub(super) fn new(policy: &NetworkPolicy<'d>, specs: &mut Specs<'d>) -> Policy<'d> {
        let subject =
            Spec::Pods { scope: Scope::Namespace(policy.namespace), pods: policy.selector.clone() };
        let subject = specs.intern(subject);
        let mut rules = |direction| {
            let rules = policy.rules(direction)?;
            Some(rules.iter().map(|it| rule(policy.namespace, it, specs)).collect())
        };
        let [ingress, egress] = DIRECTIONS.map(&mut rules);
        let indexes = [&ingress, &egress].map(RuleIndex::new);
        let weights = [&ingress, &egress].map(|rules| {
            let peers = |it: &Rule<'_>| it.peers.as_ref().map_or(1, Vec::len);
            rules.iter().flatten().map(peers).sum::<usize>().max(1)
        });
        Policy { object: policy.object, subject, ingress, egress, indexes, weights }
    }

    /// Where there are many rules of a direction: which are for whom.
    pub(super) fn index(&self, direction: Direction) -> Option<&RuleIndex> {
        self.indexes[direction as usize].as_ref()
    }

    /// How much there is to look through in a direction: its peers, and at least one.
    pub(super) fn weight(&self, direction: Direction) -> usize {
        self.weights[direction as usize]
    }

    /// What it allows in a direction; `None` where it isolates nobody there.
    pub(super) fn rules(&self, direction: Direction) -> Option<&[Rule<'d>]> {
        match direction {
            Direction::Ingress => self.ingress.as_deref(),
            Direction::Egress => self.egress.as_deref(),
        }
    }
}

fn rule<'d>(namespace: &'d str, rule: &TrafficRule<'d>, specs: &mut Specs<'d>) -> Rule<'d> {
    let peers = rule.peers.as_ref();
    Rule {
        node: rule.node,
        peers: peers.map(|it| it.iter().filter_map(|it| peer(namespace, it, specs)).collect()),
        ports: rule.ports.as_ref().map_or_else(PortSpec::all, |it| ports(it)),
    }
}

fn peer<'d>(namespace: &'d str, peer: &Peer<'d>, specs: &mut Specs<'d>) -> Option<SetId> {
    let spec = match &peer.kind {
        PeerKind::Invalid => return None,
        PeerKind::Block { cidr, except } => {
            Spec::Block(Block { cidr: *cidr, except: except.clone() })
        }
        PeerKind::Pods { namespaces, pods } => Spec::Pods {
            scope: match namespaces {
                None => Scope::Namespace(namespace),
                Some(it) => Scope::Selected(it.clone()),
            },
            pods: pods.clone().unwrap_or_else(Selector::default),
        },
    };
    Some(specs.intern(spec))
}

fn ports<'d>(rules: &[PortRule<'d>]) -> PortSpec<'d> {
    let mut spec = PortSpec::default();
    let mut numbers = Vec::new();
    for rule in rules {
        let Some(protocol) = Protocol::parse(rule.protocol) else { continue };
        match rule.ports {
            PortRange::All => numbers.push(Ports::every(protocol)),
            PortRange::Numbers(first, last) => numbers.push(Ports { protocol, first, last }),
            PortRange::Named(name) => spec.names.push((name, Some(protocol))),
            PortRange::Invalid => {}
        }
    }
    spec.numbers.extend(numbers);
    spec
}
