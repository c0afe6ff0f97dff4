//! From the body of a review to the answer: judge, look again before a denial, and enter what was allowed.

use super::Judgement;
use super::disclosure::{self, Disclosure};
use super::endpoints::{Answered, Judge, NoVerdict};
use super::knowledge::Knowledge;
use super::live;
use super::metrics::{ByRule, Metrics};
use super::policy_source::{Current, InForce};
use super::pool::{Failed, Pool, Turn};
use super::race::Races;
use crate::webhook::key::Key;
use crate::webhook::notice::Notice;
use crate::webhook::review::Review;
use crate::webhook::verdict::Verdict;
use futures_util::future::try_join_all;
use hyper::body::Bytes;
use kube::Client;
use std::collections::BTreeSet;
use std::pin::Pin;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// The most objects that are read again before a denial.
const MOST_READ: usize = 32;

/// How often an object is tried to be read, and how long to wait in between: a connection may just have been cut.
const TRIES: usize = 3;
const PAUSE: Duration = Duration::from_millis(50);

/// Who judges reviews.
pub(super) struct Reviewer {
    pub(super) judge: Judgement,
    pub(super) knowledge: Arc<Knowledge>,
    pub(super) policy: Current,
    pub(super) pool: Pool,
    pub(super) client: Client,
    pub(super) races: Arc<Races>,
    pub(super) metrics: Arc<Metrics>,
    /// What is older is not judged on.
    pub(super) stale_after: Duration,
    /// The name by which the API server knows us.
    pub(super) own_account: Option<Arc<str>>,
    pub(super) disclosure: Disclosure,
}

impl Judge for Reviewer {
    fn judge(
        &self,
        body: Bytes,
        deadline: Instant,
    ) -> Pin<Box<dyn Future<Output = Result<Answered, NoVerdict>> + Send + '_>> {
        Box::pin(self.answer(body, deadline))
    }

    fn missing(&self) -> Vec<String> {
        let unlisted = self.knowledge.unlisted().into_iter();
        unlisted.map(|it| format!("{} were not listed yet", it.name())).collect()
    }

    fn is_lost(&self) -> bool {
        self.pool.is_lost()
    }
}

impl Reviewer {
    /// Reads, judges and words the answer on the threads that judge: at once where it is allowed.
    async fn answer(&self, body: Bytes, deadline: Instant) -> Result<Answered, NoVerdict> {
        self.is_fresh()?;
        let policy = self.policy.get();
        let work = self.work(policy.clone());
        let (review, mut verdict) =
            match self.run(move |turn| work.first(&body, turn, deadline)).await? {
                First::Answered(it) => return Ok(it),
                First::Judged(review, verdict) => (review, verdict),
                First::Waits(review) => {
                    let verdict =
                        self.verdict(&policy, &review, Unconfirmed::Counts, deadline).await?;
                    (review, verdict)
                }
            };
        // What else turns out to be in the way then has to be confirmed as well.
        let mut read = BTreeSet::new();
        while self.read_again(&verdict.denials, &mut read, deadline).await? {
            verdict = self.verdict(&policy, &review, Unconfirmed::Counts, deadline).await?;
            if !verdict.is_denied() {
                self.metrics.spared.inc();
            }
        }
        let verdict = self.confirmed(&policy, &review, verdict, &mut read, deadline).await?;
        let concealed = self.disclosure.concealed(&self.client, &review, &verdict, deadline).await;
        let work = self.work(policy);
        self.run(move |_| Ok(work.answer(&review, &verdict, &concealed))).await
    }

    pub(super) async fn verdict(
        &self,
        policy: &Arc<InForce>,
        review: &Arc<Review>,
        unconfirmed: Unconfirmed,
        deadline: Instant,
    ) -> Result<Verdict, NoVerdict> {
        loop {
            let (work, review) = (self.work(policy.clone()), review.clone());
            let judged =
                self.run(move |turn| work.judge(&review, turn, unconfirmed, deadline)).await?;
            match judged {
                Some(verdict) => return Ok(verdict),
                None => tokio::time::sleep(PAUSE).await,
            }
        }
    }

