//! The server attacked on a real API server, by users who may do little and by somebody who only reaches its port, with
//! `failurePolicy: Fail`: what is refused for want of an answer is seen.

mod certified;
mod endless;
mod floods;
mod forged;
mod hostile;
mod logs;
mod nested;
mod policy_file;
mod restored;

use crate::apiserver::ApiServer;
use crate::serve::cluster::{create, delete, path};
use crate::serve::requests::budget;
use serde_json::Value;
use std::time::{Duration, Instant};

/// Writes something that the webhook is asked about and allows; how long that took.
fn write(api: &ApiServer, namespace: &str) -> Duration {
    let probe = budget(namespace, "probe", 1);
    let since = Instant::now();
    create(api, &probe).unwrap();
    let took = since.elapsed();
    delete(api, &probe).unwrap();
    took
}

/// Creates objects at the same time, as somebody else; the words of the API server where it refuses.
fn attack(api: &ApiServer, objects: &[Value]) -> Vec<Result<(), String>> {
    let (runtime, client) = api.client();
    let creations = objects.iter().map(|object| {
        let request = http::Request::post(path(object, false))
            .header("Content-Type", "application/json")
            .header("Impersonate-User", "mallory")
            .header("Impersonate-Group", "system:masters")
            .body(object.to_string().into_bytes())
            .unwrap();
        let client = client.clone();
        async move { client.request_text(request).await.map(|_| ()).map_err(|it| it.to_string()) }
    });
    runtime.block_on(futures_util::future::join_all(creations))
}
