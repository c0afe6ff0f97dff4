//! Looks again after the write: two replicas may each allow what only together is wrong, and so may a watch that was a
//! moment behind. Nothing can be undone, but it is counted and told.

use super::events::{Events, Reason};
use super::knowledge::Knowledge;
use super::metrics::{Metrics, OfRule};
use super::policy_source::Current;
use super::pool::Pool;
use crate::webhook::review::{Operation, Review};
use crate::webhook::verdict::{Context, Verdict, judge};
use serde_json::json;
use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// How long after the answer: by then the watches show what others wrote at the same time.
const AFTER: Duration = Duration::from_secs(1);

/// How often to see what is due.
const INTERVAL: Duration = Duration::from_millis(200);

/// For how long to wait until a watch shows the write itself; it may never have come about.
const AT_MOST: Duration = Duration::from_secs(10);

/// The most writes to look at again; beyond it the oldest are let go, and counted.
const MOST: usize = 20_000;

struct Write {
    review: Arc<Review>,
    /// How much others had changed in its namespace when it was allowed.
    changes: u64,
    allowed: Instant,
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
        let mut writes = self.writes.lock().unwrap_or_else(PoisonError::into_inner);
        if writes.len() >= MOST {
            writes.pop_front();
        }
        writes.push_back(Write { review: review.clone(), changes, allowed: now });
    }

    fn due(&self) -> Vec<Write> {
        let mut writes = self.writes.lock().unwrap_or_else(PoisonError::into_inner);
        let due = writes.iter().take_while(|it| it.allowed.elapsed() >= AFTER).count();
        writes.drain(..due).collect()
    }

    fn later(&self, late: Vec<Write>) {
        let mut writes = self.writes.lock().unwrap_or_else(PoisonError::into_inner);
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
            let mut late = Vec::new();
            for write in self.races.due() {
                // Who was alone in the namespace raced with nobody.
                if self.knowledge.changes(&write.review.key.namespace) == write.changes {
                    continue;
                }
                if !self.is_seen(&write.review) {
                    if write.allowed.elapsed() < AT_MOST {
                        late.push(write);
                    }
                    continue;
                }
                self.judge(write).await;
            }
            self.races.later(late);
        }
    }

    fn is_seen(&self, review: &Review) -> bool {
        let snapshot = self.knowledge.state().snapshot();
        snapshot.get(&review.key).is_some_and(|it| it.version > review.old_version)
    }

    async fn judge(&self, write: Write) {
        let (policy, own_account) = (self.policy.get(), self.own_account.clone());
        let (knowledge, review) = (self.knowledge.clone(), write.review.clone());
        let work = move || -> Verdict {
            let own_account = own_account.as_deref();
            let context = Context { policy: &policy, own_account, now: jiff::Timestamp::now() };
            let snapshot = knowledge.state().snapshot();
            judge(&snapshot, &review, &context)
        };
        let Ok(verdict) = self.pool.run(work).await else { return };
        for denial in &verdict.denials {
            self.metrics.races.get_or_create(&OfRule { rule: denial.rule }).inc();
            let object = &write.review.key;
            tracing::error!(
                rule = denial.rule,
                %object,
                user = write.review.user,
                uid = write.review.uid,
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
    }
}
