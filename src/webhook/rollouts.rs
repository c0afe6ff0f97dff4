//! Who changed what a moment ago, with a tool that sends files of many objects.
//!
//! What was allowed is no change until a watch or a read has shown it: who only asks, or forges a review, changes nothing.

use super::change::are_alike;
use super::entry::Entry;
use super::key::Key;
use super::review::{Operation, Review};
use super::sharded::Sharded;
use super::snapshot::Snapshot;
use jiff::{SignedDuration, Timestamp};
use std::sync::Arc;

/// For how long a change is part of the same breath.
const BREATH: SignedDuration = SignedDuration::from_secs(5);

/// The most changes that are remembered of a namespace.
const MOST: usize = 64;

/// A change that was allowed.
#[derive(Clone, Debug)]
struct Made {
    key: Key,
    who: Arc<str>,
    at: Timestamp,
    /// The object as it was to be.
    after: Arc<Entry>,
}

/// The changes of the last moments, by namespace. A copy costs a count.
#[derive(Clone, Debug, Default)]
pub(super) struct Rollouts {
    by_namespace: Sharded<Arc<Vec<Made>>>,
}

/// Managers of fields that send files of many objects.
///
/// `k8s.io/kubectl/pkg/cmd/apply/apply.go`: `kubectl-client-side-apply`, and `kubectl` on the server's side.
pub(super) const APPLYING: [&str; 2] = ["kubectl-client-side-apply", "kubectl"];

impl Rollouts {
    /// Enters an allowed change, which is one beside what is confirmed.
    pub(super) fn enter(
        &mut self,
        review: &Review,
        after: &Arc<Entry>,
        confirmed: &Snapshot,
        at: Timestamp,
    ) {
        let is_applied = review.operation == Operation::Update
            && review.subresource.is_empty()
            && APPLYING.contains(&review.manager.as_str());
        if !is_applied || review.key.namespace.is_empty() || stands(confirmed, &review.key, after) {
            return;
        }
        let made = Made { key: review.key.clone(), who: who(review), at, after: after.clone() };
        let all = Arc::make_mut(self.by_namespace.get_mut(&review.key.namespace));
        all.retain(|it| at.duration_since(it.at) <= BREATH && it.key != made.key);
        if all.len() == MOST {
            all.remove(0);
        }
        all.push(made);
    }

    /// Whether the same person, with the same tool, changed this object a moment ago.
    pub(super) fn has(
        &self,
        key: &Key,
        confirmed: &Snapshot,
        review: &Review,
        now: Timestamp,
    ) -> bool {
        let who = who(review);
        let made = self.by_namespace.get(&key.namespace).into_iter().flat_map(|it| it.iter());
        made.filter(|it| now.duration_since(it.at) <= BREATH)
            .any(|it| it.key == *key && it.who == who && stands(confirmed, key, &it.after))
    }
}

/// Whether an object is known as it was to be.
fn stands(confirmed: &Snapshot, key: &Key, after: &Entry) -> bool {
    let (there, after) = (confirmed.get(key), after.document.tree.root());
    there.is_some_and(|it| are_alike(after, it.document.tree.root(), &["labels"]))
}

fn who(review: &Review) -> Arc<str> {
    [&*review.user, " ", &*review.manager].concat().into()
}
