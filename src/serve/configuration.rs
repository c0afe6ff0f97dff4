//! The ValidatingWebhookConfiguration that has the API server call us: which authorities it trusts, and telling it.

use super::resources::get;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use http::Request;
use kube::Client;
use serde_json::{Value, json};

/// The configuration as it was read.
pub(super) struct Configuration {
    path: String,
    version: String,
    /// The `caBundle` of each webhook, as it is written.
    bundles: Vec<String>,
}

impl Configuration {
    /// Reads it; nothing where there is none, because it is installed last.
    ///
    /// # Errors
    ///
    /// If it cannot be read.
    pub(super) async fn read(client: &Client, name: &str) -> Result<Option<Configuration>, String> {
        let path =
            format!("/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations/{name}");
        let read = match get(client, &path).await {
            Ok(it) => it,
            Err(kube::Error::Api(status)) if status.code == 404 => return Ok(None),
            Err(why) => return Err(format!("cannot read the webhook's configuration: {why}")),
        };
        let text = |pointer: &str, it: &Value| {
            it.pointer(pointer).and_then(Value::as_str).unwrap_or_default().to_string()
        };
        let webhooks = read.get("webhooks").and_then(Value::as_array);
        let bundles = webhooks.into_iter().flatten();
        let bundles = bundles.map(|it| text("/clientConfig/caBundle", it)).collect();
        Ok(Some(Configuration { path, version: text("/metadata/resourceVersion", &read), bundles }))
    }

    /// The authorities that the API server trusts when it calls the first webhook; PEM.
    pub(super) fn authorities(&self) -> String {
        let bundle = self.bundles.first().and_then(|it| STANDARD.decode(it).ok());
        bundle.and_then(|it| String::from_utf8(it).ok()).unwrap_or_default()
    }

    /// Tells the API server which authorities to trust, where it does not know; false if the configuration is not what
    /// was read any more.
    ///
    /// # Errors
    ///
    /// If it cannot be told.
    pub(super) async fn publish(&self, client: &Client, authorities: &str) -> Result<bool, String> {
        let bundle = STANDARD.encode(authorities);
        let behind = self.bundles.iter().enumerate().filter(|(_, it)| **it != bundle);
        let mut patch: Vec<Value> = behind
            .map(|(at, _)| {
                let path = format!("/webhooks/{at}/clientConfig/caBundle");
                json!({"op": "add", "path": path, "value": bundle})
            })
            .collect();
        if patch.is_empty() {
            return Ok(true);
        }
        let path = "/metadata/resourceVersion";
        patch.insert(0, json!({"op": "test", "path": path, "value": self.version}));
        let request = Request::patch(&self.path)
            .header("Content-Type", "application/json-patch+json")
            .body(Value::Array(patch).to_string().into_bytes())
            .map_err(|why| why.to_string())?;
        match client.request::<Value>(request).await {
            Ok(_) => {
                tracing::info!("told the API server which authority to trust");
                Ok(true)
            }
            Err(kube::Error::Api(status)) if matches!(status.code, 409 | 422) => Ok(false),
            Err(why) => Err(format!("cannot tell the API server which authority to trust: {why}")),
        }
    }
}
