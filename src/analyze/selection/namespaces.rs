//! Namespaces by their labels, for the selectors of network policies and pod affinity.

use super::selector::{Operator, Selector};
use super::workloads::Workloads;
use crate::api::kind::Kind;
use crate::model::Model;
use crate::model::ObjId;
use rustc_hash::FxHashMap;
use std::collections::{BTreeMap, BTreeSet};

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
    by_label: FxHashMap<(&'d str, &'d str), Vec<&'d str>>,
    /// Those without a manifest.
    undefined: Vec<&'d str>,
}

impl<'d> Namespaces<'d> {
    pub(in crate::analyze) fn new(model: &Model<'d>, workloads: &Workloads<'d>) -> Namespaces<'d> {
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
        let mut by_label: FxHashMap<_, Vec<_>> = FxHashMap::default();
        for (name, namespace) in &by_name {
            for label in &namespace.labels {
                by_label.entry(*label).or_default().push(*name);
            }
        }
        let undefined = by_name.iter().filter(|(_, it)| it.object.is_none());
        let undefined = undefined.map(|(name, _)| *name).collect();
        Namespaces { by_name, by_label, undefined }
    }

    /// The namespace of this name.
    pub fn get(&self, name: &str) -> Option<&Namespace<'d>> {
        self.by_name.get(name)
    }

    /// All of them, by name.
    pub fn iter(&self) -> impl Iterator<Item = (&'d str, &Namespace<'d>)> {
        self.by_name.iter().map(|(name, it)| (*name, it))
    }

    /// The names of those that a selector may select, in order, and perhaps of others: without a manifest any label but
    /// that of the name is possible.
    pub fn may_be_selected(&self, selector: &Selector<'_>) -> Vec<&'d str> {
        if selector.invalid {
            return Vec::new();
        }
        let listed = selector.requirements.iter().filter_map(|it| match &it.operator {
            Operator::In(values) => Some((it.key, values)),
            _ => None,
        });
        let of = |(key, values): (&str, &Vec<&str>)| {
            let defined = values.iter().filter_map(|value| self.by_label.get(&(key, *value)));
            let undefined = if key == NAME_LABEL { &[][..] } else { &self.undefined };
            let all: BTreeSet<_> = defined.flatten().chain(undefined).copied().collect();
            all
        };
        match listed.map(of).min_by_key(BTreeSet::len) {
            Some(names) => names.into_iter().collect(),
            None => self.by_name.keys().copied().collect(),
        }
    }

    /// Whether a selector selects a namespace; `None` where its Namespace is not in the input and labels decide that
    /// only this would tell.
    pub fn is_selected(&self, name: &str, selector: &Selector<'_>) -> Option<bool> {
        if selector.invalid {
            return Some(false);
        }
        if let Some(known) = self.by_name.get(name).filter(|it| it.object.is_some()) {
            return Some(selector.matches(&known.labels));
        }
        let labels = [(NAME_LABEL, name)];
        let (of_name, others): (Vec<_>, Vec<_>) =
            selector.requirements.iter().cloned().partition(|it| it.key == NAME_LABEL);
        let of_name = Selector { requirements: of_name, invalid: false };
        match (of_name.matches(&labels), others.is_empty()) {
            (false, _) => Some(false),
            (true, true) => Some(true),
            (true, false) => None,
        }
    }

    /// The names of those that a selector selects.
    pub fn select(&self, selector: &Selector<'_>) -> Vec<&'d str> {
        let is_selected = |name: &&'d str| selector.matches(&self.by_name[name].labels);
        // One of the labels that have to be there narrows the search.
        let listed = selector.requirements.iter().find_map(|it| match &it.operator {
            Operator::In(values) => Some((it.key, values)),
            _ => None,
        });
        let Some((key, values)) = listed else {
            return self.by_name.keys().copied().filter(is_selected).collect();
        };
        let found = values.iter().filter_map(|value| self.by_label.get(&(key, *value))).flatten();
        let found: BTreeSet<_> = found.copied().filter(is_selected).collect();
        found.into_iter().collect()
    }
}
