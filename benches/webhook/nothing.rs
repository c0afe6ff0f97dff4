//! Servers of the same stack (hyper on tokio-rustls): one answers the same whatever the request says, the other does
//! what every webhook has to, which is to read the review and to repeat its `uid`.

use http::{Request, Response};
use http_body_util::{BodyExt, Full};
use hyper::body::{Bytes, Incoming};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use rustls::ServerConfig;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use serde_json::Value;
use std::convert::Infallible;
use std::path::Path;
use std::sync::Arc;
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;

/// What it answers.
const ANSWER: &str = r#"{"apiVersion":"admission.k8s.io/v1","kind":"AdmissionReview","response":{"uid":"705ab4f5-6393-11e8-b7cc-42010a800002","allowed":true}}"#;

/// What a server does with a request.
#[derive(Clone, Copy)]
pub(crate) enum Work {
    /// Nothing.
    None,
    /// It reads the review.
    Reading,
}

/// Serves until it is killed; says where on standard error, as `purlin serve` does.
pub(crate) fn serve(folder: &Path, work: Work) {
    let certificate =
        CertificateDer::from_pem_file(folder.join("webhook.crt")).expect("a certificate");
    let key = PrivateKeyDer::from_pem_file(folder.join("webhook.key")).expect("a key");
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let mut config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .expect("versions")
        .with_no_client_auth()
        .with_single_cert(vec![certificate], key)
        .expect("a pair");
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let runtime =
        tokio::runtime::Builder::new_multi_thread().enable_all().build().expect("threads");
    runtime.block_on(async {
        let reviews = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let operations = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        for (what, listener) in [("reviews", &reviews), ("operations", &operations)] {
            let address = listener.local_addr().expect("an address");
            eprintln!(r#"{{"message":"listening","what":"{what}","address":"{address}"}}"#);
        }
        tokio::spawn(async move {
            loop {
                let (stream, _) = operations.accept().await.expect("a connection");
                let service = service_fn(move |it| answer(it, Work::None));
                tokio::spawn(http1::Builder::new().serve_connection(TokioIo::new(stream), service));
            }
        });
        loop {
            let (stream, _) = reviews.accept().await.expect("a connection");
            stream.set_nodelay(true).expect("a socket");
            let acceptor = acceptor.clone();
            tokio::spawn(async move {
                let Ok(stream) = acceptor.accept(stream).await else { return };
                let service = service_fn(move |it| answer(it, work));
                let _ = http1::Builder::new().serve_connection(TokioIo::new(stream), service).await;
            });
        }
    });
}

async fn answer(
    request: Request<Incoming>,
    work: Work,
) -> Result<Response<Full<Bytes>>, Infallible> {
    let body = request.into_body().collect().await.map(|it| it.to_bytes()).unwrap_or_default();
    let answer = match work {
        Work::None => Bytes::from_static(ANSWER.as_bytes()),
        Work::Reading => {
            let review: Value = serde_json::from_slice(&body).unwrap_or_default();
            let mut answer: Value = serde_json::from_str(ANSWER).expect("an answer");
            answer["response"]["uid"] = review["request"]["uid"].clone();
            answer.to_string().into()
        }
    };
    Ok(Response::new(Full::new(answer)))
}
