//! Applying the manifests and deleting them, by server-side apply with a field manager of our own: what others set on
//! the same objects (`caBundle`, which the webhook itself writes, above all) stays.

use super::manifests::{self, Changes, Manifest, POLICY_KEY, TRY_OUT, policy_with_mode};
use super::{API_SERVER, BREAK_GLASS, backwards, print};
use http::Request;
use kube::Client;
use purlin::api::kind::{Kind, group};
use purlin::load::cluster::{Options, client, explain};
use serde_json::{Value as Json, json};
use std::time::Duration;

/// Who we are among those who set fields.
const MANAGER: &str = "purlin-install";

/// How often to look whether what is waited for has come about.
const INTERVAL: Duration = Duration::from_secs(1);

/// How long one request may take.
const REQUEST: Duration = Duration::from_secs(30);

/// How often to try a webhook that fails closed, each `INTERVAL` after the other: an API server, or the last one of
/// several, goes by a new configuration only after a moment.
const TRIES: usize = 6;

/// Puts the webhook into the cluster: the server, and when it is there, what makes the API server ask it.
pub(super) fn install(
    context: Option<&str>,
    changes: &Changes,
    timeout: u64,
) -> Result<(), String> {
    let server = manifests::server(changes);
    let deployment = server.iter().find(|it| it.get("/kind") == "Deployment");
    let deployment = deployment.ok_or("the manifests hold no Deployment")?;
    run(async {
        let cluster = Cluster::of(context).await?;
        let webhook = manifests::webhook("Ignore");
        // As long as nobody has seen the API server show a certificate, calls that fail for want of one block nothing.
        if changes.client_ca.is_some() && cluster.is_there(&webhook).await? {
            cluster.apply(&webhook).await?;
        }
        for manifest in &server {
            let edited = cluster.edited_policy(manifest, changes.mode).await?;
            cluster.apply(edited.as_ref().unwrap_or(manifest)).await?;
        }
        say(&format!("waiting for {}", deployment.title()));
        let waited = cluster.wait(deployment, timeout, is_available).await;
        waited.map_err(|why| {
            format!("{why}; the API server was not told to ask it, so nothing is blocked")
        })?;
        // Whatever comes next, a webhook that cannot be reached does no harm as long as it is ignored.
        cluster.apply(&webhook).await?;
        if changes.client_ca.is_some() {
            cluster.see_certificate(&webhook, changes, timeout).await?;
        }
        if changes.failure_policy == "Fail" {
            cluster.fail_closed(&webhook, timeout).await?;
        }
        say(&format!("to switch it off, whatever state it is in: {BREAK_GLASS}"));
        Ok(())
    })
}

/// Takes it out again, the webhook configuration first.
pub(super) fn uninstall(context: Option<&str>) -> Result<(), String> {
    run(async {
        let cluster = Cluster::of(context).await?;
        for manifest in backwards() {
            cluster.delete(&manifest).await?;
        }
        Ok(())
    })
}

/// The resource of a manifest's kind.
pub(super) fn resource(manifest: &Manifest) -> &'static str {
    let kind = Kind::of(group(manifest.get("/apiVersion")), manifest.get("/kind"));
    kind.info().map_or("", |it| it.resource)
}

fn path(manifest: &Manifest) -> String {
    let [version, namespace, name] =
        ["/apiVersion", "/metadata/namespace", "/metadata/name"].map(|it| manifest.get(it));
    let root = if version.contains('/') { "apis" } else { "api" };
    let namespace =
        if namespace.is_empty() { String::new() } else { format!("namespaces/{namespace}/") };
    format!("/{root}/{version}/{namespace}{}/{name}", resource(manifest))
}

struct Cluster {
    client: Client,
}

impl Cluster {
    async fn of(context: Option<&str>) -> Result<Cluster, String> {
        let options = Options {
            context: context.map(String::from),
            namespaces: Vec::new(),
            timeout: REQUEST,
        };
        let (client, _) = client(&options).await?;
        Ok(Cluster { client })
    }

