//! What made pods, and which pods stand for a workload because nothing that is read has their template.
//!
//! A controller leaves its name on what it makes (`controller: true` among `ownerReferences`). Where it, or what made it,
//! has a template, its pods are counted there. Where it has none (an operator's pods, a ReplicaSet without its
//! Deployment) they are a workload of their own, one for each owner.

use super::workloads::template;
use crate::api::kind::{Kind, group};
use crate::model::{Model, ObjId, Object};
use crate::text::tree::Node;
use rustc_hash::FxHashMap;

/// The controller of an object, as the object names it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Owner<'d> {
    /// Its API group; empty for the core group.
    pub group: &'d str,
    /// Its kind.
    pub kind: &'d str,
    /// Its name.
    pub name: &'d str,
}

/// Who made an object.
pub(in crate::analyze) enum Made<'d> {
    /// Somebody wrote it.
    ByHand,
    /// Something with a template that is read: its pods are counted there.
    FromTemplate,
    /// This, which has none.
    By(Owner<'d>),
}

/// Controllers in a chain longer than this are taken for a mistake.
const MOST_OWNERS: usize = 8;

impl<'d> Owner<'d> {
    /// The controller of the object with this outermost field.
    pub fn of(root: Node<'d>) -> Option<Owner<'d>> {
        let metadata = root.get("metadata").into_iter();
        let mut owners = metadata.flat_map(|it| it.list("ownerReferences"));
        let controller =
            owners.find(|it| it.get("controller").and_then(Node::bool) == Some(true))?;
        let text = |key| controller.text(key).unwrap_or_default();
        Some(Owner { group: group(text("apiVersion")), kind: text("kind"), name: text("name") })
    }

    /// Its kind, if it is one with a name here.
    pub fn known_kind(&self) -> Kind {
        Kind::of(self.group, self.kind)
    }

    fn find<'m>(&self, model: &'m Model<'d>, namespace: &str) -> Option<&'m Object<'d>> {
        let found = model.find_custom(self.group, self.kind, namespace, self.name);
        found.or_else(|| model.find_custom(self.group, self.kind, "", self.name))
    }

    /// What made it, where it is not in the input and its name tells: a ReplicaSet is called after its Deployment or
    /// Rollout and the hash of the template, a Job after its CronJob and the time.
    fn maker<'m>(&self, model: &'m Model<'d>, namespace: &str) -> Option<&'m Object<'d>> {
        let (name, _) = self.name.rsplit_once('-')?;
        let kinds: &[Kind] = match self.known_kind() {
            Kind::ReplicaSet => &[Kind::Deployment, Kind::Rollout],
            Kind::Job => &[Kind::CronJob],
            _ => &[],
        };
        kinds.iter().find_map(|kind| model.find(*kind, namespace, name))
    }
}

/// Who made an object.
pub(in crate::analyze) fn made<'d>(model: &Model<'d>, object: &Object<'d>) -> Made<'d> {
    let Some(first) = Owner::of(object.root) else { return Made::ByHand };
    let mut owner = first;
    for _ in 0..MOST_OWNERS {
        let found = owner.find(model, object.namespace);
        let Some(found) = found.or_else(|| owner.maker(model, object.namespace)) else { break };
        // A pod may make others (a driver its executors), but not of its own template.
        if found.kind != Kind::Pod && has_template(found) {
            return Made::FromTemplate;
        }
        match Owner::of(found.root) {
            Some(next) => owner = next,
            None => break,
        }
    }
    Made::By(first)
}

fn has_template(object: &Object<'_>) -> bool {
    template(object.kind, object.root).is_some()
        || object.field(&["spec", "workloadRef"]).is_some() && object.kind == Kind::Rollout
}

/// The objects that stand for one workload, by what they have in common.
#[derive(Default)]
pub(in crate::analyze) struct Groups<'d> {
    places: FxHashMap<(&'d str, Kind, Owner<'d>, Vec<&'d str>), usize>,
}

impl<'d> Groups<'d> {
    /// The place of an object's group among all; a new one, at `next`, where it is the first of its group. Pods of one
    /// owner with other containers do something else.
    pub(in crate::analyze) fn place(
        &mut self,
        object: &Object<'d>,
        owner: Owner<'d>,
        pod: Node<'d>,
        next: usize,
    ) -> usize {
        let containers = pod.list("containers").filter_map(|it| it.text("name")).collect();
        *self.places.entry((object.namespace, object.kind, owner, containers)).or_insert(next)
    }
}

/// Whether a pod that a controller made has run to its end: the next one takes its place.
pub(in crate::analyze) fn has_ended(object: &Object<'_>) -> bool {
    let phase = object.field(&["status", "phase"]).and_then(Node::str);
    object.kind == Kind::Pod && matches!(phase, Some("Succeeded" | "Failed"))
}

/// The object that says how many pods a workload has, where that is not the one with the template: an Argo Rollout takes
/// over the template of the Deployment that its `workloadRef` names, by the Deployment (argo-rollouts,
/// `docs/migrating.md`).
pub(in crate::analyze) fn taken_over<'d>(model: &Model<'d>) -> FxHashMap<ObjId, ObjId> {
    let rollouts = model.of_kind(Kind::Rollout);
    let taken = rollouts.filter_map(|it| {
        let reference = it.field(&["spec", "workloadRef"])?;
        let group = reference.text("apiVersion").map_or("apps", group);
        let kind = reference.text("kind").unwrap_or("Deployment");
        let found = model.find_custom(group, kind, it.namespace, reference.text("name")?)?;
        Some((found.id, it.id))
    });
    taken.collect()
}
