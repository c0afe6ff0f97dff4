//! Worlds that may be deployed beside this one: what is missing here may be there, or in one that could not be rendered.

use super::Wanted;
use crate::analyze::selection::selector::Selects;
use crate::analyze::selection::workloads::Workload;
use crate::analyze::world::{Around, Neighbour};
use crate::api::kind::Kind;
use crate::load::Unrendered;
use crate::rule::Cx;

impl Cx<'_, '_> {
    /// That another world has what is wanted, or may have it.
    pub(super) fn in_other_worlds(&self, wanted: Wanted<'_>) -> Option<String> {
        if let Some(neighbour) = neighbour_with(self.around, wanted) {
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

/// The first world beside this one that has what is wanted.
fn neighbour_with<'c, 'd>(
    around: &Around<'c, 'd>,
    wanted: Wanted<'_>,
) -> Option<&'c Neighbour<'c, 'd>> {
    let neighbours = around.neighbours.as_ref()?;
    match wanted {
        Wanted::Object { kind, namespace, name } => {
            neighbours.with_object(kind, namespace, name).next()
        }
        Wanted::Custom { group, kind, name } => {
            neighbours.with_custom(group, kind, "", name).next()
        }
        Wanted::Workload { group, kind, namespace, name } => {
            neighbours.with_custom(group, kind, namespace, name).next()
        }
        Wanted::Any { kind, namespace } => neighbours.with_any(kind, namespace).next(),
        Wanted::Policies { namespace } => {
            neighbours.with_any(Kind::NetworkPolicy, namespace).next()
        }
        Wanted::Pods { namespace, selector } | Wanted::LastingPods { namespace, selector } => {
            let mut candidates = neighbours.with_pods(namespace, selector);
            match selector.is_empty() {
                true => candidates.next(),
                false => candidates
                    .find(|it| !it.facts.workloads().select(namespace, selector).is_empty()),
            }
        }
        Wanted::Budget(workload) => {
            neighbours.with_budgets(workload).find(|it| has_budget(it, workload))
        }
    }
}

fn has_budget(world: &Neighbour<'_, '_>, workload: &Workload<'_>) -> bool {
    let mut budgets = world.facts.budgets().iter();
    budgets.any(|it| {
        let selects = it.selector.as_ref().map(|it| it.selects(&workload.labels));
        it.namespace == workload.namespace && selects.is_some_and(|it| it != Selects::None)
    })
}
