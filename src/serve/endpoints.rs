//! What is answered at which path.
//!
//! Only a verdict is 200. Everything else is a failed call to the API server, which then goes by `failurePolicy`; none
//! of it bears `Retry-After`, for which the API server's client would wait within the same budget of time.

use super::bodies::{Bodies, SMALL};
use super::deadline::deadline;
use super::metrics::{Metrics, Outcome};
use super::peers::{Doing, Peer};
use super::server::Stage;
use http::header::{ALLOW, CONTENT_TYPE, HeaderValue};
use http::{Method, Request, Response, StatusCode};
use http_body_util::{BodyExt, Full, LengthLimitError, Limited};
use hyper::body::{Body, Bytes, Incoming};
use std::pin::Pin;
use std::sync::Arc;
use std::time::Instant;
use tokio::sync::{Semaphore, watch};

/// The most bytes of a review: `object` and `oldObject` of 3 MiB each, the most that the API server takes, and the
/// rest of the request.
const MOST_OF_BODY: usize = 7 * 1024 * 1024;

const NOTHING: &str = "there is nothing here";

/// Why there is no verdict.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum NoVerdict {
    /// The request is no review.
    Malformed(String),
    /// Something of ours went wrong.
    Failed(String),
    /// What is known of the cluster is too old.
    Stale(String),
    /// There was not enough time.
    Late,
}

/// A verdict.
pub(super) struct Answered {
    /// The body of the answer.
    pub(super) body: Vec<u8>,
    /// `allow`, `warn` or `deny`.
    pub(super) verdict: &'static str,
}

type Judging<'j> = Pin<Box<dyn Future<Output = Result<Answered, NoVerdict>> + Send + 'j>>;

/// Who judges.
pub(super) trait Judge: Send + Sync {
    /// The answer to the body of a review.
    fn judge(&self, body: Bytes, deadline: Instant) -> Judging<'_>;

    /// What is missing before anything can be judged; nothing, if it can.
    fn missing(&self) -> Vec<String>;

    /// Whether nothing will ever be judged any more, so that only a new start helps.
    fn is_lost(&self) -> bool;
}

/// What is answered at which path.
pub(super) struct Endpoints {
    judge: Arc<dyn Judge>,
    reviews: Semaphore,
    bodies: Bodies,
    stage: watch::Receiver<Stage>,
    metrics: Arc<Metrics>,
}

impl Endpoints {
    /// With at most so many reviews under way; more are turned away.
    pub(super) fn new(
        judge: Arc<dyn Judge>,
        most_reviews: usize,
        stage: watch::Receiver<Stage>,
        metrics: Arc<Metrics>,
    ) -> Endpoints {
        let (reviews, bodies) = (Semaphore::new(most_reviews), Bodies::default());
        Endpoints { judge, reviews, bodies, stage, metrics }
    }

    /// For the API server.
    pub(super) async fn admission(
        &self,
        request: Request<Incoming>,
        peer: Arc<Peer>,
    ) -> Response<Full<Bytes>> {
        match (request.method(), request.uri().path()) {
            (&Method::POST, "/validate") => self.validate(request, &peer).await,
            (_, "/validate") => {
                let mut response = text(StatusCode::METHOD_NOT_ALLOWED, "a review is a POST");
                response.headers_mut().insert(ALLOW, HeaderValue::from_static("POST"));
                response
            }
            _ => text(StatusCode::NOT_FOUND, NOTHING),
        }
    }

    /// For kubelet and Prometheus.
    pub(super) fn operations(&self, request: &Request<Incoming>) -> Response<Full<Bytes>> {
        match request.uri().path() {
            "/metrics" => match self.metrics.text() {
                Ok(it) => answer(
                    StatusCode::OK,
                    "application/openmetrics-text; version=1.0.0; charset=utf-8",
                    it,
                ),
                Err(why) => text(StatusCode::INTERNAL_SERVER_ERROR, why.to_string()),
            },
            path => self.health(path),
        }
    }

