//! Denials that rest on writes which were allowed and that nothing has shown yet: given only once a read finds them.
//!
//! Such a write may be refused after all: the object may exist, a quota may be used up, another webhook may deny it. Most
//! are stored within milliseconds, so it is asked again until a read shows the write, or has shown for long enough that
//! there is none. Of two requests that exclude each other, one waits for the other here, and no longer than it takes to
//! find out about every write that came before it: who goes on writing what never comes about holds nobody up for longer.

use super::endpoints::NoVerdict;
use super::policy_source::InForce;
use super::reviewer::{Reviewer, Unconfirmed};
use crate::webhook::key::Key;
use crate::webhook::overlay::DOUBT;
use crate::webhook::review::Review;
use crate::webhook::verdict::Verdict;
use futures_util::future::try_join_all;
use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// How long to wait before a write that is expected is looked for; twice as long each time after that, up to this.
const FIRST_PAUSE: Duration = Duration::from_millis(3);
const LAST_PAUSE: Duration = Duration::from_millis(50);

/// How long to wait in all: a read shows of each write that was entered before whether it came about, and of most that
/// came after it.
const PATIENCE: Duration = DOUBT.saturating_add(Duration::from_millis(250));

impl Reviewer {
    /// The verdict once nothing of it rests on writes that nothing has shown.
    ///
    /// # Errors
    ///
    /// Where it cannot be told in time, or not be read, whether they came about.
    pub(super) async fn confirmed(
        &self,
        policy: &Arc<InForce>,
        review: &Arc<Review>,
        mut verdict: Verdict,
        read: &mut BTreeSet<Key>,
        deadline: Instant,
    ) -> Result<Verdict, NoVerdict> {
        let mut pause = FIRST_PAUSE;
        let end = Instant::now() + PATIENCE;
        let mut unconfirmed = Unconfirmed::Counts;
        while verdict.is_denied() && verdict.denials.iter().all(|it| it.is_unconfirmed) {
            if Instant::now() + pause > deadline {
                return Err(NoVerdict::Late);
            }
            tokio::time::sleep(pause).await;
            pause = LAST_PAUSE.min(2 * pause);
            let objects: BTreeSet<&Key> =
                verdict.denials.iter().flat_map(|it| &it.objects).collect();
            let expected = objects.into_iter().filter(|it| self.knowledge.is_expected(it));
            let expected: Vec<Key> = expected.cloned().collect();
            try_join_all(expected.iter().map(|it| self.look(it))).await?;
            if Instant::now() > end {
                unconfirmed = Unconfirmed::IsSpared;
            }
            verdict = self.verdict(policy, review, unconfirmed, deadline).await?;
            while self.read_again(&verdict.denials, read, deadline).await? {
                verdict = self.verdict(policy, review, unconfirmed, deadline).await?;
            }
        }
        verdict.denials.retain(|it| !it.is_unconfirmed);
        Ok(verdict)
    }
}
