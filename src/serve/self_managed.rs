//! A certificate of our own making: an authority and a certificate that it signs, kept in a Secret that all replicas
//! share, and the authority told to the API server in the webhook's configuration.
//!
//! The replica that holds the Lease, which has the name of the Secret, renews both and tells the API server; the others
//! read the Secret and show what it holds. So all that is written comes from one replica at a time, in one order, and
//! replicas of two versions or with other names do not undo each other's work.
//! A Lease is no lock, though: a holder that is stopped between its last look at it and a write (a long pause, a slow
//! network) writes after it has run out. Therefore each write is refused as well if what it goes by has changed: the
//! Secret names the `resourceVersion` that was read, and the configuration is read before the Secret, and changed only
//! if it is still as read. That alone would be safe, but replicas would renew all at once, and one against the other.
//!
//! A new authority is told first and signs only when the API server trusts it; the old one is trusted until it expires.

use super::authority::{self, Material};
use super::certificates::{Identity, Pems, configure, read};
use super::configuration::Configuration;
use super::lease::{Lease, RETRY};
use super::metrics::Metrics;
use super::resources::{at_start, get};
use super::server::Stage;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use http::Request;
use kube::Client;
use serde_json::{Value, json};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::watch;
use tokio::task::JoinHandle;

/// How often to see whether something is due, or was renewed.
const INTERVAL: Duration = Duration::from_secs(30);

/// How often another may come first in one go.
const TRIES: usize = 10;

/// Where our own certificate is kept, and who is told of it.
#[derive(Clone, Debug)]
pub struct SelfManaged {
    /// The namespace of the Secret and of the Lease.
    pub namespace: String,
    /// The name of the Secret and of the Lease.
    pub secret: String,
    /// The ValidatingWebhookConfiguration whose `caBundle` is kept.
    pub configuration: String,
    /// The names by which the API server calls us.
    pub names: Vec<String>,
    /// The authorities that vouch for those who may call; PEM. Anyone may without it.
    pub client_authorities: Option<PathBuf>,
}

/// Makes or takes over the certificate and looks after it until the server goes down. The task ends when another replica
/// may go on.
///
/// `replica` is our name among the replicas.
///
/// # Errors
///
/// If there is none now and none can be made.
pub(super) async fn follow(
    managed: SelfManaged,
    client: Client,
    replica: &str,
    stages: watch::Receiver<Stage>,
    metrics: Arc<Metrics>,
) -> Result<(Identity, JoinHandle<()>), String> {
    let lease = Lease::new(client.clone(), &managed.namespace, &managed.secret, replica);
    let keeper = Keeper { managed, client, lease };
    let current = at_start(async || {
        keeper.lease.hold().await;
        keeper.pems().await
    })
    .await?;
    let (config, expiry) = configure(&current)?;
    metrics.certificate_expiry.set(expiry);
    let identity = Identity::new(config);
    let task = keep(keeper, current, identity.clone(), stages, metrics);
    Ok((identity, tokio::spawn(task)))
}

async fn keep(
    keeper: Keeper,
    mut current: Pems,
    identity: Identity,
    mut stages: watch::Receiver<Stage>,
    metrics: Arc<Metrics>,
) {
    let mut looked = Instant::now();
    loop {
        let was_held = keeper.lease.is_held();
        metrics.certificate_lease.set(i64::from(was_held));
        tokio::select! {
            () = tokio::time::sleep(RETRY) => {}
            _ = stages.wait_for(|it| *it != Stage::Serving) => break,
        }
        keeper.lease.hold().await;
        // Who takes over does not know how long nobody has looked.
        let has_taken_over = !was_held && keeper.lease.is_held();
        if looked.elapsed() < INTERVAL && !has_taken_over {
            continue;
        }
        looked = Instant::now();
        let result = match keeper.pems().await {
            Ok(pems) if pems == current => continue,
            Ok(pems) => configure(&pems).map(|it| (pems, it)),
            Err(why) => Err(why),
        };
        match result {
            Ok((pems, (config, expiry))) => {
                current = pems;
                identity.set(config);
                metrics.certificate_expiry.set(expiry);
                metrics.certificate_reloads.inc();
                tracing::info!(expiry, "the certificate was replaced");
            }
            Err(why) => {
                metrics.certificate_failures.inc();
                tracing::error!(why, "cannot look after the certificate; the old one stays");
            }
        }
    }
    keeper.lease.release().await;
    metrics.certificate_lease.set(0);
}

struct Keeper {
    managed: SelfManaged,
    client: Client,
    lease: Lease,
}

impl Keeper {
    /// What to show.
    async fn pems(&self) -> Result<Pems, String> {
        let material = self.material().await?;
        let client_authorities = match &self.managed.client_authorities {
            None => None,
            Some(path) => Some(read(path).await?),
        };
        Ok(Pems {
            certificate: material.certificate.into_bytes(),
            key: material.key.into_bytes(),
            client_authorities,
        })
    }

