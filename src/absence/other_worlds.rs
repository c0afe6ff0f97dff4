//! Worlds that may be deployed beside this one: what is missing here may be there, or in one that could not be rendered.

use super::Wanted;
use crate::analyze::selection::selector::Selects;
use crate::analyze::selection::workloads::Workload;
use crate::analyze::world::Neighbour;
use crate::api::kind::Kind;
use crate::load::Unrendered;
use crate::rule::Cx;

impl Cx<'_, '_> {
    /// That another world has what is wanted, or may have it.
    pub(super) fn in_other_worlds(&self, wanted: Wanted<'_>) -> Option<String> {
        if let Some(neighbour) = self.around.neighbours.iter().find(|it| has(it, wanted)) {
            return Some(format!(
                "{}, in world `{}`: each world is judged by itself; what is deployed together gets targets of one name in purlin.yaml",
                wanted.describe(),
                neighbour.name
            ));
        }
        self.unrendered_beside(Some(wanted.namespace()), &wanted.describe())
    }

    /// That a world which could not be rendered may hold something, in this namespace if it is one.
    pub(super) fn unrendered_beside(&self, namespace: Option<&str>, what: &str) -> Option<String> {
        let may_hold = |it: &&&Unrendered| {
            let own = it.namespace.as_deref();
            own.zip(namespace).is_none_or(|(own, wanted)| wanted.is_empty() || own == wanted)
        };
        let unrendered = self.around.unrendered.iter().find(may_hold)?;
        Some(format!("{what}: world `{}` could not be rendered, and may hold it", unrendered.name))
    }
}

fn has(world: &Neighbour<'_, '_>, wanted: Wanted<'_>) -> bool {
    match wanted {
        Wanted::Object { kind, namespace, name } => {
            world.model.find(kind, namespace, name).is_some()
        }
        Wanted::Custom { group, kind, name } => {
            world.model.find_custom(group, kind, "", name).is_some()
        }
        Wanted::Any { kind, namespace } => has_any(world, kind, namespace),
        Wanted::Workload { group, kind, namespace, name } => {
            world.model.find_custom(group, kind, namespace, name).is_some()
        }
        Wanted::Pods { namespace, selector } | Wanted::LastingPods { namespace, selector } => {
            let workloads = world.facts.workloads();
            match selector.is_empty() {
                true => workloads.in_namespace(namespace).next().is_some(),
                false => !workloads.select(namespace, selector).is_empty(),
            }
        }
        Wanted::Policies { namespace } => has_any(world, Kind::NetworkPolicy, namespace),
        Wanted::Budget(workload) => has_budget(world, workload),
    }
}

fn has_any(world: &Neighbour<'_, '_>, kind: Kind, namespace: &str) -> bool {
    world.model.of_kind(kind).any(|it| it.namespace == namespace)
}

fn has_budget(world: &Neighbour<'_, '_>, workload: &Workload<'_>) -> bool {
    let mut budgets = world.facts.budgets().iter();
    budgets.any(|it| {
        let selects = it.selector.as_ref().map(|it| it.selects(&workload.labels));
        it.namespace == workload.namespace && selects.is_some_and(|it| it != Selects::None)
    })
}
