//! What a request changes: its object as it was and as it will be, each read once.
//!
//! Of a creation the object as it was is the one of the same name that was deleted a short time ago: who puts back what
//! was there makes nothing worse. A workload that is scaled to nothing, and back to what it had, is judged as if it had
//! had that number all the time.

use super::entry::{Entry, json, replicas};
use super::key::Key;
use super::past::{Gone, Was};
use super::regression::Said;
use super::review::{CLUSTER, Operation, Review};
use super::snapshot::Snapshot;
use crate::api::kind::Kind;
use crate::load::Document;
use crate::load::cluster::live;
use crate::policy::Policy;
use crate::text::tree::Node;
use jiff::Timestamp;
use std::sync::Arc;

/// What excuses an object that comes back.
#[derive(Clone, Debug)]
pub(super) enum Earlier {
    /// What was wrong in the world as it was with it.
    World(Arc<Entry>, Box<Snapshot>),
    /// This was wrong with it.
    Wrong(Arc<Vec<Said>>),
}

/// An object before and after a request.
#[derive(Clone, Debug, Default)]
pub struct Change {
    /// As it was; `None` where it was not there.
    pub(super) before: Option<Arc<Entry>>,
    /// As it will be; `None` where it will not be there.
    pub(super) after: Option<Arc<Entry>>,
    /// How the object was that was deleted a short time ago and comes back.
    pub(super) earlier: Option<Earlier>,
    /// Whether it does nothing but scale a workload to nothing, which is never denied.
    pub(super) is_switching_off: bool,
    /// The time of the request.
    pub(super) at: Timestamp,
}

impl Change {
    /// What a request changes in this world; `None` where it says nothing of an object.
    pub fn of(
        snapshot: &Snapshot,
        review: &Review,
        policy: &Policy,
        at: Timestamp,
    ) -> Option<Change> {
        Change::within(snapshot, snapshot.get(&review.key).is_none(), review, policy, at)
    }

    /// The same in the confirmed world; `is_gone` where the object is gone once what was allowed has come about.
    pub(super) fn within(
        snapshot: &Snapshot,
        is_gone: bool,
        review: &Review,
        policy: &Policy,
        at: Timestamp,
    ) -> Option<Change> {
        let confirmed = snapshot.confirmed();
        if review.operation == Operation::Delete {
            return Some(Change { before: known(confirmed, review), at, ..Change::default() });
        }
        let after = written(snapshot, review)?;
        let (mut before, mut earlier) = (None, None);
        match review.operation {
            Operation::Create => earlier = Earlier::of(snapshot, is_gone, review, policy, at),
            _ if review.subresource == "scale" => before = snapshot.get(&review.key).cloned(),
            _ => before = known(confirmed, review),
        }
        let after = Some(after);
        let mut change = Change { before, after, earlier, is_switching_off: false, at };
        change.rescale(snapshot, &review.key);
        Some(change)
    }

    /// Has a workload judged as if it had had all the time the replicas that it will have, where these are nobody's
    /// fault: none, and from none what it had before or the least that its autoscaler keeps.
    fn rescale(&mut self, snapshot: &Snapshot, key: &Key) {
        let (Some(before), Some(after)) = (&self.before, &self.after) else { return };
        let (Some(old), Some(new)) = (replicas(before), replicas(after)) else { return };
        if new == 0 && old > 0 {
            let Some(off) = Entry::new(scaled(&before.document, 0), before.version) else { return };
            if off.document.tree.root().same(after.document.tree.root()) {
                self.is_switching_off = true;
            } else {
                self.before = Some(Arc::new(off));
            }
        } else if old == 0 && new > 0 {
            let earlier = snapshot.past().scaled(key).filter(|it| replicas(it) == Some(new));
            let switched_on = || {
                let is_floor = floors(snapshot, key).any(|it| it == new);
                let on = is_floor.then(|| scaled(&before.document, new))?;
                Entry::new(on, before.version).map(Arc::new)
            };
            if let Some(earlier) = earlier.or_else(switched_on) {
                self.before = Some(earlier);
            }
        }
    }

    /// Whether the replicas that its object asks for change.
    pub(super) fn is_rescaled(&self) -> bool {
        let count = |it: &Option<Arc<Entry>>| it.as_deref().and_then(replicas);
        count(&self.before) != count(&self.after)
    }

    /// Whether both say the same to every rule.
    pub(super) fn is_none(&self) -> bool {
        match (&self.before, &self.after) {
            (Some(before), Some(after)) => {
                before.document.tree.root().same(after.document.tree.root())
            }
            (None, None) => true,
            _ => false,
        }
    }
}

