//! Reads objects where the watches may be a moment behind: before a denial, and where a write was allowed that no watch
//! shows.

use super::knowledge::Knowledge;
use super::resources::{self, Resource};
use crate::webhook::key::Key;
use futures_util::future::join_all;
use kube::Client;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// How often to look after writes that were allowed and not seen.
const INTERVAL: Duration = Duration::from_millis(250);

/// How many of them to look after at a time.
const MOST: usize = 64;

/// How long the API server may take.
const ANSWER: Duration = Duration::from_secs(5);

/// Reads an object, so that what is known of it is what the API server has now.
///
/// # Errors
///
/// If it cannot be read.
pub(super) async fn look(
    client: &Client,
    knowledge: &Knowledge,
    resource: &Resource,
    key: &Key,
) -> Result<(), kube::Error> {
    let asked = (knowledge.version(key), Instant::now());
    match resources::read(client, resource, key).await? {
        Ok(object) => knowledge.observe_live(resource, key, asked, object),
        Err(it) => knowledge.observe_unreadable(resource, &it),
    }
    Ok(())
}

/// Looks for ever what became of the writes that were allowed and not seen: other webhooks may have denied them, a
/// quota may have refused them, and an API server may have gone down with them.
pub(super) async fn look_after_writes(client: Client, knowledge: Arc<Knowledge>) {
    loop {
        tokio::time::sleep(INTERVAL).await;
        let doubtful = knowledge.doubtful(Instant::now(), MOST);
        let looks = doubtful.iter().map(async |key| {
            let Some(resource) = knowledge.resource(key.kind) else { return };
            let look = look(&client, &knowledge, &resource, key);
            // What cannot be read now is tried again, and expires in the end.
            let why = match tokio::time::timeout(ANSWER, look).await {
                Ok(Ok(())) => return,
                Ok(Err(why)) => why.to_string(),
                Err(_) => "no answer in time".into(),
            };
            tracing::debug!(why, %key, "cannot see what became of a write");
        });
        join_all(looks).await;
        knowledge.expire(Instant::now());
    }
}
