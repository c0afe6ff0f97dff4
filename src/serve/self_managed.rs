//! A certificate of our own making: an authority and a certificate that it signs, kept in a Secret that all replicas
//! share, and the authority told to the API server in the webhook's configuration.
//!
//! Replicas agree by the `resourceVersion` of the Secret: of two that renew at once one is refused, and reads what the
//! other wrote. A new authority is told first and signs only when the API server trusts it; the old one is trusted
//! until it expires.

use super::authority::{self, Material};
use super::certificates::{Identity, Pems, configure, read};
use super::metrics::Metrics;
use super::resources::{at_start, get};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use http::Request;
use kube::Client;
use serde_json::{Value, json};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

/// How often to see whether something is due.
const INTERVAL: Duration = Duration::from_secs(30);

/// How often another replica may come first.
const TRIES: usize = 10;

/// Where our own certificate is kept, and who is told of it.
#[derive(Clone, Debug)]
pub struct SelfManaged {
    /// The namespace of the Secret.
    pub namespace: String,
    /// The name of the Secret.
    pub secret: String,
    /// The ValidatingWebhookConfiguration whose `caBundle` is kept.
    pub configuration: String,
    /// The names by which the API server calls us.
    pub names: Vec<String>,
    /// The authorities that vouch for those who may call; PEM. Anyone may without it.
    pub client_authorities: Option<PathBuf>,
}

/// Makes or takes over the certificate and looks after it from then on.
///
/// # Errors
///
/// If there is none now and none can be made.
pub(super) async fn follow(
    managed: SelfManaged,
    client: Client,
    metrics: Arc<Metrics>,
) -> Result<Identity, String> {
    let keeper = Keeper { managed, client };
    let material = at_start(async || keeper.material().await).await?;
    keeper.publish(&material).await;
    let mut current = keeper.pems(&material).await?;
    let (config, expiry) = configure(&current)?;
    metrics.certificate_expiry.set(expiry);
    let identity = Identity::new(config);
    let kept = identity.clone();
    tokio::spawn(async move {
        loop {
            tokio::time::sleep(INTERVAL).await;
            let pems = match keeper.material().await {
                Ok(material) => {
                    keeper.publish(&material).await;
                    keeper.pems(&material).await
                }
                Err(why) => Err(why),
            };
            let result = match pems {
                Ok(pems) if pems == current => continue,
                Ok(pems) => configure(&pems).map(|it| (pems, it)),
                Err(why) => Err(why),
            };
            match result {
                Ok((pems, (config, expiry))) => {
                    current = pems;
                    kept.set(config);
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
    });
    Ok(identity)
}

struct Keeper {
    managed: SelfManaged,
    client: Client,
}

impl Keeper {
    async fn pems(&self, material: &Material) -> Result<Pems, String> {
        let client_authorities = match &self.managed.client_authorities {
            None => None,
            Some(path) => Some(read(path).await?),
        };
        Ok(Pems {
            certificate: material.certificate.clone().into_bytes(),
            key: material.key.clone().into_bytes(),
            client_authorities,
        })
    }

    /// What the Secret holds, renewed where that is due.
    async fn material(&self) -> Result<Material, String> {
        for _ in 0..TRIES {
            let stored = self.stored().await?;
            let published = self.published().await;
            let material = stored.as_ref().map(|(it, _)| it);
            let now = jiff::Timestamp::now().as_second();
            match authority::renew(material, &self.managed.names, &published, now)? {
                None => {
                    let (material, _) = stored.ok_or("nothing was made")?;
                    return Ok(material);
                }
                Some(next) => {
                    let version = stored.map(|(_, version)| version);
                    if self.store(&next, version).await? {
                        return Ok(next);
                    }
                }
            }
        }
        Err("other replicas keep writing the Secret of the certificate".into())
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

    fn configuration_path(&self) -> String {
        format!(
            "/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations/{}",
            self.managed.configuration
        )
    }

    /// The authorities that the API server trusts; empty where it does not know of us.
    async fn published(&self) -> String {
        let Ok(configuration) = get(&self.client, &self.configuration_path()).await else {
            return String::new();
        };
        let bundle = configuration.pointer("/webhooks/0/clientConfig/caBundle");
        let bundle = bundle.and_then(Value::as_str).and_then(|it| STANDARD.decode(it).ok());
        bundle.and_then(|it| String::from_utf8(it).ok()).unwrap_or_default()
    }

    /// Tells the API server what to trust, where it does not know yet.
    async fn publish(&self, material: &Material) {
        if let Err(why) = self.try_to_publish(material).await {
            tracing::error!(why, "cannot tell the API server which authority to trust");
        }
    }

    async fn try_to_publish(&self, material: &Material) -> Result<(), String> {
        let bundle = STANDARD.encode(&material.authorities);
        let configuration = match get(&self.client, &self.configuration_path()).await {
            Ok(it) => it,
            // It is installed last, when we are ready.
            Err(kube::Error::Api(status)) if status.code == 404 => return Ok(()),
            Err(why) => return Err(why.to_string()),
        };
        let webhooks = configuration.get("webhooks").and_then(Value::as_array);
        let behind = webhooks.into_iter().flatten().enumerate().filter(|(_, it)| {
            it.pointer("/clientConfig/caBundle").and_then(Value::as_str) != Some(&bundle)
        });
        let mut patch: Vec<Value> = behind
            .map(|(at, _)| {
                let path = format!("/webhooks/{at}/clientConfig/caBundle");
                json!({"op": "add", "path": path, "value": bundle})
            })
            .collect();
        if patch.is_empty() {
            return Ok(());
        }
        let version = configuration.pointer("/metadata/resourceVersion");
        patch.insert(
            0,
            json!({"op": "test", "path": "/metadata/resourceVersion", "value": version}),
        );
        let request = Request::patch(self.configuration_path())
            .header("Content-Type", "application/json-patch+json")
            .body(Value::Array(patch).to_string().into_bytes())
            .map_err(|why| why.to_string())?;
        match self.client.request::<Value>(request).await {
            Ok(_) => tracing::info!("told the API server which authority to trust"),
            // Somebody else changed it: next time.
            Err(kube::Error::Api(status)) if matches!(status.code, 409 | 422) => {}
            Err(why) => return Err(why.to_string()),
        }
        Ok(())
    }
}
