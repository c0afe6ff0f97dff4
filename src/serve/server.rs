//! Connections: accepted up to a number, with a limit on how long each step of a client may take, and ended without
//! breaking off a request.
//!
//! The API server speaks HTTP/1.1 to webhooks and keeps connections open
//! (`k8s.io/apiserver/pkg/util/webhook/client.go`); its client closes idle ones after 90 s, so ours has to wait longer:
//! who closes first may meet a request on its way.

use super::certificates::Identity;
use super::metrics::Metrics;
use http::header::{CONNECTION, HeaderValue};
use http::{Request, Response};
use http_body_util::Full;
use hyper::body::{Bytes, Incoming};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use std::convert::Infallible;
use std::io;
use std::pin::{Pin, pin};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use std::time::{Duration, Instant};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, watch};
use tokio_rustls::TlsAcceptor;

/// How long a client may take.
#[derive(Clone, Copy, Debug)]
pub(super) struct Limits {
    /// From its first byte to the end of a request's head, handshake included.
    pub(super) head: Duration,
    /// From an answer to its next request.
    pub(super) idle: Duration,
}

impl Default for Limits {
    fn default() -> Limits {
        Limits { head: Duration::from_secs(10), idle: Duration::from_secs(120) }
    }
}

/// The most bytes of a request's head.
const MOST_OF_HEAD: usize = 64 * 1024;

/// How the server goes down.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Stage {
    /// It does not.
    Serving,
    /// It answers, and asks clients to go elsewhere.
    Draining,
    /// It takes no connection and no request any more.
    Closing,
}

/// What a server needs.
#[derive(Clone)]
pub(super) struct Server {
    /// Without one it speaks plain HTTP.
    pub(super) identity: Option<Identity>,
    /// The most connections at a time; more wait to be accepted.
    pub(super) most_connections: usize,
    pub(super) limits: Limits,
    pub(super) stage: watch::Receiver<Stage>,
    pub(super) metrics: Arc<Metrics>,
}

impl Server {
    /// Serves until the stage says otherwise and the last request is answered.
    pub(super) async fn serve<A, F>(mut self, listener: TcpListener, answer: A)
    where
        A: Fn(Request<Incoming>) -> F + Clone + Send + Sync + 'static,
        F: Future<Output = Response<Full<Bytes>>> + Send,
    {
        let places = Arc::new(Semaphore::new(self.most_connections));
        let server = self.clone();
        loop {
            let closing = self.stage.wait_for(|it| *it == Stage::Closing);
            let accept = async {
                let place = places.clone().acquire_owned().await;
                (place, listener.accept().await)
            };
            // Connections that are already there come first, even when closing.
            let (place, accepted) = tokio::select! {
                biased;
                it = accept => it,
                _ = closing => break,
            };
            let stream = match accepted {
                Ok((stream, _)) => stream,
                Err(why) => {
                    tracing::warn!(%why, "cannot accept a connection");
                    // Mostly there are too many open files, and waiting helps.
                    tokio::time::sleep(Duration::from_millis(50)).await;
                    continue;
                }
            };
            let (server, answer) = (server.clone(), answer.clone());
            tokio::spawn(async move {
                server.metrics.connections.inc();
                server.connection(stream, answer).await;
                server.metrics.connections.dec();
                drop(place);
            });
        }
        drop(listener);
        // Every place is free when every connection has ended.
        let _ = places.acquire_many(self.most_connections as u32).await;
    }

    async fn connection<A, F>(&self, stream: TcpStream, answer: A)
    where
        A: Fn(Request<Incoming>) -> F,
        F: Future<Output = Response<Full<Bytes>>>,
    {
        let _ = stream.set_nodelay(true);
        let activity = Arc::new(Activity::default());
        let stream = Watched { stream, activity: activity.clone() };
        let Some(identity) = &self.identity else {
            return self.talk(stream, &activity, answer).await;
        };
        let handshake = TlsAcceptor::from(identity.get()).accept(stream);
        match tokio::time::timeout(self.limits.head, handshake).await {
            Ok(Ok(stream)) => self.talk(stream, &activity, answer).await,
            Ok(Err(why)) => {
                self.metrics.handshake_failures.inc();
                tracing::debug!(%why, "a TLS handshake failed");
            }
            Err(_) => {
                self.metrics.handshake_failures.inc();
                tracing::debug!("a TLS handshake took too long");
            }
        }
    }

    async fn talk<S, A, F>(&self, stream: S, activity: &Activity, answer: A)
    where
        S: AsyncRead + AsyncWrite + Unpin,
        A: Fn(Request<Incoming>) -> F,
        F: Future<Output = Response<Full<Bytes>>>,
    {
        let service = service_fn(|request| {
            activity.now(Doing::Answering);
            let answer = answer(request);
            async {
                let mut response = answer.await;
                if *self.stage.borrow() != Stage::Serving {
                    response.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
                }
                activity.now(Doing::Nothing);
                Ok::<_, Infallible>(response)
            }
        });
        let mut builder = http1::Builder::new();
        builder.timer(TokioTimer::new()).header_read_timeout(None).max_buf_size(MOST_OF_HEAD);
        let mut connection = pin!(builder.serve_connection(TokioIo::new(stream), service));
        let mut stage = self.stage.clone();
        let mut tick = tokio::time::interval(Duration::from_secs(1));
        let mut is_closing = false;
        loop {
            tokio::select! {
                _ = connection.as_mut() => return,
                _ = stage.wait_for(|it| *it == Stage::Closing), if !is_closing => {
                    is_closing = true;
                    connection.as_mut().graceful_shutdown();
                }
                _ = tick.tick() => if activity.is_too_slow(self.limits) { return },
            }
        }
    }
}

/// What a client does at the moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Doing {
    /// It sends the head of a request, or greets.
    Sending,
    /// It waits, or sends the body of a request, for which there is a deadline of its own.
    Answering,
    /// Nothing.
    Nothing,
}

/// Since when a client does what.
#[derive(Debug)]
struct Activity(Mutex<(Doing, Instant)>);

impl Default for Activity {
    fn default() -> Activity {
        Activity(Mutex::new((Doing::Sending, Instant::now())))
    }
}

impl Activity {
    fn now(&self, doing: Doing) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = (doing, Instant::now());
    }

    fn received(&self) {
        let mut it = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if it.0 == Doing::Nothing {
            *it = (Doing::Sending, Instant::now());
        }
    }

    fn is_too_slow(&self, limits: Limits) -> bool {
        let (doing, since) = *self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match doing {
            Doing::Sending => since.elapsed() > limits.head,
            Doing::Answering => false,
            Doing::Nothing => since.elapsed() > limits.idle,
        }
    }
}

/// A stream that tells when something comes.
struct Watched {
    stream: TcpStream,
    activity: Arc<Activity>,
}

impl AsyncRead for Watched {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        let poll = Pin::new(&mut self.stream).poll_read(context, buffer);
        if buffer.filled().len() > before {
            self.activity.received();
        }
        poll
    }
}

impl AsyncWrite for Watched {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write_vectored(context, bytes)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }
}