    async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Turn<'_>) -> Result<T, NoVerdict> + Send + 'static,
    ) -> Result<T, NoVerdict> {
        match self.pool.run(work).await {
            Ok(it) => it,
            Err(Failed::Panicked(place)) => Err(NoVerdict::Failed(format!("a panic at {place}"))),
        }
    }

    /// Whether enough is known for a verdict.
    fn is_fresh(&self) -> Result<(), NoVerdict> {
        if self.knowledge.is_settled() {
            return Ok(());
        }
        if let Some(first) = self.missing().into_iter().next() {
            return Err(NoVerdict::Stale(first));
        }
        if let Some((kind, age)) = self.knowledge.stale(self.stale_after).first() {
            let (kind, age) = (kind.name(), age.as_secs());
            return Err(NoVerdict::Stale(format!("nothing was heard of {kind} for {age} s")));
        }
        Ok(())
    }

    fn work(&self, policy: Arc<InForce>) -> Work {
        Work {
            judge: self.judge,
            knowledge: self.knowledge.clone(),
            races: self.races.clone(),
            metrics: self.metrics.clone(),
            own_account: self.own_account.clone(),
            policy,
        }
    }

    /// Reads the objects that a denial rests on from the API server, each once: a watch may be a moment behind. False if
    /// nothing was read.
    pub(super) async fn read_again(
        &self,
        denials: &[Notice],
        read: &mut BTreeSet<Key>,
        deadline: Instant,
    ) -> Result<bool, NoVerdict> {
        let objects: BTreeSet<&Key> = denials.iter().flat_map(|it| &it.objects).collect();
        let unread = objects.into_iter().filter(|it| !it.name.is_empty() && !read.contains(*it));
        let unread: Vec<Key> = unread.take(MOST_READ - read.len()).cloned().collect();
        let looks = unread.iter().map(|it| self.look(it));
        // Half of the time that is left, so that there is some for the answer.
        let half = deadline.saturating_duration_since(Instant::now()) / 2;
        let looked = tokio::time::timeout(half, try_join_all(looks)).await;
        // A denial that nobody could confirm is none.
        looked.map_err(|_| NoVerdict::Late)??;
        let is_any = !unread.is_empty();
        read.extend(unread);
        Ok(is_any)
    }

    pub(super) async fn look(&self, key: &Key) -> Result<(), NoVerdict> {
        let Some(resource) = self.knowledge.resource(key.kind) else { return Ok(()) };
        for _ in 1..TRIES {
            if live::look(&self.client, &self.knowledge, &resource, key).await.is_ok() {
                return Ok(());
            }
            tokio::time::sleep(PAUSE).await;
        }
        match live::look(&self.client, &self.knowledge, &resource, key).await {
            Ok(()) => Ok(()),
            // It may be listed but not read: then there is only what the watch says.
            Err(kube::Error::Api(status)) if matches!(status.code, 401 | 403) => {
                tracing::warn!(why = status.message, %key, "may not look again before a denial");
                Ok(())
            }
            Err(why) => Err(NoVerdict::Failed(format!("cannot confirm a denial: {key}: {why}"))),
        }
    }
}

/// What comes of judging for the first time.
enum First {
    /// It is allowed.
    Answered(Answered),
    /// It is denied, as far as is known now; or it is allowed, and what is told of others' objects is not for everybody.
    Judged(Arc<Review>, Verdict),
    /// Other requests of the same user come first.
    Waits(Arc<Review>),
}

/// What becomes of denials that rest on writes which nothing has shown yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Unconfirmed {
    /// They count.
    Counts,
    /// They deny nothing any more.
    IsSpared,
}

/// What judging needs, on whichever thread.
struct Work {
    judge: Judgement,
    knowledge: Arc<Knowledge>,
    races: Arc<Races>,
    metrics: Arc<Metrics>,
    own_account: Option<Arc<str>>,
    policy: Arc<InForce>,
}

impl Work {
    fn first(&self, body: &[u8], turn: &Turn<'_>, deadline: Instant) -> Result<First, NoVerdict> {
        let review = Review::parse(body).map_err(|it| NoVerdict::Malformed(it.message))?;
        let review = Arc::new(review);
        Ok(match self.judge(&review, turn, Unconfirmed::Counts, deadline)? {
            None => First::Waits(review),
            Some(verdict) if verdict.is_denied() || disclosure::is_asked(&review, &verdict) => {
                First::Judged(review, verdict)
            }
            Some(verdict) => First::Answered(self.answer(&review, &verdict, &BTreeSet::new())),
        })
    }

    /// The verdict on what is known now, unless other requests of the same user come first. What is allowed is known from
    /// then on, so of two requests that exclude each other the later one is judged with the earlier one in place.
    fn judge(
        &self,
        review: &Arc<Review>,
        turn: &Turn<'_>,
        unconfirmed: Unconfirmed,
        deadline: Instant,
    ) -> Result<Option<Verdict>, NoVerdict> {
        if !turn.is_for(&review.user) {
            return Ok(None);
        }
        let context = self.policy.context(self.own_account.as_deref());
        loop {
            let changes = self.knowledge.changes(&review.key.namespace);
            let basis = self.knowledge.state().snapshot();
            let mut verdict = (self.judge)(&basis, review, &context);
            if unconfirmed == Unconfirmed::IsSpared {
                verdict.denials.retain(|it| !it.is_unconfirmed);
            }
            if verdict.is_denied() {
                return Ok(Some(verdict));
            }
            let now = Instant::now();
            if now > deadline {
                return Err(NoVerdict::Late);
            }
            if self.knowledge.state().commit(&basis, review, &verdict.change, now) {
                self.races.allowed(review, changes, now);
                return Ok(Some(verdict));
            }
        }
    }

    /// The answer, which is noted. What is concealed stands in the log only.
    fn answer(&self, review: &Review, verdict: &Verdict, concealed: &BTreeSet<Key>) -> Answered {
        self.note(review, verdict);
        let body = match concealed.is_empty() {
            true => verdict.answer(&review.uid),
            false => verdict.concealing(&review.key, concealed).answer(&review.uid),
        };
        Answered { body, verdict: name(verdict) }
    }

    fn note(&self, review: &Review, verdict: &Verdict) {
        for (name, notices) in
            [("deny", &verdict.denials), ("warn", &verdict.warnings), ("audit", &verdict.audit)]
        {
            for it in notices {
                let objects: Vec<String> = it.objects.iter().map(ToString::to_string).collect();
                self.metrics.findings.get_or_create(&ByRule { rule: it.rule, verdict: name }).inc();
                tracing::info!(
                    verdict = name,
                    rule = it.rule,
                    object = %review.key,
                    operation = ?review.operation,
                    subresource = review.subresource,
                    user = review.user,
                    uid = review.uid,
                    dry_run = review.is_dry_run,
                    message = it.message,
                    objects = objects.join(", "),
                );
            }
        }
    }
}

fn name(verdict: &Verdict) -> &'static str {
    match verdict {
        it if it.is_denied() => "deny",
        it if !it.warnings.is_empty() => "warn",
        _ => "allow",
    }
}
