//! What well-known instance types have for pods, where a source says so.

use super::node::{Allocatable, Amounts};
use crate::api::quantity::Quantity;

/// One line a type, with the source and its date.
const TYPES: &str = include_str!("instance_types.txt");

/// A type of instances.
#[derive(Clone, Copy, Debug)]
pub(super) struct InstanceType {
    /// Its name.
    pub(super) name: &'static str,
    /// As the label `kubernetes.io/arch` has it.
    pub(super) architecture: &'static str,
    cpu: &'static str,
    memory: &'static str,
    pods: &'static str,
}

impl InstanceType {
    /// By its name.
    pub(super) fn find(name: &str) -> Option<InstanceType> {
        let mut types = TYPES.lines().filter(|it| !it.starts_with('#')).filter_map(line);
        types.find(|it| it.name == name)
    }

    /// What is left for pods.
    pub(super) fn allocatable(self) -> Allocatable {
        let milli = |text: &str| Quantity::parse(text).map_or(0, |it| it.milli());
        let amounts = Amounts::from([
            ("cpu".to_string(), milli(self.cpu)),
            ("memory".to_string(), milli(self.memory) / 1000),
        ]);
        Allocatable { amounts, pods: milli(self.pods) / 1000 }
    }
}

fn line(line: &'static str) -> Option<InstanceType> {
    let mut words = line.split(' ');
    let mut next = || words.next();
    Some(InstanceType {
        name: next()?,
        architecture: next()?,
        cpu: next()?,
        memory: next()?,
        pods: next()?,
    })
}
