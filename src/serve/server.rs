//! Connections: accepted up to a number, with a limit on how long each step of a client may take, and ended without
//! breaking off a request.
//!
//! The API server speaks HTTP/1.1 to webhooks and keeps connections open
//! (`k8s.io/apiserver/pkg/util/webhook/client.go`); its client closes idle ones after 90 s, so ours has to wait longer:
//! who closes first may meet a request on its way.

use super::certificates::Identity;
use super::metrics::Metrics;
use super::peers::{Doing, Limits, Peer, Peers};
use http::header::{CONNECTION, HeaderValue};
use http::{Request, Response};
use http_body_util::Full;
use hyper::body::{Body, Bytes, Incoming};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use std::convert::Infallible;
use std::io;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{mpsc, watch};
use tokio_rustls::TlsAcceptor;

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
    /// The most connections at a time; for more, others have to go.
    pub(super) most_connections: usize,
    pub(super) limits: Limits,
    pub(super) stage: watch::Receiver<Stage>,
    pub(super) metrics: Arc<Metrics>,
}

impl Server {
    /// Serves until the stage says otherwise and the last request is answered.
    pub(super) async fn serve<A, F>(mut self, listener: TcpListener, answer: A)
    where
        A: Fn(Request<Incoming>, Arc<Peer>) -> F + Clone + Send + Sync + 'static,
        F: Future<Output = Response<Full<Bytes>>> + Send,
    {
        let peers = Arc::new(Peers::new(self.most_connections));
        // Whoever holds the one end is connected; the other end tells when nobody is.
        let (connected, mut ended) = mpsc::channel::<Infallible>(1);
        let server = self.clone();
        loop {
            let closing = self.stage.wait_for(|it| *it == Stage::Closing);
            // Connections that are already there come first, even when closing.
            let accepted = tokio::select! {
                biased;
                it = listener.accept() => it,
                _ = closing => break,
            };
            let (stream, address) = match accepted {
                Ok(it) => it,
                Err(why) => {
                    tracing::warn!(%why, "cannot accept a connection");
                    // Mostly there are too many open files, and waiting helps.
                    tokio::time::sleep(Duration::from_millis(50)).await;
                    continue;
                }
            };
            let peer = Arc::new(Peer::new(address.ip()));
            while !peers.admit(&peer) && *self.stage.borrow() != Stage::Closing {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
            let (server, answer) = (server.clone(), answer.clone());
            let (peers, connected) = (peers.clone(), connected.clone());
            tokio::spawn(async move {
                server.metrics.connections.inc();
                tokio::select! {
                    () = server.connection(stream, &peer, answer) => {}
                    () = peer.ended() => drop(server.metrics.connections_refused.inc()),
                }
                server.metrics.connections.dec();
                peers.leave(&peer);
                drop(connected);
            });
        }
        drop((listener, connected));
        ended.recv().await;
    }

    async fn connection<A, F>(&self, stream: TcpStream, peer: &Arc<Peer>, answer: A)
    where
        A: Fn(Request<Incoming>, Arc<Peer>) -> F,
        F: Future<Output = Response<Full<Bytes>>>,
    {
        let _ = stream.set_nodelay(true);
        let stream = Watched { stream, peer: peer.clone() };
        let Some(identity) = &self.identity else {
            return self.talk(stream, peer, answer).await;
        };
        let handshake = TlsAcceptor::from(identity.get()).accept(stream);
        match tokio::time::timeout(self.limits.head, handshake).await {
            Ok(Ok(stream)) => {
                if stream.get_ref().1.peer_certificates().is_some() {
                    peer.certify();
                }
                self.talk(stream, peer, answer).await;
            }
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

    async fn talk<S, A, F>(&self, stream: S, peer: &Arc<Peer>, answer: A)
    where
        S: AsyncRead + AsyncWrite + Unpin,
        A: Fn(Request<Incoming>, Arc<Peer>) -> F,
        F: Future<Output = Response<Full<Bytes>>>,
    {
        let service = service_fn(|request: Request<Incoming>| {
            peer.now(if request.body().is_end_stream() { Doing::Waiting } else { Doing::Body });
            let answer = answer(request, peer.clone());
            async {
                let mut response = answer.await;
                if *self.stage.borrow() != Stage::Serving {
                    response.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
                }
                peer.now(Doing::Nothing);
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
                _ = tick.tick() => if peer.is_too_slow(&self.limits) { return },
            }
        }
    }
}

/// A stream that tells when something comes.
struct Watched {
    stream: TcpStream,
    peer: Arc<Peer>,
}

impl AsyncRead for Watched {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        let poll = Pin::new(&mut self.stream).poll_read(context, buffer);
        let received = buffer.filled().len().saturating_sub(before);
        if received > 0 {
            self.peer.received(received);
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
