//! Which node takes which pod: nodes, shapes of pods, the scheduler's filters, and whether there is room for all.
//!
//! Everything is what kube-scheduler's default profile would say (Kubernetes 1.37), without dynamic resource allocation,
//! limits of volumes per node, and gangs.

mod classes;
pub mod cluster;
pub mod described;
pub mod filter;
mod instance_types;
pub mod labels;
pub mod losses;
pub mod node;
pub mod place;
pub mod planned;
pub mod proof;
pub mod real;
pub mod scenario;
pub mod schedule;
pub mod score;
pub mod search;
pub mod shape;
pub mod size;
pub mod state;
pub mod volume;
pub mod wanted;
pub mod words;
pub mod world;

use crate::api::kind::Kind;

/// The kinds from which pods and the nodes that they may stand on follow.
pub const READS: &[Kind] = &[
    Kind::HorizontalPodAutoscaler,
    Kind::LimitRange,
    Kind::Namespace,
    Kind::Node,
    Kind::PersistentVolume,
    Kind::PersistentVolumeClaim,
    Kind::PodDisruptionBudget,
    Kind::PriorityClass,
    Kind::RuntimeClass,
    Kind::ScaledObject,
    Kind::Service,
    Kind::StorageClass,
];
