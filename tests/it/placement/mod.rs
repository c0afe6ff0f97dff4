//! Which node takes which pod, and what survives: against Kubernetes' own answers, and by hand.

mod command;
mod described;
mod documents;
mod events;
mod kubernetes;
mod losses;
mod rollouts;
mod semantics;
mod size;
