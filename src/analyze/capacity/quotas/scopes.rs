//! A quota's scopes: all of them have to match before anything is charged.
//!
//! `pkg/quota/v1/evaluator/core/pods.go`, podMatchesScopeFunc; objects other than pods and claims match no scope.

use crate::analyze::capacity::effective_resources::PodDemand;
use crate::analyze::disruption::spread::{preferred, required};
use crate::analyze::selection::workloads::Workload;
use crate::api::kind::Kind;
use crate::model::Model;
use crate::text::tree::Node;

/// The scopes of a quota, `scopes` and `scopeSelector` together.
#[derive(Clone, Debug, Default)]
pub(super) struct Scopes<'d> {
    all: Vec<Scope<'d>>,
}

#[derive(Clone, Debug)]
struct Scope<'d> {
    name: &'d str,
    operator: &'d str,
    values: Vec<&'d str>,
}

impl<'d> Scopes<'d> {
    pub(super) fn parse(spec: Option<Node<'d>>) -> Scopes<'d> {
        let plain = spec.into_iter().flat_map(|it| it.list("scopes")).filter_map(Node::str);
        let plain = plain.map(|name| Scope { name, operator: "Exists", values: Vec::new() });
        let selector = spec.and_then(|it| it.get("scopeSelector"));
        let expressions = selector.into_iter().flat_map(|it| it.list("matchExpressions"));
        let expressions = expressions.map(|it| Scope {
            name: it.text("scopeName").unwrap_or(""),
            operator: it.text("operator").unwrap_or(""),
            values: it.list("values").filter_map(Node::str).collect(),
        });
        Scopes { all: plain.chain(expressions).collect() }
    }

    /// Whether it has none, so that it counts everything.
    pub(super) fn is_empty(&self) -> bool {
        self.all.is_empty()
    }

    pub(super) fn match_pod(
        &self,
        model: &Model<'_>,
        workload: &Workload<'d>,
        demand: &PodDemand<'d>,
    ) -> bool {
        let pod = workload.pod;
        self.all.iter().all(|scope| match scope.name {
            "Terminating" => is_terminating(pod),
            "NotTerminating" => !is_terminating(pod),
            "BestEffort" => demand.is_best_effort,
            "NotBestEffort" => !demand.is_best_effort,
            "PriorityClass" => scope.matches(priority_class(model, pod)),
            "CrossNamespacePodAffinity" => has_affinity_across_namespaces(pod),
            _ => false,
        })
    }

    /// A claim matches by its VolumeAttributesClass alone.
    pub(super) fn match_claim(&self, attributes_class: Option<&str>) -> bool {
        self.all.iter().all(|it| it.name == "VolumeAttributesClass" && it.matches(attributes_class))
    }
}

impl Scope<'_> {
    fn matches(&self, value: Option<&str>) -> bool {
        let is_listed = value.is_some_and(|it| self.values.contains(&it));
        match self.operator {
            "In" => is_listed,
            // As for labels: what is absent is not in the list.
            "NotIn" => !is_listed,
            "Exists" => value.is_some(),
            "DoesNotExist" => value.is_none(),
            _ => false,
        }
    }
}

/// The pod's own deadline counts; a Job's `spec.activeDeadlineSeconds` is not handed on to its pods.
fn is_terminating(pod: Node<'_>) -> bool {
    pod.get("activeDeadlineSeconds").and_then(Node::int).is_some_and(|it| it >= 0)
}

/// Admission writes the class that is the global default into pods that name none.
fn priority_class<'d>(model: &Model<'d>, pod: Node<'d>) -> Option<&'d str> {
    let written = pod.text("priorityClassName").filter(|it| !it.is_empty());
    written.or_else(|| {
        let mut classes = model.of_kind(Kind::PriorityClass);
        let default = |it: Node<'_>| it.get("globalDefault").and_then(Node::bool) == Some(true);
        classes.find(|it| default(it.root)).map(|it| it.name)
    })
}

fn has_affinity_across_namespaces(pod: Node<'_>) -> bool {
    let kinds = ["podAffinity", "podAntiAffinity"];
    let mut terms = kinds.iter().flat_map(|it| required(pod, it).chain(preferred(pod, it)));
    terms.any(|it| it.list("namespaces").next().is_some() || it.get("namespaceSelector").is_some())
}