    fn health(&self, path: &str) -> Response<Full<Bytes>> {
        match path {
            "/healthz" if self.judge.is_lost() => {
                let why = "every thread that judges is at work that does not end";
                text(StatusCode::SERVICE_UNAVAILABLE, why)
            }
            "/healthz" => text(StatusCode::OK, "ok"),
            "/readyz" if *self.stage.borrow() != Stage::Serving => {
                text(StatusCode::SERVICE_UNAVAILABLE, "shutting down")
            }
            "/readyz" => match self.judge.missing() {
                missing if missing.is_empty() => text(StatusCode::OK, "ok"),
                missing => text(StatusCode::SERVICE_UNAVAILABLE, missing.join("\n")),
            },
            _ => text(StatusCode::NOT_FOUND, NOTHING),
        }
    }

    async fn validate(
        &self,
        request: Request<Incoming>,
        peer: &Arc<Peer>,
    ) -> Response<Full<Bytes>> {
        let received = Instant::now();
        let own = peer.review(self.reviews.available_permits());
        let (Some(_own), Ok(_place)) = (own, self.reviews.try_acquire()) else {
            return self.no_verdict("shed", StatusCode::SERVICE_UNAVAILABLE, "too many reviews");
        };
        let _under_way = UnderWay::begin(&self.metrics);
        match deadline(request.uri().query(), received) {
            Err(why) => self.no_verdict("malformed", StatusCode::BAD_REQUEST, &why),
            Ok(deadline) => {
                let review = self.review(request, peer, deadline);
                match tokio::time::timeout_at(deadline.into(), review).await {
                    Ok(response) => response,
                    Err(_) => self.late(),
                }
            }
        }
    }

    async fn review(
        &self,
        request: Request<Incoming>,
        peer: &Arc<Peer>,
        deadline: Instant,
    ) -> Response<Full<Bytes>> {
        if !is_json(&request) {
            let why = "a review is `application/json`";
            return self.no_verdict("malformed", StatusCode::UNSUPPORTED_MEDIA_TYPE, why);
        }
        let too_large = || {
            let why = "a review of more than 7 MiB";
            self.no_verdict("malformed", StatusCode::PAYLOAD_TOO_LARGE, why)
        };
        let length = request.body().size_hint();
        if length.lower() > MOST_OF_BODY as u64 {
            return too_large();
        }
        let length = length.upper().map_or(MOST_OF_BODY, |it| MOST_OF_BODY.min(it as usize));
        let _room = match length {
            0..=SMALL => None,
            _ => {
                peer.now(Doing::Queued);
                let room = self.bodies.room(peer, length).await;
                peer.now(Doing::Body);
                Some(room)
            }
        };
        let body = match Limited::new(request.into_body(), MOST_OF_BODY).collect().await {
            Ok(it) => it.to_bytes(),
            Err(why) if why.is::<LengthLimitError>() => return too_large(),
            Err(why) => {
                let why = format!("the review broke off: {why}");
                return self.no_verdict("malformed", StatusCode::BAD_REQUEST, &why);
            }
        };
        peer.now(Doing::Waiting);
        match self.judge.judge(body, deadline).await {
            Ok(it) => {
                self.metrics.requests.get_or_create(&Outcome { verdict: it.verdict }).inc();
                answer(StatusCode::OK, "application/json", it.body)
            }
            Err(NoVerdict::Malformed(why)) => {
                self.no_verdict("malformed", StatusCode::BAD_REQUEST, &why)
            }
            Err(NoVerdict::Stale(why)) => {
                self.no_verdict("stale", StatusCode::SERVICE_UNAVAILABLE, &why)
            }
            Err(NoVerdict::Late) => self.late(),
            Err(NoVerdict::Failed(why)) => {
                tracing::error!(why, "a review failed");
                self.no_verdict("failed", StatusCode::INTERNAL_SERVER_ERROR, &why)
            }
        }
    }

    fn late(&self) -> Response<Full<Bytes>> {
        self.no_verdict("late", StatusCode::GATEWAY_TIMEOUT, "out of time")
    }

