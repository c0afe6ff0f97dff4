//! What a picture shows: namespaces, components and the flows between them.

use std::collections::BTreeSet;
use std::fmt;

/// The caption of what policies name and the input does not hold.
pub const NOT_IN_INPUT: &str = "not in the input";

/// Everything in one picture.
#[derive(Clone, Debug, Default)]
pub struct Scene {
    /// What it is a picture of.
    pub title: String,
    /// The namespaces, drawn as boxes.
    pub namespaces: Vec<Namespace>,
    /// What talks.
    pub components: Vec<Component>,
    /// Who talks to whom.
    pub flows: Vec<Flow>,
    /// What the reader has to know beside the picture, a sentence each.
    pub notes: Vec<String>,
}

/// A namespace: a box around its components.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Namespace {
    /// Its name.
    pub name: String,
}

/// What talks or is talked to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Component {
    /// Its name, short: it stands in its namespace's box.
    pub name: String,
    /// What it is, in a few words (`Deployment, 2 to 10`); may be empty.
    pub caption: String,
    /// What it is drawn as.
    pub kind: ComponentKind,
    /// Its namespace, as an index into [`Scene::namespaces`].
    pub namespace: Option<usize>,
    /// What happens to traffic to it that no arrow shows.
    pub ingress: Posture,
    /// What happens to traffic from it that no arrow shows.
    pub egress: Posture,
    /// What an architecture document makes of it: undeclared, or missing.
    pub state: State,
}

impl Component {
    /// Whether the input holds it.
    pub fn is_in_input(&self) -> bool {
        self.caption != NOT_IN_INPUT
            && self.kind != ComponentKind::EveryPod
            && self.state != State::Missing
    }
}

/// What a component is drawn as; in the order in which traffic passes them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ComponentKind {
    /// Who calls from outside the cluster.
    Internet,
    /// What lets calls in: an ingress controller or a gateway.
    Ingress,
    /// What runs pods.
    Workload,
    /// Every pod of a namespace, where an arrow holds for them all.
    EveryPod,
    /// A workload that keeps data.
    DataStore,
    /// A block of addresses or another destination outside.
    External,
}

/// What happens to the traffic of a component in one direction that no arrow shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Posture {
    /// Policies deny it.
    Denied,
    /// No policy stands in its way.
    Open,
    /// It cannot be told, or the question does not arise (the Internet).
    Unknown,
}

/// An arrow.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Flow {
    /// Who sends, as an index into [`Scene::components`].
    pub from: usize,
    /// Who receives.
    pub to: usize,
    /// To which ports.
    pub ports: Ports,
    /// What is to be said about it.
    pub state: State,
}

/// What is to be said about a flow or a component.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum State {
    /// Policies let it pass.
    Allowed,
    /// Policies let it pass, and the architecture does not mention it.
    Undeclared,
    /// The architecture promises it, and policies do not let it pass.
    Missing,
    /// Kubernetes leaves open whether it passes, or plugins differ.
    Undefined,
}

impl State {
    /// All of them, in the order of the legend.
    pub const ALL: [State; 4] =
        [State::Allowed, State::Undeclared, State::Missing, State::Undefined];

    /// Its name, in lower case.
    pub fn name(self) -> &'static str {
        match self {
            State::Allowed => "allowed",
            State::Undeclared => "undeclared",
            State::Missing => "missing",
            State::Undefined => "undefined",
        }
    }
}

/// A set of ports.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Ports(pub BTreeSet<PortRange>);

/// Ports that follow each other, of one protocol.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PortRange {
    /// The first of them.
    pub first: u16,
    /// The last of them.
    pub last: u16,
    /// `TCP`, `UDP` or `SCTP`; empty for all three.
    pub protocol: &'static str,
}

impl PortRange {
    /// Every port of every protocol.
    pub const ANY: PortRange = PortRange { first: 0, last: u16::MAX, protocol: "" };

    /// One port of TCP.
    pub fn tcp(port: u16) -> PortRange {
        PortRange { first: port, last: port, protocol: "TCP" }
    }
}

impl FromIterator<PortRange> for Ports {
    fn from_iter<I: IntoIterator<Item = PortRange>>(ranges: I) -> Ports {
        Ports(ranges.into_iter().collect())
    }
}

impl fmt::Display for Ports {
    /// `80, 443, 8000–8100, 53/TCP+UDP`: TCP is not named where it is alone.
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.contains(&PortRange::ANY) {
            return out.write_str("any port");
        }
        let mut spans: Vec<_> = self.0.iter().map(|it| (it.first, it.last)).collect();
        spans.dedup();
        for (at, (first, last)) in spans.into_iter().enumerate() {
            if at > 0 {
                out.write_str(", ")?;
            }
            let of_span = |it: &&PortRange| (it.first, it.last) == (first, last);
            let protocols: Vec<_> = self
                .0
                .iter()
                .filter(of_span)
                .map(|it| it.protocol)
                .filter(|it| !it.is_empty())
                .collect();
            match (first, last) {
                (0 | 1, u16::MAX) => out.write_str("any port")?,
                _ if first == last => write!(out, "{first}")?,
                _ => write!(out, "{first}–{last}")?,
            }
            if protocols != ["TCP"] && !protocols.is_empty() {
                write!(out, "/{}", protocols.join("+"))?;
            }
        }
        Ok(())
    }
}
