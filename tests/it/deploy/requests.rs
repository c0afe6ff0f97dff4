//! Requests to the API server as one sees them on the wire.

use crate::apiserver::ApiServer;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value as Json;
use std::time::{Duration, Instant};

/// What the server answered: an object, or the code and the words of a refusal.
pub(super) type Answer = Result<Json, (u16, String)>;

/// Sends a request as an administrator, or as the user that the administrator stands in for.
pub(super) fn send(
    server: &ApiServer,
    user: Option<&str>,
    (method, path): (&str, &str),
    body: &Json,
) -> Answer {
    let (runtime, client) = server.client();
    let content_type = match method {
        "PATCH" => "application/merge-patch+json",
        _ => "application/json",
    };
    let mut request =
        http::Request::builder().method(method).uri(path).header("Content-Type", content_type);
    if let Some(user) = user {
        request = request.header("Impersonate-User", user);
    }
    let body = if body.is_null() { Vec::new() } else { serde_json::to_vec(body).unwrap() };
    let answer = runtime.block_on(client.request::<Json>(request.body(body).unwrap()));
    answer.map_err(|error| match error {
        kube::Error::Api(status) => (status.code, status.message),
        other => panic!("{method} {path}: {other}"),
    })
}

/// Reads an object, if it is there.
pub(super) fn get(server: &ApiServer, path: &str) -> Option<Json> {
    match send(server, None, ("GET", path), &Json::Null) {
        Ok(it) => Some(it),
        Err((404, _)) => None,
        Err((code, why)) => panic!("GET {path}: {code} {why}"),
    }
}

/// Tries until something comes of it.
pub(super) fn until<T>(what: &str, mut attempt: impl FnMut() -> Option<T>) -> T {
    let end = Instant::now() + Duration::from_secs(120);
    loop {
        if let Some(it) = attempt() {
            return it;
        }
        assert!(Instant::now() < end, "in vain: {what}");
        std::thread::sleep(Duration::from_millis(100));
    }
}

/// As Secrets and certificates are written in JSON.
pub(super) fn base64(bytes: &[u8]) -> String {
    STANDARD.encode(bytes)
}