impl Earlier {
    /// Of the object that a request creates; `is_gone` where it is there as far as the watches have shown, and goes.
    fn of(
        snapshot: &Snapshot,
        is_gone: bool,
        review: &Review,
        policy: &Policy,
        at: Timestamp,
    ) -> Option<Earlier> {
        let confirmed = snapshot.confirmed();
        if let Some(there) = confirmed.get(&review.key).filter(|_| is_gone) {
            return Some(Earlier::World(there.clone(), Box::new(confirmed.clone())));
        }
        let gone = snapshot.past().deleted(&review.key, at, policy.admission.recreate())?;
        Earlier::gone(snapshot, gone)
    }

    /// Of something that was deleted.
    pub(super) fn gone(snapshot: &Snapshot, gone: &Gone) -> Option<Earlier> {
        match &gone.was {
            Was::Object(entry, slice) => {
                let then = snapshot.with_slice(&gone.key.namespace, slice.clone());
                Some(Earlier::World(entry.clone(), Box::new(then)))
            }
            Was::Wrong(said) => Some(Earlier::Wrong(said.clone())),
            Was::Scaled(_) => None,
        }
    }
}

/// The object as the API server has just read it for the request, rather than what a watch showed last; what is known in
/// that version was read before.
fn known(confirmed: &Snapshot, review: &Review) -> Option<Arc<Entry>> {
    let known = confirmed.get(&review.key);
    if let Some(known) = known.filter(|it| it.version != 0 && it.version == review.old_version) {
        return Some(known.clone());
    }
    Entry::new(review.old.clone()?, review.old_version).map(Arc::new)
}

/// The object as the request would leave it.
fn written(snapshot: &Snapshot, review: &Review) -> Option<Arc<Entry>> {
    let object = review.object.clone()?;
    let document = match review.subresource.as_str() {
        // `pods/resize` and `pods/ephemeralcontainers` carry the pod.
        "" | "resize" | "ephemeralcontainers" => object,
        "scale" => {
            let replicas = object.tree.root().at(&["spec", "replicas"]).and_then(Node::int);
            scaled(&snapshot.get(&review.key)?.document, replicas.unwrap_or(0))
        }
        _ => return None,
    };
    // Its own version is known once it is stored; until then it is newer than all others.
    Entry::new(document, review.old_version).map(Arc::new)
}

/// Whether the object is known as the request has written it: neither is that still to come, nor has anybody changed
/// it since. Controllers may have annotated it.
pub fn stands(review: &Review, snapshot: &Snapshot) -> bool {
    let Some(entry) = snapshot.get(&review.key).filter(|it| it.version > review.old_version) else {
        return false;
    };
    let root = entry.document.tree.root();
    written(snapshot, review)
        .is_some_and(|it| are_alike(it.document.tree.root(), root, &["labels"]))
}

/// Whether two versions of an object say the same, of their metadata in these fields.
pub(super) fn are_alike(new: Node<'_>, old: Node<'_>, metadata: &[&str]) -> bool {
    let same = |keys: &[&str]| match (new.at(keys), old.at(keys)) {
        (Some(a), Some(b)) => a.same(b),
        (None, None) => true,
        (Some(it), None) | (None, Some(it)) => it.count() == 0 && (it.is_map() || it.is_seq()),
    };
    let fields = |it: Node<'_>| it.pairs().filter(|(key, _)| *key != "metadata").count();
    let is_same_below = |(key, _): (&str, Node<'_>)| match key {
        "metadata" => metadata.iter().all(|it| same(&["metadata", it])),
        _ => same(&[key]),
    };
    fields(new) == fields(old) && new.pairs().all(is_same_below)
}

/// The least that each autoscaler of a workload keeps once it is switched on.
fn floors<'s>(snapshot: &'s Snapshot, key: &'s Key) -> impl Iterator<Item = i64> + 's {
    let of = |kind: Kind, field: &'static str| {
        let scalers = snapshot.slice(&key.namespace).map_or(&[][..], |it| it.of_kind(kind));
        scalers.iter().filter_map(move |it| {
            let spec = it.document.tree.root().get("spec")?;
            let target = spec.get("scaleTargetRef")?;
            let is_target = target.text("name") == Some(&*key.name)
                && target.text("kind").unwrap_or("Deployment") == key.kind.name();
            is_target.then(|| spec.get(field).and_then(Node::int).unwrap_or(1).max(1))
        })
    };
    let autoscalers = of(Kind::HorizontalPodAutoscaler, "minReplicas");
    autoscalers.chain(of(Kind::ScaledObject, "minReplicaCount"))
}

/// A workload with this many replicas.
fn scaled(workload: &Document, replicas: i64) -> Arc<Document> {
    let mut object = json(workload.tree.root());
    object["spec"]["replicas"] = replicas.into();
    Arc::new(live::document(CLUSTER, &object, "", ""))
}
