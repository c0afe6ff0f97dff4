//! Namespaces by their labels, for the selectors of network policies and pod affinity.

use super::selector::Selector;
use super::workloads::Workloads;
use crate::model::Model;
use crate::model::ObjId;
use crate::model::kind::Kind;
use std::collections::BTreeMap;

/// The label that every namespace carries, whether or not its manifest says so.
pub const NAME_LABEL: &str = "kubernetes.io/metadata.name";

/// A namespace of the input.
#[derive(Clone, Debug)]
pub struct Namespace<'d> {
    /// Its manifest; without one it is known from the workloads in it, and its labels are not.
    pub object: Option<ObjId>,
    /// Its labels, with that of its name.
    pub labels: Vec<(&'d str, &'d str)>,
}

/// The namespaces that the input defines or runs pods in.
#[derive(Debug, Default)]
pub struct Namespaces<'d> {
    by_name: BTreeMap<&'d str, Namespace<'d>>,
}

impl<'d> Namespaces<'d> {
    pub(super) fn new(model: &Model<'d>, workloads: &Workloads<'d>) -> Namespaces<'d> {
        let mut by_name = BTreeMap::new();
        for object in model.of_kind(Kind::Namespace) {
            let mut labels = object.labels();
            // The API server sets it and lets nobody change it.
            labels.retain(|(key, _)| *key != NAME_LABEL);
            labels.push((NAME_LABEL, object.name));
            by_name.insert(object.name, Namespace { object: Some(object.id), labels });
        }
        for workload in workloads.iter() {
            by_name.entry(workload.namespace).or_insert_with(|| Namespace {
                object: None,
                labels: vec![(NAME_LABEL, workload.namespace)],
            });
        }
        Namespaces { by_name }
    }

    /// The namespace of this name.
    pub fn get(&self, name: &str) -> Option<&Namespace<'d>> {
        self.by_name.get(name)
    }

    /// All of them, by name.
    pub fn iter(&self) -> impl Iterator<Item = (&'d str, &Namespace<'d>)> {
        self.by_name.iter().map(|(name, it)| (*name, it))
    }

    /// The names of those that a selector selects.
    pub fn select(&self, selector: &Selector<'_>) -> Vec<&'d str> {
        self.iter().filter(|(_, it)| selector.matches(&it.labels)).map(|(name, _)| name).collect()
    }
}
