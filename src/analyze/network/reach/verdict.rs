//! What is said of a flow: allowed, denied, or undefined, and why.

use crate::analyze::network::other_policies;
use crate::analyze::network::policies::Direction;
use crate::model::{Model, ObjId};
use crate::text::tree::Node;
use std::fmt;

/// Whether traffic gets through.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Verdict {
    /// It does.
    Allow,
    /// It does not.
    Deny,
    /// Kubernetes leaves it open, network plugins differ, or the input does not tell.
    Undefined(Reason),
}

impl Verdict {
    /// Its name: `allow`, `deny` or `undefined`.
    pub fn name(self) -> &'static str {
        match self {
            Verdict::Allow => "allow",
            Verdict::Deny => "deny",
            Verdict::Undefined(_) => "undefined",
        }
    }

    /// What both ends together say: each has to allow it.
    pub fn and(self, other: Verdict) -> Verdict {
        match (self, other) {
            (Verdict::Deny, _) | (_, Verdict::Deny) => Verdict::Deny,
            (Verdict::Undefined(it), _) | (_, Verdict::Undefined(it)) => Verdict::Undefined(it),
            _ => Verdict::Allow,
        }
    }
}

/// Why a flow is undefined.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Reason {
    /// The labels of a namespace that the input does not define.
    NamespaceLabels,
    /// A label that differs from pod to pod of one workload.
    PodLabels,
    /// Address blocks and the addresses of pods.
    PodAddress,
    /// Address blocks and the addresses of nodes.
    NodeAddress,
    /// A peer in the host's network that a selector would mean.
    HostNetwork,
    /// A node that may be the pod's own.
    OwnNode,
    /// The source's address after a load balancer or node port.
    SourceAddress,
    /// The address of a Service, before or after its translation to a pod's.
    ServiceAddress,
    /// A pod that reaches itself.
    Hairpin,
    /// A baseline for pods that a NetworkPolicy selects for the other direction alone.
    Baseline,
    /// Policies of one priority that disagree.
    SamePriority,
    /// The addresses of a domain name.
    DomainName,
    /// The labels of nodes.
    NodeLabels,
    /// Which of the pods behind a Service answers.
    WhichPod,
    /// Which of several addresses is meant.
    WhichAddress,
    /// The number of a port of pods that the input does not hold.
    PortName,
    /// Policies that whoever asks may not see.
    Unlisted,
    /// A policy of a kind that is not judged, and what all others say.
    OtherPolicy {
        /// The policy.
        object: ObjId,
        /// Whether the others let the flow through.
        allowed: bool,
    },
}

impl Reason {
    /// The reason in words, with the name of the policy that it is about.
    pub fn told(self, model: &Model<'_>) -> String {
        let Reason::OtherPolicy { object, allowed } = self else { return self.to_string() };
        let others =
            if allowed { "the other policies allow it" } else { "the other policies deny it" };
        format!("{}; {others}", other_policies::why(model.object(object)))
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Reason::NamespaceLabels => "a policy asks for labels of a namespace that the input does not define",
            Reason::PodLabels => "a policy asks for a label that differs from pod to pod of the workload",
            Reason::PodAddress => "network plugins differ on whether an address block means pods, or the pod's address is not known",
            Reason::NodeAddress => "a policy asks for addresses, and those of the nodes are not known",
            Reason::HostNetwork => "network plugins differ on whether a selector means pods in the host's network",
            Reason::OwnNode => "traffic from a pod's own node is always let in, from other nodes it is not",
            Reason::SourceAddress => "behind a node port or load balancer the source may be the address of a node",
            Reason::ServiceAddress => "network plugins differ on whether egress is judged by the address of the Service or of the pod",
            Reason::Hairpin => "network plugins differ on what a pod may send to itself through a Service",
            Reason::Baseline => "Kubernetes leaves open whether a baseline applies to pods that a NetworkPolicy selects for the other direction alone",
            Reason::SamePriority => "policies of one priority disagree",
            Reason::DomainName => "a policy asks for a domain name, whose addresses are not known",
            Reason::WhichPod => "the pods behind the Service differ, and nobody says which of them answers",
            Reason::PortName => "a policy asks for a port by its name, and the pods that have it are not in the input",
            Reason::Unlisted => "the cluster does not let every kind of network policy be listed",
            Reason::WhichAddress => "the addresses that are meant differ",
            Reason::OtherPolicy { .. } => "a policy of a kind that purlin does not read may decide",
            Reason::NodeLabels => "a policy asks for labels of nodes that the input does not define",
        })
    }
}

/// Whether a selector or block means somebody.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(in crate::analyze) enum Truth {
    /// It does not.
    No,
    /// It may.
    Maybe(Reason),
    /// It does.
    Yes,
}

impl Truth {
    /// Both have to hold.
    pub(super) fn and(self, other: Truth) -> Truth {
        self.min(other)
    }

    /// One of both has to hold.
    pub(super) fn or(self, other: Truth) -> Truth {
        self.max(other)
    }
}

/// A part of a policy that decides a flow.
#[derive(Clone, Copy, Debug)]
pub struct Because<'d> {
    /// The policy.
    pub policy: ObjId,
    /// At which end: egress of the source or ingress of the destination.
    pub direction: Direction,
    /// Whether it opens or closes.
    pub effect: Effect,
    /// The rule; `None` where the policy closes by having none.
    pub rule: Option<Node<'d>>,
}

/// What a policy does to a flow.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Effect {
    /// Lets it through.
    Opens,
    /// Holds it up.
    Closes,
    /// One or the other: that is what is undefined.
    MayDecide,
}
