//! The certificate that the server shows, and whose certificates it asks of those who call.
//!
//! Files are looked at by what they say, every second: whichever way they are replaced (renamed over, written again,
//! the symbolic link of a Secret volume swapped), the next handshake sees the new ones. A pair that does not fit
//! together, as in the middle of a replacement, changes nothing.

use super::metrics::Metrics;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::WebPkiClientVerifier;
use rustls::sign::CertifiedKey;
use rustls::{RootCertStore, ServerConfig};
use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

/// How often files are looked at.
const INTERVAL: Duration = Duration::from_secs(1);

/// Where the server's certificate comes from.
#[derive(Clone, Debug)]
pub struct Files {
    /// The certificate, followed by those of the authorities between it and the root; PEM.
    pub certificate: PathBuf,
    /// Its key; PEM.
    pub key: PathBuf,
    /// The authorities that vouch for those who may call; PEM. Anyone may without it.
    pub client_authorities: Option<PathBuf>,
}

/// What is read of the files.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Pems {
    pub(super) certificate: Vec<u8>,
    pub(super) key: Vec<u8>,
    pub(super) client_authorities: Option<Vec<u8>>,
}

/// What a handshake goes by, to be replaced while connections are open.
#[derive(Clone)]
pub(super) struct Identity {
    current: Arc<RwLock<Arc<ServerConfig>>>,
}

impl Identity {
    pub(super) fn new(config: Arc<ServerConfig>) -> Identity {
        Identity { current: Arc::new(RwLock::new(config)) }
    }

    pub(super) fn get(&self) -> Arc<ServerConfig> {
        self.current.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(super) fn set(&self, config: Arc<ServerConfig>) {
        *self.current.write().unwrap_or_else(PoisonError::into_inner) = config;
    }
}

/// Reads the files once and follows them from then on.
///
/// # Errors
///
/// If they cannot be used now.
pub(super) async fn follow(files: Files, metrics: Arc<Metrics>) -> Result<Identity, String> {
    let mut current = read_all(&files).await?;
    let (config, expiry) = configure(&current)?;
    metrics.certificate_expiry.set(expiry);
    let identity = Identity::new(config);
    let followed = identity.clone();
    tokio::spawn(async move {
        let mut refused = None;
        loop {
            tokio::time::sleep(INTERVAL).await;
            let result = match read_all(&files).await {
                Ok(pems) if pems == current => {
                    refused = None;
                    continue;
                }
                Ok(pems) => configure(&pems).map(|it| (pems, it)),
                Err(why) => Err(why),
            };
            match result {
                Ok((pems, (config, expiry))) => {
                    current = pems;
                    refused = None;
                    followed.set(config);
                    metrics.certificate_expiry.set(expiry);
                    metrics.certificate_reloads.inc();
                    tracing::info!(expiry, "the certificate was replaced");
                }
                // The files may be in the middle of a replacement, so it is said when it stays so, and once.
                Err(why) if refused.as_ref() != Some(&why) => refused = Some(why),
                Err(why) => {
                    metrics.certificate_failures.inc();
                    tracing::error!(why, "the new certificate cannot be used; the old one stays");
                }
            }
        }
    });
    Ok(identity)
}

async fn read_all(files: &Files) -> Result<Pems, String> {
    let client_authorities = match &files.client_authorities {
        Some(path) => Some(read(path).await?),
        None => None,
    };
    Ok(Pems {
        certificate: read(&files.certificate).await?,
        key: read(&files.key).await?,
        client_authorities,
    })
}

/// Reads a file.
pub(super) async fn read(path: &Path) -> Result<Vec<u8>, String> {
    let bytes = tokio::fs::read(path).await;
    bytes.map_err(|why| format!("cannot read {}: {why}", path.display()))
}

/// What a handshake goes by, and when the certificate expires, in seconds since 1970.
pub(super) fn configure(pems: &Pems) -> Result<(Arc<ServerConfig>, i64), String> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let chain = certificates(&pems.certificate, "the certificate")?;
    let expiry = expiry(&chain[0])?;
    let key = PrivateKeyDer::from_pem_slice(&pems.key)
        .map_err(|why| format!("the key is not PEM: {why}"))?;
    let pair = CertifiedKey::from_der(chain, key, &provider)
        .map_err(|why| format!("the certificate and the key do not fit: {why}"))?;
    let builder = ServerConfig::builder_with_provider(provider.clone())
        .with_safe_default_protocol_versions()
        .map_err(|why| why.to_string())?;
    let builder = match &pems.client_authorities {
        None => builder.with_no_client_auth(),
        Some(pem) => {
            let mut roots = RootCertStore::empty();
            for authority in certificates(pem, "the client authorities")? {
                roots.add(authority).map_err(|why| format!("the client authorities: {why}"))?;
            }
            let verifier =
                WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider).build();
            builder.with_client_cert_verifier(verifier.map_err(|why| why.to_string())?)
        }
    };
    let single = rustls::sign::SingleCertAndKey::from(pair);
    let mut config = builder.with_cert_resolver(Arc::new(single));
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok((Arc::new(config), expiry))
}

/// Checks that authorities can vouch for those who call: certificates of authorities, of which one has not expired, and no
/// key.
///
/// # Errors
///
/// Why they cannot; then every call would fail.
pub fn check_authorities(pem: &[u8]) -> Result<(), String> {
    let what = "the client authorities";
    if PrivateKeyDer::from_pem_slice(pem).is_ok() {
        return Err(format!("{what}: a private key is among them, which nobody else is to have"));
    }
    let mut is_any_valid = false;
    for certificate in certificates(pem, what)? {
        let parsed = x509_parser::parse_x509_certificate(&certificate);
        let (_, it) = parsed.map_err(|why| format!("{what}: one cannot be read: {why}"))?;
        if !it.is_ca() {
            let subject = it.subject();
            return Err(format!("{what}: `{subject}` is no authority, so it vouches for nobody"));
        }
        is_any_valid |= it.validity().is_valid();
    }
    if is_any_valid { Ok(()) } else { Err(format!("{what}: all of them have expired")) }
}

fn certificates(pem: &[u8], what: &str) -> Result<Vec<CertificateDer<'static>>, String> {
    let read: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(pem).collect();
    let read = read.map_err(|why| format!("{what}: not PEM: {why}"))?;
    if read.is_empty() { Err(format!("{what}: no certificate in it")) } else { Ok(read) }
}

/// When a certificate expires, in seconds since 1970.
pub(super) fn expiry(certificate: &[u8]) -> Result<i64, String> {
    x509_parser::parse_x509_certificate(certificate)
        .map(|(_, it)| it.validity().not_after.timestamp())
        .map_err(|why| format!("the certificate cannot be read: {why}"))
}
