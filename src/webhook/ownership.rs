//! Whose objects a finding is about: an annotation on one's own object settles nothing between it and somebody else's.

use super::key::Key;
use super::release::marks;
use super::snapshot::Snapshot;
use crate::api::kind::Kind;
use crate::load::Document;
use crate::text::tree::Node;

/// What whoever runs a namespace sets for those who deploy into it.
const OF_THE_OPERATOR: [Kind; 2] = [Kind::LimitRange, Kind::ResourceQuota];

/// What binds others: it is somebody else's unless it says that it is of the same application.
const BINDING: [Kind; 3] = [Kind::Ingress, Kind::NetworkPolicy, Kind::PodDisruptionBudget];

/// Labels that say of which application an object is.
const APPLICATION: [&str; 4] =
    ["app.kubernetes.io/instance", "app.kubernetes.io/part-of", "app.kubernetes.io/name", "app"];

/// Whether all objects of a finding are of whoever annotated one of them: they stand in its namespace, and none of them
/// was there before the request and belongs to somebody else.
///
/// `annotated` are the objects with the annotation, `written` is that of the request as it will be.
pub(super) fn is_own(
    snapshot: &Snapshot,
    objects: &[Key],
    annotated: &[Key],
    (own, written): (&Key, &Document),
) -> bool {
    let root = |key: &Key| match key == own {
        true => Some(written.tree.root()),
        false => snapshot.get(key).map(|it| it.document.tree.root()),
    };
    annotated.iter().any(|it| {
        let Some(mine) = root(it).filter(|_| !it.namespace.is_empty()) else { return false };
        objects.iter().filter(|other| *other != it).all(|other| {
            let is_near = other.namespace == it.namespace;
            // That of the request was not there first.
            is_near
                && (other == own
                    || root(other).is_some_and(|root| is_alike(other.kind, root, mine)))
        })
    })
}

/// Whether an object that was there is of whoever wrote the other one.
fn is_alike(kind: Kind, there: Node<'_>, mine: Node<'_>) -> bool {
    if OF_THE_OPERATOR.contains(&kind) {
        return false;
    }
    let (marks_there, marks_mine) = (marks(there), marks(mine));
    if !marks_there.is_empty() && !marks_mine.is_empty() {
        return !marks_there.is_disjoint(&marks_mine);
    }
    !BINDING.contains(&kind) || is_of_one_application(there, mine)
}

fn is_of_one_application(a: Node<'_>, b: Node<'_>) -> bool {
    let label = |root: Node<'_>, key: &str| {
        let label =
            root.at(&["metadata", "labels"]).and_then(|it| it.text(key)).map(str::to_string);
        label.filter(|it| !it.is_empty())
    };
    APPLICATION.iter().any(|key| label(a, key).is_some_and(|it| label(b, key) == Some(it)))
}