    /// The policy that is in the cluster already, in another mode: what somebody wrote there is not ours to drop.
    async fn edited_policy(
        &self,
        manifest: &Manifest,
        mode: &str,
    ) -> Result<Option<Manifest>, String> {
        if manifest.get("/kind") != "ConfigMap" {
            return Ok(None);
        }
        let title = manifest.title();
        let there = match self.get(manifest).await {
            Ok(it) => it,
            Err(kube::Error::Api(status)) if status.code == 404 => return Ok(None),
            Err(why) => return Err(format!("{title} cannot be read: {}", explain(&why))),
        };
        let policy = there.get("data").and_then(|it| it.get(POLICY_KEY)).and_then(Json::as_str);
        let Some(policy) = policy else { return Ok(None) };
        let edited = policy_with_mode(policy, mode)
            .ok_or_else(|| format!("the policy in {title} has no `admission.mode` to set"))?;
        let mut manifest = manifest.clone();
        manifest.object["data"][POLICY_KEY] = edited.into();
        Ok(Some(manifest))
    }

    async fn is_there(&self, manifest: &Manifest) -> Result<bool, String> {
        match self.get(manifest).await {
            Ok(_) => Ok(true),
            Err(kube::Error::Api(status)) if status.code == 404 => Ok(false),
            Err(why) => Err(format!("{} cannot be read: {}", manifest.title(), explain(&why))),
        }
    }

    async fn get(&self, manifest: &Manifest) -> kube::Result<Json> {
        let request = Request::get(path(manifest)).body(Vec::new());
        self.client.request(request.map_err(kube::Error::HttpError)?).await
    }

    async fn apply(&self, manifest: &Manifest) -> Result<(), String> {
        let path =
            format!("{}?fieldManager={MANAGER}&force=true&fieldValidation=Strict", path(manifest));
        let request = Request::patch(path).header("Content-Type", "application/apply-patch+yaml");
        let applied = self.request(request, &manifest.object).await;
        applied
            .map_err(|why| format!("{} was not applied: {}", manifest.title(), explain(&why)))?;
        say(&format!("{} applied", manifest.title()));
        Ok(())
    }

    async fn delete(&self, manifest: &Manifest) -> Result<(), String> {
        let options = json!({
            "apiVersion": "v1", "kind": "DeleteOptions", "propagationPolicy": "Background",
        });
        let request = Request::delete(path(manifest)).header("Content-Type", "application/json");
        let outcome = match self.request(request, &options).await {
            Ok(_) => "deleted",
            Err(kube::Error::Api(status)) if status.code == 404 => "is not there",
            Err(why) => {
                return Err(format!("{} was not deleted: {}", manifest.title(), explain(&why)));
            }
        };
        say(&format!("{} {outcome}", manifest.title()));
        Ok(())
    }

    async fn request(&self, request: http::request::Builder, body: &Json) -> kube::Result<Json> {
        let request = request.body(body.to_string().into_bytes());
        self.client.request(request.map_err(kube::Error::HttpError)?).await
    }

    /// Waits until an object is as it is to be; says what is missing when it takes too long.
    async fn wait(
        &self,
        manifest: &Manifest,
        timeout: u64,
        missing: fn(&Json) -> Option<String>,
    ) -> Result<(), String> {
        let mut last = String::new();
        let wait = async {
            loop {
                let object = self.get(manifest).await;
                // An API server that is away for a moment is waited for as well.
                match object.map_or_else(|why| Some(explain(&why)), |it| missing(&it)) {
                    None => return,
                    Some(it) => last = it,
                }
                tokio::time::sleep(INTERVAL).await;
            }
        };
        let waited = tokio::time::timeout(Duration::from_secs(timeout), wait).await;
        waited.map_err(|_| format!("after {timeout} s {}: {last}", manifest.title()))
    }

