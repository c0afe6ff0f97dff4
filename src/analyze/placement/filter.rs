//! The scheduler's filters: which of its plugins refuse a pod on a node.

use super::node::{ClusterNode, untolerated};
use super::shape::Shape;
use super::volume::VolumeState;
use std::fmt;

/// A filter plugin of the default profile.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Plugin {
    /// The node is cordoned.
    NodeUnschedulable,
    /// Taints that the pod does not tolerate.
    TaintToleration,
    /// `nodeSelector` and required node affinity.
    NodeAffinity,
    /// Ports of the node that others have.
    NodePorts,
    /// Resources.
    NodeResourcesFit,
    /// A volume that only one pod may have, or that is not there.
    VolumeRestrictions,
    /// A claim that is not there.
    NodeVolumeLimits,
    /// A volume that the node does not reach.
    VolumeBinding,
    /// A volume of another zone.
    VolumeZone,
    /// Topology spread constraints.
    PodTopologySpread,
    /// Pod affinity and anti-affinity.
    InterPodAffinity,
}

/// All of them, in the order in which they are asked.
pub const PLUGINS: [Plugin; 11] = [
    Plugin::NodeUnschedulable,
    Plugin::TaintToleration,
    Plugin::NodeAffinity,
    Plugin::NodePorts,
    Plugin::NodeResourcesFit,
    Plugin::VolumeRestrictions,
    Plugin::NodeVolumeLimits,
    Plugin::VolumeBinding,
    Plugin::VolumeZone,
    Plugin::PodTopologySpread,
    Plugin::InterPodAffinity,
];

/// A set of plugins.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Plugins(u16);

impl Plugins {
    /// None of them.
    pub const NONE: Plugins = Plugins(0);

    /// Whether it is one of them.
    pub fn has(self, plugin: Plugin) -> bool {
        self.0 & (1 << plugin as u16) != 0
    }

    /// Adds one.
    pub fn add(&mut self, plugin: Plugin) {
        self.0 |= 1 << plugin as u16;
    }

    /// Whether there are none.
    pub fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// The plugins in order.
    pub fn iter(self) -> impl Iterator<Item = Plugin> {
        PLUGINS.into_iter().filter(move |it| self.has(*it))
    }
}

impl fmt::Display for Plugin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self, f)
    }
}

/// The plugins that refuse pods of a shape on a node, whatever pods there are.
pub fn fixed(shape: &Shape, node: &ClusterNode) -> Plugins {
    let mut refused = Plugins::NONE;
    if node.refuses_as_cordoned(&shape.tolerations) {
        refused.add(Plugin::NodeUnschedulable);
    }
    if untolerated(&node.taints, &shape.tolerations).is_some() {
        refused.add(Plugin::TaintToleration);
    }
    if !shape.chooses(&node.name, &node.labels) {
        refused.add(Plugin::NodeAffinity);
    }
    for need in &shape.volumes {
        // Three plugins look a claim up before they look at nodes, and a fourth wants it bound.
        if need.state == VolumeState::Missing {
            refused.add(Plugin::VolumeRestrictions);
            refused.add(Plugin::NodeVolumeLimits);
            refused.add(Plugin::VolumeZone);
        }
        if need.state == VolumeState::Unbound {
            refused.add(Plugin::VolumeZone);
        }
        if !need.state.binds(&node.name, &node.labels) {
            refused.add(Plugin::VolumeBinding);
        }
        if !need.state.is_in_zone(&node.labels) {
            refused.add(Plugin::VolumeZone);
        }
    }
    refused
}
