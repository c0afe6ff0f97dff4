//! Looks again after the write: two replicas may each allow what only together is wrong, and so may a watch that was a
//! moment behind. Nothing can be undone, but it is counted and told.

use super::events::{Events, Reason};
use super::knowledge::Knowledge;
use super::metrics::{Metrics, OfRule};
use super::policy_source::Current;
use super::pool::{Pool, Turn};
use crate::webhook::change::stands;
use crate::webhook::notice::Notice;
use crate::webhook::review::{Operation, Review};
use crate::webhook::snapshot::Snapshot;
use crate::webhook::verdict::{Verdict, judge};
use serde_json::json;
use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use tokio::time::timeout;

/// How long after a watch showed the write itself: by then the watches show what others wrote at the same time.
const AFTER: Duration = Duration::from_secs(1);

/// How often to see what is due.
const INTERVAL: Duration = Duration::from_millis(100);

/// For how long to wait until a watch shows the write itself; it may never come about. A request takes 34 s at most.
const AT_MOST: Duration = Duration::from_secs(40);

/// Whose work it is to judge them again, to the threads that do it.
const SECOND_LOOK: &str = "purlin's second look";

/// The most writes to look at again; beyond it the oldest are let go.
const MOST: usize = 20_000;

struct Write {
    review: Arc<Review>,
    /// How much others had changed in its namespace when it was allowed, or was looked at last.
    changes: u64,
    allowed: Instant,
    /// When a watch was found to have shown it.
    seen: Option<Instant>,
}

/// The writes that are to be looked at again.
pub(super) struct Races {
    writes: Mutex<VecDeque<Write>>,
}

impl Races {
    pub(super) fn new() -> Races {
        Races { writes: Mutex::default() }
    }

    /// A request was allowed when others had changed this much in its namespace.
    pub(super) fn allowed(&self, review: &Arc<Review>, changes: u64, now: Instant) {
        let is_write = matches!(review.operation, Operation::Create | Operation::Update);
        if review.is_dry_run || !is_write || review.key.name.is_empty() {
            return;
        }
        let mut writes = self.writes();
        if writes.len() >= MOST {
            writes.pop_front();
        }
        writes.push_back(Write { review: review.clone(), changes, allowed: now, seen: None });
    }

    fn writes(&self) -> MutexGuard<'_, VecDeque<Write>> {
        self.writes.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes out the writes that were seen long enough ago, and lets go of those that did not come about.
    fn due(&self, snapshot: &Snapshot, now: Instant) -> Vec<Write> {
        let is_seen =
            |it: &Review| snapshot.get(&it.key).is_some_and(|entry| entry.version > it.old_version);
        let mut due = Vec::new();
        let mut writes = self.writes();
        let open = std::mem::take(&mut *writes);
        for mut write in open {
            if write.seen.is_none() && is_seen(&write.review) {
                write.seen = Some(now);
            }
            match write.seen {
                Some(seen) if now.duration_since(seen) >= AFTER => due.push(write),
                None if now.duration_since(write.allowed) >= AT_MOST => {}
                _ => writes.push_back(write),
            }
        }
        due
    }

    fn later(&self, late: Vec<Write>) {
        let mut writes = self.writes();
        late.into_iter().rev().for_each(|it| writes.push_front(it));
    }
}

/// Who looks again.
pub(super) struct Second {
    pub(super) races: Arc<Races>,
    pub(super) knowledge: Arc<Knowledge>,
    pub(super) policy: Current,
    pub(super) pool: Pool,
    pub(super) own_account: Option<Arc<str>>,
    pub(super) events: Events,
    pub(super) metrics: Arc<Metrics>,
}

impl Second {
    /// Looks again for ever.
    pub(super) async fn look(self) {
        loop {
            tokio::time::sleep(INTERVAL).await;
            let now = Instant::now();
            let snapshot = self.knowledge.state().snapshot();
            let due = self.races.due(&snapshot, now);
            if due.is_empty() {
                continue;
            }
            let unseen = self.knowledge.unseen_since(now);
            let mut late = Vec::new();
            for mut write in due {
                // Who has changed it since is looked at for that.
                if !stands(&write.review, &snapshot) {
                    continue;
                }
                let namespace = &write.review.key.namespace;
                let changes = self.knowledge.changes(namespace);
                // Who was alone in the namespace raced with nobody.
                if changes != write.changes && self.judge(&write.review).await {
                    continue;
                }
                write.changes = changes;
                // What it was allowed for the sake of may not have come about.
                if unseen.get(namespace).is_some_and(|it| *it <= write.allowed) {
                    late.push(write);
                }
            }
            self.races.later(late);
        }
    }

    /// Tells of what a write broke together with others; false if it broke nothing.
    async fn judge(&self, review: &Arc<Review>) -> bool {
        let (policy, own_account) = (self.policy.get(), self.own_account.clone());
        let (knowledge, judged) = (self.knowledge.clone(), review.clone());
        let work = move |turn: &Turn<'_>| -> Option<Verdict> {
            if !turn.is_for(SECOND_LOOK) {
                return None;
            }
            let context = policy.context(own_account.as_deref());
            let snapshot = knowledge.state().snapshot();
            Some(judge(&snapshot, &judged, &context))
        };
        let Ok(Ok(Some(verdict))) = timeout(AT_MOST, self.pool.run(work)).await else {
            return false;
        };
        // What the API server never asks about no webhook could have held up.
        let is_bound =
            |it: &&Notice| it.objects.iter().all(|it| self.knowledge.is_asked_about(it.kind));
        for denial in verdict.denials.iter().filter(is_bound) {
            self.metrics.races.get_or_create(&OfRule { rule: denial.rule }).inc();
            let object = &review.key;
            tracing::error!(
                rule = denial.rule,
                %object,
                user = review.user,
                uid = review.uid,
                finding = denial.message,
                "a race was admitted",
            );
            let resource = self.knowledge.resource(object.kind);
            let regarding = json!({
                "apiVersion": resource.map_or_else(String::new, |it| it.api_version),
                "kind": object.kind.name(),
                "namespace": object.namespace,
                "name": object.name,
            });
            let message = format!("{}: {}", denial.rule, denial.message);
            self.events.warn_at(regarding, Reason::RaceAdmitted, &message).await;
        }
        verdict.is_denied()
    }
}
