//! Labels, selectors and what they select: workloads, Services, namespaces.

pub mod alike;
pub mod controller_made;
pub mod experiments;
pub mod labels;
pub mod namespaces;
pub mod operated;
pub mod owners;
pub mod ports;
pub mod selector;
pub mod selector_coverage;
pub mod services;
pub mod unreadable;
pub mod workloads;