    /// Has requests fail where the webhook does not answer, and takes that back if it does not answer now.
    async fn fail_closed(&self, webhook: &Manifest, timeout: u64) -> Result<(), String> {
        self.wait(webhook, timeout, lacks_authority)
            .await
            .map_err(|why| format!("{why}; `failurePolicy` stays `Ignore`"))?;
        self.apply(&manifests::webhook("Fail")).await?;
        let Err(why) = self.try_out().await else { return Ok(()) };
        self.apply(webhook).await?;
        Err(format!(
            "the API server cannot ask the webhook, so `failurePolicy` is `Ignore` again: {}",
            explain(&why)
        ))
    }

    /// Tries out whether the API server shows a certificate that the server takes; where it does not, every call would
    /// fail, so the server no longer asks for one.
    async fn see_certificate(
        &self,
        webhook: &Manifest,
        changes: &Changes,
        timeout: u64,
    ) -> Result<(), String> {
        let Err(why) = self.try_certificate(webhook, timeout).await else { return Ok(()) };
        let without = Changes { client_ca: None, ..changes.clone() };
        let without = manifests::server(&without).into_iter();
        for manifest in without.filter(|it| it.get("/kind") == "Deployment") {
            self.apply(&manifest).await?;
        }
        Err(format!(
            "the API server cannot ask a webhook that wants a certificate, so `--client-ca` is off again and              `failurePolicy` is `Ignore`: {why}\n{API_SERVER}"
        ))
    }

    async fn try_certificate(&self, webhook: &Manifest, timeout: u64) -> Result<(), String> {
        self.wait(webhook, timeout, lacks_authority).await?;
        let there = self.get(webhook).await.map_err(|why| explain(&why))?;
        let bundle = there.pointer("/webhooks/0/clientConfig/caBundle").and_then(Json::as_str);
        let probe = manifests::try_out(bundle.unwrap_or_default());
        self.apply(&probe).await?;
        let tried = self.try_out().await;
        self.delete(&probe).await?;
        tried.map_err(|why| explain(&why))
    }

    /// Writes something that the webhook is asked about, as a dry run, until it must have been asked.
    async fn try_out(&self) -> Result<(), kube::Error> {
        let map = json!({
            "apiVersion": "v1", "kind": "ConfigMap",
            "metadata": { "generateName": "purlin-try-out-", "labels": { TRY_OUT: "purlin" } },
        });
        let path = "/api/v1/namespaces/default/configmaps?dryRun=All";
        for _ in 0..TRIES {
            tokio::time::sleep(INTERVAL).await;
            let request = Request::post(path).header("Content-Type", "application/json");
            self.request(request, &map).await?;
        }
        Ok(())
    }
}

/// What keeps a Deployment from being available in the version that was applied.
fn is_available(deployment: &Json) -> Option<String> {
    let number = |pointer: &str| deployment.pointer(pointer).and_then(Json::as_i64).unwrap_or(0);
    let wanted = number("/spec/replicas");
    let observed = number("/status/observedGeneration") >= number("/metadata/generation");
    let (updated, available) =
        (number("/status/updatedReplicas"), number("/status/availableReplicas"));
    let is_done = observed && updated >= wanted && available >= wanted;
    (!is_done).then(|| format!("{available} of {wanted} replicas are available"))
}

/// That the webhook has not written its authority yet, without which the API server trusts no answer of it.
fn lacks_authority(webhook: &Json) -> Option<String> {
    let bundle = webhook.pointer("/webhooks/0/clientConfig/caBundle").and_then(Json::as_str);
    bundle.is_none_or(str::is_empty).then(|| "the webhook has not written `caBundle`".into())
}

fn say(line: &str) {
    // A reader that went away does not stop the work half-way.
    let _ = print(format!("{line}\n").as_bytes());
}

fn run(work: impl Future<Output = Result<(), String>>) -> Result<(), String> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    runtime.map_err(|why| format!("no thread to run on: {why}"))?.block_on(work)
}