    /// What the Secret holds, after all that is due if that is for us to do.
    async fn material(&self) -> Result<Material, String> {
        for _ in 0..TRIES {
            let material = match self.lease.is_held() {
                true => self.renewed().await?,
                false => Some(self.shared().await?),
            };
            if let Some(material) = material {
                return Ok(material);
            }
        }
        Err("others keep writing the Secret of the certificate, or the configuration".into())
    }

    /// What another replica has written.
    async fn shared(&self) -> Result<Material, String> {
        let now = jiff::Timestamp::now().as_second();
        // One that lacks a name of ours is shown all the same: in a rollout, who holds the Lease goes when we are ready.
        match self.stored().await? {
            None => Err(format!("there is no certificate yet: {}", self.lease.trouble())),
            Some((it, _)) if it.has_expired(now)? => {
                Err(format!("the certificate has expired: {}", self.lease.trouble()))
            }
            Some((it, _)) => Ok(it),
        }
    }

    /// What the Secret holds, renewed where that is due, and told; nothing if somebody else came first.
    async fn renewed(&self) -> Result<Option<Material>, String> {
        let name = &self.managed.configuration;
        let configuration = Configuration::read(&self.client, name).await?;
        let trusted = configuration.as_ref().map(Configuration::authorities).unwrap_or_default();
        let stored = self.stored().await?;
        let old = stored.as_ref().map(|(it, _)| it);
        let now = jiff::Timestamp::now().as_second();
        let material = match authority::renew(old, &self.managed.names, &trusted, now)? {
            None => stored.map(|(it, _)| it).ok_or("nothing was made")?,
            Some(next) => {
                let version = stored.map(|(_, version)| version);
                if !self.lease.is_held() || !self.store(&next, version).await? {
                    return Ok(None);
                }
                next
            }
        };
        let Some(configuration) = configuration else { return Ok(Some(material)) };
        if !self.lease.is_held() {
            return Ok(None);
        }
        match configuration.publish(&self.client, &material.authorities).await {
            Ok(true) => Ok(Some(material)),
            Ok(false) => Ok(None),
            // There is a certificate all the same.
            Err(why) => {
                tracing::error!(why, "the API server does not trust our authority yet");
                Ok(Some(material))
            }
        }
    }

    fn path(&self) -> String {
        format!("/api/v1/namespaces/{}/secrets", self.managed.namespace)
    }

    /// What the Secret holds, and its `resourceVersion`; nothing where it does not exist.
    async fn stored(&self) -> Result<Option<(Material, String)>, String> {
        let secret = match get(&self.client, &format!("{}/{}", self.path(), self.managed.secret))
            .await
        {
            Ok(it) => it,
            Err(kube::Error::Api(status)) if status.code == 404 => return Ok(None),
            Err(why) => return Err(format!("cannot read the Secret of the certificate: {why}")),
        };
        let text = |field: &str| -> Result<String, String> {
            let value = secret.get("data").and_then(|it| it.get(field)).and_then(Value::as_str);
            let bytes = value.and_then(|it| STANDARD.decode(it).ok());
            bytes
                .and_then(|it| String::from_utf8(it).ok())
                .ok_or_else(|| format!("the Secret of the certificate has no `{field}`"))
        };
        let material = Material {
            authorities: text("ca.crt")?,
            authority_key: text("ca.key")?,
            certificate: text("tls.crt")?,
            key: text("tls.key")?,
        };
        let version = secret.pointer("/metadata/resourceVersion").and_then(Value::as_str);
        Ok(Some((material, version.unwrap_or_default().into())))
    }

    /// Writes the Secret; false if another replica came first.
    async fn store(&self, material: &Material, version: Option<String>) -> Result<bool, String> {
        let data = [
            ("ca.crt", &material.authorities),
            ("ca.key", &material.authority_key),
            ("tls.crt", &material.certificate),
            ("tls.key", &material.key),
        ];
        let data: serde_json::Map<String, Value> =
            data.iter().map(|(key, it)| ((*key).to_string(), STANDARD.encode(it).into())).collect();
        let secret = json!({
            "apiVersion": "v1", "kind": "Secret", "type": "Opaque",
            "metadata": {
                "namespace": self.managed.namespace, "name": self.managed.secret,
                "resourceVersion": version,
            },
            "data": data,
        });
        let request = match version {
            None => Request::post(self.path()),
            Some(_) => Request::put(format!("{}/{}", self.path(), self.managed.secret)),
        };
        let request = request.body(secret.to_string().into_bytes()).map_err(|it| it.to_string())?;
        match self.client.request::<Value>(request).await {
            Ok(_) => Ok(true),
            Err(kube::Error::Api(status)) if status.code == 409 => Ok(false),
            Err(why) => Err(format!("cannot write the Secret of the certificate: {why}")),
        }
    }
}
