//! What exists only while a cluster runs: what controllers make of custom objects, pods that label themselves or start
//! others, what Terraform makes beside the manifests.

use super::{Absence, Wanted};
use crate::analyze::selection::selector::{Operator, Selector};
use crate::api::kind::Kind;
use crate::model::without_hash;
use crate::rule::Cx;
use crate::text::tree::placeholder::has_placeholder;

/// What tells whether a controller makes pods, or whether pods may label themselves.
const WHO_MAKES_PODS: &[Kind] = &[
    Kind::ClusterRole,
    Kind::ClusterRoleBinding,
    Kind::Custom,
    Kind::Prometheus,
    Kind::Role,
    Kind::RoleBinding,
];

impl Cx<'_, '_> {
    /// Whether what is wanted, and stands nowhere in the input, may exist all the same.
    pub(super) fn at_run_time(&self, wanted: Wanted<'_>) -> Result<(), Absence> {
        match wanted {
            Wanted::Pods { namespace, selector } | Wanted::LastingPods { namespace, selector }
                if !selector.is_empty() =>
            {
                self.pods_at_run_time(namespace, selector)
            }
            Wanted::Object { kind, namespace, name } => {
                self.object_at_run_time(kind, namespace, name)
            }
            Wanted::Workload { kind, namespace, name, .. } => {
                let made = self.facts.terraform().of(kind, namespace, name);
                made.map_or(Ok(()), |it| unknown(it.to_string()))
            }
            _ => Ok(()),
        }
    }

    fn pods_at_run_time(&self, namespace: &str, selector: &Selector<'_>) -> Result<(), Absence> {
        let values = selector.requirements.iter().flat_map(|it| match &it.operator {
            Operator::In(values) => values.as_slice(),
            _ => &[],
        });
        if values.clone().any(|it| has_placeholder(it)) {
            return unknown(format!("the pods `{selector}`: filled in before they are applied"));
        }
        let operated = self.facts.operated().select(namespace, selector);
        if operated.is_some_and(|it| it.is_known) {
            return Err(Absence::Elsewhere);
        }
        let maker = values.copied().find_map(|it| self.facts.makers().of_pods(namespace, it));
        if let Some(maker) = operated.map(|it| it.object).or(maker) {
            return unknown(format!(
                "whether the controller of `{}` makes pods labelled `{selector}`",
                self.object(maker)
            ));
        }
        if let Some(passing) = self.facts.experiments().select(namespace, selector) {
            return unknown(format!(
                "when `{}` runs pods labelled `{selector}`: only while it rolls out or experiments",
                self.object(passing.object)
            ));
        }
        if let Some(lack) = self.lack_of_makers(WHO_MAKES_PODS, namespace) {
            return unknown(lack);
        }
        self.by_account(namespace, selector)
    }

    /// Pods that may change labels of pods, or start others, by what their ServiceAccount may do.
    fn by_account(&self, namespace: &str, selector: &Selector<'_>) -> Result<(), Absence> {
        let mighty = self.facts.relabelling().in_namespace(namespace);
        let workload = |id| self.facts.workloads().get(id);
        let alike = mighty
            .iter()
            .find(|(id, power)| power.labels && selector.selects_with_more(&workload(*id).labels));
        let Some((id, power)) = alike.or(mighty.first()) else { return Ok(()) };
        let object = self.object(workload(*id).object);
        unknown(if power.labels {
            format!(
                "whether the pods of `{object}` label themselves `{selector}`: their ServiceAccount may change pods"
            )
        } else {
            format!(
                "whether the pods of `{object}` start pods labelled `{selector}`: their ServiceAccount may create pods or workloads"
            )
        })
    }

    fn object_at_run_time(&self, kind: Kind, namespace: &str, name: &str) -> Result<(), Absence> {
        if let Some(why) = self.without_namespace(kind, namespace, name) {
            return unknown(why);
        }
        if let Some(made) = self.facts.terraform().of(kind.name(), namespace, name) {
            return unknown(made.to_string());
        }
        let maker = self.facts.references().named_by(namespace, name);
        if let Some(maker) = maker.or_else(|| self.facts.makers().of(namespace, name)) {
            return unknown(format!(
                "whether the controller of `{}` makes {} `{name}`",
                self.object(maker),
                kind.name()
            ));
        }
        if let Some(lack) = self.lack_of_makers(&[Kind::Custom], namespace) {
            return unknown(lack);
        }
        // The Prometheus operator's governing Services: `prometheus-operated`, `alertmanager-operated`.
        if kind == Kind::Service && name.ends_with("-operated") {
            return unknown(format!("whether the Prometheus operator makes Service `{name}`"));
        }
        if self.coverage().is_none() && without_hash(kind, name).is_some() {
            return unknown(format!(
                "{} `{name}`: the end of the name is kustomize's, and what it generates is not in the input",
                kind.name()
            ));
        }
        Ok(())
    }
}

fn unknown(why: String) -> Result<(), Absence> {
    Err(Absence::CannotTell(why))
}
