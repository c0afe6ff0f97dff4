//! Whether what is missing in a world is in one of its neighbours: then it cannot be told whether it is missing.

use crate::analyze::selection::selector::{Selector, Selects};
use crate::analyze::selection::workloads::Workload;
use crate::analyze::world::Neighbour;
use crate::api::kind::Kind;
use crate::model::ObjId;
use crate::rule::Cx;

impl Cx<'_, '_> {
    /// That a neighbour has an object which is missing here; `*` stands for any name.
    pub fn elsewhere(&self, kind: Kind, namespace: &str, name: &str) -> Option<String> {
        let is_there = |it: &&Neighbour<'_, '_>| match name {
            "*" => it.model.of_kind(kind).any(|it| it.namespace == namespace),
            _ => it.model.find(kind, namespace, name).is_some(),
        };
        let neighbour = self.neighbours.iter().find(is_there)?;
        let what = match name {
            "*" => format!("a {}", kind.name()),
            _ => format!("{} `{name}`", kind.name()),
        };
        let of =
            if namespace.is_empty() { "".into() } else { format!(" of namespace `{namespace}`") };
        Some(apart(&format!("{what}{of}"), neighbour))
    }

    /// That a neighbour has policies in a namespace of these, which may open what they close.
    pub fn policy_elsewhere(&self, policies: impl Iterator<Item = ObjId>) -> Option<String> {
        let mut namespaces = policies.map(|it| self.object(it).namespace);
        namespaces.find_map(|it| self.elsewhere(Kind::NetworkPolicy, it, "*"))
    }

    /// The same for an object of any kind, by its group and kind as written.
    pub fn custom_elsewhere(
        &self,
        group: &str,
        kind: &str,
        namespace: &str,
        name: &str,
    ) -> Option<String> {
        let mut neighbours = self.neighbours.iter();
        let neighbour =
            neighbours.find(|it| it.model.find_custom(group, kind, namespace, name).is_some())?;
        Some(apart(&format!("{kind} `{name}` of namespace `{namespace}`"), neighbour))
    }

    /// That a neighbour runs pods in a namespace; with a selector, only such as it selects.
    pub fn pods_elsewhere(
        &self,
        namespace: &str,
        selector: Option<&Selector<'_>>,
    ) -> Option<String> {
        let runs = |it: &&Neighbour<'_, '_>| match selector {
            Some(selector) => !it.facts.workloads().select(namespace, selector).is_empty(),
            None => it.facts.workloads().in_namespace(namespace).next().is_some(),
        };
        let neighbour = self.neighbours.iter().find(runs)?;
        let which = selector.map_or(String::new(), |it| format!(" `{it}`"));
        Some(apart(&format!("the pods{which} of namespace `{namespace}`"), neighbour))
    }

    /// That a neighbour has a disruption budget which covers a workload.
    pub fn budget_elsewhere(&self, workload: &Workload<'_>) -> Option<String> {
        let covers = |it: &&Neighbour<'_, '_>| {
            let mut budgets = it.facts.budgets().iter();
            budgets.any(|it| {
                let selects = it.selector.as_ref().map(|it| it.selects(&workload.labels));
                it.namespace == workload.namespace && selects.is_some_and(|it| it != Selects::None)
            })
        };
        let neighbour = self.neighbours.iter().find(covers)?;
        Some(apart(&format!("the disruption budget of `{}`", workload.name), neighbour))
    }
}

/// What would settle it, after a colon why it does not yet.
fn apart(what: &str, neighbour: &Neighbour<'_, '_>) -> String {
    format!(
        "{what}, in world `{}`: each world is judged by itself; what is deployed together gets targets of one name in purlin.yaml",
        neighbour.name
    )
}
