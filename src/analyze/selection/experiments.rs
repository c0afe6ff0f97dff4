//! Pods that Argo Rollouts runs for a time only: canaries and previews with labels of their own, and experiments.

use super::selector::{PodLabels, Selector, Selects};
use super::workloads::Workloads;
use crate::api::kind::Kind;
use crate::model::{Model, ObjId};
use crate::text::tree::Node;
use rustc_hash::FxHashMap;

/// They, by namespace.
#[derive(Debug, Default)]
pub struct Experiments<'d> {
    by_namespace: FxHashMap<&'d str, Vec<Passing<'d>>>,
}

/// Pods that are there for a time.
#[derive(Debug)]
pub struct Passing<'d> {
    /// The Rollout or Experiment that runs them.
    pub object: ObjId,
    labels: PodLabels<'d>,
}

/// Where the labels stand that a Rollout adds to some of its pods (argo-rollouts, pkg/apis/rollouts/v1alpha1/types.go:
/// PodTemplateMetadata).
const SOME: [[&str; 2]; 4] = [
    ["canary", "canaryMetadata"],
    ["canary", "stableMetadata"],
    ["blueGreen", "previewMetadata"],
    ["blueGreen", "activeMetadata"],
];

impl<'d> Experiments<'d> {
    /// Finds them in a model.
    pub fn new(model: &Model<'d>, workloads: &Workloads<'d>) -> Experiments<'d> {
        let mut found = Experiments::default();
        for workload in workloads.iter().filter(|it| it.kind == Kind::Rollout) {
            let object = model.object(workload.controller);
            let Some(strategy) = object.field(&["spec", "strategy"]) else { continue };
            let metadata = SOME.iter().filter_map(|path| strategy.at(path));
            let steps = strategy.get("canary").into_iter().flat_map(|it| it.list("steps"));
            let steps = steps.filter_map(|it| it.get("experiment"));
            let templates = steps.flat_map(|it| it.list("templates"));
            let metadata = metadata.chain(templates.filter_map(|it| it.get("metadata")));
            for more in metadata.filter_map(|it| it.get("labels")) {
                let mut labels = workload.labels.clone();
                labels.written = labels.written.with(&labels_of(more).collect::<Vec<_>>());
                found.add(object.namespace, Passing { object: object.id, labels });
            }
        }
        let experiments = model
            .of_kind(Kind::Custom)
            .filter(|it| (it.group(), it.kind_name) == ("argoproj.io", "Experiment"));
        for object in experiments {
            let templates = object.field(&["spec"]).into_iter().flat_map(|it| it.list("templates"));
            for template in templates {
                let labels = template.at(&["template", "metadata", "labels"]);
                let written: Vec<_> = labels.into_iter().flat_map(labels_of).collect();
                let labels = PodLabels {
                    written: written.into(),
                    owner: object.name,
                    ..PodLabels::default()
                };
                found.add(object.namespace, Passing { object: object.id, labels });
            }
        }
        found
    }

    fn add(&mut self, namespace: &'d str, passing: Passing<'d>) {
        self.by_namespace.entry(namespace).or_default().push(passing);
    }

    /// Those of a namespace that a selector selects.
    pub fn select(&self, namespace: &str, selector: &Selector<'_>) -> Option<&Passing<'d>> {
        let mut all = self.by_namespace.get(namespace).into_iter().flatten();
        all.find(|it| selector.selects(&it.labels) != Selects::None)
    }
}

fn labels_of<'d>(labels: Node<'d>) -> impl Iterator<Item = (&'d str, &'d str)> {
    labels.pairs().filter_map(|(key, it)| Some((key, it.str()?)))
}
