//! A server of the same stack (hyper on tokio-rustls) that reads a request and answers the same whatever it says.

use http::{Request, Response};
use http_body_util::{BodyExt, Full};
use hyper::body::{Bytes, Incoming};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use rustls::ServerConfig;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use std::convert::Infallible;
use std::path::Path;
use std::sync::Arc;
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;

/// What it answers.
const ANSWER: &str = r#"{"apiVersion":"admission.k8s.io/v1","kind":"AdmissionReview","response":{"uid":"705ab4f5-6393-11e8-b7cc-42010a800002","allowed":true}}"#;

/// Serves until it is killed; says where on standard error, as `purlin serve` does.
pub(crate) fn serve(folder: &Path) {
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
                let service = service_fn(answer);
                tokio::spawn(http1::Builder::new().serve_connection(TokioIo::new(stream), service));
            }
        });
        loop {
            let (stream, _) = reviews.accept().await.expect("a connection");
            stream.set_nodelay(true).expect("a socket");
            let acceptor = acceptor.clone();
            tokio::spawn(async move {
                let Ok(stream) = acceptor.accept(stream).await else { return };
                let service = service_fn(answer);
                let _ = http1::Builder::new().serve_connection(TokioIo::new(stream), service).await;
            });
        }
    });
}

async fn answer(request: Request<Incoming>) -> Result<Response<Full<Bytes>>, Infallible> {
    let _ = request.into_body().collect().await;
    Ok(Response::new(Full::new(Bytes::from_static(ANSWER.as_bytes()))))
}