    fn no_verdict(
        &self,
        verdict: &'static str,
        status: StatusCode,
        why: &str,
    ) -> Response<Full<Bytes>> {
        self.metrics.requests.get_or_create(&Outcome { verdict }).inc();
        tracing::warn!(verdict, why, "no verdict");
        text(status, format!("purlin gives no verdict: {why}"))
    }
}

/// A review under way; a client that goes away ends it too.
struct UnderWay<'m> {
    metrics: &'m Metrics,
    since: Instant,
}

impl UnderWay<'_> {
    fn begin(metrics: &Metrics) -> UnderWay<'_> {
        metrics.waiting.inc();
        UnderWay { metrics, since: Instant::now() }
    }
}

impl Drop for UnderWay<'_> {
    fn drop(&mut self) {
        self.metrics.waiting.dec();
        self.metrics.seconds.observe(self.since.elapsed().as_secs_f64());
    }
}

fn is_json(request: &Request<Incoming>) -> bool {
    let written = request.headers().get(CONTENT_TYPE).and_then(|it| it.to_str().ok());
    let essence = written.and_then(|it| it.split(';').next()).map(str::trim);
    essence.is_some_and(|it| it.eq_ignore_ascii_case("application/json"))
}

fn text(status: StatusCode, text: impl Into<String>) -> Response<Full<Bytes>> {
    answer(status, "text/plain; charset=utf-8", format!("{}\n", text.into()))
}

fn answer(
    status: StatusCode,
    content_type: &'static str,
    body: impl Into<Bytes>,
) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(body.into()));
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
    response
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::serve::peers::Limits;
    use crate::serve::server::Server;
    use std::io::{Read, Write};
    use tokio::net::{TcpListener, TcpStream};

    struct Never(NoVerdict);

    impl Judge for Never {
        fn judge(&self, _: Bytes, _: Instant) -> Judging<'_> {
            Box::pin(async { Err(self.0.clone()) })
        }

        fn missing(&self) -> Vec<String> {
            Vec::new()
        }

        fn is_lost(&self) -> bool {
            false
        }
    }

    /// What is answered to a review, head and body.
    async fn answer(why: NoVerdict) -> String {
        let (_stage, stage) = watch::channel(Stage::Serving);
        let metrics = Arc::new(Metrics::default());
        let judge = Arc::new(Never(why));
        let endpoints = Arc::new(Endpoints::new(judge, 1, stage.clone(), metrics.clone()));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let server = Server {
            identity: None,
            most_connections: 1,
            limits: Limits::default(),
            stage,
            metrics,
        };
        tokio::spawn(server.serve(listener, move |request, peer| {
            let endpoints = endpoints.clone();
            async move { endpoints.admission(request, peer).await }
        }));
        let stream = TcpStream::connect(address).await.unwrap().into_std().unwrap();
        stream.set_nonblocking(false).unwrap();
        let asked = tokio::task::spawn_blocking(move || {
            let (mut stream, mut text) = (stream, String::new());
            let head = "POST /validate HTTP/1.1\r\nHost: it\r\nConnection: close\r\n\
                        Content-Type: application/json\r\nContent-Length: 2\r\n\r\n{}";
            stream.write_all(head.as_bytes()).unwrap();
            stream.read_to_string(&mut text).unwrap();
            text
        });
        asked.await.unwrap()
    }

    #[tokio::test]
    async fn what_is_no_verdict_is_a_failed_call() {
        let why = || "a panic: of rule 7".to_string();
        for (no_verdict, status) in [
            (NoVerdict::Failed(why()), 500),
            (NoVerdict::Stale(why()), 503),
            (NoVerdict::Late, 504),
            (NoVerdict::Malformed(why()), 400),
        ] {
            let answer = answer(no_verdict).await;
            assert!(answer.starts_with(&format!("HTTP/1.1 {status} ")), "{answer}");
            assert!(answer.contains("purlin gives no verdict: "), "{answer}");
            assert!(!answer.to_lowercase().contains("retry-after"), "{answer}");
        }
    }
}
