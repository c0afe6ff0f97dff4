//! What pods may do on their nodes: the controls of the Pod Security Standards, each alone and joined to levels, and what
//! the labels of a namespace demand.
//!
//! `k8s.io/pod-security-admission` v0.37.2, `policy` and `api`.

pub mod controls;
pub mod labels;
pub mod pod;
pub mod standard;
